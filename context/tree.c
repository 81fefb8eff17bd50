/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hubs, nodes, and the walk that a cancel makes: a list of work at whose end
 * each finished node puts its own nodes. So parents are done before their
 * children, and a tree of any depth takes no stack and no memory.
 */
#include "context/impl.h"

#include "park/fork.h"

#include <stdalign.h>

/* Trees that have nothing to do with each other may share a lock. Many, since a
   cancel of many contexts holds one for long. */
enum { LOCKS_LOG2 = 8, LOCKS = 1 << LOCKS_LOG2 };
static struct { alignas(64) struct gch_lock lock; } locks[LOCKS];

/* Multiplicative hashing: the high bits depend on all of the address. */
static struct gch_lock *lock_of(const struct gch_hub *top) {
  uint64_t mixed = (uint64_t)(uintptr_t)top * UINT64_C(0x9e3779b97f4a7c15);
  return &locks[mixed >> (64 - LOCKS_LOG2)].lock;
}

static void lock_all(void) {
  for (int i = 0; i < LOCKS; i++)
    gch__lock(&locks[i].lock);
}

static void unlock_all(void) {
  for (int i = 0; i < LOCKS; i++)
    gch__unlock(&locks[i].lock);
}

const struct gch_fork_handlers gch__fork_context = {lock_all, unlock_all,
                                                    unlock_all};

static void list_init(struct gch_node *head) {
  head->next = head->prev = head;
}

static void list_add(struct gch_node *head, struct gch_node *n) {
  n->prev = head->prev;
  n->next = head;
  head->prev->next = n;
  head->prev = n;
}

static void list_move_all(struct gch_node *to, struct gch_node *from) {
  if (from->next == from)
    return;
  from->next->prev = to->prev;
  to->prev->next = from->next;
  from->prev->next = to;
  to->prev = from->prev;
  list_init(from);
}

bool gch__detach(struct gch_node *n) {
  if (!n->next)
    return false;
  n->prev->next = n->next;
  n->next->prev = n->prev;
  n->next = NULL;
  return true;
}

void gch__hub_init(struct gch_hub *h) {
  h->lock = lock_of(h);
  list_init(&h->nodes);
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
  if (err)
    gch__unlock(*lock);
  else
    list_add(&r->hub->nodes, n);
  return err;
}

static void finish_list(struct gch_node *work, int err, int cause,
                        struct gch_wakes *k) {
  while (work->next != work) {
    struct gch_node *n = work->next;
    gch__detach(n);
    n->finish(n, work, err, cause, k);
  }
}

void gch__finish_nodes(struct gch_hub *h, int err, int cause,
                       struct gch_wakes *k) {
  struct gch_node work;
  list_init(&work);
  list_move_all(&work, &h->nodes);
  finish_list(&work, err, cause, k);
}

/* c becomes done: err, then the channel if there is one, then over. What hangs
   on it comes later. */
static void finish_cancel(struct gch_node *n, struct gch_node *more, int err,
                          int cause, struct gch_wakes *k) {
  struct gch_cancel_ctx *c = gch__container_of(n, struct gch_cancel_ctx, node);
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
  list_move_all(more, &c->hub.nodes);
  GCH_DELAY();
  /* Release pairs with the acquires in gch_ctx_err and gch__cancel_destroy. */
  atomic_store_explicit(&c->over, true, memory_order_release);
}

void gch__node_init_cancel(struct gch_cancel_ctx *c) {
  c->node.next = NULL;
  c->node.finish = finish_cancel;
}

/* Always takes the lock: when it returns, a cancel that was under way in
   another thread is complete. */
void gch__cancel(struct gch_cancel_ctx *c, int err, int cause,
                 struct gch_wakes *k) {
  gch__lock(c->hub.lock);
  if (atomic_load_explicit(&c->err, memory_order_relaxed) == 0) {
    struct gch_node work;
    list_init(&work);
    gch__detach(&c->node);
    finish_cancel(&c->node, &work, err, cause, k);
    finish_list(&work, err, cause, k);
  }
  gch__unlock(c->hub.lock);
}
