/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Contexts of the user's own kind.
 *
 * One with a done channel of its own is the top of a tree. From its first child
 * on it watches that channel: when the user closes it, the watch's call, made
 * by gch_close before it returns, makes the nodes done. Where the channel is
 * that of a built-in context, and a deadline or a signal closes it, a task
 * makes the call: it asks the user's err. Between the close and the call a new
 * child sees that the channel is closed; after it, err.
 *
 * The watch holds the context from the close to the end of the call; else the
 * last unref takes it off the channel, which the context holds.
 *
 * States of one that is watched, under its tree's lock:
 *
 *     err    the link is in   what hangs on it
 *     0      `watching`       is listed; done is open, or the call is to come
 *     set    `walks`          is being made done (walk.c)
 *     set    no list          is done
 *
 * Fork. In the child nobody may be there to make the call that is to come,
 * which asks the user's err; and the child's handler calls no user code. So it
 * makes what hangs on a closed one done, with an error that only stands for the
 * right one: the context is an orphan, with err ECANCELED and cause 0, and what
 * hung on it has err but never `over`. Who finds such a one, which is
 * gch_ctx_err or who attaches to it, asks the orphan by gch__orphan_err. The
 * first answer stays, and nobody asks again. Where it is the forking thread
 * that was to make the call, or was at it, it does so in the child: there is
 * nothing left to finish then, and its answer is one like others.
 */
#include "context/walk.h"
#include "park/fork.h"

#include <stdlib.h>

static struct gch_custom_ctx *of_watch(struct gch_watch *w) {
  return gch__container_of(w, struct gch_custom_ctx, watch);
}

bool gch__custom_hold(struct gch_watch *w) {
  return gch__ref_alive(&of_watch(w)->base.refs);
}

/* Done is closed: the user's error, or what stands for a missing one. */
static int error_of(const struct gch_custom_ctx *x, int *cause) {
  int err = gch_ctx_err(&x->base);
  *cause = gch_ctx_cause(&x->base);
  if (err == 0)
    err = ECANCELED;
  if (*cause == 0)
    *cause = err;
  return err;
}

/* With the lock held. A cause is not 0. */
static void answer(struct gch_custom_ctx *x, int err, int cause) {
  if (x->cause != 0)
    return;
  x->err = err;
  x->cause = cause;
}

/* A cause of 0: there is none yet. */
static int answer_of(struct gch_custom_ctx *x, int *cause) {
  gch__lock(x->hub.lock);
  int err = x->err;
  *cause = x->cause;
  gch__unlock(x->hub.lock);
  return err;
}

int gch__orphan_err(const gch_ctx *below, int *cause) {
  const gch_ctx *ctx = below->parent;
  while (ctx->kind != GCH_CTX_CUSTOM || !gch__as_custom(ctx)->orphan)
    ctx = ctx->parent;
  struct gch_custom_ctx *x = gch__as_custom(ctx);
  int err = answer_of(x, cause);
  if (*cause == 0) {
    err = error_of(x, cause);
    gch__lock(x->hub.lock);
    answer(x, err, *cause);
    gch__unlock(x->hub.lock);
    err = answer_of(x, cause);
  }
  return err;
}

static void finish(struct gch_custom_ctx *x, struct gch_wakes *k) {
  int cause, err = error_of(x, &cause);
  GCH_DELAY();
  gch__lock(x->hub.lock);
  if (x->err == 0)
    gch__detach(&x->walk);
  answer(x, err, cause);
  bool over = gch__finish_hub(&x->hub, &x->walk, err, cause, k);
  gch__unlock(x->hub.lock);
  if (!over)
    gch__walk_on(&x->hub, &x->walk, &x->base, k);
  gch_ctx_unref(&x->base);
}

static void finish_in_task(struct gch_job *job) {
  struct gch_wakes wakes = GCH_WAKES_INIT;
  int forks = gch__forks();
  finish(gch__container_of(job, struct gch_custom_ctx, job), &wakes);
  gch__wakes_flush(&wakes);
  gch__exit_in_child(forks);
}

static void closed(struct gch_deferred *d, struct gch_wakes *k) {
  struct gch_custom_ctx *x = of_watch((struct gch_watch *)d);
  if (k->by_service)
    gch__job_start(&x->job);
  else
    finish(x, k);
}

int gch__custom_watch(struct gch_custom_ctx *x, gch_chan *done, int *cause) {
  gch__lock(x->hub.lock);
  if (!x->done) {
    x->done = gch_ref(done);
    if (gch__watch(done, &x->watch) == 0)
      gch__watching(x);
  }
  gch__unlock(x->hub.lock);
  return gch__is_closed(x->done) ? error_of(x, cause) : 0;
}

const gch_ctx *gch_ctx_custom(const gch_ctx *parent, const gch_ctx_ops *ops,
                              void *self) {
  if (!gch__parent_ok(parent))
    return NULL;
  if (!ops || (ops->done && !ops->err)) {
    errno = EINVAL;
    return NULL;
  }
  gch__job_expect();
  struct gch_custom_ctx *x = calloc(1, sizeof *x);
  if (!x) {
    errno = ENOMEM;
    return NULL;
  }
  gch__ctx_init(&x->base, GCH_CTX_CUSTOM, parent);
  gch__hub_init(&x->hub);
  x->hub.lock = gch__tree_lock(&x->hub);
  x->ops = ops;
  x->self = self;
  x->watch.call.run = closed;
  x->watch.hold = gch__custom_hold;
  x->job.run = finish_in_task;
  return &x->base;
}

/* What may still hang on x are after_funcs whose handles were given up: they
   go with it. */
void gch__custom_destroy(struct gch_custom_ctx *x) {
  struct gch_wakes wakes = GCH_WAKES_INIT;
  if (x->done) {
    gch__lock(x->hub.lock);
    if (x->err == 0)
      gch__detach(&x->walk);
    gch__unlock(x->hub.lock);
    gch__unwatch(x->done, &x->watch);
    gch_unref(x->done);
  }
  gch__finish_nodes(&x->hub, 0, 0, &wakes);
  gch__wakes_flush(&wakes);
  if (x->ops->drop)
    x->ops->drop(x->self);
  free(x);
}
