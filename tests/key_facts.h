/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of gch_key share. */
#ifndef GULCH_TESTS_KEY_FACTS_H
#define GULCH_TESTS_KEY_FACTS_H

#include "tasks.h"

#include <stdatomic.h>

static int values[8]; /* things to point to */
static atomic_int drops;

static inline void count_drop(void *value) {
  (void)value;
  atomic_fetch_add(&drops, 1);
}

static inline gch_key *new_key(void (*drop)(void *)) {
  gch_key *key = gch_key_new(drop);
  ck_assert_ptr_nonnull(key);
  return key;
}

/* Whether each of the facts below holds is found in the way _i: in a plain
   thread, a task, and a task that is a thread. */

struct in_way {
  void (*fn)(void *);
  void *arg;
  gch_chan *over;
};

static inline void call_and_tell(void *arg) {
  struct in_way *w = arg;
  w->fn(w->arg);
  gch_close(w->over);
}

static inline void in_way(int way, void (*fn)(void *), void *arg) {
  struct in_way w = {fn, arg, gch_make(0, 0)};
  gch_go_opts opts = {.thread = way == 2};
  if (way == 0) {
    test_thread *t = thread_start(fn, arg);
    thread_join(t);
  } else {
    ck_assert_int_eq(gch_go_with(&opts, call_and_tell, &w), 0);
    gch_recv(w.over, NULL);
    await_no_tasks();
  }
  gch_unref(w.over);
}

#define add_in_each_way(t, test) tcase_add_loop_test(t, test, 0, 3)

#endif
