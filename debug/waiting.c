/* SPDX-License-Identifier: BSD-3-Clause */
#include "chan/impl.h"

#include <gulch/debug.h>

/* Those who can still be claimed; who is claimed already, or gave up, is only
   on its way out. */
static size_t count_waiting(const struct gch_queue *q) {
  size_t n = 0;
  for (struct gch_waiter *w = gch__queue_first(q); w; w = w->next)
    n += atomic_load(&w->group->winner) == GCH_WAITING;
  return n;
}

void gch_waiting(const gch_chan *c, size_t *senders, size_t *receivers) {
  size_t s = 0, r = 0;
  if (c) {
    struct gch_lock *lock = &((gch_chan *)(uintptr_t)c)->lock;
    gch__lock(lock);
    s = count_waiting(&c->senders);
    r = count_waiting(&c->receivers);
    gch__unlock(lock);
  }
  if (senders)
    *senders = s;
  if (receivers)
    *receivers = r;
}
