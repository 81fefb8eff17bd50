/* SPDX-License-Identifier: BSD-3-Clause */
#include "chan/park.h"

#include <stdalign.h>

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

int gch__park_until(gch_chan *c, struct gch_queue *q, void *elem,
                    int64_t deadline) {
  /* What its waker writes, and it reads, is in the first cache line. */
  alignas(64) struct gch_single s;
  gch__group_init(&s.group, gch__task_self(), deadline, true);
  gch__queue_single(c, q, &s, elem);
  return gch__park(&s.group.parker, deadline) == 0 ? s.waiter.err
                                                   : gave_up(c, q, &s.waiter);
}
