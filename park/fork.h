/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fork. In the child only the caller goes on; all others are ghosts: what they
 * held is not given back, and the memory that they stood in may be used anew.
 *
 * All that the library does about a fork begins here. Each folder has a record
 * of handlers, and fork.c calls them in a fixed order. Locks that stand alone
 * are held over the fork, so that the child finds what they guard whole; what
 * has a lock in each of many objects is mended in the child (chan/fork.c).
 *
 * What users embed (a mutex, a wait group) is in no list. It remembers of which
 * process its list of waiters is, in a word that is looked at on the slow paths
 * only: gch__adopt in park/sleepers.h.
 *
 * When a task that forked returns from its function in the child, the child
 * ends there. It must not go on to what its starter does after a task's
 * function, which is the parent's business. So there is something to look after
 * at the end of each task's function, before anything else; another such thing
 * is that its task-local values are dropped (task/key.c). Both are rare, and
 * one word tells that neither is to be done: GCH_END_VALUES is set in it once
 * there are keys, and the rest counts the forks that lead from the first
 * process to this one.
 */
#ifndef GCH_PARK_FORK_H
#define GCH_PARK_FORK_H

#include "park/cpu.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct gch_fork_handlers {
  void (*before)(void);    /* takes locks */
  void (*in_parent)(void); /* gives them back */
  void (*in_child)(void);  /* the same, and forgets the others */
};

extern const struct gch_fork_handlers gch__fork_chan, gch__fork_sleepers,
    gch__fork_timer, gch__fork_go, gch__fork_key, gch__fork_context,
    gch__fork_signal, gch__fork_io, gch__fork_net, gch__fork_readyfd;

enum { GCH_END_VALUES = 1, GCH_END_FORK = 2 };

extern GCH_HIDDEN _Atomic int gch__end_word;

/* The same for a process's whole life, and another in a child; 0 in the
   first. */
static inline int gch__forks(void) {
  return atomic_load_explicit(&gch__end_word, memory_order_relaxed) &
         ~GCH_END_VALUES;
}

/* Whether a fork on the way here left threads behind. Then a lock of the C
   library's that fork does not give back may be held for ever: glibc's dynamic
   linker has such (dlopen, dlsym, dladdr, dl_iterate_phdr). */
bool gch__left_threads(void);

/* A number for the running task or, where there is none, the thread; and, in a
   forked child, that of who called fork, as it was then. */
uintptr_t gch__self_number(void);
extern uintptr_t gch__forker;

void gch__end_with_care(int forks_before);

/* After a task's function, with what gch__forks gave before it: drops the
   values, and ends the process if this is a child. */
static inline void gch__exit_in_child(int forks_before) {
  if (atomic_load_explicit(&gch__end_word, memory_order_relaxed) !=
      forks_before)
    gch__end_with_care(forks_before);
}

/* Calls fn(arg), then gch__exit_in_child. (Inline, since each return that a
   task makes after it was parked is one that the processor does not
   foresee.) */
static inline void gch__call_task(void (*fn)(void *), void *arg) {
  int before = gch__forks();
  fn(arg);
  gch__exit_in_child(before);
}

/* From now on there are values to drop. */
void gch__tasks_have_values(void);

/* Drops the caller's task-local values (task/key.c). */
void gch__drop_values(void);

#endif
