/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Procs and workers: what each knows, whose that is, and how a worker uses its
 * proc.
 *
 * A proc belongs to the worker that has it, which uses it between gch__enter
 * and gch__leave; that costs two plain stores. Somebody else (a thief, the
 * monitor) first seizes it: asks by `wanted`, then waits until the worker is
 * not between the two. The pair "busy, then wanted" against "wanted, then busy"
 * is asymmetric: fence.h.
 *
 *     a fact                          whose it is, who writes it
 *     next, queue, streak, tick,      the proc's; its worker within enter and
 *       look_tick, free, counts         leave, or who has seized it
 *     proc.worker, worker.proc        a pair: who gives an idle proc away, with
 *                                       sched.lock held; who takes a proc from
 *                                       its worker, within enter or seized
 *     looked_tick, looked_at          the proc's, whoever has it: how fast
 *                                       its queue moves; searchers, as hints
 *     turns                           the worker's; itself, or who gives it a
 *                                       proc before it is woken
 *     tid, cpu_clock                  the thread's; itself, as it begins, and
 *                                       in a forked child
 *     found_blocked                   the same two, of the run of one task: set
 *                                       before the proc is taken, so who sees
 *                                       that it has none sees why
 *     entry                           the worker's thread's; for others a hint
 *     outside, naps, faults, left,    the worker's thread's own
 *       left_how, taken, searching
 *     lock_naps                       the thread's; the monitor reads it
 *     slow                            the monitor's, who has seized its proc;
 *                                       the worker's, while it has none
 *     sight                           the monitor's, of a turn of one worker
 *                                       with this proc
 *
 * A worker's turn is the time for which it does one thing: runs a task, or
 * looks for one. It is told from its turns before by two counts that only grow:
 * the proc's tick, for each task that is taken from its queue, and the worker's
 * turns, for each that comes from elsewhere (the shared queue, a theft), each
 * proc that it gets, each thread that the record serves. So a sight, which
 * names proc, worker and sum, is about a turn that is under way or about none;
 * the monitor, which reads the three one by one, seizes the proc and reads them
 * again before it acts.
 */
#ifndef GCH_GO_PROC_H
#define GCH_GO_PROC_H

#include "go/queue.h"
#include "go/stack.h"
#include "park/fence.h"
#include "park/parker.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* What the monitor saw of a worker that has the proc. */
struct gch_sight {
  struct gch_worker *worker; /* NULL: nothing */
  uint32_t turn;
  bool fresh;       /* the worker had just been given the proc */
  int64_t at;       /* when that turn was seen first */
  int64_t last_cpu; /* the same later */
  int64_t cpu;      /* what the worker's thread had used then, nanoseconds */
};

struct gch_proc {
  /* The worker's. */
  _Atomic(struct gch_task *) next; /* to run next; others read it as a hint */
  struct gch_queue_of_tasks queue;
  uint32_t streak;       /* how often next went before what is in the queue */
  _Atomic uint32_t tick; /* tasks taken */
  uint32_t look_tick;    /* to look at the shared queue then */
  struct gch_magazine free[GCH_FREE_KINDS];
  _Atomic size_t started, ended; /* tasks, here */
  /* Everybody's. */
  alignas(64) atomic_bool wanted;
  atomic_bool stale;    /* what is here has waited long: a thief may take it */
  struct gch_lock lock; /* who seizes it */
  _Atomic(struct gch_worker *) worker; /* who has it; NULL: it is idle */
  struct gch_proc *next_idle;
  uint32_t index;
  _Atomic uint32_t looked_tick; /* when a searcher last looked, hints both */
  alignas(8) _Atomic int64_t looked_at;
  enum { GCH_PROC_RETIRED, GCH_PROC_IDLE, GCH_PROC_HELD } state; /* idle.c */
  /* The monitor's. */
  struct gch_sight sight;
  uint32_t next_tick; /* at its last look at next */
};

struct gch_worker {
  _Atomic(struct gch_proc *) proc;
  atomic_bool busy;
  _Atomic uint32_t turns; /* that began otherwise than by a tick */
  struct gch_task *task;  /* that runs; NULL: none, the native stack does */
  struct gch_task *left;  /* by the last switch, not settled yet */
  uint8_t left_how;       /* STOPPED again by settling */
#define GCH_STOPPED 0
#define GCH_OVER 1   /* it will not run again */
#define GCH_BLOCKS 2 /* its next run is to be without a proc: switch.c */
  bool outside;      /* so is this run */
  atomic_bool found_blocked;   /* its proc was taken since the thread slept */
  _Atomic(const void *) entry; /* of the last task that began here */
  struct gch_task *taken;      /* to run first, by the native stack */
  int64_t naps;                /* of the thread, when that run began; */
  int64_t faults;              /* and its page faults */
  bool searching;              /* counted in sched.searching */
  bool slow;                   /* its thread has long slices */
  int *errno_at;               /* of the thread */
  _Atomic uint32_t tid;        /* 0: the thread has not begun */
  _Atomic clockid_t cpu_clock; /* of the thread */
  struct gch_fiber native;
  uint32_t random;
  uint32_t due_skip, due_skips; /* looks at the clock left out: due.c */
  int64_t due_looked_at;
  uint32_t vain_wakes; /* by itself, for what it could not steal */
  uint32_t stolen;     /* tasks by the last theft, which is not judged yet */
  int64_t stolen_at;
  struct gch_parker parker; /* of the idle */
  struct gch_worker *next_idle, *prev_idle;
  bool listed;                          /* as idle; with sched.lock held */
  struct gch_sanitizer_stack sanitizer; /* of the native stack */
  void *signal_stack;
  _Atomic uint32_t lock_naps; /* of the thread: park/lock.h */
};

/* The worker that the calling thread is; NULL: none. As gch__task_self. */
extern GCH_THREAD_LOCAL struct gch_worker *gch__worker_running;
struct gch_worker *gch__worker_self(void);

/* Using one's proc */

/* The worker's proc, for it alone until gch__leave; NULL if it has none. In
   between: no call that blocks. */
struct gch_proc *gch__enter_slowly(struct gch_worker *w);

/* The same, if that takes two plain stores and no more; NULL: it does not, and
   nothing is entered. The first: where fences are asymmetric. */
static inline struct gch_proc *gch__enter_asymmetric(struct gch_worker *w) {
  atomic_store_explicit(&w->busy, true, memory_order_relaxed);
  gch__fence_light();
  struct gch_proc *p = atomic_load(&w->proc);
  /* Pairs with the release in gch__release: what the thief did is seen. And the
     monitor may have been and gone since proc was read. */
  if (p && !atomic_load(&p->wanted) && atomic_load(&p->worker) == w)
    return p;
  atomic_store_explicit(&w->busy, false, memory_order_release);
  return NULL;
}

static inline struct gch_proc *gch__enter_at_once(struct gch_worker *w) {
  return gch__asymmetric ? gch__enter_asymmetric(w) : NULL;
}

static inline struct gch_proc *gch__enter(struct gch_worker *w) {
  struct gch_proc *p = gch__enter_at_once(w);
  return p ? p : gch__enter_slowly(w);
}

/* Orders as gch__fence_heavy does. */
static inline void gch__leave_symmetric(struct gch_worker *w) {
  atomic_exchange(&w->busy, false);
  gch__fence_heavy();
}

/* After gch__enter_at_once only. Release pairs with the load in gch__seize. */
static inline void gch__leave_at_once(struct gch_worker *w) {
  atomic_store_explicit(&w->busy, false, memory_order_release);
  gch__fence_light();
}

/* Where fences are not asymmetric this also orders what was queued before the
   look at who is idle. */
static inline void gch__leave(struct gch_worker *w) {
  if (gch__asymmetric)
    gch__leave_at_once(w);
  else
    gch__leave_symmetric(w);
}

static inline uint32_t gch__tick(const struct gch_proc *p) {
  return atomic_load_explicit(&p->tick, memory_order_relaxed);
}

/* Takes p from its worker, if it has one, until gch__release. False: the worker
   did not let go in time, or somebody else seizes. */
bool gch__seize(struct gch_proc *p);
void gch__release(struct gch_proc *p);

/* p's worker, w, begins a turn otherwise than by taking from p's queue. */
static inline void gch__begin_turn(struct gch_worker *w) {
  uint32_t n = atomic_load_explicit(&w->turns, memory_order_relaxed);
  atomic_store_explicit(&w->turns, n + 1, memory_order_relaxed);
}

static inline uint32_t gch__turn(const struct gch_proc *p,
                                 const struct gch_worker *w) {
  return gch__tick(p) + atomic_load_explicit(&w->turns, memory_order_relaxed);
}

enum { GCH_STREAK_MAX = 32 }; /* times that next may go before the queue */

/* The next task of p, which the caller may use. */
static inline struct gch_task *gch__take_next(struct gch_proc *p) {
  struct gch_task *t = atomic_load_explicit(&p->next, memory_order_relaxed);
  if (t && (!p->queue.first || p->streak++ < GCH_STREAK_MAX)) {
    atomic_store_explicit(&p->next, NULL, memory_order_relaxed);
  } else {
    t = gch__pop_and_warm(&p->queue);
    p->streak = 0;
  }
  if (t)
    atomic_store_explicit(&p->tick, gch__tick(p) + 1, memory_order_relaxed);
  return t;
}

#endif
