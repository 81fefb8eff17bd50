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
 * What each of them knows, and who may write it: queue.h, proc.h.
 *
 * sched.lock guards the shared queue, the idle procs and the idle workers, and
 * which proc an idle worker gets. Lock order: a proc's lock, sched.lock.
 * Neither is held over a switch, and no channel lock is taken under them.
 */
#ifndef GCH_GO_SCHED_H
#define GCH_GO_SCHED_H

#include "go/proc.h"
#include "go/queue.h"
#include "park/cpu.h"
#include "park/delay.h"
#include "park/lock.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum { GCH_MAX_PROCS = 1024 };

struct gch_sched {
  alignas(64) struct gch_lock lock;
  struct gch_queue_of_tasks shared;
  struct gch_proc *idle_procs;
  struct gch_worker *idle_workers;
  _Atomic uint32_t num_idle_workers; /* written with the lock held */
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

/* Has an idle worker take an idle proc, if there is one and nobody searches. */
void gch__wake_worker(void);

/* p has no worker: lists it as idle. */
void gch__list_idle(struct gch_proc *p);

/* The same, where p is not NULL, and lists w, its worker until now, which is
   then to wait until the time that is returned. leave_idle: it has done so;
   false: it is not to go. */
int64_t gch__list_idle_pair(struct gch_proc *p, struct gch_worker *w);
bool gch__leave_idle(struct gch_worker *w);

/* w, the caller, was listed, and has been woken by events: these tasks are
   ready, and go into the shared queue. True: w is idle no more, and has a proc;
   false: somebody else has taken it off the list, and it gets a permit; or
   there is nothing for it to do. */
bool gch__rise(struct gch_worker *w, struct gch_queue_of_tasks *ready);

/* Has some worker be idle, for the next proc that is to be handed on. */
void gch__keep_warm(void);

/* w, which has none, gets an idle proc if there is one. */
void gch__want_proc(struct gch_worker *w);

/* Queues what is ready for everybody. */
void gch__submit_shared(struct gch_task *t);
void gch__submit_all_shared(struct gch_queue_of_tasks *tasks);

/* p, which had these tasks to run, has lost its worker: lists it as idle, and
   has it taken by another if there is anything to do. */
void gch__hand_on(struct gch_proc *p, struct gch_queue_of_tasks *tasks);

/* The same for the proc of w, the caller, if it has one, with all that is to
   run there. */
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

/* Queues t behind all that the proc of w, the caller, has; where it has none,
   for everybody. The first: counted as started, and somebody is to take it. The
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

/* The slices of w's thread, which is the caller, are no longer those of one
   that computes. */
void gch__usual_slices(struct gch_worker *w);

/* What a worker's thread does, from its native stack. */
void gch__work(struct gch_worker *w);

/* Some tasks from the shared queue, the first to run at once. */
struct gch_task *gch__take_shared(struct gch_worker *w);

/* thread.c. worker_start: a new thread for p, counted as searching, or, where p
   is NULL, to be idle; false: none can be started. is_thread: the caller's
   thread is w's, where that is new. reset: in a forked child. expect (start.c):
   does init if that is to be done. */
void gch__threads_init(void);
bool gch__threads_begun(void);
void gch__threads_expect(void);

/* Nanoseconds. clock_time: of processor, 0 where there is no such clock.
   wanted: those and the ones waited for a processor, of a thread (lack.c), of
   those of all workers. clock_of: a thread's clock, as Linux numbers it. */
int64_t gch__clock_time(clockid_t clock);
clockid_t gch__clock_of(uint32_t tid);
int64_t gch__wanted_time(uint32_t tid, clockid_t clock);
int64_t gch__workers_wanted(void);
bool gch__threads_are_at_limit(void);
bool gch__threads_are_scarce(void);
bool gch__worker_start(struct gch_proc *p);
void gch__worker_is_thread(struct gch_worker *w);
void gch__threads_reset(void);

/* outside.c. go_outside: what w is to run next, on s, blocks: w gives its proc
   away, unless threads are scarce. stop_outside: w's task stops, and w has no
   proc. */
void gch__go_outside(struct gch_worker *w, struct gch_stack *s, bool is_new);
void gch__stop_outside(struct gch_worker *w, bool over);

/* Whether new tasks that call fn are to begin outside; whether there is such an
   fn. */
bool gch__function_blocks(const void *fn);
extern GCH_HIDDEN atomic_bool gch__some_block;

static inline bool gch__begins_outside(const struct gch_task *t) {
  return atomic_load_explicit(&gch__some_block, memory_order_relaxed) &&
         gch__function_blocks(t->call.a);
}

/* stuck.c: what the kernel says of a thread in that file (proc(5)), as far as
   there is room, and a zero; false: nothing. */
bool gch__read_of_thread(uint32_t tid, const char *name, char *text,
                         size_t size);

/* w's proc is being taken since its thread sleeps. */
void gch__found_blocked(struct gch_worker *w);

/* Whether w's proc was taken since it blocked, in this run. */
static inline bool gch__forget_block(struct gch_worker *w) {
  bool found =
      atomic_load_explicit(&w->found_blocked, memory_order_relaxed);
  atomic_store_explicit(&w->found_blocked, false, memory_order_relaxed);
  return found;
}

/* lack.c: whether tasks are ready that nobody runs; the monitor looks whether
   tasks wait because threads can't be started. If so, one is tried again; or
   the process ends. */
bool gch__tasks_wait(void);
bool gch__look_for_lack(int64_t now);

/* due.c. Whether w, which takes its next task, is to go to its native stack,
   since timers are due; run_due: there, sees to them. A task to run first. */
bool gch__is_due(struct gch_worker *w);
struct gch_task *gch__run_due(struct gch_worker *w);

/* switch.c: runs t on w from its native stack. */
void gch__run(struct gch_worker *w, struct gch_task *t);

/* The thread of w leaves the stack of its task for good, and will do nothing on
   it that counts: that is over. The task, if there is one, for gch__task_bury,
   which frees the stack too. */
struct gch_task *gch__task_lost(struct gch_worker *w);
void gch__task_bury(struct gch_worker *w, struct gch_task *t);

/* task/key.c: t is over with its thread, which is to drop its values. */
void gch__values_to_thread(struct gch_task *t);

/* stuck.c: the monitor looks at p, which has a worker: takes it away from one
   that has been at the same for too long. */
void gch__look_at_worker(struct gch_proc *p, int64_t now);

/* The same, but only from one whose thread sleeps, and soon: tasks wait, and
   all procs have workers. Whether it was so. */
bool gch__look_for_block(struct gch_proc *p, int64_t now);

/* monitor.c. Some proc has a worker: sees to it that the monitor looks at it
   from time to time; and soon, because some proc has tasks to run while another
   is idle. */
void gch__monitor(void);
void gch__monitor_next(void);
void gch__monitor_reset(void);

/* Whether it looks, or some worker has just got a proc. */
bool gch__monitor_is_on(void);

#endif
