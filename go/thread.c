/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Workers' threads. A worker's record outlives its thread, since thieves may
 * still look at it, and serves the next one. Worker threads have the signal
 * mask of the thread that started the first of them, and nothing else of who
 * started them (park/thread.h).
 *
 * A task that calls pthread_exit ends, and takes its thread along; the proc
 * goes to another worker. That is noticed by a cleanup handler below all that
 * the task may have pushed: so the task is over before the destructors of
 * thread-locals and thread-specific values run, and for them the thread is one
 * like any other. glibc has left the task's stack by then. Another C library
 * (musl) does all of that on it: there the task's stack and record stay on the
 * list `lost` until the kernel no longer knows the thread.
 */

/* pthread_cleanup_push in its plain form, which saves a place to jump to. The
   one for exceptions is called for each frame, and between a task's frames and
   those of its thread's native stack there is a gap. */
#undef __EXCEPTIONS
#include "go/sanitizer.h"
#include "go/overflow.h"
#include "go/sched.h"
#include "park/begin.h"
#include "park/say.h"
#include "park/stay.h"
#include "park/thread.h"
#include "park/thread_id.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

enum { THREAD_STACK = 256 * 1024, DEFAULT_MAX_THREADS = 10000 };

static struct {
  struct gch_lock lock;
  struct gch_worker *records; /* whose threads have ended */
  struct gch_task *lost;      /* whose threads may still be ending */
  atomic_bool begun;
  sigset_t mask;
  uint32_t max;
} threads;

enum { RECORDS = 64 };

/* They are there for good, and all can be found. */
struct records {
  struct gch_worker workers[RECORDS];
  struct records *older;
};
static _Atomic(struct records *) newest;

/* A record, and more for the list. */
static struct gch_worker *new_records(void) {
  struct records *r = (struct records *)(void *)gch__map(sizeof *r);
  if (!r)
    return NULL;
  struct gch_worker *w = r->workers;
  gch__lock(&threads.lock);
  r->older = atomic_load(&newest);
  atomic_store(&newest, r);
  for (int i = 1; i < RECORDS; i++) {
    w[i].next_idle = threads.records;
    threads.records = &w[i];
  }
  gch__unlock(&threads.lock);
  return w;
}

static struct gch_worker *record_new(void) {
  gch__lock(&threads.lock);
  struct gch_worker *w = threads.records;
  if (w)
    threads.records = w->next_idle;
  gch__unlock(&threads.lock);
  return w ? w : new_records();
}

static void record_free(struct gch_worker *w) {
  atomic_fetch_sub(&gch__sched.num_workers, 1);
  gch__lock(&threads.lock);
  w->next_idle = threads.records;
  threads.records = w;
  gch__unlock(&threads.lock);
}

int64_t gch__clock_time(clockid_t clock) {
  struct timespec t;
  return clock_gettime(clock, &t) == 0
             ? (int64_t)t.tv_sec * 1000000000 + t.tv_nsec
             : 0;
}

clockid_t gch__clock_of(uint32_t tid) {
#ifdef __linux__
  enum { OF_THREAD = 4, BY_SCHEDULER = 2 };
  return (clockid_t)(~tid << 3 | (uint32_t)(OF_THREAD | BY_SCHEDULER));
#else
  (void)tid;
  return (clockid_t)-1;
#endif
}

int64_t gch__workers_wanted(void) {
  int64_t sum = 0;
  uint32_t tid;
  for (struct records *r = atomic_load(&newest); r; r = r->older)
    for (int i = 0; i < RECORDS; i++)
      if ((tid = atomic_load(&r->workers[i].tid)) != 0)
        sum += gch__wanted_time(tid, atomic_load(&r->workers[i].cpu_clock));
  return sum;
}

/* The thread of w goes, and w may have a proc. */
static void leave_proc(struct gch_worker *w) {
  struct gch_queue_of_tasks rest = {0};
  struct gch_proc *p = gch__enter(w);
  if (p) {
    gch__empty(p, &rest);
    gch__free_lists_flush(p);
    atomic_store(&w->proc, NULL);
    atomic_store(&p->worker, NULL);
  }
  gch__leave(w);
  if (p)
    gch__hand_on(p, &rest);
}

/* Tasks whose stacks their threads ended on. Who ended is in the record. */

static uint32_t *thread_of_lost(struct gch_task *t) {
  return gch__task_room(t);
}

static void list_lost(struct gch_task *t) {
  *thread_of_lost(t) = gch__thread_id();
  gch__lock(&threads.lock);
  t->next = threads.lost;
  threads.lost = t;
  gch__unlock(&threads.lock);
}

static bool thread_is_gone(uint32_t thread) {
#ifdef __linux__
  return syscall(SYS_tgkill, getpid(), thread, 0) == -1 && errno == ESRCH;
#else
  (void)thread;
  return false;
#endif
}

static struct gch_task *take_lost(void) {
  struct gch_task *t = NULL;
  gch__lock(&threads.lock);
  struct gch_task **link = &threads.lost;
  while (*link && !thread_is_gone(*thread_of_lost(*link)))
    link = &(*link)->next;
  if ((t = *link))
    *link = t->next;
  gch__unlock(&threads.lock);
  return t;
}

static void free_lost(void) {
  for (struct gch_task *t; (t = take_lost());)
    gch__task_bury(NULL, t);
}

/* Its task, t, is lost; NULL: it ran none. A function of its own, since
   AddressSanitizer frees the locals of who calls gch__task_lost. */
__attribute__((noinline)) static void end_without(struct gch_worker *w,
                                                  struct gch_task *t) {
  gch__worker_running = NULL;
  if (t && gch__stack_holds(t->stack, __builtin_frame_address(0)))
    list_lost(t);
  else if (t)
    gch__task_bury(w, t);
  leave_proc(w);
  gch__sanitizer_native_end(&w->sanitizer);
  gch__signal_stack_free(w);
  record_free(w);
}

/* pthread_exit in a task. */
static void thread_lost(void *w) {
  end_without(w, gch__task_lost(w));
}

/* What the monitor looks at. */
void gch__worker_is_thread(struct gch_worker *w) {
  clockid_t cpu_clock = CLOCK_THREAD_CPUTIME_ID;
  pthread_getcpuclockid(pthread_self(), &cpu_clock);
  atomic_store(&w->cpu_clock, cpu_clock);
  atomic_store(&w->tid, gch__thread_id());
}

static void begin(struct gch_worker *w) {
  gch__thread_begin("gulch-worker", GCH_SLACK_USUAL);
  gch__worker_running = w;
  w->errno_at = &errno;
  gch__lock_naps = &w->lock_naps;
  gch__worker_is_thread(w);
  gch__sanitizer_native(&w->sanitizer);
  gch__signal_stack_use(w);
  pthread_sigmask(SIG_SETMASK, &threads.mask, NULL);
}

static void *thread_main(void *arg) {
  struct gch_worker *w = arg;
  begin(w);
  pthread_cleanup_push(thread_lost, w);
  gch__work(w);
  pthread_cleanup_pop(0);
  gch__signal_stack_free(w);
  gch__sanitizer_native_end(&w->sanitizer);
  gch__lock_naps = NULL;
  gch__worker_running = NULL;
  record_free(w);
  return NULL;
}

static uint32_t max_threads(void) {
  const char *s = getenv("GULCH_MAXTHREADS");
  long n = s ? strtol(s, NULL, 10) : 0;
  return n > 0 && n < INT_MAX ? (uint32_t)n : DEFAULT_MAX_THREADS;
}

/* With start.c's lock held. A child that was forked meanwhile does it anew: for
   a pthread_once it might wait for ever. */
void gch__threads_init(void) {
  if (gch__threads_begun())
    return;
  threads.max = max_threads();
  pthread_sigmask(SIG_SETMASK, NULL, &threads.mask);
  gch__begin();
  gch__extras_begin();
  gch__overflow_init();
  atomic_store(&threads.begun, true);
}

bool gch__threads_begun(void) {
  return atomic_load(&threads.begun);
}

static _Noreturn void too_many_threads(void) {
  gch__say(
      "fatal error: tasks hold %u threads in calls that block, and no more "
      "are allowed (GULCH_MAXTHREADS)\n",
      (unsigned)threads.max);
  _exit(2);
}

bool gch__threads_are_at_limit(void) {
  return atomic_load(&gch__sched.num_workers) >= threads.max;
}

/* So that who takes the last ones has taken them for tasks that do block. */
bool gch__threads_are_scarce(void) {
  return atomic_load(&gch__sched.num_workers) + gch__procs_allowed() >=
         threads.max;
}

bool gch__worker_start(struct gch_proc *p) {
  int saved = errno;
  if (atomic_fetch_add(&gch__sched.num_workers, 1) >= threads.max)
    too_many_threads();
  free_lost();
  struct gch_worker *w = record_new();
  bool started = false;
  if (w) {
    atomic_store(&w->tid, 0);
    gch__begin_turn(w);
    w->searching = p;
    w->slow = false;
    w->random = (uint32_t)(uintptr_t)w;
    w->parker = (struct gch_parker)GCH_PARKER_OF_THREAD;
    atomic_store(&w->proc, p);
    if (p)
      atomic_store(&p->worker, w);
    started = gch__thread_start(GCH_THREAD_OURS, thread_main, w,
                                THREAD_STACK) == 0;
    if (!started) {
      if (p)
        atomic_store(&p->worker, NULL);
      record_free(w);
    }
  } else {
    atomic_fetch_sub(&gch__sched.num_workers, 1);
  }
  errno = saved;
  return started;
}

void gch__threads_reset(void) {
  gch__lock_reset(&threads.lock);
  threads.records = NULL;
  threads.lost = NULL;
}
