/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * context.AfterFunc. A node on the context's hub, with two shares: the user's,
 * which holds the context, and the hub's, which becomes the run's. Under the
 * tree's lock the node is taken off the list once, by stop or by a cancel: that
 * decides whether fn runs. On a context that is never done there is no second
 * share.
 */
#include "context/impl.h"
#include "park/fork.h"

#include <stdlib.h>

struct gch_after_func {
  struct gch_node node;
  struct gch_lock *lock; /* the tree's; NULL: the context is never done */
  const gch_ctx *ctx;
  struct gch_job job;
  struct gch_deferred call;
  _Atomic int shares;
  void (*fn)(void *);
  void *arg;
};

static void give_shares(gch_after_func *a, int n) {
  if (atomic_fetch_sub(&a->shares, n) == n)
    free(a);
}

static void run(struct gch_job *job) {
  gch_after_func *a = gch__container_of(job, gch_after_func, job);
  void (*fn)(void *) = a->fn;
  void *arg = a->arg;
  give_shares(a, 1);
  gch__call_task(fn, arg);
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
  give_shares(of_call(d), 1);
}

/* err == 0: the context goes without ever being done. */
static void finish(struct gch_node *n, struct gch_node *more, int err,
                   int cause, struct gch_wakes *k) {
  (void)more;
  (void)cause;
  gch_after_func *a = (gch_after_func *)n;
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
  int cause;
  a->node.finish = finish;
  a->ctx = gch_ctx_ref(ctx);
  a->job.run = run;
  a->fn = fn;
  a->arg = arg;
  atomic_init(&a->shares, r.hub ? 2 : 1);
  if (gch__attach(&r, &a->node, &a->lock, &cause) != 0)
    gch__job_start(&a->job);
  else if (a->lock)
    gch__unlock(a->lock);
  return a;
}

bool gch_after_func_stop(gch_after_func *a) {
  if (!a)
    return false;
  bool stopped = true;
  if (a->lock) {
    gch__lock(a->lock);
    stopped = gch__detach(&a->node);
    gch__unlock(a->lock);
  }
  const gch_ctx *ctx = a->ctx;
  give_shares(a, stopped && a->lock ? 2 : 1);
  gch_ctx_unref(ctx);
  return stopped;
}

void gch_after_func_release(gch_after_func *a) {
  if (!a)
    return;
  const gch_ctx *ctx = a->ctx;
  give_shares(a, 1);
  gch_ctx_unref(ctx);
}
