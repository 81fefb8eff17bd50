/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Waiters: operations parked on a channel, and the queue that they stand in.
 *
 * A parked operation is a waiter on the stack of who waits, or, where a task
 * waits for one channel without a deadline, in the task's record (park/task.h).
 * All waiters of one select share a group: the winner, and the parker.
 *
 *     group->winner    means                                set by
 *     WAITING          parked, or about to                  the sleeper
 *     a position       that case is claimed                 a claimer
 *     GAVE_UP          the deadline passed first            the sleeper
 *
 * Whoever wants to complete an operation claims its group: one
 * compare-and-swap from WAITING to the case's own position. Exactly one claim
 * succeeds. (A plain operation without a deadline needs none: whoever holds the
 * channel's lock and finds it in the queue is the only one.) The claimer holds
 * the lock of the waiter's channel, copies the element, sets waiter->err,
 * unlocks, and unparks; the sleeper does not return before it has that permit,
 * so the waiter is alive until then, and is not touched after. A receiver whose
 * err is EPIPE zeroes its element itself: close touches no more of each than it
 * must.
 *
 * next, prev and the queue are guarded by the channel's lock. A waiter is
 * taken out of its queue by whoever tries to claim it, successful or not; the
 * sleeper takes out the rest when it wakes.
 */
#ifndef GCH_CHAN_WAITER_H
#define GCH_CHAN_WAITER_H

#include "park/clock.h"
#include "park/delay.h"
#include "park/parker.h"
#include "park/thread_id.h"

#include <gulch/select.h>

#define GCH_WAITING UINT32_MAX
#define GCH_GAVE_UP (UINT32_MAX - 1)

/* The position of an operation that is no case of a select. */
#define GCH_NO_CASE (UINT32_MAX - 2)

/* That of who sleeps for something else, until a context is done
   (context/way_out.c). */
#define GCH_WAY_OUT (UINT32_MAX - 3)

/* Winner of a group that is none: its waiter can't be claimed (observe.h). */
#define GCH_OBSERVES (UINT32_MAX - 4)

struct gch_group {
  _Atomic uint32_t winner;
  bool plain; /* one waiter, no deadline */
  struct gch_parker parker;
  uint32_t tid;  /* for reports: who parks if no task, */
  int64_t since; /* and from when on; guarded as a queued waiter is */
};

/* first is read without the lock too, to see whether anybody waits. */
struct gch_queue {
  _Atomic(struct gch_waiter *) first;
  struct gch_waiter *last;
};

/* For who is about to park: the running task, or a thread (NULL). */
static inline void gch__group_init(struct gch_group *g, struct gch_task *task,
                                   int64_t deadline, bool one_waiter) {
  atomic_init(&g->winner, GCH_WAITING);
  g->plain = one_waiter && deadline == GCH__FOREVER;
  gch__parker_init_for(&g->parker, task, deadline);
  g->tid = task ? 0 : gch__thread_id();
  /* By a cheap clock, which may be some milliseconds behind: it is read at each
     park. */
  g->since = task ? gch__recently() : gch__now_coarse();
}

/* Acquire-release: a successful claim sees what the sleeper wrote before it
   queued, as the lock already made sure; the order against the parker is
   unpark's. */
static inline bool gch__claim(struct gch_group *g, uint32_t winner) {
  uint32_t waiting = GCH_WAITING;
  GCH_DELAY();
  if (g->plain)
    return true;
  return atomic_compare_exchange_strong_explicit(
      &g->winner, &waiting, winner, memory_order_acq_rel, memory_order_relaxed);
}

/* Relaxed: whoever acts on the answer takes the lock first. */
static inline struct gch_waiter *gch__queue_first(const struct gch_queue *q) {
  return atomic_load_explicit(&q->first, memory_order_relaxed);
}

static inline void gch__queue_add(struct gch_queue *q, struct gch_waiter *w) {
  w->next = NULL;
  w->prev = q->last;
  if (w->prev)
    w->prev->next = w;
  else
    atomic_store_explicit(&q->first, w, memory_order_release);
  q->last = w;
}

static inline bool gch__queue_has(const struct gch_queue *q,
                                  const struct gch_waiter *w) {
  return w->prev || gch__queue_first(q) == w;
}

static inline void gch__queue_remove(struct gch_queue *q,
                                     struct gch_waiter *w) {
  if (w->prev)
    w->prev->next = w->next;
  else
    atomic_store_explicit(&q->first, w->next, memory_order_release);
  if (w->next)
    w->next->prev = w->prev;
  else
    q->last = w->prev;
  w->prev = NULL;
}

/* Takes out the first, w. */
static inline void gch__queue_remove_first(struct gch_queue *q,
                                           struct gch_waiter *w) {
  struct gch_waiter *next = w->next;
  atomic_store_explicit(&q->first, next, memory_order_release);
  if (next)
    next->prev = NULL;
  else
    q->last = NULL;
}

/* Wakes w, which the caller has claimed, if it has; the last touch. No lock is
   held. */
static inline void gch__wake(struct gch_waiter *w) {
  if (w)
    gch__unpark(&w->group->parker);
}

/* Takes the first waiter that can be claimed; NULL where there is none. */
static inline struct gch_waiter *gch__queue_claim(struct gch_queue *q) {
  struct gch_waiter *w;
  while ((w = gch__queue_first(q))) {
    gch__queue_remove_first(q, w);
    if (gch__claim(w->group, w->pos))
      return w;
  }
  return NULL;
}

#endif
