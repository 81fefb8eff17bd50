/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Parking one plain operation on one channel.
 *
 * Who was parked and is woken does not touch the channel again: its caller must
 * hold a reference, but the length of a memset should not depend on that. What
 * is needed of the channel is read before. (Who gives up at its deadline does
 * touch it, to leave the queue.)
 */
#ifndef GCH_CHAN_PARK_H
#define GCH_CHAN_PARK_H

#include "chan/impl.h"
#include "park/clock.h"

/* A waiter that is alone in its group. */
struct gch_single {
  struct gch_waiter waiter;
  struct gch_group group;
};

/* Queues s, whose group is set up, on q, a queue of c, whose lock the caller
   holds and which is released here. */
static inline void gch__queue_single(gch_chan *c, struct gch_queue *q,
                                     struct gch_single *s, void *elem) {
  s->waiter.elem = elem;
  gch__turn_to_queue(c);
  gch__queue_add(q, &s->waiter);
  gch__unlock(&c->lock);
}

/* Does that and parks, until somebody completes the operation (0, EPIPE) or
   deadline (ETIMEDOUT, and then nobody did). */
int gch__park_on(gch_chan *c, struct gch_queue *q, void *elem,
                 int64_t deadline);

/* The same on a channel that is observed. */
int gch__park_seen(gch_chan *c, struct gch_queue *q, void *elem,
                   int64_t deadline);

/* What is returned, and done before, when a close ended an operation. size is
   what gch__park_task was given, as a pointer. */
typedef int gch__closed_fn(void *elem, void *size);

/* The same without a deadline for the running task, self: returns 0, or what
   closed returns. The second time is quicker than the first. */
int gch__park_first(gch_chan *c, struct gch_queue *q, void *elem, size_t size,
                    struct gch_task *self, gch__closed_fn *closed);

static inline int gch__park_task(gch_chan *c, struct gch_queue *q, void *elem,
                                 size_t size, struct gch_task *self,
                                 gch__closed_fn *closed) {
  struct gch_single *s = gch__task_room(self);
  int64_t now = gch__recent();
  if (!s->waiter.group || now == 0)
    return gch__park_first(c, q, elem, size, self, closed);
  s->group.since = now;
  gch__queue_single(c, q, s, elem);
  return gch__task_stop_for(&s->waiter.err, closed, elem, (void *)size);
}

#endif
