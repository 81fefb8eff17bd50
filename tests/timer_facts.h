/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of timers share. */
#ifndef GULCH_TESTS_TIMER_FACTS_H
#define GULCH_TESTS_TIMER_FACTS_H

#include "harness.h"

#define MS GCH_MILLISECOND

static inline int64_t receive(gch_chan *c) {
  int64_t when = 0;
  ck_assert_int_eq(gch_recv(c, &when), 0);
  return when;
}

/* Timers fire in the order of their times: returns when all that were due
   within ns have fired. */
static inline void let_pass(int64_t ns) {
  gch_chan *c = gch_after(ns);
  receive(c);
  gch_unref(c);
}

static inline void expect_empty(gch_chan *c) {
  ck_assert_int_eq(gch_try_recv(c, NULL), EAGAIN);
}

#endif
