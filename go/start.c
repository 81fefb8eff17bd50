/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The scheduler's beginning, its size, and what a fork leaves of it.
 *
 * Fork: the child has one thread. If that is a worker it keeps its task and
 * gets the first proc; all other tasks are gone. Their records may still stand
 * in queues of waiters: they are of an older generation, and making them ready
 * does nothing. What lay in the procs' lists is lost memory, since their
 * workers may have been changing them.
 */
#include "go/quota.h"
#include "go/extras.h"
#include "go/sanitizer.h"
#include "go/sched.h"
#include "park/fork.h"
#include "park/stay.h"
#include "timer/service.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

#include <gulch/go.h>

#define sched gch__sched

/* start_lock is held over all of start, where threads are created, so it is not
   taken for a fork: the child makes it free. Within it, and before any other
   lock: size_mutex, over resize. */
static struct gch_lock start_lock;
static pthread_mutex_t size_mutex = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int setting; /* of gch_maxprocs; 0: not known yet */

/* As Go has it since 1.25: two at least, so that a task that computes does not
   hold up the others for whole periods of the quota. */
static int processors_within_quota(void) {
  int n = gch__processors(), quota = gch__cpu_quota();
  if (quota > 0 && quota < 2)
    quota = 2;
  return quota > 0 && quota < n ? quota : n;
}

static int default_maxprocs(void) {
  const char *s = getenv("GULCH_MAXPROCS");
  long n = s ? strtol(s, NULL, 10) : 0;
  return n > 0 && n <= INT_MAX ? (int)n : processors_within_quota();
}

static int get_setting(void) {
  int now = atomic_load(&setting), saved = errno;
  if (now != 0)
    return now;
  int first = default_maxprocs();
  errno = saved;
  return atomic_compare_exchange_strong(&setting, &now, first) ? first : now;
}

/* With size_mutex held, after get_setting (which allocates): as many procs as
   are wanted. */
static void resize(void) {
  uint32_t want = (uint32_t)get_setting();
  if (want > GCH_MAX_PROCS)
    want = GCH_MAX_PROCS;
  for (uint32_t i = atomic_load(&sched.num_procs); i < want; i++) {
    atomic_store(&sched.procs[i], gch__proc_new(i));
    atomic_store(&sched.num_procs, i + 1);
  }
  gch__set_maxprocs(want);
  if (atomic_load(&sched.num_workers) > 0)
    gch__wake_worker();
}

void gch__threads_expect(void) {
  if (gch__threads_begun())
    return;
  gch__stay_loaded(); /* before there are handlers */
  gch__lock(&start_lock);
  gch__threads_init();
  gch__unlock(&start_lock);
}

static bool start(void) {
  if (atomic_load(&sched.num_workers) > 0)
    return true;
  gch__threads_init();
  if (gch__service_start() != 0)
    return false;
  get_setting();
  pthread_mutex_lock(&size_mutex);
  if (atomic_load(&sched.maxprocs) == 0)
    resize();
  pthread_mutex_unlock(&size_mutex);
  return gch__start_first_worker();
}

bool gch__sched_start(void) {
  if (atomic_load(&sched.num_workers) > 0)
    return true;
  int saved = errno;
  gch__stay_loaded();
  gch__lock(&start_lock);
  bool started = start();
  gch__unlock(&start_lock);
  errno = saved;
  return started;
}

int gch_maxprocs(int n) {
  int before = get_setting();
  if (n <= 0)
    return before;
  int saved = errno;
  pthread_mutex_lock(&size_mutex);
  before = atomic_exchange(&setting, n);
  if (atomic_load(&sched.maxprocs) > 0)
    resize();
  pthread_mutex_unlock(&size_mutex);
  errno = saved;
  return before;
}

/* Read in this order no task is counted as ended that is not counted as
   started: the sum may be too large for a moment, never too small. Both may
   have wrapped. */
size_t gch_num_tasks(void) {
  size_t started = 0, ended = atomic_load(&sched.ended);
  uint32_t n = atomic_load(&sched.num_procs);
  for (uint32_t i = 0; i < n; i++)
    ended += atomic_load(&atomic_load(&sched.procs[i])->ended);
  n = atomic_load(&sched.num_procs);
  for (uint32_t i = 0; i < n; i++)
    started += atomic_load(&atomic_load(&sched.procs[i])->started);
  started += atomic_load(&sched.started);
  return started - ended;
}

/* Fork */

static void before_fork(void) {
  pthread_mutex_lock(&size_mutex);
  gch__stacks_lock();
  gch__roots_lock();
  gch__thread_tasks_lock();
  gch__lock(&sched.lock);
}

static void in_parent(void) {
  gch__unlock(&sched.lock);
  gch__thread_tasks_unlock();
  gch__roots_unlock();
  gch__stacks_unlock();
  pthread_mutex_unlock(&size_mutex);
}

static void in_child(void) {
  struct gch_worker *w = gch__worker_running;
  gch__roots_unlock();
  gch__stacks_unlock();
  gch__extras_forked();
  gch__threads_reset();
  gch__thread_tasks_reset();
  gch__monitor_reset();
  sched.generation++;
  if (w && w->task)
    w->task->generation = sched.generation;
  atomic_store(&sched.ended, 0);
  atomic_store(&sched.started, w || gch__in_task_thread() ? 1 : 0);
  gch__sched_reset(w);
  atomic_store(&sched.forked, w != NULL);
  if (w) {
    gch__worker_is_thread(w);
    gch__usual_slices(w);
  }
  gch__lock_reset(&start_lock);
  pthread_mutex_unlock(&size_mutex);
}

const struct gch_fork_handlers gch__fork_go = {before_fork, in_parent,
                                               in_child};
