/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * time.AfterFunc. The timer is held by the user and by each run that is under
 * way (park/runs.h): firing adds one under the queue's lock, where the user
 * still holds the timer (gch_timer_free takes the entry out before it lets go).
 *
 * Several may fire at once. call is listed once, and owed says for how many
 * runs: who calls takes that before it starts them. job may be wanted several
 * times at once; each time is a run.
 */
#include "go/job.h"
#include "park/runs.h"
#include "timer/timer_impl.h"

#include <stdlib.h>

struct func_timer {
  struct gch_timer timer;
  struct gch_job job;
  struct gch_deferred call;
  _Atomic uint32_t owed; /* runs to start; more than 0: call is listed */
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
  /* Each run holds t until it is over. */
  for (uint32_t n = atomic_exchange(&t->owed, 0); n > 0; n--)
    gch__job_start(&t->job);
}

static void fire(struct gch_entry *e, int64_t now, struct gch_wakes *k) {
  (void)now;
  struct func_timer *t = (struct func_timer *)e;
  gch__runs_add(&t->runs);
  if (atomic_fetch_add(&t->owed, 1) == 0)
    gch__wakes_defer(k, &t->call);
}

static void let_go(gch_timer *t) {
  if (gch__runs_let_go(&((struct func_timer *)t)->runs, 1))
    free(t);
}

static void await_runs(gch_timer *t) {
  gch__runs_await(&((struct func_timer *)t)->runs);
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
