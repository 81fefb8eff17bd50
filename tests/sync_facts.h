/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of <gulch/sync.h> share. */
#ifndef GULCH_TESTS_SYNC_FACTS_H
#define GULCH_TESTS_SYNC_FACTS_H

#include "tasks.h"

#include <gulch/debug.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define MS GCH_MILLISECOND

/* For things that may still change while they are not reached: no test fails by
   that, but one may pass that should not. */
static inline void let_others_run(void) {
  for (int i = 0; i < 5; i++)
    gch_yield();
}

/* Returns when the count, an expression, is n or more. */
#define await_asleep(count, n)                                                 \
  do {                                                                         \
    while ((count) < (n))                                                      \
      gch_sleep(20 * GCH_MICROSECOND);                                         \
  } while (0)

/* Starts a task that is to sleep, and returns when it does: when the count of
   who sleeps there has grown. The caller has what they sleep for. */
#define go_and_wait(wg, fn, arg, count)                                        \
  do {                                                                         \
    size_t before_ = (count);                                                  \
    ck_assert_int_eq(gch_wg_go(wg, fn, arg), 0);                               \
    await_asleep((count), before_ + 1);                                        \
  } while (0)

static inline size_t readers_waiting(const gch_rwmutex *rw) {
  size_t n;
  gch_rwmutex_waiting(rw, &n, NULL);
  return n;
}

static inline size_t writers_waiting(const gch_rwmutex *rw) {
  size_t n;
  gch_rwmutex_waiting(rw, NULL, &n);
  return n;
}

/* A deadline that comes while the test runs. */
static inline int64_t shortly(void) {
  return gch_now() + 2 * MS;
}

#endif
