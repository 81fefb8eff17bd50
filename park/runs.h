/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The runs of a user's function that a handle sets off (an after_func, a
 * timer_func), and those who wait until none is under way.
 *
 * The handle's memory has holders: the user, what may still set a run off, and
 * each run, from when it is decided on until its function has returned. Who
 * gives the last share back frees it.
 *
 * Both numbers are one atomic word, so that a run is decided on without a lock:
 * it is under another (a tree's, the timer queue's). The lists, and each step
 * by which the sum gets less, are guarded by the lock for lists of sleepers at
 * this address; it is taken with no other held. So who makes the sum 0 is the
 * last who touches the memory, and who finds a run under way is woken by its
 * end.
 *
 * In a forked child runs of the parent are not there: none is under way at
 * first. So the word says of which process its runs are, and the lists have
 * theirs (sleepers.h).
 */
#ifndef GCH_PARK_RUNS_H
#define GCH_PARK_RUNS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct gch_run; /* one that is inside the function, on its stack */

struct gch_runs {
  _Atomic uint64_t word; /* see runs.c */
  uint32_t process;      /* which the lists are of */
  struct gch_run *inside;
  void *waiters;
};

/* For a handle with so many holders. */
void gch__runs_init(struct gch_runs *r, uint32_t holders);

/* A run is decided on: a new one; or one that a holder becomes. By a holder, or
   under a lock without which the holder does not go. */
void gch__runs_add(struct gch_runs *r);
void gch__runs_become(struct gch_runs *r);

/* In the run: calls fn(arg), and then the run is over. True: the caller frees
   what r is in. Keeps the rule of fork.h. */
bool gch__runs_call(struct gch_runs *r, void (*fn)(void *), void *arg);

/* n holders go. True: the caller frees what r is in. */
bool gch__runs_let_go(struct gch_runs *r, uint32_t n);

/* For a holder: waits until no run is under way; whether one was. Panics where
   the caller is in fn, and would wait for itself. */
bool gch__runs_await(struct gch_runs *r);

#endif
