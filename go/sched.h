/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The task scheduler, for the files that implement it.
 *
 * Task: a function to call, then a stack of its own that is parked or runs.
 * Worker: a thread that runs tasks. Proc (Go's P): the right to run tasks, and
 * the queue of those that are to run; there are gch_maxprocs of them. A worker
 * needs a proc to go from one task to the next. A worker that sits too long in
 * one task loses its proc to another worker (monitor.c), and its task goes on
 * without: it just can't put tasks in a queue of its own, and when it stops its
 * worker must wait for a proc.
 *
 *     task       who owns it (its struct, its registers)
 *     ready      the queue that it is in; whoever takes it out
 *     runs       its worker
 *     stops      its worker, until running is unlocked; see switch.c
 *     parked     who has undertaken to make it ready
 *
 * A proc belongs to the worker that has it, which uses it between gch__enter
 * and gch__leave; that costs two plain stores. Somebody else (a thief, the
 * monitor) first seizes it: asks by `wanted`, then waits until the worker is
 * not between the two. The pair "busy, then wanted" against "wanted, then busy"
 * is asymmetric: fence.h.
 *
 * sched.lock guards the shared queue, the idle procs and the idle workers, and
 * which proc an idle worker gets. Lock order: a proc's lock, sched.lock. Neither
 * is held over a switch, and no channel lock is taken under them.
 */
#ifndef GCH_GO_SCHED_H
#define GCH_GO_SCHED_H

#include "go/fiber.h"
#include "go/spawn.h"
#include "go/stack.h"
#include "park/cpu.h"
#include "park/delay.h"
#include "park/fence.h"
#include "park/lock.h"
#include "park/parker.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum { GCH_MAX_PROCS = 1024 };

struct gch_call {
  gch__run_fn *run;
  void *a, *b, *c;
};

struct gch_task {
  struct gch_fiber fiber; /* sp is NULL: not begun */
  struct gch_task *next;  /* in a queue */
  struct gch_stack *stack;
  struct gch_lock running; /* held: its registers are in a processor */
  uint32_t generation;     /* of the process that it belongs to, or */
#define GCH_NO_GENERATION UINT32_MAX /* it is free */
  alignas(GCH_TASK_ROOM_AT) union {
    struct gch_call call; /* while not begun */
    char room[GCH_TASK_ROOM];
  };
};

_Static_assert(sizeof(struct gch_call) <= GCH_TASK_ROOM_ZEROED &&
                   offsetof(struct gch_task, room) == GCH_TASK_ROOM_AT &&
                   sizeof(struct gch_task) == 128,
               "two cache lines a task, of which one that has not begun "
               "needs the first");

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
  uint32_t seen_tick, fine_tick;
  int64_t seen_at, seen_cpu;
};

struct gch_worker {
  _Atomic(struct gch_proc *) proc;
  atomic_bool busy;
  struct gch_task *task; /* that runs; NULL: none, the native stack does */
  struct gch_task *left; /* by the last switch, not settled yet */
  bool left_is_over;     /* and will not run again; false again by settling */
  bool searching;        /* counted in sched.searching */
  int *errno_at;         /* of the thread */
  _Atomic uint32_t tid;  /* 0: the thread has not begun */
  _Atomic clockid_t cpu_clock; /* of the thread */
  struct gch_fiber native;
  uint32_t random;
  uint32_t vain_wakes; /* by itself, for what it could not steal */
  uint32_t stolen; /* tasks by the last theft, which is not judged yet */
  int64_t stolen_at;
  struct gch_parker parker; /* of the idle */
  struct gch_worker *next_idle;
  struct gch_sanitizer_stack sanitizer; /* of the native stack */
  void *signal_stack;
};

struct gch_sched {
  alignas(64) struct gch_lock lock;
  struct gch_queue_of_tasks shared;
  struct gch_proc *idle_procs;
  struct gch_worker *idle_workers;
  uint32_t num_idle_workers;
  alignas(64) _Atomic uint32_t num_idle_procs;
  _Atomic uint32_t searching;   /* workers that look for work */
  _Atomic uint32_t num_procs;   /* in procs; never fewer */
  _Atomic uint32_t maxprocs;    /* that may be used; 0: not started */
  _Atomic uint32_t num_workers; /* threads */
  _Atomic(struct gch_proc *) procs[GCH_MAX_PROCS];
  atomic_bool thefts_vain;  /* what was stolen last took less than the theft */
  atomic_bool forked;       /* and the monitor has not been started since */
  atomic_bool lacks_thread; /* one could not be started: try again later */
  _Atomic size_t taken_shared; /* times that tasks were taken from there */
  uint32_t generation; /* of processes: grows with each fork, in the child */
  alignas(64) _Atomic size_t started, ended; /* tasks, by who has no proc */
};

extern GCH_HIDDEN struct gch_sched gch__sched;

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

/* Where fences are not asymmetric this also orders what was queued before the look
   at who is idle. */
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

/* Queues */

static inline uint32_t gch__count(const struct gch_queue_of_tasks *q) {
  return atomic_load_explicit(&q->count, memory_order_relaxed);
}

static inline void gch__add_count(struct gch_queue_of_tasks *q, uint32_t n) {
  atomic_store_explicit(&q->count, gch__count(q) + n, memory_order_relaxed);
}

static inline void gch__push(struct gch_queue_of_tasks *q, struct gch_task *t) {
  t->next = NULL;
  if (q->first)
    q->last->next = t;
  else
    q->first = t;
  q->last = t;
  gch__add_count(q, 1);
}

static inline struct gch_task *gch__pop(struct gch_queue_of_tasks *q) {
  struct gch_task *t = q->first;
  if (t) {
    q->first = t->next;
    gch__add_count(q, (uint32_t)-1);
  }
  return t;
}

/* Moves the first n of from, or all, behind to. */
void gch__move(struct gch_queue_of_tasks *to, struct gch_queue_of_tasks *from,
               uint32_t n);

enum { GCH_STREAK_MAX = 32 }; /* times that next may go before the queue */

/* The first; and asks for the memory that the third goes on in, the end of a
   stack that may not have been touched for long. (The third may just be stopping,
   on another worker: then sp is no more than a hint.) */
static inline struct gch_task *gch__pop_and_warm(struct gch_queue_of_tasks *q) {
  enum { LINE = 64, LINES = 6 };
  struct gch_task *t = gch__pop(q);
  struct gch_task *third = t && t->next ? t->next->next : NULL;
  const char *sp =
      third ? __atomic_load_n(&third->fiber.sp, __ATOMIC_RELAXED) : NULL;
  for (int i = 0; sp && i < LINES; i++)
    __builtin_prefetch(sp + LINE * i);
  return t;
}

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

/* What it takes to move a task to another worker, nanoseconds. Where a task has
   less to wait for its own worker, it stays. */
enum { GCH_MOVE = 16000 };

/* What of that comes to one of many moved together, and slows its old worker:
   tasks that take less are not done sooner by two workers. */
enum { GCH_WORTH = 500 };

/* Whether the last of n tasks in a queue has longer to wait, going by how many
   were taken in the time that passed. */
static inline bool gch__wait_long(uint32_t n, uint32_t taken, int64_t passed) {
  return n * passed >= (int64_t)taken * GCH_MOVE &&
         passed >= (int64_t)taken * GCH_WORTH;
}

/* proc.c */

/* Moves all that p, which the caller may use, has to run. */
void gch__empty(struct gch_proc *p, struct gch_queue_of_tasks *to);
struct gch_proc *gch__proc_new(uint32_t index);
void gch__proc_reset(struct gch_proc *p);

/* idle.c */

/* How many procs may be in use; whether p is one too many. */
uint32_t gch__procs_allowed(void);
bool gch__retired(const struct gch_proc *p);

/* Lets an idle worker take an idle proc, if there is one and nobody searches. */
void gch__wake_worker(void);

/* p has no worker: lists it as idle. */
void gch__list_idle(struct gch_proc *p);

/* The same, where p is not NULL, and lists w, its worker until now; false: w is
   not listed, since there are threads enough. */
bool gch__list_idle_pair(struct gch_proc *p, struct gch_worker *w);

/* w, which has none, gets an idle proc if there is one. */
void gch__want_proc(struct gch_worker *w);

/* Queues what is ready for everybody. */
void gch__submit_shared(struct gch_task *t);
void gch__submit_all_shared(struct gch_queue_of_tasks *tasks);

/* p, which had these tasks to run, has lost its worker: lists it as idle, and
   has it taken by another if there is anything to do. */
void gch__hand_on(struct gch_proc *p, struct gch_queue_of_tasks *tasks);

/* The same for the proc of w, the caller, if it has one, with all that is to run
   there. */
void gch__hand_over(struct gch_worker *w);

/* For start.c. */
bool gch__start_first_worker(void);
void gch__set_maxprocs(uint32_t n);
void gch__sched_reset(struct gch_worker *w); /* in a forked child */

/* Whether the last theft of many was in vain (sched.c). */
static inline bool gch__thefts_vain(void) {
  return atomic_load_explicit(&gch__sched.thefts_vain, memory_order_relaxed);
}

enum { GCH_FEW = 16 }; /* woken tasks in a queue for which nobody is woken */

/* ready.c */

/* Queues t behind all that the proc of w, the caller, has; where it has none, for
   everybody. The first: counted as started, and somebody is to take it. The
   second: t is the caller's, who leaves it. */
void gch__launch(struct gch_worker *w, struct gch_task *t);
void gch__submit_quietly(struct gch_task *t);

/* Puts tasks behind all that w's proc has: how many are there then; 0: w has
   none, and nothing is moved. */
uint32_t gch__keep(struct gch_worker *w, struct gch_queue_of_tasks *tasks);

/* sched.c */

/* start.c: makes sure that tasks can run; false: no memory, or no thread. */
bool gch__sched_start(void);

/* Counts a task that is over; w may be NULL. */
void gch__count_ended(struct gch_worker *w);

/* Release: who sees a task counted as ended sees it counted as started. */
static inline void gch__count_up(_Atomic size_t *n) {
  atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) + 1,
                        memory_order_release);
}

/* What a worker's thread does, from its native stack. */
void gch__work(struct gch_worker *w);

/* Some tasks from the shared queue, the first to run at once. */
struct gch_task *gch__take_shared(struct gch_worker *w);

/* thread.c. worker_start: a new thread for p, counted as searching; false: none
   can be started. is_thread: the caller's thread is w's, where that is new. reset:
   in a forked child. expect (start.c): does init if that is to be done. */
void gch__threads_init(void);
bool gch__threads_begun(void);
void gch__threads_expect(void);

/* Processor time, nanoseconds: of a clock, 0 where there is none; of the threads
   of all workers that there are, of all tasks that are a thread. */
int64_t gch__clock_time(clockid_t clock);
int64_t gch__workers_time(void);
int64_t gch__thread_tasks_time(void);
bool gch__threads_are_at_limit(void);
bool gch__worker_start(struct gch_proc *p);
void gch__worker_is_thread(struct gch_worker *w);
void gch__threads_reset(void);

/* lack.c: the monitor looks whether tasks wait because threads can't be started.
   If so, one is tried again; or the process ends. */
bool gch__look_for_lack(int64_t now);

/* switch.c: runs t on w from its native stack. */
void gch__run(struct gch_worker *w, struct gch_task *t);

/* The thread of w leaves the stack of its task for good, and will do nothing on it
   that counts: that is over. The task, if there is one, for gch__task_bury, which
   frees the stack too. */
struct gch_task *gch__task_lost(struct gch_worker *w);
void gch__task_bury(struct gch_worker *w, struct gch_task *t);

/* task/key.c: t is over with its thread, which is to drop its values. */
void gch__values_to_thread(struct gch_task *t);

/* monitor.c. Some proc has a worker: sees to it that the monitor looks at it
   from time to time; and soon, because some proc has tasks to run while another
   is idle. */
void gch__monitor(void);
void gch__monitor_next(void);
void gch__monitor_reset(void);

#endif
