/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Contexts that can be cancelled, by call or by time.
 *
 * A deadline is an entry in the timer queue. Firing, under the queue's lock,
 * takes a reference if there still is one, and the cancel follows without that
 * lock. Whoever ends the context first stops the entry, under the tree's lock
 * and the queue's: after that it cannot fire, so the last unref may free it.
 */
#include "context/impl.h"

#include "park/clock.h"
#include "park/strict.h"

#include <stdlib.h>

static struct gch_cancel_ctx *of_done(gch_chan *done) {
  return gch__container_of(done, struct gch_cancel_ctx, done);
}

static void free_with_done(gch_chan *done) {
  free(of_done(done));
}

static void expire(struct gch_deferred *d, struct gch_wakes *k) {
  struct gch_cancel_ctx *c =
      gch__container_of(d, struct gch_cancel_ctx, expired);
  gch__cancel(c, ETIMEDOUT, c->deadline_cause, k);
  gch_ctx_unref(&c->base);
}

static void fire(struct gch_entry *e, int64_t now, struct gch_wakes *k) {
  (void)now;
  struct gch_cancel_ctx *c = gch__container_of(e, struct gch_cancel_ctx, timer);
  if (gch__ref_alive(&c->base.refs))
    gch__wakes_defer(k, &c->expired);
}

/* A context that is not in any tree yet; NULL with errno. */
static struct gch_cancel_ctx *make(const gch_ctx *parent) {
  struct gch_cancel_ctx *c = calloc(1, sizeof *c);
  if (!c) {
    errno = ENOMEM;
    return NULL;
  }
  gch__ctx_init(&c->base, GCH_CTX_CANCEL, parent);
  gch__node_init_cancel(c);
  gch__hub_init(&c->hub);
  gch__chan_init(&c->done, 0, 0, NULL, GCH_OWNER_CTX, free_with_done);
  c->timer.fire = fire;
  c->expired.run = expire;
  return c;
}

/* Hangs c on its hub, or has it born done. */
static void join_tree(struct gch_cancel_ctx *c) {
  struct gch_wakes none = GCH_WAKES_INIT;
  struct gch_hub_ref r = gch__hub_of(c->base.parent);
  int cause, err = gch__attach(&r, &c->node, &c->hub.lock, &cause);
  if (err)
    gch__cancel(c, err, cause, &none);
}

gch_ctx *gch__ctx_new_cancel(const gch_ctx *parent,
                             struct gch_ctx_end_hook *hook) {
  if (!gch__parent_ok(parent))
    return NULL;
  struct gch_cancel_ctx *c = make(parent);
  if (!c)
    return NULL;
  c->hook = hook;
  join_tree(c);
  return &c->base;
}

gch_ctx *gch_ctx_with_cancel(const gch_ctx *parent) {
  return gch__ctx_new_cancel(parent, NULL);
}

static void start_deadline(struct gch_cancel_ctx *c) {
  bool wake = false;
  gch__lock(c->hub.lock);
  if (atomic_load_explicit(&c->err, memory_order_relaxed) == 0) {
    c->timer.when = c->deadline;
    gch__queue_lock();
    wake = gch__queue_insert(&c->timer);
    gch__queue_unlock();
  }
  gch__unlock(c->hub.lock);
  if (wake)
    gch__service_wake();
}

gch_ctx *gch_ctx_with_deadline_cause(const gch_ctx *parent, int64_t deadline,
                                     int cause) {
  int64_t earlier;
  if (!gch__parent_ok(parent))
    return NULL;
  if (gch_ctx_deadline(parent, &earlier) && earlier < deadline)
    return gch_ctx_with_cancel(parent);
  bool passed = deadline <= gch__now();
  bool timed = !passed && deadline != GCH__FOREVER;
  struct gch_cancel_ctx *c;
  if ((timed && gch__service_start() != 0) || !(c = make(parent))) {
    errno = ENOMEM;
    return NULL;
  }
  c->has_deadline = true;
  c->deadline = deadline;
  c->deadline_cause = cause ? cause : ETIMEDOUT;
  join_tree(c);
  if (timed)
    start_deadline(c);
  if (passed) {
    struct gch_wakes wakes = GCH_WAKES_INIT;
    gch__cancel(c, ETIMEDOUT, c->deadline_cause, &wakes);
    gch__wakes_flush(&wakes);
  }
  return &c->base;
}

gch_ctx *gch_ctx_with_deadline(const gch_ctx *parent, int64_t deadline) {
  return gch_ctx_with_deadline_cause(parent, deadline, 0);
}

gch_ctx *gch_ctx_with_timeout_cause(const gch_ctx *parent, int64_t ns,
                                    int cause) {
  return gch_ctx_with_deadline_cause(parent, gch__from_now(ns), cause);
}

gch_ctx *gch_ctx_with_timeout(const gch_ctx *parent, int64_t ns) {
  return gch_ctx_with_timeout_cause(parent, ns, 0);
}

static void cancel(struct gch_cancel_ctx *c, int cause) {
  struct gch_wakes wakes = GCH_WAKES_INIT;
  gch__cancel(c, ECANCELED, cause ? cause : ECANCELED, &wakes);
  gch__wakes_flush(&wakes);
  if (c->hook)
    c->hook->end(c->hook);
}

void gch_ctx_cancel_cause(gch_ctx *ctx, int cause) {
  if (!ctx)
    return;
  if (ctx->kind != GCH_CTX_CANCEL)
    gch_panic("gulch: cancel of a context that only its parent can cancel");
  cancel(gch__as_cancel(ctx), cause);
}

void gch_ctx_cancel(gch_ctx *ctx) {
  gch_ctx_cancel_cause(ctx, 0);
}

void gch_ctx_end(gch_ctx *ctx) {
  gch_ctx_cancel(ctx);
  gch_ctx_unref(ctx);
}

void gch__cancel_destroy(struct gch_cancel_ctx *c) {
  cancel(c, 0);
  if (c->hook)
    c->hook->free(c->hook);
  gch__chan_disown(&c->done);
}
