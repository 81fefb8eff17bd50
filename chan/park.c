/* SPDX-License-Identifier: BSD-3-Clause */
#include "chan/park.h"

/* The deadline passed. Either nobody has claimed the operation, and nobody
   will once the group is GAVE_UP; or somebody has, whose permit is to come. */
static int give_up(gch_chan *c, struct gch_queue *q, struct gch_waiter *w) {
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

int gch__park_on(gch_chan *c, struct gch_queue *q, void *elem,
                 int64_t deadline) {
  struct gch_group group;
  struct gch_waiter w = {.group = &group, .elem = elem, .pos = GCH_NO_CASE};
  gch__group_init(&group, deadline, true);
  gch__group_describe(&group);
  gch__queue_add(q, &w);
  gch__unlock(&c->lock);
  if (gch__park(&group.parker, deadline) == 0)
    return w.err;
  return give_up(c, q, &w);
}
