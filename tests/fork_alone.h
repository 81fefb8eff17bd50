/* SPDX-License-Identifier: BSD-3-Clause */
/* Forks whose child goes on to use the library. */
#ifndef GULCH_TESTS_FORK_ALONE_H
#define GULCH_TESTS_FORK_ALONE_H

#include "harness.h"

#include <stdlib.h>
#include <unistd.h>

static inline void begun(void *c) {
  gch_send(*(gch_chan **)c, NULL);
}

/* AddressSanitizer's allocator does not survive a fork while another thread is
   in it, as one that is just being started is. So there is one worker then, and
   a fork waits until it and the library's thread are past that. */
#define FORK_ALONE (SANITIZED && !THREAD_SANITIZED)

static inline void one_worker(void) {
  if (FORK_ALONE)
    gch_maxprocs(1);
}

static inline Suite *fork_suite(const char *name) {
  one_worker();
  return suite_create(name);
}

/* Its tests fork: of a suite that is about more. */
static inline TCase *fork_case(Suite *s, const char *name) {
  TCase *t = test_case(s, name);
  tcase_add_checked_fixture(t, one_worker, NULL);
  return t;
}

static inline void await_threads(void) {
  gch_chan *timer = gch_after(0), *task = gch_make(0, 0);
  if (gch_go_copy(begun, &task, sizeof task) != 0)
    abort();
  gch_recv(timer, NULL);
  gch_recv(task, NULL);
  gch_unref(timer);
  gch_unref(task);
}

static inline pid_t fork_alone(void) {
  if (FORK_ALONE)
    await_threads();
  return fork();
}

#endif
