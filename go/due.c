/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Timers that are due, between two tasks. The library's own thread sees to them
 * where nobody else does, but it must get a processor for that, which workers
 * that are never idle leave to it some milliseconds late. So a worker that
 * takes its next task looks too: at one word, which is 0 unless something is
 * due soon, or that thread has made somebody ready. If so, at the clock; and if
 * that has come so far, it goes to its native stack, where it fires what is due
 * as that thread would, and runs who is made ready thereby first.
 *
 * A look at the clock takes a third of the time of a switch. While tasks are so
 * short that several are taken in LOOK, it is left out for some of them; if
 * they become long just then, a timer is late by as many as were left out.
 *
 * What the library's thread has made ready is in the shared queue, which a
 * worker looks at now and then only: that is what GCH_DUE_FIRED is for.
 */
#include "go/sched.h"
#include "park/clock.h"
#include "timer/queue.h"

/* Nanoseconds; looks. */
enum { LOOK = 4000, SKIP_MAX = 16 };

static uint32_t hints(void) {
  return atomic_load_explicit(&gch__due_hints, memory_order_relaxed);
}

static bool is_time(int64_t now) {
  return now >= atomic_load_explicit(&gch__due_at, memory_order_relaxed);
}

__attribute__((noinline)) bool gch__is_due(struct gch_worker *w) {
  if (hints() & GCH_DUE_FIRED)
    return true;
  if (w->due_skip > 0) {
    w->due_skip--;
    return false;
  }
  int64_t now = gch__now();
  bool quick = now - w->due_looked_at < LOOK;
  uint32_t more = 2 * w->due_skips + 1;
  w->due_skips = !quick ? 0 : more < SKIP_MAX ? more : SKIP_MAX;
  w->due_skip = w->due_skips;
  w->due_looked_at = now;
  return is_time(now);
}

struct gch_task *gch__run_due(struct gch_worker *w) {
  if (hints() == 0)
    return NULL;
  if (is_time(gch__now())) {
    struct gch_wakes wakes = {.by_service = true};
    gch__queue_run(&wakes);
    gch__wakes_flush(&wakes);
  }
  if (!(hints() & GCH_DUE_FIRED))
    return NULL;
  atomic_fetch_and(&gch__due_hints, ~(uint32_t)GCH_DUE_FIRED);
  return gch__take_shared(w);
}
