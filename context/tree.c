/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hubs, nodes, and how a context becomes done.
 */
#include "context/walk.h"

struct gch_bucket gch__buckets[GCH_BUCKETS];
struct gch_list_lock gch__list_locks[GCH_BUCKETS];
struct gch_hub gch__no_hub;

/* Multiplicative hashing: the high bits depend on all of the address. */
static uint64_t bucket_of(const struct gch_hub *h) {
  uint64_t mixed = (uint64_t)(uintptr_t)h * UINT64_C(0x9e3779b97f4a7c15);
  return mixed >> (64 - GCH_BUCKETS_LOG2);
}

struct gch_lock *gch__tree_lock(const struct gch_hub *top) {
  return &gch__buckets[bucket_of(top)].lock;
}

void gch__hub_init(struct gch_hub *h) {
  atomic_init(&h->own, NULL);
  gch__list_init(&h->nodes);
}

/* With the tree's lock held, h not being done. */
static void split(struct gch_hub *h) {
  struct gch_lock *own = &gch__list_locks[bucket_of(h)].lock;
  atomic_store_explicit(&h->own, own, memory_order_release);
}

/* With the tree's lock held, as h becomes done. */
static void join(struct gch_hub *h) {
  struct gch_lock *own = gch__own_lock(h);
  gch__lock(own);
  atomic_store_explicit(&h->own, NULL, memory_order_relaxed);
  gch__unlock(own);
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

/* The lock of h's list, held; NULL: it has none of its own, or not any more.
   What takes more than that look is apart, so that the others need no stack. */
__attribute__((noinline)) static struct gch_lock *hold(struct gch_hub *h,
                                                       struct gch_lock *own) {
  GCH_DELAY();
  gch__lock(own);
  if (gch__own_lock(h))
    return own;
  gch__unlock(own);
  return NULL;
}

static inline struct gch_lock *hold_own(struct gch_hub *h) {
  struct gch_lock *own = gch__own_lock(h);
  return own ? hold(h, own) : NULL;
}

/* With the tree's lock held: h, which is not done, has a lock of its own. */
__attribute__((noinline)) static void add_to_own(struct gch_hub *h,
                                                 struct gch_node *n) {
  struct gch_lock *own = gch__own_lock(h);
  gch__lock(own);
  gch__list_add(&h->nodes, n);
  gch__unlock(own);
}

/* The same: takes n off. */
__attribute__((noinline)) static bool take_off_own(struct gch_node *n) {
  struct gch_lock *own = gch__own_lock(n->hub);
  gch__lock(own);
  bool listed = gch__detach(n);
  gch__unlock(own);
  return listed;
}

static inline void add(struct gch_hub *h, struct gch_node *n) {
  if (gch__own_lock(h))
    add_to_own(h, n);
  else
    gch__list_add(&h->nodes, n);
}

static inline bool take_off(struct gch_node *n) {
  return gch__own_lock(n->hub) ? take_off_own(n) : gch__detach(n);
}

bool gch__unhang(struct gch_node *n, struct gch_lock *lock) {
  struct gch_lock *held = hold_own(n->hub);
  if (!held)
    gch__lock(held = lock);
  bool listed = held == lock ? take_off(n) : gch__detach(n);
  gch__unlock(held);
  return listed;
}

/* With the tree's lock held. */
static inline struct gch_lock *attach(const struct gch_hub_ref *r,
                                      struct gch_node *n, struct gch_end *end) {
  struct gch_lock *lock = r->hub->lock;
  end->err = ended(r, &end->cause);
  if (!end->err) {
    add(r->hub, n);
    return lock;
  }
  gch__unlock(lock);
  /* Relaxed: it was set under the lock, or never is. */
  if (r->cancel &&
      !atomic_load_explicit(&r->cancel->over, memory_order_relaxed))
    end->err = gch__orphan_err(&r->cancel->base, &end->cause);
  return NULL;
}

/* Others hold the tree's lock: here it is to be needed less often. */
__attribute__((noinline)) static struct gch_lock *
attach_contended(const struct gch_hub_ref *r, struct gch_node *n,
                 struct gch_end *end) {
  gch__lock_slow(r->hub->lock);
  struct gch_lock *held = attach(r, n, end);
  if (held && r->cancel)
    split(r->hub);
  return held;
}

/* own: as found before. */
__attribute__((noinline)) static struct gch_lock *
attach_to_own(const struct gch_hub_ref *r, struct gch_node *n,
              struct gch_end *end, struct gch_lock *own) {
  if (hold(r->hub, own)) {
    gch__list_add(&r->hub->nodes, n);
    return own;
  }
  gch__lock(r->hub->lock);
  return attach(r, n, end);
}

struct gch_lock *gch__attach(const struct gch_hub_ref *r, struct gch_node *n,
                             struct gch_end *end) {
  struct gch_hub *h = r->hub;
  n->hub = h;
  if (r->custom) {
    end->err = gch__custom_watch(r->custom, r->done, &end->cause);
    if (end->err)
      return NULL;
  }
  GCH_DELAY();
  struct gch_lock *own = gch__own_lock(h);
  if (own)
    return attach_to_own(r, n, end, own);
  if (!gch__try_lock(h->lock))
    return attach_contended(r, n, end);
  return attach(r, n, end);
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

/* Apart, so that the others need no stack. */
__attribute__((noinline)) static void finish_split(struct gch_cancel_ctx *c,
                                                   struct gch_node *more,
                                                   int err, int cause,
                                                   struct gch_wakes *k) {
  join(&c->hub);
  finish(c, more, err, cause, k);
}

void gch__finish_cancel(struct gch_node *n, struct gch_node *more, int err,
                        int cause, struct gch_wakes *k) {
  struct gch_cancel_ctx *c =
      gch__container_of(n, struct gch_cancel_ctx, node);
  if (gch__own_lock(&c->hub))
    finish_split(c, more, err, cause, k);
  else
    finish(c, more, err, cause, k);
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
    take_off(&c->node);
    if (gch__own_lock(&c->hub))
      join(&c->hub);
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

/* Without references, and with a hub that is not done, c is in that hub's list,
   and nobody can come to it but through that. */
bool gch__depart(struct gch_cancel_ctx *c) {
  struct gch_wakes wakes = GCH_WAKES_INIT;
  struct gch_lock *own = hold_own(c->node.hub);
  if (!own)
    return false;
  gch__detach(&c->node);
  gch__unlock(own);
  gch__finish_cancel(&c->node, NULL, ECANCELED, ECANCELED, &wakes);
  gch__finish_nodes(&c->hub, ECANCELED, ECANCELED, &wakes);
  gch__wakes_flush(&wakes);
  return true;
}
