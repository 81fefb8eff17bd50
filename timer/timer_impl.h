/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What all timers share. One with a channel (timer, ticker, after:
 * chan_timer.c) is one allocation with it, freed by the channel's last unref; a
 * timer_func frees itself (go/timer_func.c).
 *
 * A timer_func runs while its entry is in the timer queue. Stopping, or
 * starting again, is one step under the queue's lock, under which it also
 * fires.
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
  bool (*await)(gch_timer *t); /* waits for runs of fn; whether there were any;
                                  NULL: there is no fn */
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
