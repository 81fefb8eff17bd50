/* SPDX-License-Identifier: BSD-3-Clause */
/* The calls on timers. */
#include "timer/chan_timer.h"
#include "timer/service.h"

/* One that runs a function: while its entry is queued it is active. */

static bool queue_restart(gch_timer *t, int64_t ns) {
  int64_t when = gch__from_now(ns);
  gch__service_start(); /* runs already, but in a forked child */
  gch__queue_lock();
  bool active = gch__queue_cancel(&t->entry);
  t->entry.when = when;
  bool wake = gch__queue_insert(&t->entry);
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
