/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sending. With the lock held one of four things is true:
 *     closed              EPIPE
 *     a receiver waits    claim it, copy into its destination
 *     there is room       copy into the next slot
 *     else                queue as a sender, and park; perhaps after a look
 *                         some microseconds later
 */
#include "chan/gone.h"
#include "chan/observe.h"
#include "chan/park.h"
#include "chan/ready.h"
#include "chan/ring.h"

#define CLOSED "send on closed channel"

static inline int send_locked(gch_chan *c, const void *elem,
                              struct gch_waiter **partner) {
  *partner = NULL;
  if (gch__is_closed(c))
    return EPIPE;
  struct gch_waiter *w = gch__queue_claim(&c->receivers);
  if (w) {
    gch__copy(c, w->elem, elem);
    w->err = 0;
    *partner = w;
    return 0;
  }
  size_t len = gch__len(c);
  if (len == c->cap)
    return EAGAIN;
  gch__push(c, len, elem);
  return 0;
}

int gch__send_locked(gch_chan *c, const void *elem,
                     struct gch_waiter **partner) {
  return send_locked(c, elem, partner);
}

/* A sender that queues is handed each slot as it becomes free, and woken for
   it: one value at a time, each with the channel's memory going there and back.
   So a thread that finds the buffer full lets go of it until half of it may be
   free, and queues only if it is full again. Out of the queue it has no place
   in the order: while others have, no slot becomes free for it.

   Slots, from how many on this pays, and how many are waited for at most;
   nanoseconds, for the taking of a value, and of all that may be waited. */
enum { FEW = 8, MANY = 64, TAKE_TIME = 24, LONGEST = 2 * MANY * TAKE_TIME };

/* With the lock held, which is released meanwhile. Whether it was. */
static bool stay_away(gch_chan *c, int64_t deadline) {
  uint32_t away = TAKE_TIME * (uint32_t)(c->cap < MANY ? c->cap : MANY);
  if (c->cap < FEW || gch__queue_first(&c->senders) || !gch__spins() ||
      (deadline != GCH__FOREVER && deadline < gch__from_now(LONGEST)))
    return false;
  gch__unlock(&c->lock);
  gch__pause_for(away);
  if (gch__len(c) > c->cap / 2)
    gch__pause_for(away);
  GCH_DELAY();
  gch__lock(&c->lock);
  return true;
}

/* With the lock held, which is released: one that is observed. */
__attribute__((noinline)) static int
send_or_park_seen(gch_chan *c, const void *elem, int64_t deadline) {
  struct gch_waiter *partner;
  int err = send_locked(c, elem, &partner);
  if (err == EAGAIN)
    return gch__park_seen(c, &c->senders, (void *)(uintptr_t)elem, deadline);
  gch__unlock(&c->lock);
  gch__wake(partner);
  gch__look(c);
  return err;
}

/* With the lock held, which is released. */
__attribute__((noinline)) static int send_or_park(gch_chan *c, const void *elem,
                                                  int64_t deadline) {
  struct gch_waiter *partner;
  if (gch__is_watched(c))
    return send_or_park_seen(c, elem, deadline);
  int err = send_locked(c, elem, &partner);
  if (err == EAGAIN && stay_away(c, deadline))
    err = send_locked(c, elem, &partner);
  if (err == EAGAIN)
    return gch__park_on(c, &c->senders, (void *)(uintptr_t)elem, deadline);
  gch__unlock(&c->lock);
  gch__wake(partner);
  if (err)
    gch__check_held(c);
  return err;
}

int gch__send(gch_chan *c, const void *elem, int64_t deadline) {
  if (!c)
    return gch__park_alone(deadline);
  int refused = gch__send_refused(c, elem);
  if (refused)
    return refused;
  gch__lock(&c->lock);
  return send_or_park(c, elem, deadline);
}

static int send_or_panic(gch_chan *c, const void *elem, int64_t deadline) {
  return gch__go_panics(gch__send(c, elem, deadline), EPIPE, CLOSED);
}

static int closed(void *elem, void *size) {
  (void)elem;
  (void)size;
  return gch__go_panics(EPIPE, EPIPE, CLOSED);
}

int gch_send(gch_chan *c, const void *elem) {
  if (!c || gch__send_refused(c, elem))
    return send_or_panic(c, elem, GCH__FOREVER);
  gch__lock(&c->lock);
  struct gch_waiter *w = gch__queue_first(&c->receivers);
  if (w ? gch__handed(c, w, elem) : gch__pushed(c, elem))
    return 0;
  struct gch_task *self = gch__task_self();
  if (!self || w || gch__state(c) != GCH_OPEN)
    return gch__go_panics(send_or_park(c, elem, GCH__FOREVER), EPIPE, CLOSED);
  return gch__park_task(c, &c->senders, (void *)(uintptr_t)elem, 0, self,
                        closed);
}

int gch_send_until(gch_chan *c, const void *elem, int64_t deadline) {
  gch__check_deadline(deadline);
  return send_or_panic(c, elem, deadline);
}

int gch_try_send(gch_chan *c, const void *elem) {
  if (!c)
    return EAGAIN;
  int refused = gch__send_refused(c, elem);
  if (refused)
    return refused;
  if (!gch__send_ready(c))
    return EAGAIN;
  struct gch_waiter *partner;
  gch__lock(&c->lock);
  int err = gch__send_locked(c, elem, &partner);
  bool watched = gch__is_watched(c);
  gch__unlock(&c->lock);
  gch__wake(partner);
  if (watched)
    gch__look(c);
  if (err)
    gch__check_held(c);
  return gch__go_panics(err, EPIPE, CLOSED);
}

int gch__offer(gch_chan *c, const void *elem, struct gch_wakes *k) {
  struct gch_waiter *partner;
  gch__lock(&c->lock);
  int err = gch__send_locked(c, elem, &partner);
  bool watched = gch__is_watched(c);
  gch__unlock(&c->lock);
  if (partner)
    gch__wakes_add(k, partner);
  if (watched)
    gch__look_into(c, k);
  return err;
}
