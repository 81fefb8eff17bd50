/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Workers' threads. A worker's record outlives its thread, since thieves may
 * still look at it, and serves the next one. Worker threads have the signal mask
 * of the thread that started the first of them.
 *
 * A task that calls pthread_exit ends, and takes its thread along; the proc goes
 * to another worker. It is noticed by the destructor of a thread-specific value,
 * which runs on the native stack.
 */
#include "go/sanitizer.h"
#include "go/overflow.h"
#include "go/sched.h"
#include "park/say.h"
#include "park/thread_id.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREAD_STACK = 256 * 1024, DEFAULT_MAX_THREADS = 10000 };

static struct {
  struct gch_lock lock;
  struct gch_worker *records; /* whose threads have ended */
  pthread_key_t key;
  pthread_once_t once;
  sigset_t mask;
  uint32_t max;
  bool ready;
} threads = {.once = PTHREAD_ONCE_INIT};

/* A record, and more for the list. */
static struct gch_worker *new_records(void) {
  enum { RECORDS = 64 };
  struct gch_worker *w =
      (struct gch_worker *)(void *)gch__map(RECORDS * sizeof *w);
  if (!w)
    return NULL;
  gch__lock(&threads.lock);
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

/* The thread of w goes, and w may have a proc. A function of its own, since
   AddressSanitizer frees the locals of who calls gch__task_lost. */
__attribute__((noinline)) static void leave_proc(struct gch_worker *w) {
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

/* pthread_exit in a task. */
static void thread_lost(void *arg) {
  struct gch_worker *w = arg;
  gch__task_lost(w);
  gch__worker_running = NULL;
  leave_proc(w);
  gch__sanitizer_native_end(&w->sanitizer);
  gch__signal_stack_free(w);
  record_free(w);
}

/* What the monitor looks at. */
void gch__worker_is_thread(struct gch_worker *w) {
  clockid_t cpu_clock = CLOCK_THREAD_CPUTIME_ID;
  pthread_getcpuclockid(pthread_self(), &cpu_clock);
  atomic_store(&w->cpu_clock, cpu_clock);
  atomic_store(&w->tid, gch__thread_id());
}

static void *thread_main(void *arg) {
  struct gch_worker *w = arg;
  gch__worker_running = w;
  w->errno_at = &errno;
  gch__worker_is_thread(w);
#ifdef __linux__
  pthread_setname_np(pthread_self(), "gulch-worker");
#endif
  gch__sanitizer_native(&w->sanitizer);
  gch__signal_stack_use(w);
  pthread_setspecific(threads.key, w);
  pthread_sigmask(SIG_SETMASK, &threads.mask, NULL);
  gch__work(w);
  pthread_setspecific(threads.key, NULL);
  gch__signal_stack_free(w);
  gch__sanitizer_native_end(&w->sanitizer);
  gch__worker_running = NULL;
  record_free(w);
  return NULL;
}

static uint32_t max_threads(void) {
  const char *s = getenv("GULCH_MAXTHREADS");
  long n = s ? strtol(s, NULL, 10) : 0;
  return n > 0 && n < INT_MAX ? (uint32_t)n : DEFAULT_MAX_THREADS;
}

static void init_once(void) {
  threads.max = max_threads();
  pthread_sigmask(SIG_SETMASK, NULL, &threads.mask);
  threads.ready = pthread_key_create(&threads.key, thread_lost) == 0;
  gch__overflow_init();
}

bool gch__threads_init(void) {
  pthread_once(&threads.once, init_once);
  return threads.ready;
}

static int create_thread(struct gch_worker *w) {
  pthread_attr_t attr;
  pthread_t thread;
  sigset_t all, old;
  if (pthread_attr_init(&attr) != 0)
    return ENOMEM;
  pthread_attr_setstacksize(&attr, THREAD_STACK);
  pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old); /* until thread_main */
  int err = pthread_create(&thread, &attr, thread_main, w);
  if (err) { /* thread-locals may need more than that stack */
    pthread_attr_destroy(&attr);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    err = pthread_create(&thread, &attr, thread_main, w);
  }
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  pthread_attr_destroy(&attr);
  return err;
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

bool gch__worker_start(struct gch_proc *p) {
  int saved = errno;
  if (atomic_fetch_add(&gch__sched.num_workers, 1) >= threads.max)
    too_many_threads();
  struct gch_worker *w = record_new();
  bool started = false;
  if (w) {
    atomic_store(&w->tid, 0);
    w->searching = true;
    w->random = (uint32_t)(uintptr_t)w ^ p->index;
    w->parker = (struct gch_parker)GCH_PARKER_OF_THREAD;
    atomic_store(&w->proc, p);
    atomic_store(&p->worker, w);
    started = create_thread(w) == 0;
    if (!started) {
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
}
