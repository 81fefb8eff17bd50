/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * time.AfterFunc. The timer is held by the user and by each run that is under
 * way (park/runs.h): firing adds one under the queue's lock, where the user
 * still holds the timer (gch_timer_free takes the entry out before it lets go).
 *
 * Only the library's thread fires, and it makes the calls that it gathered
 * before it fires again: so call is listed at most once. job may be wanted
 * several times at once; each time is a run.
 */
#include "go/job.h"
#include "park/runs.h"
#include "timer/timer_impl.h"

#include <stdlib.h>

struct func_timer {
  struct gch_timer timer;
  struct gch_job job;
  struct gch_deferred call;
  struct gch_runs runs;
  void (*fn)(void *);
  void *arg;
};

static void run(struct gch_job *job) {
  struct func_timer *t = gch__container_of(job, struct func_timer, job);
  if (gch__runs_call(&t->runs, t->fn, t->arg))
    free(t);
}

static void start(struct gch_deferred *d, struct gch_wakes *k) {
  (void)k;
  struct func_timer *t = gch__container_of(d, struct func_timer, call);
  gch__job_start(&t->job);
}

static void fire(struct gch_entry *e, int64_t now, struct gch_wakes *k) {
  (void)now;
  struct func_timer *t = (struct func_timer *)e;
  gch__runs_add(&t->runs);
  gch__wakes_defer(k, &t->call);
}

static void let_go(gch_timer *t) {
  if (gch__runs_let_go(&((struct func_timer *)t)->runs, 1))
    free(t);
}

static bool await_runs(gch_timer *t) {
  return gch__runs_await(&((struct func_timer *)t)->runs);
}

gch_timer *gch_timer_func(int64_t ns, void (*fn)(void *), void *arg) {
  if (!fn) {
    errno = EINVAL;
    return NULL;
  }
  struct func_timer *t;
  if (gch__job_prepare() != 0 || !(t = calloc(1, sizeof *t))) {
    errno = ENOMEM;
    return NULL;
  }
  gch__runs_init(&t->runs, 1);
  t->fn = fn;
  t->arg = arg;
  t->job.run = run;
  t->job.user_fn = fn;
  t->call.run = start;
  t->timer.free = let_go;
  t->timer.await = await_runs;
  t->timer.entry.fire = fire;
  t->timer.entry.when = gch__from_now(ns);
  gch__queue_start(&t->timer.entry);
  return &t->timer;
}
