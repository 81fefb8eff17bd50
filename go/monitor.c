/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The monitor, on the library's own thread: a timer that comes back while any
 * proc has a worker, or more stacks are warm than are to be.
 *
 *   A worker that is at the same for too long loses its proc (stuck.c). The
 *   looks for those that sleep, while tasks wait, are as close as at next.
 *
 *   A task that was put in a proc's `next` or queue (so that it may share the
 *   cache with its waker) while a proc is idle: where the worker has taken none
 *   since the last look it goes on with something else, and where it has taken
 *   few, the last in the queue has long to wait. They may be stolen. The looks
 *   for that begin after NEXT_MIN, and become rarer while they find none, to
 *   NEXT_MAX; and closer again in times without any. Where it is they who let
 *   tasks be stolen at all they become rarer whatever they find, to NEXT_VAIN.
 *
 *   Descriptors that are waited for while nobody looks: all compute.
 *
 *   Free stacks that were not needed lately (slab.c).
 *
 * Who gives a proc to a worker, or wakes a task, looks after that whether the
 * flag `on` (or `on_next`) is set; the monitor clears the flag before it looks
 * at the procs for the last time. So no proc with a worker is unwatched.
 *
 * Everything but the flags is the library's thread's own, or the timer queue's.
 */
#include "go/sched.h"
#include "go/slab.h"
#include "park/poll.h"
#include "timer/queue.h"
#include "timer/service.h"

/* Nanoseconds. */
enum {
  LOOK = 2000000, /* from one look to the next */
  NEXT_MIN = 20000,
  NEXT_MAX = 1000000,
  NEXT_VAIN = 160000,
};

/* For each so many intervals without a look at next the interval halves. So
   looks that find nothing, if some come every now and then, take two in a
   hundred of a processor at most. */
enum { NEXT_FORGET = 8 };

enum { QUIET_LOOKS = 20 }; /* without a worker before the monitor stops */

static void fire(struct gch_entry *e, int64_t now, struct gch_wakes *k);
static void look(struct gch_deferred *d, struct gch_wakes *k);

static struct {
  atomic_bool on, on_next;
  alignas(8) _Atomic int64_t interval, last_next; /* of the looks at next */
  struct gch_entry entry;
  struct gch_deferred call;
  int64_t due; /* the next look at who is stuck */
  int quiet;   /* looks without a worker so far */
} monitor = {.entry = {.fire = fire, .own = true}, .call = {.run = look}};

/* A look at `when` at the latest. */
static void look_at(int64_t when) {
  gch__queue_lock();
  bool wake = false;
  if (gch__queue_cancel(&monitor.entry) && monitor.entry.when < when)
    when = monitor.entry.when;
  monitor.entry.when = when;
  wake = gch__queue_insert(&monitor.entry);
  gch__queue_unlock();
  if (wake)
    gch__service_wake();
}

void gch__monitor(void) {
  if (!atomic_load(&monitor.on) && !atomic_exchange(&monitor.on, true)) {
    int64_t now = gch__now();
    gch__set_recent_time(now);
    gch__service_start(); /* again, in a forked child; it may fail there */
    look_at(now + LOOK);
  }
}

bool gch__monitor_is_on(void) {
  return atomic_load(&monitor.on);
}

/* Between two looks at next. */
static int64_t longest(void) {
  return gch__thefts_vain() ? NEXT_VAIN : NEXT_MAX;
}

/* The interval, after a time without looks at next. */
static int64_t forget(int64_t quiet) {
  int64_t known = atomic_load(&monitor.interval), interval = known;
  for (; interval > NEXT_MIN && quiet >= NEXT_FORGET * interval; interval /= 2)
    quiet -= NEXT_FORGET * interval;
  if (interval < NEXT_MIN)
    interval = NEXT_MIN;
  if (interval != known)
    atomic_store(&monitor.interval, interval);
  return interval;
}

void gch__monitor_next(void) {
  if (atomic_load_explicit(&monitor.on_next, memory_order_relaxed) ||
      atomic_exchange(&monitor.on_next, true))
    return;
  int64_t now = gch__now();
  gch__service_start(); /* as in gch__monitor */
  int64_t interval = forget(now - atomic_load(&monitor.last_next));
  int64_t most = longest();
  look_at(now + (interval < most ? interval : most));
}

void gch__monitor_reset(void) {
  gch__set_recent_time(0);
  atomic_store(&monitor.on, false);
  atomic_store(&monitor.on_next, false);
}

static void fire(struct gch_entry *e, int64_t now, struct gch_wakes *k) {
  (void)e;
  (void)now;
  gch__wakes_defer(k, &monitor.call);
}

/* Whether p has tasks to run, which may have to be stolen later. */
static bool look_at_next(struct gch_proc *p, uint32_t tick, int64_t passed) {
  uint32_t taken = tick - p->next_tick, n = gch__count(&p->queue);
  bool has = n > 0 || atomic_load_explicit(&p->next, memory_order_relaxed);
  bool slow = taken == 0 || (passed < LOOK && gch__wait_long(n, taken, passed));
  if (has && slow) {
    atomic_store(&p->stale, true);
    if (!gch__thefts_vain())
      atomic_store(&monitor.interval, NEXT_MIN);
  }
  if (has && atomic_load(&p->stale))
    gch__wake_worker();
  p->next_tick = tick;
  return has;
}

static bool has_idle_procs(void) {
  return atomic_load(&gch__sched.num_idle_procs) > 0;
}

static void look_at_nexts(int64_t now) {
  bool any = false;
  int64_t longer = 2 * atomic_load(&monitor.interval), most = longest();
  atomic_store(&monitor.on_next, false);
  gch__fence_heavy();
  int64_t passed = now - atomic_exchange(&monitor.last_next, now);
  atomic_store(&monitor.interval, longer < most ? longer : most);
  bool idle = has_idle_procs(), wait = !idle && gch__tasks_wait();
  uint32_t n = atomic_load(&gch__sched.num_procs);
  for (uint32_t i = 0; i < n; i++) {
    struct gch_proc *p = atomic_load(&gch__sched.procs[i]);
    if (!atomic_load(&p->worker))
      continue;
    if (idle)
      any |= look_at_next(p, gch__tick(p), passed);
    else if (wait && gch__look_for_block(p, now))
      atomic_store(&monitor.interval, NEXT_MIN);
  }
  if ((any && has_idle_procs()) || wait)
    gch__monitor_next();
}

static bool look_at_all(int64_t now) {
  bool any = false;
  uint32_t n = atomic_load(&gch__sched.num_procs);
  for (uint32_t i = 0; i < n; i++) {
    struct gch_proc *p = atomic_load(&gch__sched.procs[i]);
    if (atomic_load(&p->worker)) {
      any = true;
      gch__look_at_worker(p, now);
    }
  }
  any |= gch__look_for_lack(now);
  any |= gch__cool_stacks();
  if (any && !has_idle_procs() && gch__tasks_wait())
    gch__monitor_next();
  return any;
}

static void look(struct gch_deferred *d, struct gch_wakes *k) {
  (void)d;
  (void)k;
  int64_t now = gch__now();
  if (atomic_load(&monitor.on_next))
    look_at_nexts(now);
  if (!atomic_load(&monitor.on))
    return;
  gch__set_recent_time(now);
  if (now < monitor.due - LOOK / 10) {
    look_at(monitor.due);
    return;
  }
  if (gch__fds_expected())
    gch__poll_monitor();
  monitor.quiet = look_at_all(now) ? 0 : monitor.quiet + 1;
  if (monitor.quiet > QUIET_LOOKS) {
    gch__set_recent_time(0); /* first: whoever sets `on` again sets it too */
    atomic_store(&monitor.on, false);
    monitor.quiet = 0;
    if (!look_at_all(now))
      return;
    atomic_store(&monitor.on, true);
  }
  monitor.due = gch__time_add(now, LOOK);
  look_at(monitor.due);
}
