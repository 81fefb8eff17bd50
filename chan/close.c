/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Closing, and being told of a close. Under the lock close marks the channel,
 * claims everybody who is parked and gathers them; they are unparked, and the
 * watches called, after the unlock.
 */
#include "chan/gone.h"

static void claim_all(struct gch_queue *q, struct gch_wakes *k) {
  struct gch_waiter *w;
  while ((w = gch__queue_claim(q))) {
    w->err = EPIPE;
    gch__wakes_add(k, w);
  }
}

/* In this order, for fork.c: w is not listed any more, then not on the list. */
static void unlist(struct gch_watch *w) {
  struct gch_watch **link = w->link;
  __atomic_store_n(&w->link, NULL, __ATOMIC_RELEASE);
  __atomic_store_n(link, w->next, __ATOMIC_RELEASE);
  if (w->next)
    w->next->link = link;
}

static void claim_watches(gch_chan *c, struct gch_wakes *k) {
  struct gch_watch *w;
  while ((w = c->watches)) {
    unlist(w);
    if (w->hold(w))
      gch__wakes_defer(k, &w->call);
  }
}

int gch__close(gch_chan *c, struct gch_wakes *k) {
  gch__lock(&c->lock);
  bool was_closed = gch__is_closed(c);
  if (!was_closed) {
    /* Release pairs with gch__is_closed; before the queues empty, see
       ready.h. */
    atomic_store_explicit(&c->state, GCH_CLOSED, memory_order_release);
    claim_all(&c->receivers, k);
    claim_all(&c->senders, k);
    claim_watches(c, k);
  }
  gch__unlock(&c->lock);
  return was_closed ? EPIPE : 0;
}

int gch_close(gch_chan *c) {
  if (!c)
    return gch__go_panics(EINVAL, EINVAL, "close of nil channel");
  if (c->owner != GCH_OWNER_NONE)
    return EPERM;
  struct gch_wakes wakes = GCH_WAKES_INIT;
  int err = gch__close(c, &wakes);
  gch__wakes_flush(&wakes);
  if (err)
    gch__check_held(c);
  return gch__go_panics(err, EPIPE, "close of closed channel");
}

/* The close wakes others, who may give their references back before it returns:
   the caller's keeps c until then. */
int gch_close_unref(gch_chan *c) {
  int err = gch_close(c);
  gch_unref(c);
  return err;
}

bool gch__drain(gch_chan *c) {
  gch__lock(&c->lock);
  size_t len = gch__len(c);
  if (len > 0) {
    gch__turn_to_take(c, len);
    atomic_store_explicit(&c->head, (gch__head(c) + len) % c->cap,
                          memory_order_release);
    gch__count_taken(c, len, len);
  }
  gch__unlock(&c->lock);
  return len > 0;
}

int gch__watch(gch_chan *c, struct gch_watch *w) {
  gch__lock(&c->lock);
  bool closed = gch__is_closed(c);
  if (!closed) {
    w->next = c->watches;
    w->link = &c->watches;
    if (w->next)
      w->next->link = &w->next;
    c->watches = w;
  }
  gch__unlock(&c->lock);
  return closed ? EPIPE : 0;
}

void gch__unwatch(gch_chan *c, struct gch_watch *w) {
  gch__lock(&c->lock);
  if (w->link)
    unlist(w);
  gch__unlock(&c->lock);
}
