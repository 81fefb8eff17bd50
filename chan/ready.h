/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether an operation looks possible, without the lock.
 *
 * "Not ready" must be true of one instant, so that a value that is there
 * throughout is never missed. What is looked at first is what may change back
 * (values, partners), closed last: closed never goes back, so "was empty"
 * followed by "is open" means "was empty and open" at the first look. All
 * loads are acquire, which keeps their order.
 *
 * "Ready" is a hint: whoever acts on it takes the lock and may find
 * otherwise. (What is observed always seems ready, so that its observers hear
 * of it where it is not.) So both the buffer and the queue may be looked at,
 * whatever the capacity: without a buffer there is neither a value nor room,
 * and with one whoever waits does so behind values or for room, or is claimed
 * elsewhere.
 *
 * That several channels are not ready at one and the same instant takes two
 * looks at each. A channel can become ready and not ready again in between only
 * if a value is taken out of its buffer or, where it has none, somebody queues
 * on it, or a timer's value is taken or thrown away: these are its turns,
 * counted before they show. So: turns, then readiness, of all; then readiness,
 * then turns, of all. If nothing was ready and no turn was taken, then nothing
 * was ready from the last of the first looks to the first of the second.
 * Release and acquire: who sees what a turn made of len or of a queue sees the
 * turn; who sees a turn sees what was before it.
 */
#ifndef GCH_CHAN_READY_H
#define GCH_CHAN_READY_H

#include "chan/timed.h"

/* One that has no value and no sender, and is not just open or closed. */
bool gch__seems_ready(const gch_chan *c);

/* With the lock held: whether an operation would not have to wait; exactly. */
bool gch__ready_now(const gch_chan *c, bool send);

static inline bool gch__somebody_in(const struct gch_queue *q) {
  return atomic_load_explicit(&q->first, memory_order_acquire) != NULL;
}

/* Or it is a timer's, or is observed. */
static inline bool gch__recv_may_be_ready(const gch_chan *c) {
  GCH_DELAY();
  return gch__len(c) > 0 || gch__somebody_in(&c->senders) ||
         gch__state(c) != GCH_OPEN;
}

__attribute__((always_inline)) static inline bool
gch__recv_ready(const gch_chan *c) {
  GCH_DELAY();
  if (gch__len(c) > 0 || gch__somebody_in(&c->senders))
    return true;
  uint8_t state = gch__state(c);
  return __builtin_expect(state != GCH_OPEN, false) &&
         (state == GCH_CLOSED || gch__seems_ready(c));
}

static inline bool gch__send_ready(const gch_chan *c) {
  GCH_DELAY();
  return gch__len(c) < c->cap || gch__somebody_in(&c->receivers) ||
         gch__state(c) != GCH_OPEN;
}

#endif
