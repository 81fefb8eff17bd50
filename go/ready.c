/* SPDX-License-Identifier: BSD-3-Clause */
/* Tasks that become ready: where they go, and who is told. sched.c says why. */
#include "go/sched.h"

#define sched gch__sched

/* Behind all that w's proc has: how many are there now; 0: it has no proc. */
static uint32_t push_own(struct gch_worker *w, struct gch_task *t) {
  uint32_t n = 0;
  struct gch_proc *p = gch__enter(w);
  if (p) {
    gch__push(&p->queue, t);
    n = gch__count(&p->queue);
  }
  gch__leave(w);
  return n;
}

/* What p has may be stolen. */
static void lend(struct gch_proc *p) {
  if (!atomic_load_explicit(&p->stale, memory_order_relaxed))
    atomic_store_explicit(&p->stale, true, memory_order_relaxed);
}

static bool somebody_idle(void) {
  return atomic_load_explicit(&sched.num_idle_procs, memory_order_relaxed) > 0;
}

/* Who yields says that others may go on: elsewhere too, however soon they would
   have their turn here. */
void gch__submit_quietly(struct gch_task *t) {
  struct gch_worker *w = gch__worker_running;
  struct gch_proc *p = w ? gch__enter(w) : NULL;
  if (p) {
    gch__push(&p->queue, t);
    lend(p);
  }
  if (w)
    gch__leave(w);
  if (!p)
    gch__submit_shared(t);
}

/* Tasks are in a queue while a proc is idle. */
static void tell_of_many(void) {
  if (gch__thefts_vain())
    gch__monitor_next();
  else if (atomic_load(&sched.searching) == 0)
    gch__wake_worker();
}

void gch__launch(struct gch_worker *w, struct gch_task *t) {
  struct gch_proc *p = w ? gch__enter(w) : NULL;
  if (p) {
    gch__count_up(&p->started);
    gch__push(&p->queue, t);
  }
  if (w)
    gch__leave(w);
  if (!p) {
    atomic_fetch_add(&sched.started, 1);
    gch__submit_shared(t);
  } else if (somebody_idle()) {
    tell_of_many();
  }
}

/* As the next of p, which the caller may use, if it has none. */
static inline bool set_next(struct gch_proc *p, struct gch_task *t) {
  if (atomic_load_explicit(&p->next, memory_order_relaxed))
    return false;
  atomic_store_explicit(&p->stale, false, memory_order_relaxed);
  atomic_store_explicit(&p->next, t, memory_order_relaxed);
  return true;
}

/* n tasks that were woken are in a queue while a proc is idle. */
static void tell_of_woken(uint32_t n) {
  if (n > GCH_FEW)
    tell_of_many();
  else
    gch__monitor_next();
}

/* Where w, the caller, has another next, or is no worker. */
__attribute__((noinline)) static void ready_later(struct gch_worker *w,
                                                  struct gch_task *t) {
  uint32_t n = w ? push_own(w, t) : 0;
  if (n == 0)
    gch__submit_shared(t);
  else if (somebody_idle())
    tell_of_woken(n);
}

__attribute__((noinline)) static void ready_slowly(struct gch_worker *w,
                                                   struct gch_task *t) {
  struct gch_proc *p = w ? gch__enter(w) : NULL;
  bool set = p && set_next(p, t);
  if (w)
    gch__leave(w);
  if (!set)
    ready_later(w, t);
  else if (somebody_idle())
    gch__monitor_next();
}

/* The common case in few instructions, which is what the tail calls are for. */
void gch__task_ready(struct gch_task *t) {
  struct gch_worker *w = gch__worker_running;
  if (t->generation != sched.generation)
    return; /* a task of the process that this one was forked from */
  GCH_DELAY();
  struct gch_proc *p = w ? gch__enter_at_once(w) : NULL;
  if (!p) {
    ready_slowly(w, t);
    return;
  }
  bool set = set_next(p, t);
  gch__leave_at_once(w);
  if (!set)
    ready_later(w, t);
  else if (somebody_idle())
    gch__monitor_next();
}

void gch__task_gather(struct gch_queue_of_tasks *q, struct gch_task *t) {
  if (t->generation == sched.generation)
    gch__push(q, t);
}

uint32_t gch__keep(struct gch_worker *w, struct gch_queue_of_tasks *tasks) {
  uint32_t n = 0;
  struct gch_proc *p = gch__enter(w);
  if (p) {
    gch__move(&p->queue, tasks, UINT32_MAX);
    n = gch__count(&p->queue);
  }
  gch__leave(w);
  return n;
}

void gch__tasks_ready(struct gch_queue_of_tasks *q) {
  struct gch_worker *w = gch__worker_running;
  if (gch__count(q) == 0)
    return;
  GCH_DELAY();
  uint32_t n = w ? gch__keep(w, q) : 0;
  if (n == 0)
    gch__submit_all_shared(q);
  else if (somebody_idle())
    tell_of_woken(n);
}
