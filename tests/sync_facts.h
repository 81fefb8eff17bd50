/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of <gulch/sync.h> share. None of its objects can be asked who
   waits there, so these look inside: the state, and that a list is a pointer to the first of
   a ring, whose second word is the last. */
#ifndef GULCH_TESTS_SYNC_FACTS_H
#define GULCH_TESTS_SYNC_FACTS_H

#include "tasks.h"

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

/* Returns when the bit is set in a state. */
GCH_UNUSED static void await_bit(const uint32_t *state, uint32_t bit) {
  while (!(__atomic_load_n(state, __ATOMIC_ACQUIRE) & bit))
    gch_sleep(20 * GCH_MICROSECOND);
}

/* Who was listed last. What it reads may be changing: one word at a time. */
GCH_UNUSED __attribute__((no_sanitize("thread"))) static void *
last_listed(void *const *list) {
  void *const *first = *(void *const *const volatile *)list;
  return first ? ((void *const volatile *)first)[1] : NULL;
}

/* Starts a task that is to wait on the list, and returns when it does. The
   caller has what those on the list wait for. */
GCH_UNUSED static void go_and_wait(gch_wg *wg, void (*fn)(void *), void *arg,
                                   void *const *list) {
  void *last = last_listed(list);
  ck_assert_int_eq(gch_wg_go(wg, fn, arg), 0);
  while (last_listed(list) == last)
    gch_sleep(20 * GCH_MICROSECOND);
}

/* A deadline that comes while the test runs. */
static inline int64_t shortly(void) {
  return gch_now() + 2 * MS;
}

#endif
