/* SPDX-License-Identifier: BSD-3-Clause */
/* Parking one plain operation on one channel. */
#ifndef GCH_CHAN_PARK_H
#define GCH_CHAN_PARK_H

#include "chan/impl.h"
#include "park/clock.h"

/* A waiter that is alone in its group. */
struct gch_single {
  struct gch_waiter waiter;
  struct gch_group group;
};

_Static_assert(sizeof(struct gch_single) <= GCH_TASK_ROOM, "a task has room");

/* After the deadline: 0, EPIPE or ETIMEDOUT. */
int gch__park_gave_up(gch_chan *c, struct gch_queue *q, struct gch_waiter *w);

/* Queues on q, a queue of c, whose lock the caller holds and which is released
   here; parks until somebody completes the operation (0, EPIPE) or deadline
   (ETIMEDOUT, and then nobody did). */
static inline int gch__park_on(gch_chan *c, struct gch_queue *q, void *elem,
                               int64_t deadline) {
  struct gch_task *self = gch__task_self();
  struct gch_single own, *s = &own;
  if (self && deadline == GCH__FOREVER)
    s = gch__task_room(self);
  s->waiter.group = &s->group; /* next and prev: gch__queue_add */
  s->waiter.elem = elem;
  s->waiter.pos = GCH_NO_CASE;
  gch__group_init(&s->group, deadline, true);
  gch__group_describe(&s->group);
  gch__turn(c);
  gch__queue_add(q, &s->waiter);
  gch__unlock(&c->lock);
  return gch__park(&s->group.parker, deadline) == 0
             ? s->waiter.err
             : gch__park_gave_up(c, q, &s->waiter);
}

#endif
