/* SPDX-License-Identifier: BSD-3-Clause */
/* Forked processes, and what programs embed: whoever waited there in the parent
   is not there in the child. */
#ifndef GULCH_TESTS_FORK_SCENE_H
#define GULCH_TESTS_FORK_SCENE_H

#include "fork_life.h"

#include <gulch/debug.h>
#include <gulch/sync.h>

#include <stdatomic.h>

enum { GHOSTS = 2, KINDS = 2 }; /* threads, tasks */

struct scene {
  gch_mutex mutex;
  gch_rwmutex rw;
  gch_cond cond;
  gch_once once;
  gch_wg wg;
  gch_chan *gate, *begun;
  _Atomic int runs;
  test_thread *waits;
};

static inline struct scene *scene_new(void) {
  static struct scene s; /* each test in its own process */
  s.gate = gch_make(0, 0);
  s.begun = gch_make(0, 0);
  return &s;
}

/* Returns when count(s) is n. */
static inline void await_sleepers(struct scene *s,
                                  size_t (*count)(struct scene *), size_t n) {
  while (count(s) != n)
    gch_sleep(20 * GCH_MICROSECOND);
}

static inline void check_child(struct scene *s, int (*fn)(struct scene *s)) {
  pid_t pid = fork_with_parent();
  if (pid == 0)
    _exit(fn(s));
  ck_assert_int_eq(status_of(pid), OK);
}

/* fn in a child of a process where GHOSTS wait in ghost; then let(s), which
   lets them go. */
static inline void fork_among(bool tasks, struct scene *s,
                              void (*ghost)(void *),
                              size_t (*count)(struct scene *),
                              int (*fn)(struct scene *s),
                              void (*let)(struct scene *s)) {
  test_thread *ghosts[GHOSTS];
  for (int i = 0; i < GHOSTS; i++)
    ghosts[i] = thread_start_as(tasks, ghost, s);
  await_sleepers(s, count, GHOSTS);
  check_child(s, fn);
  let(s);
  for (int i = 0; i < GHOSTS; i++)
    thread_join(ghosts[i]);
  await_no_tasks();
}

#endif
