/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * time.AfterFunc. The user holds one share of the timer, each run on its way
 * another: firing takes it under the queue's lock, where the user's share still
 * keeps the timer (gch_timer_free takes the entry out before it gives that
 * up). The run copies fn and arg out and gives its share back before it calls
 * fn, which may therefore free the timer.
 *
 * Only the library's thread fires, and it makes the calls that it gathered
 * before it fires again: so call is listed at most once. job may be wanted
 * several times at once; each time has its share.
 */
#include "go/job.h"
#include "park/fork.h"
#include "timer/timer_impl.h"

#include <stdlib.h>

struct func_timer {
  struct gch_timer timer;
  struct gch_job job;
  struct gch_deferred call;
  _Atomic uint32_t shares;
  void (*fn)(void *);
  void *arg;
};

static void give_share(struct func_timer *t) {
  if (atomic_fetch_sub(&t->shares, 1) == 1)
    free(t);
}

static void run(struct gch_job *job) {
  struct func_timer *t = gch__container_of(job, struct func_timer, job);
  void (*fn)(void *) = t->fn;
  void *arg = t->arg;
  give_share(t);
  gch__call_task(fn, arg);
}

static void start(struct gch_deferred *d, struct gch_wakes *k) {
  (void)k;
  struct func_timer *t = gch__container_of(d, struct func_timer, call);
  gch__job_start(&t->job);
}

static void fire(struct gch_entry *e, int64_t now, struct gch_wakes *k) {
  (void)now;
  struct func_timer *t = (struct func_timer *)e;
  atomic_fetch_add(&t->shares, 1);
  gch__wakes_defer(k, &t->call);
}

static void free_user_share(gch_timer *t) {
  give_share((struct func_timer *)t);
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
  atomic_init(&t->shares, 1);
  t->fn = fn;
  t->arg = arg;
  t->job.run = run;
  t->call.run = start;
  t->timer.free = free_user_share;
  t->timer.entry.fire = fire;
  t->timer.entry.when = gch__from_now(ns);
  gch__queue_start(&t->timer.entry);
  return &t->timer;
}
