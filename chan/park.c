/* SPDX-License-Identifier: BSD-3-Clause */
#include "chan/park.h"

#include "chan/observe.h"
#include "chan/timed.h"

#include <stdalign.h>

/* Who parks in a task's record for the first time sets up all that is the same
   each time, and the waiter's group tells that this was done. */
_Static_assert(sizeof(struct gch_single) <= GCH_TASK_ROOM &&
                   offsetof(struct gch_single, waiter.group) +
                           sizeof(struct gch_group *) <=
                       GCH_TASK_ROOM_ZEROED,
               "a task has room");

/* Either nobody has claimed the operation, and nobody will once the group is
   GAVE_UP; or somebody has, whose permit is to come. A timer may have been due
   before the deadline, and nobody have come to say so. */
static int gave_up(gch_chan *c, struct gch_queue *q, struct gch_waiter *w) {
  int err = ETIMEDOUT;
  struct gch_waiter *partner = NULL;
  if (!gch__claim(w->group, GCH_GAVE_UP)) {
    gch__park(&w->group->parker, GCH__FOREVER);
    return w->err;
  }
  gch__lock(&c->lock);
  if (gch__queue_has(q, w))
    gch__queue_remove(q, w);
  if (gch__is_timed(c) && gch__timed_take(c, w->elem, &partner) == 0)
    err = 0;
  gch__receiver_left(c);
  gch__unlock(&c->lock);
  gch__wake(partner);
  return err;
}

static void single_init(struct gch_single *s, struct gch_task *task,
                        int64_t deadline) {
  gch__group_init(&s->group, task, deadline, true);
  s->waiter.group = &s->group;
  s->waiter.pos = GCH_NO_CASE;
}

int gch__park_first(gch_chan *c, struct gch_queue *q, void *elem, size_t size,
                    struct gch_task *self, gch__closed_fn *closed) {
  struct gch_single *s = gch__task_room(self);
  single_init(s, self, GCH__FOREVER);
  gch__queue_single(c, q, s, elem);
  return gch__task_stop_for(&s->waiter.err, closed, elem, (void *)size);
}

static int say_closed(void *elem, void *size) {
  (void)elem;
  (void)size;
  return EPIPE;
}

static inline int park_until(struct gch_single *s, gch_chan *c,
                             struct gch_queue *q, void *elem, int64_t deadline,
                             struct gch_task *self) {
  single_init(s, self, deadline);
  gch__queue_single(c, q, s, elem);
  return gch__park(&s->group.parker, deadline) == 0 ? s->waiter.err
                                                    : gave_up(c, q, &s->waiter);
}

int gch__park_seen(gch_chan *c, struct gch_queue *q, void *elem,
                   int64_t deadline) {
  struct gch_single s;
  single_init(&s, gch__task_self(), deadline);
  gch__queue_single(c, q, &s, elem);
  gch__look(c);
  return gch__park(&s.group.parker, deadline) == 0 ? s.waiter.err
                                                   : gave_up(c, q, &s.waiter);
}

/* What a thread's waker writes, and it reads, is in the first cache line. (Not
   a task's: valgrind loses its way where a stack that it was told of is
   aligned.) */
__attribute__((noinline)) static int park_thread(gch_chan *c,
                                                 struct gch_queue *q,
                                                 void *elem, int64_t deadline) {
  alignas(64) struct gch_single s;
  return park_until(&s, c, q, elem, deadline, NULL);
}

int gch__park_on(gch_chan *c, struct gch_queue *q, void *elem,
                 int64_t deadline) {
  struct gch_single s;
  struct gch_task *self = gch__task_self();
  if (!self)
    return park_thread(c, q, elem, deadline);
  if (deadline != GCH__FOREVER)
    return park_until(&s, c, q, elem, deadline, self);
  return gch__park_task(c, q, elem, 0, self, say_closed);
}
