/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Contexts that can be cancelled, by call or by time.
 *
 * A deadline is an entry in the timer queue. Firing, under the queue's lock,
 * takes a reference if there still is one, and the cancel follows without that
 * lock. If that reference has become the last, its end may reach user code.
 * Whoever ends the context first stops the entry, under the tree's lock and the
 * queue's: after that it cannot fire, so the last unref may free it.
 */
#include "context/impl.h"

#include "chan/gone.h"
#include "park/clock.h"
#include "park/fork.h"

#include <stdlib.h>

static struct gch_cancel_ctx *of_done(gch_chan *done) {
  return gch__container_of(done, struct gch_cancel_ctx, done);
}

static void free_with_done(gch_chan *done) {
  gch__bury(of_done(done), offsetof(struct gch_cancel_ctx, done),
            sizeof(struct gch_timed_ctx));
}

gch_chan *gch__make_done(struct gch_cancel_ctx *c) {
  struct gch_wakes none = GCH_WAKES_INIT;
  gch__lock(c->hub.lock);
  /* Relaxed: both are set under the lock. */
  if (!atomic_load_explicit(&c->has_done, memory_order_relaxed)) {
    gch__chan_init(&c->done, 0, 0, NULL, GCH_OWNER_CTX, free_with_done);
    if (atomic_load_explicit(&c->err, memory_order_relaxed) != 0)
      gch__close(&c->done, &none);
    /* Release pairs with the acquire in gch__done_of. */
    atomic_store_explicit(&c->has_done, true, memory_order_release);
  }
  gch__unlock(c->hub.lock);
  return &c->done;
}

static void expire(struct gch_deferred *d, struct gch_wakes *k) {
  struct gch_timed_ctx *t = gch__container_of(d, struct gch_timed_ctx, expired);
  gch__cancel_unref(&t->cancel, ETIMEDOUT, t->deadline_cause, &t->rest, k);
}

static void go_on(struct gch_job *rest) {
  struct gch_timed_ctx *t =
      gch__container_of(rest, struct gch_timed_ctx, rest);
  gch__cancel_rest(&t->cancel, rest);
}

static void fire(struct gch_entry *e, int64_t now, struct gch_wakes *k) {
  (void)now;
  struct gch_timed_ctx *t = gch__container_of(e, struct gch_timed_ctx, timer);
  if (gch__ref_alive(&t->cancel.base.refs))
    gch__wakes_defer(k, &t->expired);
}

/* A context of that size that is not in any tree yet; NULL with errno. (Not by
   calloc: malloc takes a tenth of glibc's, and nobody needs the zeros.) */
static struct gch_cancel_ctx *make(const gch_ctx *parent, size_t size) {
  struct gch_cancel_ctx *c = malloc(size);
  if (!c) {
    errno = ENOMEM;
    return NULL;
  }
  gch__ctx_init(&c->base, GCH_CTX_CANCEL, parent);
  atomic_init(&c->err, 0);
  atomic_init(&c->over, false);
  atomic_init(&c->has_done, false);
  c->has_deadline = false;
  gch__node_init_cancel(c);
  gch__hub_init(&c->hub);
  c->hook = NULL;
  if (gch__lists_all()) {
    c->hub.lock = gch__tree_lock(&c->hub); /* for now */
    gch__make_done(c);
  }
  return c;
}

/* Whether the service is to be woken, once no lock is held. */
static bool start(struct gch_entry *timer) {
  gch__queue_lock();
  bool wake = gch__queue_insert(timer);
  gch__queue_unlock();
  return wake;
}

__attribute__((noinline)) static void born_done(struct gch_cancel_ctx *c,
                                                struct gch_end end) {
  struct gch_wakes none = GCH_WAKES_INIT;
  gch__cancel_begin(c, end.err, end.cause, &none);
}

/* Hangs c on its hub, and queues its timer if there is one to start; or has it
   born done. */
static void join_tree(struct gch_cancel_ctx *c, struct gch_entry *timer) {
  struct gch_hub_ref r = gch__hub_of(c->base.parent);
  struct gch_lock *held = NULL;
  struct gch_end end;
  if (!r.hub) {
    c->hub.lock = gch__tree_lock(&c->hub);
    c->node.hub = &gch__no_hub;
  } else {
    c->hub.lock = r.hub->lock;
    if (!(held = gch__attach(&r, &c->node, &end))) {
      born_done(c, end);
      return;
    }
  }
  bool wake = timer && start(timer);
  if (held)
    gch__unlock(held);
  if (wake)
    gch__service_wake();
}

gch_ctx *gch__ctx_new_cancel(const gch_ctx *parent,
                             struct gch_ctx_end_hook *hook) {
  if (!gch__parent_ok(parent))
    return NULL;
  struct gch_cancel_ctx *c = make(parent, sizeof *c);
  if (!c)
    return NULL;
  c->hook = hook;
  join_tree(c, NULL);
  return &c->base;
}

gch_ctx *gch_ctx_with_cancel(const gch_ctx *parent) {
  return gch__ctx_new_cancel(parent, NULL);
}

static struct gch_timed_ctx *make_timed(const gch_ctx *parent, int64_t deadline,
                                        int cause) {
  struct gch_timed_ctx *t =
      (struct gch_timed_ctx *)make(parent, sizeof(struct gch_timed_ctx));
  if (!t)
    return NULL;
  t->cancel.has_deadline = true;
  t->deadline = deadline;
  t->deadline_cause = cause ? cause : ETIMEDOUT;
  t->forks = gch__forks();
  t->timer = (struct gch_entry){.when = deadline, .fire = fire};
  t->expired.run = expire;
  t->rest = (struct gch_job){.run = go_on};
  return t;
}

/* Whether a deadline above comes before, and can: that of another process,
   which forked this one, does not fire here. */
static bool one_is_earlier(const gch_ctx *ctx, int64_t deadline) {
  int64_t earlier;
  for (;; ctx = ctx->parent) {
    switch (ctx->kind) {
    case GCH_CTX_CANCEL: {
      const struct gch_timed_ctx *t = gch__as_timed(ctx);
      if (t->cancel.has_deadline && t->forks == gch__forks())
        return t->deadline < deadline;
      break;
    }
    case GCH_CTX_CUSTOM: {
      const struct gch_custom_ctx *x = gch__as_custom(ctx);
      if (x->ops->deadline)
        return x->ops->deadline(x->self, ctx->parent, &earlier) &&
               earlier < deadline;
      break;
    }
    case GCH_CTX_VALUE:
      break;
    case GCH_CTX_ROOT:
    case GCH_CTX_DETACHED:
      return false;
    }
  }
}

static gch_ctx *with_deadline(const gch_ctx *parent, int64_t deadline,
                              int cause, bool passed) {
  if (one_is_earlier(parent, deadline))
    return gch_ctx_with_cancel(parent);
  bool timed = !passed && deadline != GCH__FOREVER;
  struct gch_timed_ctx *t;
  if ((timed && gch__service_start() != 0) ||
      !(t = make_timed(parent, deadline, cause))) {
    errno = ENOMEM;
    return NULL;
  }
  join_tree(&t->cancel, timed ? &t->timer : NULL);
  if (passed) {
    struct gch_wakes none = GCH_WAKES_INIT;
    gch__cancel_begin(&t->cancel, ETIMEDOUT, t->deadline_cause, &none);
  }
  return &t->cancel.base;
}

gch_ctx *gch_ctx_with_deadline_cause(const gch_ctx *parent, int64_t deadline,
                                     int cause) {
  if (!gch__parent_ok(parent))
    return NULL;
  gch__check_deadline(deadline);
  return with_deadline(parent, deadline, cause, deadline <= gch__now());
}

gch_ctx *gch_ctx_with_deadline(const gch_ctx *parent, int64_t deadline) {
  return gch_ctx_with_deadline_cause(parent, deadline, 0);
}

/* To make a context takes longer than these nanoseconds: such a deadline has
   passed when it is made, as in Go. */
enum { AT_ONCE = 20 };

gch_ctx *gch_ctx_with_timeout_cause(const gch_ctx *parent, int64_t ns,
                                    int cause) {
  if (!gch__parent_ok(parent))
    return NULL;
  return with_deadline(parent, gch__from_now(ns), cause, ns <= AT_ONCE);
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

/* The last unref cancels, with one lock less than first a cancel. */
void gch_ctx_end(gch_ctx *ctx) {
  if (ctx && ctx->kind == GCH_CTX_CANCEL && gch__unref_last(ctx))
    return;
  gch_ctx_cancel(ctx);
  gch_ctx_unref(ctx);
}

void gch__cancel_destroy(struct gch_cancel_ctx *c) {
  /* Acquire pairs with the release in finish_cancel, that cancel's last touch
     of c. */
  if (c->hook || (!atomic_load_explicit(&c->over, memory_order_acquire) &&
                  !(gch__own_lock(c->node.hub) && gch__depart(c))))
    cancel(c, 0);
  if (c->hook)
    c->hook->free(c->hook);
  if (atomic_load_explicit(&c->has_done, memory_order_relaxed))
    gch__chan_disown(&c->done);
  else
    free(c);
}
