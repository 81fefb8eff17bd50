/* SPDX-License-Identifier: BSD-3-Clause */
#include "chan/park.h"

/* Either nobody has claimed the operation, and nobody will once the group is
   GAVE_UP; or somebody has, whose permit is to come. */
int gch__park_gave_up(gch_chan *c, struct gch_queue *q, struct gch_waiter *w) {
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
