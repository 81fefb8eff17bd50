/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tasks as threads: each gch_go starts a detached pthread with a small stack.
 * The block that hands fn and arg over belongs to the starter until the thread
 * runs, then to the thread, which frees it before it calls fn.
 */
#include "go/job.h"

#include "park/cpu.h"
#include "park/fork.h"
#include "park/strict.h"

#include <gulch/go.h>

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STACK_SIZE = 256 * 1024, NAME_MAX_LEN = 16 };

struct start {
  void (*fn)(void *);
  void *arg;
  size_t copied; /* bytes behind this block that fn gets a copy of; 0: arg */
  char name[NAME_MAX_LEN];
  alignas(max_align_t) char copy[];
};

static _Atomic size_t num_tasks;
static _Atomic int maxprocs;
static GCH_THREAD_LOCAL bool in_task;

static void in_child(void) {
  atomic_store(&num_tasks, in_task ? 1 : 0);
}

__attribute__((constructor)) static void register_fork(void) {
  pthread_atfork(NULL, NULL, in_child);
}

/* A task begins and ends. */
static void enter_task(void) {
  in_task = true;
}

static void leave_task(void) {
  in_task = false;
  atomic_fetch_sub(&num_tasks, 1);
}

static size_t page_size(void) {
  return (size_t)sysconf(_SC_PAGESIZE);
}

/* Starts a detached thread and counts it as a task. 0 or ENOMEM. */
static int start_thread(size_t stack_size, void *(*main)(void *), void *arg) {
  pthread_attr_t attr;
  pthread_t thread;
  size_t page = page_size();
  int saved = errno;
  if (stack_size < (size_t)PTHREAD_STACK_MIN)
    stack_size = (size_t)PTHREAD_STACK_MIN;
  if (stack_size > SIZE_MAX - page || pthread_attr_init(&attr) != 0)
    return ENOMEM;
  int err =
      pthread_attr_setstacksize(&attr, (stack_size + page - 1) / page * page);
  if (!err)
    err = pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  if (!err) {
    atomic_fetch_add(&num_tasks, 1);
    err = pthread_create(&thread, &attr, main, arg);
    if (err)
      atomic_fetch_sub(&num_tasks, 1);
  }
  pthread_attr_destroy(&attr);
  errno = saved;
  return err ? ENOMEM : 0;
}

__attribute__((noinline)) static void call_with_copy(struct start *s) {
  void (*fn)(void *) = s->fn;
  size_t size = s->copied;
  max_align_t copy[size / sizeof(max_align_t) + 1];
  memcpy(copy, s->copy, size);
  free(s);
  gch__call_task(fn, copy);
}

static void *task_main(void *arg) {
  enter_task();
  struct start *s = arg;
#ifdef __linux__
  if (s->name[0])
    pthread_setname_np(pthread_self(), s->name);
#endif
  if (s->copied > 0) {
    call_with_copy(s);
  } else {
    void (*fn)(void *) = s->fn;
    void *fn_arg = s->arg;
    free(s);
    gch__call_task(fn, fn_arg);
  }
  leave_task();
  return NULL;
}

static int start_task(const gch_go_opts *opts, void (*fn)(void *), void *arg,
                      size_t copied) {
  size_t stack = opts && opts->stack_size ? opts->stack_size : STACK_SIZE;
  int saved = errno;
  if (!fn)
    return gch__go_panics(EINVAL, EINVAL, "go of nil func value");
  if (copied > SIZE_MAX / 2 - sizeof(struct start) ||
      __builtin_add_overflow(stack, copied, &stack))
    return ENOMEM;
  struct start *s = calloc(1, sizeof *s + copied);
  errno = saved;
  if (!s)
    return ENOMEM;
  s->fn = fn;
  s->arg = arg;
  s->copied = copied;
  if (copied > 0)
    memcpy(s->copy, arg, copied);
  if (opts && opts->name)
    strncpy(s->name, opts->name, sizeof s->name - 1);
  int err = start_thread(stack, task_main, s);
  if (err)
    free(s);
  return err;
}

int gch_go(void (*fn)(void *), void *arg) {
  return start_task(NULL, fn, arg, 0);
}

int gch_go_copy(void (*fn)(void *), const void *arg, size_t size) {
  if (!arg && size > 0)
    return EINVAL;
  return start_task(NULL, fn, (void *)(uintptr_t)arg, size);
}

int gch_go_with(const gch_go_opts *opts, void (*fn)(void *), void *arg) {
  return start_task(opts, fn, arg, 0);
}

int gch_run(int (*fn)(void *), void *arg) {
  return fn ? fn(arg) : gch__go_panics(EINVAL, EINVAL, "go of nil func value");
}

void gch_yield(void) {
  sched_yield();
}

static int default_maxprocs(void) {
  const char *s = getenv("GULCH_MAXPROCS");
  long n = s ? strtol(s, NULL, 10) : 0;
  return n > 0 && n <= INT_MAX ? (int)n : gch__processors();
}

int gch_maxprocs(int n) {
  int now = 0, saved = errno, first = default_maxprocs();
  errno = saved;
  atomic_compare_exchange_strong(&maxprocs, &now, first);
  return n > 0 ? atomic_exchange(&maxprocs, n) : atomic_load(&maxprocs);
}

size_t gch_num_tasks(void) {
  return atomic_load(&num_tasks);
}

static void *job_main(void *arg) {
  enter_task();
  struct gch_job *job = arg;
  job->run(job);
  leave_task();
  return NULL;
}

void gch__job_start(struct gch_job *job) {
  if (start_thread(STACK_SIZE, job_main, job) != 0)
    gch__service_run(job);
}
