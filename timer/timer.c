/* SPDX-License-Identifier: BSD-3-Clause */
#include "timer/timer_impl.h"

#include "chan/gone.h"
#include "timer/service.h"

#include <stdlib.h>

struct chan_timer {
  struct gch_timer timer;
  gch_chan chan;
  int64_t slot;
};

static struct chan_timer *of_chan(gch_chan *c) {
  return gch__container_of(c, struct chan_timer, chan);
}

/* A ticker that is late skips the ticks that nobody can have seen. */
static int64_t next_tick(const gch_timer *t, int64_t now) {
  int64_t late = now - t->entry.when;
  return gch__time_add(now, t->period - late % t->period);
}

static void fire(struct gch_entry *e, int64_t now, struct gch_wakes *k) {
  gch_timer *t = (gch_timer *)e;
  gch__offer(t->chan, &now, k); /* EAGAIN: one tick waits already */
  if (t->period > 0) {
    e->when = next_tick(t, now);
    gch__queue_insert(e);
  }
}

/* The channel's last reference is gone, and with it all who could ask. */
static void destroy(gch_chan *c) {
  struct chan_timer *t = of_chan(c);
  gch__queue_stop(&t->timer.entry);
  gch__bury(t, offsetof(struct chan_timer, chan), sizeof *t);
}

static void disown(gch_timer *t) {
  gch__chan_disown(t->chan);
}

gch_timer *gch__timer_new(int64_t ns, int64_t period) {
  struct chan_timer *t;
  if (gch__service_start() != 0 || !(t = malloc(sizeof *t))) {
    errno = ENOMEM;
    return NULL;
  }
  gch__chan_init(&t->chan, sizeof(int64_t), 1, &t->slot, GCH_OWNER_TIMER,
                 destroy);
  t->timer =
      (struct gch_timer){.entry = {.when = gch__from_now(ns), .fire = fire},
                         .chan = &t->chan,
                         .period = period,
                         .free = disown};
  gch__queue_start(&t->timer.entry);
  return &t->timer;
}

/* With the queue's lock held. */
static bool halt(gch_timer *t) {
  bool queued = gch__queue_cancel(&t->entry);
  bool unread = t->chan && gch__drain(t->chan);
  return queued || unread;
}

bool gch__timer_stop(gch_timer *t) {
  gch__queue_lock();
  bool active = halt(t);
  gch__queue_unlock();
  return active;
}

bool gch__timer_restart(gch_timer *t, int64_t ns, int64_t period) {
  int64_t when = gch__from_now(ns);
  gch__service_start(); /* runs already, but in a forked child */
  gch__queue_lock();
  bool active = halt(t);
  t->period = period;
  t->entry.when = when;
  bool wake = gch__queue_insert(&t->entry);
  gch__queue_unlock();
  if (wake)
    gch__service_wake();
  return active;
}

gch_timer *gch_timer_new(int64_t ns) {
  return gch__timer_new(ns, 0);
}

gch_chan *gch_after(int64_t ns) {
  gch_timer *t = gch__timer_new(ns, 0);
  if (!t)
    return NULL;
  t->chan->disowned = true; /* the owner's reference is the caller's */
  return t->chan;
}

gch_chan *gch_timer_chan(gch_timer *t) {
  return t->chan;
}

bool gch_timer_stop(gch_timer *t) {
  return t && gch__timer_stop(t);
}

/* A run may have started it again. */
bool gch_timer_stop_wait(gch_timer *t) {
  bool active = gch_timer_stop(t);
  while (t && t->await && t->await(t))
    active |= gch__timer_stop(t);
  return active;
}

bool gch_timer_reset(gch_timer *t, int64_t ns) {
  return gch__timer_restart(t, ns, 0);
}

bool gch_timer_free(gch_timer *t) {
  if (!t)
    return false;
  bool active = gch__timer_stop(t);
  t->free(t);
  return active;
}
