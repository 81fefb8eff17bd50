/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What channels need to know of timers. timer/chan_timer.c implements it.
 *
 * A timer's channel has no buffer and no senders. Its value is there from the
 * time on at which the timer is due: who asks, by whatever form, has the clock
 * looked at, and takes it. So nothing happens at that time unless somebody is
 * parked there. Then an alarm is set: who comes to an empty queue of receivers
 * sets it, who leaves it empty takes it back. Receivers who are parked go
 * first: who asks while the value is there, and finds one, hands it over.
 */
#ifndef GCH_CHAN_TIMED_H
#define GCH_CHAN_TIMED_H

#include "chan/impl.h"

/* Without the lock, as in ready.h: whether the value is there. */
bool gch__timed_ready(const gch_chan *c);

/* All others with the channel's lock held. As gch__recv_locked. */
int gch__timed_take(gch_chan *c, void *elem, struct gch_waiter **partner);

/* A receiver is about to queue: sets the alarm, if there is none. True: after
   the unlock gch__timed_wake is to be called. */
bool gch__timed_await(gch_chan *c);
void gch__timed_wake(void);

/* Nobody is queued any more: no alarm, but for observers. */
void gch__timed_leave(gch_chan *c);

/* In a forked child: the value is there if it was, else it will not come. */
void gch__timed_forked(gch_chan *c);

static inline bool gch__is_timed(const gch_chan *c) {
  return atomic_load_explicit(&c->state, memory_order_relaxed) & GCH_TIMED;
}

/* As gch__timed_await, on any channel. */
static inline bool gch__receiver_comes(gch_chan *c) {
  return gch__is_timed(c) && gch__timed_await(c);
}

/* Somebody has gone from a queue of c, which is any channel. */
static inline void gch__receiver_left(gch_chan *c) {
  if (gch__is_timed(c) && !gch__queue_first(&c->receivers))
    gch__timed_leave(c);
}

#endif
