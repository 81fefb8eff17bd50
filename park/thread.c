/* SPDX-License-Identifier: BSD-3-Clause */
#include "park/thread.h"

#include "park/begin.h"
#include "park/cpus.h"
#include "park/float.h"
#include "park/fork.h"
#include "park/slice.h"
#include "park/stay.h"
#include "park/thread_id.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>
#ifdef __linux__
#include <link.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#endif

/* The thread whose processors others get; 0: none yet. */
static _Atomic uint32_t model;

void gch__threads_forked(void) {
  atomic_store(&model, 0);
}

void gch__thread_is_model(void) {
  atomic_store(&model, gch__thread_id());
}

/* Stacks */

enum { GUARD = 64 * 1024 }; /* bytes below each, as below a task's */

#ifdef __linux__
static int add_thread_locals(struct dl_phdr_info *object, size_t size,
                             void *sum) {
  (void)size;
  for (int i = 0; i < object->dlpi_phnum; i++)
    if (object->dlpi_phdr[i].p_type == PT_TLS)
      *(size_t *)sum += (size_t)object->dlpi_phdr[i].p_memsz +
                        (size_t)object->dlpi_phdr[i].p_align;
  return 0;
}

/* The C library takes the room for them from a thread's stack: bytes. Some of
   that is for what is not loaded yet. Counted once: what comes later than the
   program lives in that rest, or elsewhere. */
static size_t thread_locals(void) {
  enum { NOT_LOADED_YET = 16 * 1024 };
  static _Atomic size_t known; /* relaxed: all find much the same */
  size_t sum = atomic_load_explicit(&known, memory_order_relaxed);
  if (sum > 0)
    return sum;
  sum = NOT_LOADED_YET;
  if (!gch__left_threads()) {
    dl_iterate_phdr(add_thread_locals, &sum);
    atomic_store_explicit(&known, sum, memory_order_relaxed);
  }
  return sum;
}

/* Before a fork, after which it can't be asked. */
__attribute__((constructor(101))) static void at_load(void) {
  thread_locals();
}
#else
static size_t thread_locals(void) {
  return 0;
}
#endif

/* size and more, in whole pages; 0: too large. */
static size_t stack_size(size_t size) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), sum;
  if (size < (size_t)PTHREAD_STACK_MIN)
    size = (size_t)PTHREAD_STACK_MIN;
  if (__builtin_add_overflow(size, thread_locals() + page - 1, &sum))
    return 0;
  return sum / page * page;
}

/* Attributes */

#if GCH_HAVE_AFFINITY
/* Whether the caller's processors are others than the process's. Where they are
   not they are better left alone: what was never set grows with what the
   process is given. */
static bool caller_is_pinned(struct gch_cpus *process) {
  struct gch_cpus mine;
  return gch__process_cpus(atomic_load(&model), process) &&
         gch__thread_cpus(0, &mine) && !gch__same_cpus(process, &mine);
}
#endif

static void set_cpus(pthread_attr_t *attr) {
  (void)attr;
#if GCH_HAVE_AFFINITY && defined(__GLIBC__)
  struct gch_cpus process;
  if (caller_is_pinned(&process))
    pthread_attr_setaffinity_np(attr, sizeof process, process.sets);
#endif
}

/* Where there is no such attribute the thread does it, as soon as it gets one
   of its creator's processors. */
static void set_own_cpus(void) {
#if GCH_HAVE_AFFINITY && !defined(__GLIBC__)
  struct gch_cpus process;
  if (caller_is_pinned(&process))
    sched_setaffinity(0, sizeof process, process.sets);
#endif
}

static void set_policy(pthread_attr_t *attr) {
  const struct sched_param none = {.sched_priority = 0};
  if (sched_getscheduler(0) == SCHED_OTHER)
    return;
  pthread_attr_setinheritsched(attr, PTHREAD_EXPLICIT_SCHED);
  pthread_attr_setschedpolicy(attr, SCHED_OTHER);
  pthread_attr_setschedparam(attr, &none);
}

struct start {
  void *(*main)(void *);
  void *arg;
  size_t stack;
  bool cpus, policy; /* whether it is given the process's */
};

static int create(struct start *s) {
  pthread_attr_t attr;
  pthread_t thread;
  if (pthread_attr_init(&attr) != 0)
    return ENOMEM;
  pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  if (s->cpus)
    set_cpus(&attr);
  if (s->policy)
    set_policy(&attr);
  pthread_attr_setguardsize(&attr, GUARD);
  int err = pthread_attr_setstacksize(&attr, s->stack);
  if (!err)
    err = pthread_create(&thread, &attr, s->main, s->arg);
  pthread_attr_destroy(&attr);
  return err;
}

/* EINVAL: the stack can't hold the thread-locals, more than were counted. */
static int create_larger(struct start *s) {
  size_t stack = s->stack;
  int err = create(s);
  for (int i = 0; i < 4 && err == EINVAL && s->stack < SIZE_MAX / 4; i++) {
    s->stack *= 2;
    err = create(s);
  }
  s->stack = stack;
  return err;
}

/* Without privilege a policy may be there to stay; and a processor may be gone
   since. */
static int create_clean(struct start *s) {
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  int err = create_larger(s);
  for (bool *more[] = {&s->policy, &s->cpus, NULL}, **at = more;
       *at && (err == EPERM || err == EINVAL); at++) {
    **at = false;
    err = create_larger(s);
  }
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  return err;
}

int gch__thread_start(enum gch_thread_kind kind, void *(*main)(void *),
                      void *arg, size_t stack) {
  bool ours = kind == GCH_THREAD_OURS;
  struct start s = {main, arg, stack_size(stack), ours, ours};
  if (s.stack == 0)
    return ENOMEM;
  gch__stay_loaded();
  gch__begin();
  return ours ? create_clean(&s) : create_larger(&s);
}

/* In the thread */

#ifdef __linux__
void gch__thread_name(const char *name) {
  prctl(PR_SET_NAME, name);
}

static void reset_nice(void) {
  errno = 0; /* -1 is a value too */
  int process = getpriority(PRIO_PROCESS, (id_t)getpid());
  if (errno == 0 && getpriority(PRIO_PROCESS, 0) != process)
    setpriority(PRIO_PROCESS, 0, process);
}

static void reset_io_priority(void) {
  enum { WHO_THREAD = 1 };
  long process = syscall(SYS_ioprio_get, WHO_THREAD, getpid());
  if (process >= 0 && syscall(SYS_ioprio_get, WHO_THREAD, 0) != process)
    syscall(SYS_ioprio_set, WHO_THREAD, 0, process);
}

/* The name last: whoever finds the thread by it finds it clean. */
void gch__thread_begin(const char *name, unsigned long slack) {
  prctl(PR_SET_TIMERSLACK, slack);
  gch__thread_slice(0, slack == GCH_SLACK_SHORT ? GCH_SLICE_SHORT
                                                : GCH_SLICE_USUAL);
  reset_nice();
  reset_io_priority();
  set_own_cpus();
  gch__float_reset();
  gch__thread_name(name);
}
#else
void gch__thread_name(const char *name) {
  (void)name;
}

void gch__thread_begin(const char *name, unsigned long slack) {
  (void)name;
  (void)slack;
  gch__float_reset();
}
#endif
