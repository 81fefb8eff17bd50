/* SPDX-License-Identifier: BSD-3-Clause */
#include "chan/observe.h"

#include "chan/ready.h"

static struct gch_observer *of_watch(struct gch_watch *w) {
  return gch__container_of(w, struct gch_observer, watch);
}

/* Readiness, exactly; with the lock held */

/* Not those who are claimed elsewhere, or observe. */
static bool anybody_in(const struct gch_queue *q) {
  const struct gch_waiter *w = gch__queue_first(q);
  while (w && atomic_load_explicit(&w->group->winner, memory_order_relaxed) !=
                  GCH_WAITING)
    w = w->next;
  return w;
}

static bool has_value(const gch_chan *c) {
  return gch__len(c) > 0 || anybody_in(&c->senders) || gch__is_closed(c) ||
         (gch__is_timed(c) && gch__timed_ready(c));
}

/* Or a send is refused. */
static bool has_room(const gch_chan *c) {
  return c->owner != GCH_OWNER_NONE || gch__len(c) < c->cap ||
         anybody_in(&c->receivers) || gch__is_closed(c);
}

bool gch__ready_now(const gch_chan *c, bool send) {
  return send ? has_room(c) : has_value(c);
}

bool gch__seems_ready(const gch_chan *c) {
  return !gch__is_timed(c) || gch__timed_ready(c) || gch__is_watched(c);
}

/* Looking; with the lock held */

static void set_room(gch_chan *c, struct gch_observer *o, bool queued) {
  if (gch__queue_has(&c->senders, &o->room) == queued)
    return;
  if (queued)
    gch__queue_add(&c->senders, &o->room);
  else
    gch__queue_remove(&c->senders, &o->room);
}

/* What sees that a channel that is not ready becomes so. Whether to call
   gch__timed_wake after the unlock. */
static bool arm(gch_chan *c, struct gch_observer *o) {
  if (o->what & GCH_SEES_ROOM)
    set_room(c, o, c->cap > 0 && gch__len(c) == c->cap && !gch__is_closed(c));
  return (o->what & GCH_SEES_VALUES) && gch__is_timed(c) &&
         !gch__timed_ready(c) && gch__timed_await(c);
}

static bool look_for(gch_chan *c, struct gch_observer *o, struct gch_wakes *k) {
  bool wake = arm(c, o);
  bool ready = ((o->what & GCH_SEES_VALUES) && has_value(c)) ||
               ((o->what & GCH_SEES_ROOM) && has_room(c));
  if (ready == atomic_load_explicit(&o->ready, memory_order_relaxed))
    return wake;
  atomic_store_explicit(&o->ready, ready, memory_order_relaxed);
  if (o->tell(o))
    gch__wakes_defer(k, &o->watch.call);
  return wake;
}

/* The channel is closed: what close asks a watch. */
static bool hold(struct gch_watch *w) {
  struct gch_observer *o = of_watch(w);
  if (atomic_exchange_explicit(&o->ready, true, memory_order_relaxed))
    return false;
  return o->tell(o);
}

static bool observes(const struct gch_watch *w) {
  return w->hold == hold;
}

static void set_watched(gch_chan *c) {
  const struct gch_watch *w = c->watches;
  uint8_t state = gch__state(c);
  while (w && !observes(w))
    w = w->next;
  atomic_store_explicit(
      &c->state, (uint8_t)(w ? state | GCH_WATCHED : state & ~GCH_WATCHED),
      memory_order_release);
}

/* The calls */

void gch__look_into(gch_chan *c, struct gch_wakes *k) {
  bool wake = false;
  GCH_DELAY();
  gch__lock(&c->lock);
  for (struct gch_watch *w = c->watches; w; w = w->next)
    if (observes(w))
      wake |= look_for(c, of_watch(w), k);
  gch__unlock(&c->lock);
  if (wake)
    gch__timed_wake();
}

void gch__look(gch_chan *c) {
  struct gch_wakes wakes = GCH_WAKES_INIT;
  gch__look_into(c, &wakes);
  gch__wakes_flush(&wakes);
}

bool gch__observed_ready(gch_chan *c, struct gch_observer *o) {
  struct gch_wakes wakes = GCH_WAKES_INIT;
  gch__lock(&c->lock);
  bool wake = look_for(c, o, &wakes);
  bool ready = atomic_load_explicit(&o->ready, memory_order_relaxed);
  gch__unlock(&c->lock);
  if (wake)
    gch__timed_wake();
  gch__wakes_flush(&wakes);
  return ready;
}

static void set_up(struct gch_observer *o) {
  atomic_init(&o->ready, false);
  atomic_init(&o->group.winner, GCH_OBSERVES);
  o->group.plain = false;
  o->room = (struct gch_waiter){.group = &o->group, .pos = GCH_NO_CASE};
}

void gch__observe(gch_chan *c, struct gch_observer *o) {
  set_up(o);
  o->watch.hold = hold;
  o->watch.link = NULL;
  if (gch__watch(c, &o->watch) == 0) {
    gch__lock(&c->lock);
    if (!gch__is_closed(c))
      set_watched(c);
    gch__unlock(&c->lock);
  }
  gch__observed_ready(c, o);
}

void gch__unobserve(gch_chan *c, struct gch_observer *o) {
  gch__unwatch(c, &o->watch);
  gch__lock(&c->lock);
  set_room(c, o, false);
  if (!gch__is_closed(c))
    set_watched(c);
  gch__unlock(&c->lock);
}

void gch__observer_forked(gch_chan *c, struct gch_observer *o) {
  set_up(o);
  gch__observed_ready(c, o);
}
