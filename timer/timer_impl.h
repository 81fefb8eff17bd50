/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What all timers share. One with a channel (timer, ticker, after:
 * chan_timer.c) is one allocation with it, freed by the channel's last unref; a
 * timer_func frees itself (go/timer_func.c).
 *
 * A timer_func runs while its entry is in the timer queue. Stopping, or
 * starting again, is one step under the queue's lock, under which it also
 * fires. While somebody waits for the end of its runs (stop_wait) it is not
 * started, lest a run that starts it again be followed by another for ever.
 */
#ifndef GCH_TIMER_TIMER_IMPL_H
#define GCH_TIMER_TIMER_IMPL_H

#include "chan/impl.h"
#include "park/clock.h"
#include "timer/queue.h"

#include <gulch/timer.h>

struct gch_timer {
  struct gch_entry entry;
  gch_chan *chan;              /* NULL: a timer_func */
  void (*free)(gch_timer *t);  /* the user's share of t goes */
  void (*await)(gch_timer *t); /* of a timer_func: until no run is under way */
  int stoppers;                /* who do so, under the queue's lock; */
  int process;                 /* in this process (park/fork.h) */
  bool refused;                /* it was to be started meanwhile */
};

/* Whether t was active: queued, or fired and the value not received. It is not
   any more; nothing of it is received after. */
bool gch__timer_stop(gch_timer *t);

/* Stops t, and starts it for ns from now, then every period (0: once), in one
   step. As stop. */
bool gch__timer_restart(gch_timer *t, int64_t ns, int64_t period);

/* A timer with a channel, started for ns from now; NULL with errno ENOMEM. */
gch_timer *gch__timer_new(int64_t ns, int64_t period);

#endif
