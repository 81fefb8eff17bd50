/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Timers with a channel: timer, ticker, after. What chan/timed.h says.
 *
 *     when       the timer
 *     NEVER      stopped, or its value was taken
 *     to come    runs
 *     past       is due: the value is there, it is this time. A ticker's next
 *                tick is counted when this one is taken; those in between are
 *                lost
 *
 * All of that is guarded by the channel's lock; when is read without it too, by
 * who looks whether to try. So starting, stopping and taking are each one step
 * there, and nothing stale is left after it: there is nothing that could be.
 *
 * The alarm is the entry in the timer queue, for receivers who are parked. It
 * is in the queue, or its call is to run or runs (firing), whenever somebody
 * that can be claimed is in the channel's queue of receivers and the timer
 * runs, or the channel is observed and the timer not due; and not later than
 * when. It may be there, and fire, for nobody: a call
 * that finds nothing due, or nobody, does nothing.
 *
 *     firing     means                                   set by
 *     IDLE       no call is listed, or runs              the call
 *     CALLED     one is, and will look                   fire
 *     LOOKING    it looks now                            the call
 *     GONE       it is to free the timer                 destroy
 *
 * fire is called with the queue's lock held, and does no more than list the
 * call, which takes the channel's lock, serves who is parked and sets the alarm
 * for the next. What it does to firing is its last touch of the timer.
 *
 * Memory: one allocation, the timer and its channel, freed by the channel's
 * last unref, which takes the entry out before; or by a call that is still
 * under way.
 *
 * Lock order: channel, timer queue.
 */
#include "timer/chan_timer.h"

#include "chan/gone.h"
#include "chan/observe.h"
#include "chan/timed.h"
#include "timer/service.h"

#include <stdlib.h>

#define NEVER GCH__FOREVER

enum { IDLE, CALLED, LOOKING, GONE };

struct chan_timer {
  struct gch_timer timer;
  gch_chan chan;
  _Atomic int64_t when;
  int64_t period; /* of a ticker; 0: fires once */
  bool had_alarm; /* ever */
  _Atomic uint32_t firing;
  struct gch_deferred call;
};

static struct chan_timer *of_chan(const gch_chan *c) {
  return gch__container_of((uintptr_t)c, struct chan_timer, chan);
}

static struct chan_timer *of_timer(gch_timer *t) {
  return (struct chan_timer *)t;
}

static int64_t when_of(const struct chan_timer *t) {
  /* Acquire: see ready.h. */
  return atomic_load_explicit(&t->when, memory_order_acquire);
}

/* With the lock held: if the value is there, it is not any more. */
static void set_when(struct chan_timer *t, int64_t when) {
  gch__turn_to_queue(&t->chan);
  atomic_store_explicit(&t->when, when, memory_order_release);
}

static bool is_due(int64_t when) {
  return when != NEVER && when <= gch__now();
}

/* The time ns from now, which is not NEVER and not past. */
static int64_t start_at(int64_t ns) {
  int64_t when = gch__from_now(ns > 0 ? ns : 0);
  return when < NEVER ? when : NEVER - 1;
}

/* The alarm; with the channel's lock held */

/* Sets it for when, or for a time before that if it is. Whether to wake the
   library's thread. */
static bool set_alarm(struct chan_timer *t) {
  int64_t when = when_of(t);
  if (when == NEVER)
    return false;
  t->had_alarm = true;
  return gch__queue_hasten(&t->timer.entry, when);
}

/* Who goes on may have left others. */
static bool set_alarm_for_others(struct chan_timer *t) {
  return gch__queue_first(&t->chan.receivers) && set_alarm(t);
}

static void clear_alarm(struct chan_timer *t) {
  if (t->had_alarm)
    gch__queue_stop(&t->timer.entry);
}

bool gch__timed_await(gch_chan *c) {
  return set_alarm(of_chan(c));
}

void gch__timed_wake(void) {
  gch__service_wake();
}

void gch__timed_leave(gch_chan *c) {
  if (!gch__is_watched(c))
    clear_alarm(of_chan(c));
}

/* The value */

bool gch__timed_ready(const gch_chan *c) {
  return is_due(when_of(of_chan(c)));
}

/* With the lock held, where the timer is due. A ticker that is late skips the
   ticks that nobody can have seen. */
static int64_t take(struct chan_timer *t) {
  int64_t when = when_of(t), next = NEVER;
  if (t->period > 0) {
    int64_t now = gch__now(), late = now - when;
    next = gch__time_add(now, t->period - late % t->period);
  }
  set_when(t, next);
  return when;
}

/* Hands the value, which is there, to the first receiver; NULL: no receiver. */
static struct gch_waiter *serve(struct chan_timer *t) {
  struct gch_waiter *w = gch__queue_claim(&t->chan.receivers);
  if (w) {
    int64_t when = take(t);
    gch__copy(&t->chan, w->elem, &when);
    w->err = 0;
  }
  return w;
}

int gch__timed_take(gch_chan *c, void *elem, struct gch_waiter **partner) {
  struct chan_timer *t = of_chan(c);
  if (!is_due(when_of(t)))
    return EAGAIN;
  bool queued = gch__queue_first(&c->receivers);
  *partner = queued ? serve(t) : NULL;
  if (queued)
    gch__receiver_left(c);
  if (*partner)
    return EAGAIN;
  int64_t when = take(t);
  gch__copy(c, elem, &when);
  return 0;
}

/* Firing */

static void fire(struct gch_entry *e, int64_t now, struct gch_wakes *k) {
  struct chan_timer *t = of_timer((gch_timer *)e);
  (void)now;
  GCH_DELAY();
  if (atomic_exchange(&t->firing, CALLED) == IDLE)
    gch__wakes_defer(k, &t->call);
}

/* One look: who is parked and can be served is, by k. */
static void look(struct chan_timer *t, struct gch_wakes *k) {
  GCH_DELAY();
  gch__lock(&t->chan.lock);
  struct gch_waiter *w = is_due(when_of(t)) ? serve(t) : NULL;
  bool wake = set_alarm_for_others(t);
  bool watched = gch__is_watched(&t->chan);
  gch__unlock(&t->chan.lock);
  if (w)
    gch__wakes_add(k, w);
  if (watched)
    gch__look_into(&t->chan, k);
  if (wake)
    gch__service_wake();
}

static void free_timer(struct chan_timer *t) {
  gch__bury(t, offsetof(struct chan_timer, chan), sizeof *t);
}

static void call(struct gch_deferred *d, struct gch_wakes *k) {
  struct chan_timer *t = gch__container_of(d, struct chan_timer, call);
  uint32_t firing = CALLED;
  while (atomic_compare_exchange_strong(&t->firing, &firing, LOOKING)) {
    look(t, k);
    GCH_DELAY();
    firing = LOOKING;
    if (atomic_compare_exchange_strong(&t->firing, &firing, IDLE))
      return;
    firing = CALLED;
  }
  free_timer(t);
}

/* The channel's last reference is gone, and with it all who could ask. */
static void destroy(gch_chan *c) {
  struct chan_timer *t = of_chan(c);
  clear_alarm(t);
  if (!t->had_alarm || atomic_exchange(&t->firing, GONE) == IDLE)
    free_timer(t);
}

/* The entry is not in the child's queue, and who was firing is not there. */
void gch__timed_forked(gch_chan *c) {
  struct chan_timer *t = of_chan(c);
  t->period = 0;
  if (!is_due(when_of(t)))
    atomic_store(&t->when, NEVER);
  atomic_store(&t->firing, IDLE);
}

/* For timer.c */

static void disown(gch_timer *t) {
  gch__chan_disown(t->chan);
}

gch_timer *gch__timer_new(int64_t ns, int64_t period) {
  struct chan_timer *t;
  if (gch__service_start() != 0 || !(t = malloc(sizeof *t))) {
    errno = ENOMEM;
    return NULL;
  }
  *t = (struct chan_timer){
      .timer = {.entry = {.fire = fire}, .chan = &t->chan, .free = disown},
      .period = period,
      .call = {.run = call}};
  atomic_init(&t->when, start_at(ns));
  atomic_init(&t->firing, IDLE);
  gch__chan_init(&t->chan, sizeof(int64_t), 0, NULL, GCH_OWNER_TIMER, destroy);
  atomic_store(&t->chan.state, GCH_TIMED);
  return &t->timer;
}

bool gch__chan_timer_stop(gch_timer *timer) {
  struct chan_timer *t = of_timer(timer);
  gch__lock(&t->chan.lock);
  bool active = when_of(t) != NEVER;
  set_when(t, NEVER);
  if (gch__queue_first(&t->chan.receivers))
    clear_alarm(t);
  bool watched = gch__is_watched(&t->chan);
  gch__unlock(&t->chan.lock);
  if (watched)
    gch__look(&t->chan);
  return active;
}

bool gch__chan_timer_restart(gch_timer *timer, int64_t ns, int64_t period) {
  struct chan_timer *t = of_timer(timer);
  gch__service_start(); /* runs already, but in a forked child */
  gch__lock(&t->chan.lock);
  bool active = when_of(t) != NEVER;
  t->period = period;
  set_when(t, start_at(ns));
  bool wake = set_alarm_for_others(t);
  bool watched = gch__is_watched(&t->chan);
  gch__unlock(&t->chan.lock);
  if (watched)
    gch__look(&t->chan);
  if (wake)
    gch__service_wake();
  return active;
}
