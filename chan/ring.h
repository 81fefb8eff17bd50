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
  size_t at = c->head + len;
  if (at >= c->cap)
    at -= c->cap;
  gch__copy(c, c->slots + at * c->elem_size, elem);
  atomic_store_explicit(&c->len, len + 1, memory_order_release);
}

/* There is a value: copies the oldest, without counting it out. The slot that
   it was in. */
static inline char *gch__take_oldest(gch_chan *c, void *elem) {
  char *slot = c->slots + c->head * c->elem_size;
  gch__turn(c);
  gch__copy(c, elem, slot);
  c->head = c->head + 1 == c->cap ? 0 : c->head + 1;
  return slot;
}

/* A send, if nobody waits and there is room: then it is done and the lock
   released. */
static inline bool gch__pushed(gch_chan *c, const void *elem) {
  size_t len = gch__len(c);
  if (len >= c->cap || gch__queue_first(&c->receivers) || gch__is_closed(c))
    return false;
  gch__push(c, len, elem);
  gch__unlock(&c->lock);
  return true;
}

/* The first of q, taken out, if it needs no claim. */
static inline struct gch_waiter *gch__take_plain(struct gch_queue *q) {
  struct gch_waiter *w = gch__queue_first(q);
  if (!w || !w->group->plain)
    return NULL;
  gch__queue_remove_first(q, w);
  w->err = 0;
  return w;
}

/* A send, if the first receiver waits for nothing else: then it is done and the
   lock released. */
static inline bool gch__handed(gch_chan *c, const void *elem) {
  struct gch_waiter *w = gch__take_plain(&c->receivers);
  if (!w)
    return false;
  gch__copy(c, w->elem, elem);
  gch__unlock(&c->lock);
  gch__wake(w);
  return true;
}

/* A receive, if there is no buffer and the first sender waits for nothing else:
   then it is done and the lock released. */
static inline bool gch__fetched(gch_chan *c, void *elem) {
  struct gch_waiter *w = c->cap > 0 ? NULL : gch__take_plain(&c->senders);
  if (!w)
    return false;
  gch__copy(c, elem, w->elem);
  gch__unlock(&c->lock);
  gch__wake(w);
  return true;
}

/* A receive, if there is a value and no sender waits for its slot: then it is
   done and the lock released. */
static inline bool gch__popped(gch_chan *c, void *elem) {
  size_t len = gch__len(c);
  if (len == 0 || gch__queue_first(&c->senders))
    return false;
  gch__take_oldest(c, elem);
  atomic_store_explicit(&c->len, len - 1, memory_order_release);
  gch__unlock(&c->lock);
  return true;
}

#endif
