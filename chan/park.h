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

/* Queues s, whose group is set up, on q, a queue of c, whose lock the caller
   holds and which is released here. */
static inline void gch__queue_single(gch_chan *c, struct gch_queue *q,
                                     struct gch_single *s, void *elem) {
  s->waiter.group = &s->group; /* next and prev: gch__queue_add */
  s->waiter.elem = elem;
  s->waiter.pos = GCH_NO_CASE;
  gch__group_describe(&s->group);
  gch__turn(c);
  gch__queue_add(q, &s->waiter);
  gch__unlock(&c->lock);
}

/* Parks on q, as above, until somebody completes the operation (0, EPIPE) or
   deadline (ETIMEDOUT, and then nobody did). For a thread, or with a deadline. */
int gch__park_until(gch_chan *c, struct gch_queue *q, void *elem,
                    int64_t deadline);

/* The same for all. */
static inline int gch__park_on(gch_chan *c, struct gch_queue *q, void *elem,
                               int64_t deadline) {
  struct gch_task *self = gch__task_self();
  if (!self || deadline != GCH__FOREVER)
    return gch__park_until(c, q, elem, deadline);
  struct gch_single *s = gch__task_room(self);
  gch__group_init(&s->group, self, GCH__FOREVER, true);
  gch__queue_single(c, q, s, elem);
  gch__park(&s->group.parker, GCH__FOREVER);
  return s->waiter.err;
}

#endif
