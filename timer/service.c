/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The thread sleeps on one parker, until the first entry of the timer queue is
 * due or somebody wakes it; in the poller, where nobody else is to take events
 * of descriptors (park/poll.h). Whoever gives it work (inserts an entry that
 * comes first, adds a job, counts a signal) does so before the unpark; the
 * thread takes the permit before it looks. So work given while it looks around
 * makes it look again.
 *
 * It runs no user code, which could hold up everybody's timers. The longest
 * that it waits for is a tree's lock, where another cancels that tree, or one
 * with the same lock: as long as that takes for all its contexts. What it
 * reaches:
 *
 *     a timer, a ticker      the lock of a channel of ours
 *     a signal               the registry's lock, the listeners' channels'
 *     a deadline, or signal  a tree's lock, and with it the locks of its done
 *     that cancels           channels; the watch of a custom context and a last
 *                            unref could call user code: each starts a task;
 *                            an after_func that goes: the lock of its sleepers
 *     after_func, timer_func start a task
 *     a task's deadline      makes it ready
 *     the monitor            the scheduler's locks, starts a thread
 *     the look for deadlocks at a deadlock alone more: it prints, and exits
 *     a job                  a piece of a long cancel; and what no task could
 *                            be started for: user code then, which otherwise
 *                            would be lost
 *
 * jobs are guarded by the lock; running by start_lock. That is held over
 * pthread_create, so not for a fork: the child makes it free.
 */
#include "timer/service.h"

#include "park/clock.h"
#include "park/fork.h"
#include "park/lock.h"
#include "park/parker.h"
#include "park/poll.h"
#include "park/stay.h"
#include "park/thread.h"
#include "timer/queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

static struct {
  struct gch_parker parker;
  struct gch_lock lock;
  struct gch_job *first, *last;
  _Atomic(void (*)(struct gch_wakes *)) poll;
  atomic_bool running;
} service = {.parker = GCH_PARKER_OF_THREAD};

static struct gch_lock start_lock;

/* Fork takes all other locks of this folder, so that the child finds their data
   whole, and gives them back on both sides. */
static void before_fork(void) {
  gch__lock(&service.lock);
  gch__queue_lock();
}

static void in_parent(void) {
  gch__queue_unlock();
  gch__unlock(&service.lock);
}

static void in_child(void) {
  gch__queue_reset();
  gch__lock_reset(&service.lock);
  service.parker = (struct gch_parker)GCH_PARKER_OF_THREAD;
  for (; service.first; service.first = service.first->next)
    service.first->times = 0;
  service.last = NULL;
  atomic_store(&service.running, false);
  gch__lock_reset(&start_lock);
}

const struct gch_fork_handlers gch__fork_timer = {before_fork, in_parent,
                                                  in_child};

static struct gch_job *next_job(void) {
  gch__lock(&service.lock);
  struct gch_job *job = service.first;
  if (job) {
    service.first = job->next;
    if (--job->times > 0) { /* again, behind the others */
      if (service.first)
        service.last->next = job;
      else
        service.first = job;
      service.last = job;
      job->next = NULL;
    }
  }
  gch__unlock(&service.lock);
  return job;
}

static void *serve(void *unused) {
  gch__thread_begin("gulch", GCH_SLACK_SHORT);
  gch__thread_is_model();
  for (;;) {
    struct gch_wakes wakes = {.by_service = true};
    bool fired;
    int64_t next = gch__queue_serve(&wakes, &fired);
    void (*poll)(struct gch_wakes *) = atomic_load(&service.poll);
    if (poll)
      poll(&wakes);
    gch__wakes_flush(&wakes);
    if (fired)
      atomic_fetch_or(&gch__due_hints, GCH_DUE_FIRED);
    struct gch_job *job = next_job();
    if (job) {
      job->run(job);
      next = INT64_MIN; /* look around between two jobs */
    } else if (gch__counts_asleep()) {
      int64_t look = gch__look_for_deadlock();
      next = look < next ? look : next;
    }
    if (gch__fds_expected())
      gch__poll_park_last(&service.parker, next);
    else
      gch__park(&service.parker, next);
  }
  return unused;
}

/* All signals stay blocked in the thread: they are for the program's own. */
static int create_thread(void) {
  enum { STACK = 256 * 1024 };
  return gch__thread_start(GCH_THREAD_OURS, serve, NULL, STACK) == 0 ? 0
                                                                     : ENOMEM;
}

int gch__service_start(void) {
  if (atomic_load(&service.running))
    return 0;
  int saved = errno, err = 0;
  gch__stay_loaded();
  gch__lock(&start_lock);
  if (!atomic_load(&service.running)) {
    err = create_thread();
    atomic_store(&service.running, err == 0);
  }
  gch__unlock(&start_lock);
  errno = saved;
  return err;
}

void gch__service_wake(void) {
  gch__unpark(&service.parker);
}

void gch__service_run(struct gch_job *job) {
  gch__lock(&service.lock);
  if (job->times++ == 0) {
    job->next = NULL;
    if (service.first)
      service.last->next = job;
    else
      service.first = job;
    service.last = job;
  }
  gch__unlock(&service.lock);
  gch__service_wake();
}

bool gch__service_has_jobs(void) {
  gch__lock(&service.lock);
  bool has = service.first;
  gch__unlock(&service.lock);
  return has;
}

void gch__service_poll(void (*poll)(struct gch_wakes *k)) {
  atomic_store(&service.poll, poll);
}
