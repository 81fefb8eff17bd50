/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ring of slots; with the channel's lock held. And the common cases of a
 * send and a receive, apart from the others so that they take few instructions.
 */
#ifndef GCH_CHAN_RING_H
#define GCH_CHAN_RING_H

#include "chan/impl.h"

/* There are len values and room for one more. */
static inline void gch__push(gch_chan *c, size_t len, const void *elem) {
  size_t at = gch__head(c) + len;
  if (at >= c->cap)
    at -= c->cap;
  gch__copy(c, c->slots + at * c->elem_size, elem);
  gch__count_put(c, len, 1);
}

/* There is a value: copies the oldest, without counting it out. The slot that
   it was in. */
static inline char *gch__take_oldest(gch_chan *c, void *elem) {
  size_t head = gch__head(c), next = head + 1 == c->cap ? 0 : head + 1;
  char *slot = c->slots + head * c->elem_size;
  gch__turn_to_take(c, 1);
  gch__copy(c, elem, slot);
  atomic_store_explicit(&c->head, next, memory_order_release);
  return slot;
}

/* A send where no receiver waits: if there is room it is done, and the lock
   released. */
static inline bool gch__pushed(gch_chan *c, const void *elem) {
  size_t len = gch__len(c);
  if (len >= c->cap || __builtin_expect(gch__state(c) != GCH_OPEN, false))
    return false;
  gch__push(c, len, elem);
  gch__unlock(&c->lock);
  return true;
}

/* A receive where no sender waits: if there is a value it is done, and the lock
   released. */
static inline bool gch__popped(gch_chan *c, void *elem) {
  size_t len = gch__len(c);
  if (len == 0)
    return false;
  gch__take_oldest(c, elem);
  gch__count_taken(c, len, 1);
  gch__unlock(&c->lock);
  return true;
}

/* A send to w, the first receiver: if w waits for nothing else it is done, and
   the lock released. */
static inline bool gch__handed(gch_chan *c, struct gch_waiter *w,
                               const void *elem) {
  if (!w->group->plain)
    return false;
  gch__queue_remove_first(&c->receivers, w);
  gch__copy(c, w->elem, elem);
  w->err = 0;
  gch__unlock(&c->lock);
  gch__wake(w);
  return true;
}

/* A receive from w, the first sender: if there is no buffer and w waits for
   nothing else it is done, and the lock released. */
static inline bool gch__fetched(gch_chan *c, struct gch_waiter *w, void *elem) {
  if (c->cap > 0 || !w->group->plain)
    return false;
  gch__queue_remove_first(&c->senders, w);
  gch__copy(c, elem, w->elem);
  w->err = 0;
  gch__unlock(&c->lock);
  gch__wake(w);
  return true;
}

#endif
