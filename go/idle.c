/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Procs without a worker, workers without a proc, and the tasks that nobody has
 * in his own queue: all under sched.lock. A proc is listed as IDLE; or RETIRED,
 * which is nowhere (gch_maxprocs allows for fewer); or HELD: it has a worker,
 * or is just on its way from or to one in somebody's hands.
 */
#include "go/sched.h"

enum {
  SPARE = 8, /* idle threads kept beyond one a proc, for good; others, */
  LINGER = 200000000, /* nanoseconds: who blocked once may do so again */
  WARM = 2, /* and those started before they are needed, where some are stuck */
};

struct gch_sched gch__sched;
#define sched gch__sched

uint32_t gch__procs_allowed(void) {
  return atomic_load_explicit(&sched.maxprocs, memory_order_relaxed);
}

bool gch__retired(const struct gch_proc *p) {
  return p->index >= gch__procs_allowed();
}

/* The lists */

static void list_idle(struct gch_proc *p) {
  if (gch__retired(p)) {
    p->state = GCH_PROC_RETIRED;
    return;
  }
  p->state = GCH_PROC_IDLE;
  p->next_idle = sched.idle_procs;
  sched.idle_procs = p;
  atomic_fetch_add(&sched.num_idle_procs, 1);
}

static struct gch_proc *take_idle_proc(void) {
  struct gch_proc *p = sched.idle_procs;
  if (p) {
    sched.idle_procs = p->next_idle;
    p->state = GCH_PROC_HELD;
    atomic_fetch_sub(&sched.num_idle_procs, 1);
  }
  return p;
}

/* With sched.lock held. */
static void list_idle_worker(struct gch_worker *w) {
  struct gch_worker *next = sched.idle_workers;
  w->next_idle = next;
  w->prev_idle = NULL;
  if (next)
    next->prev_idle = w;
  sched.idle_workers = w;
  w->listed = true;
  atomic_fetch_add(&sched.num_idle_workers, 1);
}

static void unlist_idle_worker(struct gch_worker *w) {
  if (w->prev_idle)
    w->prev_idle->next_idle = w->next_idle;
  else
    sched.idle_workers = w->next_idle;
  if (w->next_idle)
    w->next_idle->prev_idle = w->prev_idle;
  w->listed = false;
  atomic_fetch_sub(&sched.num_idle_workers, 1);
}

/* In this order: the monitor may take p away again as soon as it has a
   worker. */
static void assign(struct gch_proc *p, struct gch_worker *w) {
  gch__begin_turn(w);
  atomic_store(&w->proc, p);
  atomic_store(&p->worker, w);
}

/* A searcher for an idle proc, unless there is one. It gets the proc; if no
   worker is idle the proc is returned, for a new thread. searching is read by a
   read-modify-write: if that comes before the one in found_work, then what was
   queued before is seen there. */
static struct gch_proc *match(struct gch_worker **wake) {
  *wake = NULL;
  if (!sched.idle_procs || atomic_fetch_add(&sched.searching, 0) > 0)
    return NULL;
  struct gch_proc *p = take_idle_proc();
  struct gch_worker *w = sched.idle_workers;
  atomic_fetch_add(&sched.searching, 1);
  if (!w)
    return p;
  unlist_idle_worker(w);
  w->searching = true;
  assign(p, w);
  *wake = w;
  return NULL;
}

static void start_worker(struct gch_proc *p) {
  if (!gch__worker_start(p)) {
    atomic_fetch_sub(&sched.searching, 1);
    gch__list_idle(p);
    atomic_store(&sched.lacks_thread, true);
  }
}

/* After the unlock: what match came to. Where tasks are left, and no proc for
   them, the monitor looks soon whether those who have the procs use them. */
static void set_to_work(struct gch_proc *p, struct gch_worker *wake) {
  if (wake) {
    gch__monitor();
    gch__unpark(&wake->parker);
  } else if (p) {
    start_worker(p);
    gch__monitor();
  }
  if (gch__count(&sched.shared) > 0 && atomic_load(&sched.num_idle_procs) == 0)
    gch__monitor_next();
}

void gch__wake_worker(void) {
  struct gch_worker *wake;
  gch__lock(&sched.lock);
  struct gch_proc *p = match(&wake);
  gch__unlock(&sched.lock);
  set_to_work(p, wake);
}

/* A thread that begins beside many that compute waits for its first processor,
   as one that is woken does not. */
void gch__keep_warm(void) {
  if (atomic_load(&sched.num_idle_workers) < WARM && !gch__threads_are_scarce())
    gch__worker_start(NULL);
}

void gch__list_idle(struct gch_proc *p) {
  gch__lock(&sched.lock);
  list_idle(p);
  gch__unlock(&sched.lock);
}

void gch__submit_all_shared(struct gch_queue_of_tasks *tasks) {
  struct gch_worker *wake;
  if (gch__count(tasks) == 0)
    return;
  gch__lock(&sched.lock);
  gch__move(&sched.shared, tasks, UINT32_MAX);
  struct gch_proc *p = match(&wake);
  gch__unlock(&sched.lock);
  set_to_work(p, wake);
}

void gch__hand_on(struct gch_proc *p, struct gch_queue_of_tasks *tasks) {
  gch__list_idle(p);
  gch__submit_all_shared(tasks);
  if (gch__count(&sched.shared) > 0)
    gch__wake_worker();
}

void gch__hand_over(struct gch_worker *w) {
  struct gch_queue_of_tasks rest = {0};
  struct gch_proc *p = gch__enter(w);
  if (p) {
    gch__empty(p, &rest);
    atomic_store(&w->proc, NULL);
    atomic_store(&p->worker, NULL);
  }
  gch__leave(w);
  if (p)
    gch__hand_on(p, &rest);
}

void gch__submit_shared(struct gch_task *t) {
  struct gch_queue_of_tasks one = {0};
  gch__push(&one, t);
  gch__submit_all_shared(&one);
}

/* Until when w, which is listed, is to wait to be taken: the last listed is the
   first taken, so who waits for long is not needed. */
static int64_t needed_until(void) {
  bool few =
      atomic_load(&sched.num_idle_workers) <= gch__procs_allowed() + SPARE;
  return few ? GCH__FOREVER : gch__from_now(LINGER);
}

int64_t gch__list_idle_pair(struct gch_proc *p, struct gch_worker *w) {
  gch__lock(&sched.lock);
  if (p)
    list_idle(p);
  list_idle_worker(w);
  int64_t until = needed_until();
  gch__unlock(&sched.lock);
  return until;
}

bool gch__leave_idle(struct gch_worker *w) {
  gch__lock(&sched.lock);
  bool leaves = w->listed && needed_until() != GCH__FOREVER;
  if (leaves)
    unlist_idle_worker(w);
  gch__unlock(&sched.lock);
  return leaves;
}

bool gch__rise(struct gch_worker *w, struct gch_queue_of_tasks *ready) {
  struct gch_worker *wake = NULL;
  struct gch_proc *p = NULL;
  bool rises = false;
  if (gch__count(ready) == 0)
    return false;
  gch__lock(&sched.lock);
  gch__move(&sched.shared, ready, UINT32_MAX);
  if (w->listed && (p = take_idle_proc())) {
    atomic_fetch_add(&sched.searching, 1);
    unlist_idle_worker(w);
    rises = w->searching = true;
    assign(p, w);
    p = NULL;
  } else {
    p = match(&wake);
  }
  gch__unlock(&sched.lock);
  set_to_work(p, wake);
  if (rises)
    gch__monitor();
  return rises;
}

void gch__want_proc(struct gch_worker *w) {
  gch__lock(&sched.lock);
  struct gch_proc *p = take_idle_proc();
  if (p)
    assign(p, w);
  gch__unlock(&sched.lock);
  if (p)
    gch__monitor();
}

bool gch__start_first_worker(void) {
  gch__lock(&sched.lock);
  struct gch_proc *p = take_idle_proc();
  gch__unlock(&sched.lock);
  if (!p)
    return false;
  atomic_fetch_add(&sched.searching, 1);
  if (gch__worker_start(p)) {
    gch__monitor();
    return true;
  }
  atomic_fetch_sub(&sched.searching, 1);
  gch__list_idle(p);
  return false;
}

/* The idle that are no longer allowed for retire, the retired that are become
   idle. Who holds a proc notices by himself. */
void gch__set_maxprocs(uint32_t n) {
  gch__lock(&sched.lock);
  atomic_store(&sched.maxprocs, n);
  struct gch_proc *p;
  while ((p = take_idle_proc()))
    p->state = GCH_PROC_RETIRED;
  for (uint32_t i = 0; i < n; i++)
    if ((p = atomic_load(&sched.procs[i]))->state == GCH_PROC_RETIRED)
      list_idle(p);
  gch__unlock(&sched.lock);
}

void gch__sched_reset(struct gch_worker *w) {
  gch__lock_reset(&sched.lock);
  sched.shared = (struct gch_queue_of_tasks){0};
  sched.idle_procs = NULL;
  sched.idle_workers = NULL;
  atomic_store(&sched.num_idle_workers, 0);
  atomic_store(&sched.num_idle_procs, 0);
  atomic_store(&sched.searching, 0);
  atomic_store(&sched.thefts_vain, false);
  atomic_store(&sched.num_workers, w ? 1 : 0);
  uint32_t n = atomic_load(&sched.num_procs);
  for (uint32_t i = n; i-- > 0;) {
    struct gch_proc *p = atomic_load(&sched.procs[i]);
    gch__proc_reset(p);
    if (i > 0 || !w) {
      list_idle(p);
    } else {
      p->state = GCH_PROC_HELD;
      assign(p, w);
    }
  }
  if (w) {
    atomic_store(&w->busy, false);
    w->left = NULL;
    w->left_how = GCH_STOPPED;
    w->taken = NULL;
    w->outside = false;
    gch__forget_block(w);
    w->searching = false;
  }
}
