/* SPDX-License-Identifier: BSD-3-Clause */
#include "chan/park.h"

#include <stdalign.h>

/* A waiter that is alone in its group. */
struct gch_single {
  struct gch_waiter waiter;
  struct gch_group group;
};

/* Who parks in a task's record for the first time sets up all that is the same
   each time, and the waiter's group tells that this was done. */
_Static_assert(sizeof(struct gch_single) <= GCH_TASK_ROOM &&
                   offsetof(struct gch_single, waiter.group) +
                           sizeof(struct gch_group *) <=
                       GCH_TASK_ROOM_ZEROED,
               "a task has room");

/* Either nobody has claimed the operation, and nobody will once the group is
   GAVE_UP; or somebody has, whose permit is to come. */
static int gave_up(gch_chan *c, struct gch_queue *q, struct gch_waiter *w) {
  if (!gch__claim(w->group, GCH_GAVE_UP)) {
    gch__park(&w->group->parker, GCH__FOREVER);
    return w->err;
  }
  gch__lock(&c->lock);
  if (gch__queue_has(q, w))
    gch__queue_remove(q, w);
  gch__unlock(&c->lock);
  return ETIMEDOUT;
}

static void single_init(struct gch_single *s, struct gch_task *task,
                        int64_t deadline) {
  gch__group_init(&s->group, task, deadline, true);
  s->waiter.group = &s->group;
  s->waiter.pos = GCH_NO_CASE;
}

/* Queues s on q and releases c's lock. */
static inline void queue(gch_chan *c, struct gch_queue *q, struct gch_single *s,
                         void *elem) {
  s->waiter.elem = elem;
  gch__turn(c);
  gch__queue_add(q, &s->waiter);
  gch__unlock(&c->lock);
}

static inline int park_in(struct gch_single *s, gch_chan *c,
                          struct gch_queue *q, void *elem) {
  queue(c, q, s, elem);
  gch__task_stop();
  return s->waiter.err;
}

/* Where s has not been set up, or the time is not at hand. */
__attribute__((noinline)) static int park_anew(struct gch_single *s,
                                               gch_chan *c, struct gch_queue *q,
                                               void *elem,
                                               struct gch_task *self) {
  single_init(s, self, GCH__FOREVER);
  return park_in(s, c, q, elem);
}

int gch__park_task(gch_chan *c, struct gch_queue *q, void *elem,
                   struct gch_task *self) {
  struct gch_single *s = gch__task_room(self);
  int64_t now = gch__recent();
  if (!s->waiter.group || now == 0)
    return park_anew(s, c, q, elem, self);
  s->group.since = now;
  return park_in(s, c, q, elem);
}

int gch__park_on(gch_chan *c, struct gch_queue *q, void *elem,
                 int64_t deadline) {
  struct gch_task *self = gch__task_self();
  if (self && deadline == GCH__FOREVER)
    return gch__park_task(c, q, elem, self);
  /* What its waker writes, and it reads, is in the first cache line. */
  alignas(64) struct gch_single s;
  single_init(&s, self, deadline);
  queue(c, q, &s, elem);
  return gch__park(&s.group.parker, deadline) == 0 ? s.waiter.err
                                                   : gave_up(c, q, &s.waiter);
}
