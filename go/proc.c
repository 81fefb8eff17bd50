/* SPDX-License-Identifier: BSD-3-Clause */
/* Procs: what is in their queues, and how others get at it. */
#include "go/sched.h"

/* What one waits for a worker to leave; and for a thief, who makes a fence. */
enum { PAUSES = 64, THIEF_PAUSES = 512 };

void gch__move(struct gch_queue_of_tasks *to, struct gch_queue_of_tasks *from,
               uint32_t n) {
  struct gch_task *first = from->first, *last = first;
  if (n >= gch__count(from)) {
    n = gch__count(from);
    last = from->last;
  } else {
    for (uint32_t i = 1; i < n; i++)
      last = last->next;
  }
  if (n == 0)
    return;
  from->first = last->next;
  gch__add_count(from, -n);
  last->next = NULL;
  if (to->first)
    to->last->next = first;
  else
    to->first = first;
  to->last = last;
  gch__add_count(to, n);
}

void gch__empty(struct gch_proc *p, struct gch_queue_of_tasks *to) {
  struct gch_task *next = atomic_load_explicit(&p->next, memory_order_relaxed);
  atomic_store_explicit(&p->next, NULL, memory_order_relaxed);
  if (next)
    gch__push(to, next);
  gch__move(to, &p->queue, UINT32_MAX);
}

/* The worker waits until the thief is done: some microseconds, unless the
   thief has lost its processor. */
static void wait_for_thief(struct gch_proc *p) {
  for (int i = 0; i < THIEF_PAUSES; i++) {
    if (!atomic_load(&p->wanted))
      return;
    gch__pause();
  }
  gch__lock(&p->lock);
  gch__unlock(&p->lock);
}

struct gch_proc *gch__enter_slowly(struct gch_worker *w) {
  for (;;) {
    struct gch_proc *p = atomic_load(&w->proc);
    if (p)
      wait_for_thief(p);
    atomic_exchange(&w->busy, true);
    p = atomic_load(&w->proc);
    if (!p || (!atomic_load(&p->wanted) && atomic_load(&p->worker) == w))
      return p;
    gch__leave(w);
  }
}

static bool left_by(struct gch_worker *w) {
  for (int i = 0; i < PAUSES; i++) {
    if (!atomic_load(&w->busy))
      return true;
    gch__pause();
  }
  return false;
}

bool gch__seize(struct gch_proc *p) {
  if (!gch__try_lock(&p->lock))
    return false;
  atomic_store(&p->wanted, true);
  gch__fence_heavy();
  GCH_DELAY();
  struct gch_worker *w = atomic_load(&p->worker);
  if (!w || left_by(w))
    return true;
  gch__release(p);
  return false;
}

void gch__release(struct gch_proc *p) {
  atomic_store(&p->wanted, false);
  gch__unlock(&p->lock);
}

/* Of no size in memory until used. */
static struct gch_proc all[GCH_MAX_PROCS];

struct gch_proc *gch__proc_new(uint32_t index) {
  all[index].index = index;
  return &all[index];
}

void gch__proc_reset(struct gch_proc *p) {
  *p = (struct gch_proc){.index = p->index};
}
