/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receiving. With the lock held one of five things is true:
 *     a value is buffered   take the oldest; the first parked sender, if any,
 *                           gets the slot that became free
 *     a sender waits        claim it, copy from its element (unbuffered)
 *     closed                zero-fill, EPIPE
 *     a timer that is due   take the time (timed.h)
 *     else                  queue as a receiver, and park
 */
#include "chan/gone.h"
#include "chan/observe.h"
#include "chan/park.h"
#include "chan/ready.h"
#include "chan/ring.h"
#include "chan/timed.h"

#include <stdalign.h>

/* Takes the oldest of len values; a parked sender's value becomes the newest
   in the same step, so the slot is never seen free. */
static void pop(gch_chan *c, size_t len, void *elem,
                struct gch_waiter **partner) {
  char *slot = gch__take_oldest(c, elem);
  struct gch_waiter *w = gch__queue_claim(&c->senders);
  if (w) { /* the buffer was full: the slot taken is the one to fill */
    gch__copy(c, slot, w->elem);
    atomic_thread_fence(memory_order_release); /* for fork.c */
    gch__count_put(c, len - 1, 1);
    w->err = 0;
    *partner = w;
  } else {
    gch__count_taken(c, len, 1);
  }
}

static inline int recv_locked(gch_chan *c, void *elem,
                              struct gch_waiter **partner) {
  *partner = NULL;
  size_t len = gch__len(c);
  if (len > 0) {
    pop(c, len, elem, partner);
    return 0;
  }
  struct gch_waiter *w = gch__queue_claim(&c->senders);
  if (w) {
    gch__copy(c, elem, w->elem);
    w->err = 0;
    *partner = w;
    return 0;
  }
  uint8_t state = gch__state(c);
  if (state == GCH_CLOSED) {
    gch__zero(elem, c->elem_size);
    return EPIPE;
  }
  return state & GCH_TIMED ? gch__timed_take(c, elem, partner) : EAGAIN;
}

int gch__recv_locked(gch_chan *c, void *elem, struct gch_waiter **partner) {
  return recv_locked(c, elem, partner);
}

/* After an attempt: releases the lock, and does what comes then. */
static inline int done(gch_chan *c, int err, struct gch_waiter *partner) {
  bool watched = gch__is_watched(c);
  gch__unlock(&c->lock);
  gch__wake(partner);
  if (watched)
    gch__look(c);
  if (err)
    gch__check_held(c);
  return err;
}

/* One attempt. Apart, so that one that is not made takes few instructions. */
__attribute__((noinline)) static int try_recv(gch_chan *c, void *elem) {
  struct gch_waiter *partner;
  gch__lock(&c->lock);
  int err = gch__recv_locked(c, elem, &partner);
  return done(c, err, partner);
}

/* With the lock held, which is released: a timer's channel, where an attempt
   gave EAGAIN and partner. Who is to be woken is woken before the caller parks,
   without the lock: so another attempt comes after that. */
__attribute__((noinline)) static int
recv_timed_or_park(gch_chan *c, void *elem, int64_t deadline,
                   struct gch_waiter *partner) {
  for (;;) {
    bool wake = !partner && gch__timed_await(c);
    if (!partner && !wake)
      return gch__park_on(c, &c->receivers, elem, deadline);
    gch__unlock(&c->lock);
    gch__wake(partner);
    if (wake)
      gch__timed_wake();
    GCH_DELAY();
    gch__lock(&c->lock);
    int err = recv_locked(c, elem, &partner);
    if (err == EAGAIN)
      continue;
    gch__receiver_left(c);
    return done(c, err, NULL);
  }
}

/* With the lock held, which is released: one that is observed, or a timer's. */
__attribute__((noinline)) static int
recv_or_park_seen(gch_chan *c, void *elem, int64_t deadline) {
  struct gch_waiter *partner;
  int err = recv_locked(c, elem, &partner);
  if (err == EAGAIN && gch__is_timed(c))
    return recv_timed_or_park(c, elem, deadline, partner);
  if (err == EAGAIN) {
    size_t size = c->elem_size;
    err = gch__park_seen(c, &c->receivers, elem, deadline);
    if (err == EPIPE)
      gch__zero(elem, size);
    return err;
  }
  return done(c, err, partner);
}

/* With the lock held, which is released. */
__attribute__((noinline)) static int recv_or_park(gch_chan *c, void *elem,
                                                  int64_t deadline) {
  struct gch_waiter *partner;
  if (gch__state(c) > GCH_CLOSED)
    return recv_or_park_seen(c, elem, deadline);
  int err = recv_locked(c, elem, &partner);
  if (err == EAGAIN) {
    size_t size = c->elem_size;
    err = gch__park_on(c, &c->receivers, elem, deadline);
    if (err == EPIPE)
      gch__zero(elem, size);
    return err;
  }
  gch__unlock(&c->lock);
  gch__wake(partner);
  if (err)
    gch__check_held(c);
  return err;
}

static int recv_until(gch_chan *c, void *elem, int64_t deadline) {
  gch__lock(&c->lock);
  return recv_or_park(c, elem, deadline);
}

/* A value received into NULL is destroyed, from a copy, without the lock. */
__attribute__((noinline)) static int
recv_and_drop(gch_chan *c, int64_t deadline, bool wait) {
  alignas(max_align_t) char value[GCH_DROP_MAX];
  void (*drop)(void *) = c->drop;
  int err = wait ? recv_until(c, value, deadline) : try_recv(c, value);
  if (err == 0)
    drop(value);
  return err;
}

int gch__recv(gch_chan *c, void *elem, int64_t deadline) {
  if (!c)
    return gch__park_alone(deadline);
  if (!elem && c->drop)
    return recv_and_drop(c, deadline, true);
  return recv_until(c, elem, deadline);
}

static int closed(void *elem, void *size) {
  gch__zero(elem, (size_t)size);
  return EPIPE;
}

int gch_recv(gch_chan *c, void *elem) {
  if (!c || !elem)
    return gch__recv(c, elem, GCH__FOREVER);
  gch__lock(&c->lock);
  struct gch_waiter *w = gch__queue_first(&c->senders);
  if (w ? gch__fetched(c, w, elem) : gch__popped(c, elem))
    return 0;
  struct gch_task *self = gch__task_self();
  if (!self || w || gch__state(c) != GCH_OPEN)
    return recv_or_park(c, elem, GCH__FOREVER);
  return gch__park_task(c, &c->receivers, elem, c->elem_size, self, closed);
}

int gch_recv_until(gch_chan *c, void *elem, int64_t deadline) {
  gch__check_deadline(deadline);
  return gch__recv(c, elem, deadline);
}

int gch_try_recv(gch_chan *c, void *elem) {
  if (!c || !gch__recv_ready(c))
    return EAGAIN;
  if (!elem && c->drop)
    return recv_and_drop(c, 0, false);
  return try_recv(c, elem);
}
