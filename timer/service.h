/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The library's own thread: one for the process, started by the first thing
 * that needs it, asleep when there is nothing to do. It fires timers, runs
 * jobs for which no task could be started, and those of the library's own that
 * take long, a piece at a time; and passes signals on. Nothing else
 * there runs user code.
 */
#ifndef GCH_TIMER_SERVICE_H
#define GCH_TIMER_SERVICE_H

#include "chan/wakes.h"

#include <stdbool.h>
#include <stdint.h>

/* A function that must run once for each time it was handed in. */
struct gch_job {
  void (*run)(struct gch_job *job);
  void (*user_fn)(void *arg); /* that it will call, for dumps; or NULL */
  struct gch_job *next;
  uint32_t times; /* how often it is still to run here */
};

/* Makes sure that the thread runs. 0 or ENOMEM. */
int gch__service_start(void);

/* Makes it look around at once. Async-signal-safe where GCH_HAVE_FUTEX. */
void gch__service_wake(void);

/* Has job run on the thread, which was started before. Allocates nothing. */
void gch__service_run(struct gch_job *job);

/* Has the thread call poll each time it looks around. Set once, before the
   first wake that is meant for it. */
void gch__service_poll(void (*poll)(struct gch_wakes *k));

/* Whether there is a job that it has not begun. */
bool gch__service_has_jobs(void);

/* The thread has nothing left to do now: ends the process if nobody else has,
   or ever will. Until when it may sleep before it looks again. In
   debug/deadlock.c, and called from service.c so that it is there in a static
   link too. */
int64_t gch__look_for_deadlock(void);

#endif
