/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether an operation looks possible, without the lock.
 *
 * "Not ready" must be true of one instant, so that a value that is there
 * throughout is never missed. What is looked at first is what may change back
 * (values, partners), closed second: closed never goes back, so "was empty"
 * followed by "is open" means "was empty and open" at the first look. Both
 * loads are acquire, which keeps their order.
 *
 * "Ready" is a hint: whoever acts on it takes the lock and may find
 * otherwise.
 */
#ifndef GCH_CHAN_READY_H
#define GCH_CHAN_READY_H

#include "chan/impl.h"

static inline bool gch__somebody_in(const struct gch_queue *q) {
  return atomic_load_explicit(&q->first, memory_order_acquire) != NULL;
}

static inline bool gch__recv_ready(const gch_chan *c) {
  if (c->cap > 0 ? gch__len(c) > 0 : gch__somebody_in(&c->senders))
    return true;
  return gch__is_closed(c);
}

static inline bool gch__send_ready(const gch_chan *c) {
  if (c->cap > 0 ? gch__len(c) < c->cap : gch__somebody_in(&c->receivers))
    return true;
  return gch__is_closed(c);
}

#endif
