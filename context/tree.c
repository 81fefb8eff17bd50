/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hubs, nodes, and how a context becomes done.
 */
#include "context/walk.h"

struct gch_bucket gch__buckets[GCH_BUCKETS];

/* Multiplicative hashing: the high bits depend on all of the address. */
static struct gch_lock *lock_of(const struct gch_hub *top) {
  uint64_t mixed = (uint64_t)(uintptr_t)top * UINT64_C(0x9e3779b97f4a7c15);
  return &gch__buckets[mixed >> (64 - GCH_BUCKETS_LOG2)].lock;
}

void gch__hub_init(struct gch_hub *h) {
  h->lock = lock_of(h);
  gch__list_init(&h->nodes);
}

struct gch_hub_ref gch__hub_of(const gch_ctx *ctx) {
  struct gch_hub_ref r = {0};
  for (;; ctx = ctx->parent) {
    switch (ctx->kind) {
    case GCH_CTX_CANCEL:
      r.cancel = gch__as_cancel(ctx);
      r.hub = &r.cancel->hub;
      return r;
    case GCH_CTX_CUSTOM: {
      struct gch_custom_ctx *x = gch__as_custom(ctx);
      if (!x->ops->done)
        break;
      r.done = x->ops->done(x->self, ctx->parent);
      if (r.done && r.done == gch_ctx_done(ctx->parent))
        break;
      if (r.done) {
        r.custom = x;
        r.hub = &x->hub;
      }
      return r;
    }
    case GCH_CTX_VALUE:
      break;
    case GCH_CTX_ROOT:
    case GCH_CTX_DETACHED:
      return r;
    }
  }
}

/* With the lock held: how the hub ended, or 0. */
static int ended(const struct gch_hub_ref *r, int *cause) {
  if (r->custom) {
    *cause = r->custom->cause;
    return r->custom->err;
  }
  *cause = r->cancel->cause;
  return atomic_load_explicit(&r->cancel->err, memory_order_relaxed);
}

int gch__attach(const struct gch_hub_ref *r, struct gch_node *n,
                struct gch_lock **lock, int *cause) {
  if (!r->hub)
    return 0;
  *lock = r->hub->lock;
  int err = r->custom ? gch__custom_watch(r->custom, r->done, cause) : 0;
  if (err)
    return err;
  GCH_DELAY();
  gch__lock(*lock);
  err = ended(r, cause);
  if (!err) {
    gch__list_add(&r->hub->nodes, n);
    return 0;
  }
  gch__unlock(*lock);
  /* Relaxed: it was set under the lock, or never is. */
  if (r->cancel &&
      !atomic_load_explicit(&r->cancel->over, memory_order_relaxed))
    err = gch__orphan_err(&r->cancel->base, cause);
  return err;
}

static inline void finish(struct gch_cancel_ctx *c, struct gch_node *more,
                          int err, int cause, struct gch_wakes *k) {
  c->cause = cause;
  /* Release pairs with the acquire in gch_ctx_err: who sees err sees cause. */
  atomic_store_explicit(&c->err, err, memory_order_release);
  /* Relaxed: it is set under the lock. */
  if (atomic_load_explicit(&c->has_done, memory_order_relaxed)) {
    GCH_DELAY();
    gch__close(&c->done, k);
  }
  if (c->has_deadline)
    gch__queue_stop(&gch__as_timed(&c->base)->timer);
  if (more)
    gch__list_move_all(more, &c->hub.nodes);
  GCH_DELAY();
  /* Release pairs with the acquires in gch_ctx_err and gch__cancel_destroy. */
  atomic_store_explicit(&c->over, true, memory_order_release);
}

void gch__finish_cancel(struct gch_node *n, struct gch_node *more, int err,
                        int cause, struct gch_wakes *k) {
  finish(gch__container_of(n, struct gch_cancel_ctx, node), more, err, cause,
         k);
}

void gch__node_init_cancel(struct gch_cancel_ctx *c) {
  c->node.next = NULL;
  c->node.finish = gch__finish_cancel;
}

/* Always takes the lock: when it returns, what another thread was about to do
   to c itself is complete. */
enum gch_walks gch__cancel_begin(struct gch_cancel_ctx *c, int err, int cause,
                                 struct gch_wakes *k) {
  struct gch_bucket *b = (struct gch_bucket *)c->hub.lock;
  enum gch_walks walks = GCH_WALKS_NONE;
  gch__lock(&b->lock);
  if (atomic_load_explicit(&c->err, memory_order_relaxed) == 0) {
    gch__detach(&c->node);
    finish(c, NULL, err, cause, k);
    if (!gch__walk_piece(&c->hub.nodes, err, cause, k))
      gch__walk_list(b, &c->node);
  }
  if (b->walks)
    walks = gch__list_is_empty(&c->hub.nodes) ? GCH_WALKS_OTHERS
                                              : GCH_WALKS_OWN;
  gch__unlock(&b->lock);
  return walks;
}
