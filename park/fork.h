/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fork, seen from a task: when a task that forked returns from its function in
 * the child, the child ends there. It must not go on to what its starter does
 * after a task's function, which is the parent's business.
 */
#ifndef GCH_PARK_FORK_H
#define GCH_PARK_FORK_H

#include <stdatomic.h>

extern _Atomic int gch__fork_count;

/* Counts the forks that lead from the first process to this one. */
static inline int gch__forks(void) {
  return atomic_load_explicit(&gch__fork_count, memory_order_relaxed);
}

_Noreturn void gch__exit_child(void);

/* After a task's function, with what gch__forks gave before it: ends the
   process if this is a child. */
static inline void gch__exit_in_child(int forks_before) {
  if (gch__forks() != forks_before)
    gch__exit_child();
}

/* Calls fn(arg), then gch__exit_in_child. (Inline, since each return that a task
   makes after it was parked is one that the processor does not foresee.) */
static inline void gch__call_task(void (*fn)(void *), void *arg) {
  int before = gch__forks();
  fn(arg);
  gch__exit_in_child(before);
}

#endif
