/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is to happen once the locks are released: waiters to unpark, and calls
 * to make. Whoever completes operations under a lock gathers them here,
 * unlocks, and flushes. A claimed waiter stays where it is until its unpark,
 * so its own link serves for the list.
 */
#ifndef GCH_CHAN_WAKES_H
#define GCH_CHAN_WAKES_H

#include "park/task.h"

#include <stdbool.h>
#include <stddef.h>

/* The object of this type whose member p points to. */
#define gch__container_of(p, type, member)                                     \
  ((type *)((char *)(p)-offsetof(type, member)))

struct gch_waiter;
struct gch_wakes;

/* A call to make without locks. run may gather more into wakes, and may free
   what holds d. Where wakes->by_service it runs no user code: what could reach
   any starts a task for it (go/job.h). */
struct gch_deferred {
  struct gch_deferred *next;
  void (*run)(struct gch_deferred *d, struct gch_wakes *wakes);
};

struct gch_wakes {
  struct gch_queue_of_tasks tasks; /* whose wake is but this */
  struct gch_waiter *waiters, *last_waiter;
  struct gch_deferred *calls, *last_call;
  bool by_service; /* the library's own thread flushes */
};

#define GCH_WAKES_INIT                                                         \
  { {0, 0, 0}, 0, 0, 0, 0, false }

/* w is claimed and in no queue. */
void gch__wakes_add(struct gch_wakes *k, struct gch_waiter *w);
void gch__wakes_defer(struct gch_wakes *k, struct gch_deferred *d);

/* Wakes all, tasks before threads, and calls none yet. */
void gch__wakes_unpark(struct gch_wakes *k);

/* Wakes all, tasks before threads, then calls all, in order, and wakes what
   those calls gather; needs to hold no lock. A chain of calls of any length
   takes no deep stack. */
void gch__wakes_flush(struct gch_wakes *k);

#endif
