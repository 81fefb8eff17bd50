/* SPDX-License-Identifier: BSD-3-Clause */
/* Parking one plain operation on one channel. */
#ifndef GCH_CHAN_PARK_H
#define GCH_CHAN_PARK_H

#include "chan/impl.h"
#include "park/clock.h"

/* After the deadline: 0, EPIPE or ETIMEDOUT. */
int gch__park_gave_up(gch_chan *c, struct gch_queue *q, struct gch_waiter *w);

/* Queues on q, a queue of c, whose lock the caller holds and which is released
   here; parks until somebody completes the operation (0, EPIPE) or deadline
   (ETIMEDOUT, and then nobody did). */
static inline int gch__park_on(gch_chan *c, struct gch_queue *q, void *elem,
                               int64_t deadline) {
  struct gch_group group;
  struct gch_waiter w; /* next and prev: gch__queue_add */
  w.group = &group;
  w.elem = elem;
  w.pos = GCH_NO_CASE;
  gch__group_init(&group, deadline, true);
  gch__group_describe(&group);
  gch__turn(c);
  gch__queue_add(q, &w);
  gch__unlock(&c->lock);
  return gch__park(&group.parker, deadline) == 0 ? w.err
                                                 : gch__park_gave_up(c, q, &w);
}

#endif
