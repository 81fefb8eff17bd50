/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A task parked until a deadline: an entry of the timer queue, on the task's
 * stack. Whoever takes the parker's state from ASLEEP makes the task ready: an
 * unpark, or the deadline. Where that was the unpark, the task takes the entry
 * out of the queue before it goes on; where it was the deadline, the entry is
 * out already, and making the task ready is the last touch of it.
 */
#include "go/sched.h"
#include "timer/queue.h"
#include "timer/service.h"

#include <errno.h>

struct timeout {
  struct gch_entry entry;
  struct gch_deferred call;
  struct gch_parker *parker;
};

static void expire(struct gch_deferred *d, struct gch_wakes *k) {
  (void)k;
  gch__task_ready(gch__container_of(d, struct timeout, call)->parker->task);
}

static bool wake_up_from(struct gch_parker *p) {
  uint32_t asleep = GCH_PARKER_ASLEEP;
  GCH_DELAY();
  return atomic_compare_exchange_strong(&p->state, &asleep, GCH_PARKER_EMPTY);
}

static void fire(struct gch_entry *e, int64_t now, struct gch_wakes *k) {
  struct timeout *t = (struct timeout *)e;
  (void)now;
  if (wake_up_from(t->parker))
    gch__wakes_defer(k, &t->call);
}

static int take_permit(struct gch_parker *p) {
  /* Acquire pairs with the release in gch__unpark. */
  return atomic_exchange(&p->state, GCH_PARKER_EMPTY) == GCH_PARKER_PERMIT
             ? 0
             : ETIMEDOUT;
}

/* Tasks that the caller's proc has taken. */
static uint32_t taken(void) {
  struct gch_proc *p = atomic_load(&gch__worker_self()->proc);
  return p ? gch__tick(p) : 0;
}

/* In a forked child the library's thread may be refused, and so there is nobody
   to wake the task at its deadline. Others go on meanwhile; while there are
   none the worker sleeps, and then asks for that thread again. */
static int yield_until(struct gch_parker *p, int64_t deadline) {
  enum { NAP = 1000000 }; /* nanoseconds */
  int err;
  for (int64_t now;
       (err = take_permit(p)) != 0 && (now = gch__now()) < deadline;) {
    uint32_t before = taken();
    gch_yield();
    if (taken() - before > 1)
      continue;
    int64_t end = gch__time_add(now, NAP);
    gch__futex_wait(&p->state, GCH_PARKER_EMPTY,
                    end < deadline ? end : deadline);
    if (gch__service_start() == 0)
      return gch__task_park_until(p, deadline);
  }
  return err;
}

int gch__task_park_until(struct gch_parker *p, int64_t deadline) {
  uint32_t empty = GCH_PARKER_EMPTY;
  struct timeout t = {.entry = {.when = deadline, .fire = fire},
                      .call = {.run = expire},
                      .parker = p};
  bool timed = deadline != GCH__FOREVER;
  if (timed && deadline <= gch__now())
    return take_permit(p);
  if (timed && gch__service_start() != 0)
    return yield_until(p, deadline);
  if (atomic_compare_exchange_strong(&p->state, &empty, GCH_PARKER_ASLEEP)) {
    if (timed)
      gch__queue_start(&t.entry);
    gch__task_stop();
    if (timed)
      gch__queue_stop(&t.entry);
  }
  return take_permit(p);
}
