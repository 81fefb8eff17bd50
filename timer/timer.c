/* SPDX-License-Identifier: BSD-3-Clause */
/* The calls on timers. */
#include "park/fork.h"
#include "timer/chan_timer.h"
#include "timer/service.h"

/* One that runs a function: while its entry is queued it is active. */

/* With the queue's lock held. A forked child has none of its parent's. */
static int *stoppers(gch_timer *t) {
  if (t->process != gch__forks()) {
    t->process = gch__forks();
    t->stoppers = 0;
  }
  return &t->stoppers;
}

static bool queue_restart(gch_timer *t, int64_t ns) {
  int64_t when = gch__from_now(ns);
  gch__service_start(); /* runs already, but in a forked child */
  gch__queue_lock();
  bool active = gch__queue_cancel(&t->entry), wake = false;
  t->refused = *stoppers(t) > 0;
  if (!t->refused) {
    t->entry.when = when;
    wake = gch__queue_insert(&t->entry);
  }
  gch__queue_unlock();
  if (wake)
    gch__service_wake();
  return active;
}

bool gch__timer_stop(gch_timer *t) {
  return t->chan ? gch__chan_timer_stop(t) : gch__queue_stop(&t->entry);
}

bool gch__timer_restart(gch_timer *t, int64_t ns, int64_t period) {
  return t->chan ? gch__chan_timer_restart(t, ns, period)
                 : queue_restart(t, ns);
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

/* Nothing fires after the first step, so no run comes after those awaited. */
static bool stop_and_await(gch_timer *t) {
  gch__queue_lock();
  bool active = gch__queue_cancel(&t->entry);
  if ((*stoppers(t))++ == 0)
    t->refused = false;
  gch__queue_unlock();
  t->await(t);
  gch__queue_lock();
  --*stoppers(t);
  active |= t->refused;
  gch__queue_unlock();
  return active;
}

bool gch_timer_stop_wait(gch_timer *t) {
  return t && t->await ? stop_and_await(t) : gch_timer_stop(t);
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
