/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * context.AfterFunc. A node on the context's hub, with two holders
 * (park/runs.h): the user, who holds the context, and the hub, which becomes
 * the run. Under the tree's lock the node is taken off the list once, by stop
 * or by a cancel: that decides whether fn runs. On a context that is never done
 * there is no second holder.
 */
#include "context/impl.h"
#include "park/runs.h"

#include <stdlib.h>

struct gch_after_func {
  struct gch_node node;
  struct gch_lock *lock; /* the tree's; NULL: the context is never done */
  const gch_ctx *ctx;
  struct gch_job job;
  struct gch_deferred call;
  struct gch_runs runs;
  void (*fn)(void *);
  void *arg;
};

static void let_go(gch_after_func *a, uint32_t n) {
  if (gch__runs_let_go(&a->runs, n))
    free(a);
}

static void run(struct gch_job *job) {
  gch_after_func *a = gch__container_of(job, gch_after_func, job);
  if (gch__runs_call(&a->runs, a->fn, a->arg))
    free(a);
}

static gch_after_func *of_call(struct gch_deferred *d) {
  return gch__container_of(d, gch_after_func, call);
}

static void start(struct gch_deferred *d, struct gch_wakes *k) {
  (void)k;
  gch__job_start(&of_call(d)->job);
}

static void forget(struct gch_deferred *d, struct gch_wakes *k) {
  (void)k;
  let_go(of_call(d), 1);
}

/* err == 0: the context goes without ever being done. */
static void finish(struct gch_node *n, struct gch_node *more, int err,
                   int cause, struct gch_wakes *k) {
  (void)more;
  (void)cause;
  gch_after_func *a = (gch_after_func *)n;
  if (err)
    gch__runs_become(&a->runs);
  a->call.run = err ? start : forget;
  gch__wakes_defer(k, &a->call);
}

gch_after_func *gch_ctx_after_func(const gch_ctx *ctx, void (*fn)(void *),
                                   void *arg) {
  if (!gch__parent_ok(ctx))
    return NULL;
  if (!fn) {
    errno = EINVAL;
    return NULL;
  }
  gch_after_func *a;
  if (gch__job_prepare() != 0 || !(a = calloc(1, sizeof *a))) {
    errno = ENOMEM;
    return NULL;
  }
  struct gch_hub_ref r = gch__hub_of(ctx);
  struct gch_lock *held = NULL;
  struct gch_end end;
  a->node.finish = finish;
  a->lock = r.hub ? r.hub->lock : NULL;
  a->ctx = gch_ctx_ref(ctx);
  a->job.run = run;
  a->job.user_fn = fn;
  a->fn = fn;
  a->arg = arg;
  gch__runs_init(&a->runs, r.hub ? 2 : 1);
  if (r.hub && !(held = gch__attach(&r, &a->node, &end))) {
    gch__runs_become(&a->runs);
    gch__job_start(&a->job);
  }
  if (held)
    gch__unlock(held);
  return a;
}

/* Whether fn will not run. */
static bool take_off(gch_after_func *a) {
  return !a->lock || gch__unhang(&a->node, a->lock);
}

/* The user's share goes, and with stopped the hub's. */
static void end(gch_after_func *a, bool stopped) {
  const gch_ctx *ctx = a->ctx;
  let_go(a, stopped && a->lock ? 2 : 1);
  gch_ctx_unref(ctx);
}

bool gch_after_func_stop(gch_after_func *a) {
  bool stopped = a && take_off(a);
  if (a)
    end(a, stopped);
  return stopped;
}

bool gch_after_func_stop_wait(gch_after_func *a) {
  bool stopped = a && take_off(a);
  if (a && !stopped)
    gch__runs_await(&a->runs);
  if (a)
    end(a, stopped);
  return stopped;
}

void gch_after_func_release(gch_after_func *a) {
  if (a)
    end(a, false);
}
