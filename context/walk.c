/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The walk that a cancel makes, in pieces, so that the lock is held for a
 * bounded number of nodes: others in the tree, in trees that share the lock,
 * the library's own thread and a fork get it in between.
 *
 * A walk has a root: the hub that was cancelled, done before all that is below.
 * The list of nodes of that hub, to which nothing more is attached, is the
 * walk's list of work. A piece takes nodes off its beginning, finishes each,
 * and puts what hung on it at its end. So parents are done before their
 * children, and a tree of any depth takes no stack and no memory. A node is
 * always in one list, that of a hub that is not done or of a root, or else
 * done: who attaches to one that is not done, though above it all are, is come
 * to later; and to detach it is the same at any time.
 *
 * A walk that is not over with its first piece is listed in the bucket of its
 * lock. The link is the root's own node, which is in no hub's list any more.
 * Who cancels the root holds it (or has begun to free it), and takes the walk
 * off that list before he lets go, when the walk's own list is empty. All this
 * under the lock. So
 *
 *     root not done    node in its hub's list    nodes: what hangs on it
 *     walk listed      node links walks          nodes: what is to be finished
 *     walk over        node in no list           nodes empty
 *
 * When a cancel of c returns all below c are done. What is not done is, itself
 * or by something above it, in the list of a walk whose root is above it too.
 * So that root is c, above c, or below c: a cancel of c, whether it made c done
 * or found it so, helps walks of those roots until there is nothing in their
 * lists. Each helper finishes pieces itself, and waits for nothing but the
 * lock. It climbs from one context to the other; for a few steps only, since
 * the lock is held, and where they do not suffice it helps. Parents are there:
 * children hold them. Nothing but after_funcs can be below a context without
 * references.
 *
 * What is to be woken is woken between the pieces, and what is to be called, at
 * the end. The library's own thread makes each piece a job, and looks after
 * timers in between.
 *
 * A hub is joined (impl.h) as it becomes done, before its list is moved: so the
 * tree's lock guards all that a walk goes over.
 *
 * Fork. The locks are held over it. In the child those who made walks are
 * ghosts, since none forks in the midst of one: the child completes their
 * walks, and makes done what is below CUSTOM contexts whose done is closed.
 * Nobody waits for those contexts there, and after_funcs run in the parent;
 * their memory stays.
 */
#include "context/walk.h"

#include "park/fork.h"

/* How far a helper climbs. */
enum { CLIMB = 64 };

/* What a link is the link of. */
struct walk {
  const gch_ctx *root;
  struct gch_node *work;
  int err, cause;
};

static struct walk walk_of(struct gch_node *link) {
  if (link->finish) {
    struct gch_cancel_ctx *c =
        gch__container_of(link, struct gch_cancel_ctx, node);
    int err = atomic_load_explicit(&c->err, memory_order_relaxed);
    return (struct walk){&c->base, &c->hub.nodes, err, c->cause};
  }
  struct gch_custom_ctx *x =
      gch__container_of(link, struct gch_custom_ctx, walk);
  return (struct walk){&x->base, &x->hub.nodes, x->err, x->cause};
}

void gch__finish_nodes(struct gch_hub *h, int err, int cause,
                       struct gch_wakes *k) {
  while (!gch__walk_piece(&h->nodes, err, cause, k))
    ;
}

bool gch__finish_hub(struct gch_hub *hub, struct gch_node *link, int err,
                     int cause, struct gch_wakes *k) {
  struct gch_bucket *b = (struct gch_bucket *)hub->lock;
  if (!gch__walk_piece(&hub->nodes, err, cause, k))
    gch__walk_list(b, link);
  return !b->walks;
}

/* Whether to is from or above it, or may be. */
static bool climbs_to(const gch_ctx *from, const gch_ctx *to) {
  for (int i = 0; i < CLIMB; i++, from = from->parent) {
    if (from == to)
      return true;
    if (from->kind == GCH_CTX_ROOT || from->kind == GCH_CTX_DETACHED)
      return false;
  }
  return true;
}

/* Whether contexts below ctx may be in the list of a walk from root. */
static bool concerns(const gch_ctx *ctx, const gch_ctx *root) {
  /* Relaxed: nobody gives a first reference. */
  if (atomic_load_explicit(&ctx->refs, memory_order_relaxed) == 0)
    return ctx == root;
  return climbs_to(root, ctx) || climbs_to(ctx, root);
}

/* With the lock held: a piece of a walk that concerns ctx; false: there is none
   with anything left. */
static bool go_on(struct gch_bucket *b, const gch_ctx *ctx,
                  struct gch_wakes *k) {
  for (struct gch_node *link = b->walks; link; link = link->next) {
    struct walk w = walk_of(link);
    if (gch__list_is_empty(w.work) || !concerns(ctx, w.root))
      continue;
    gch__walk_piece(w.work, w.err, w.cause, k);
    return true;
  }
  return false;
}

static void unlist(struct gch_bucket *b, struct gch_node *link) {
  for (struct gch_node **at = &b->walks; *at; at = &(*at)->next) {
    if (*at == link) {
      *at = link->next;
      link->next = NULL;
      return;
    }
  }
}

bool gch__walk_step(struct gch_hub *hub, struct gch_node *link,
                    const gch_ctx *ctx, struct gch_wakes *k) {
  struct gch_bucket *b = (struct gch_bucket *)hub->lock;
  gch__lock(&b->lock);
  bool more = go_on(b, ctx, k);
  if (!more)
    unlist(b, link);
  gch__unlock(&b->lock);
  if (more)
    gch__lock_give_way(&b->lock);
  GCH_DELAY();
  return more;
}

void gch__walk_on(struct gch_hub *hub, struct gch_node *link,
                  const gch_ctx *ctx, struct gch_wakes *k) {
  do
    gch__wakes_unpark(k);
  while (gch__walk_step(hub, link, ctx, k));
}

/* Fork */

static void lock_all(void) {
  for (int i = 0; i < GCH_BUCKETS; i++)
    gch__lock(&gch__buckets[i].lock);
  for (int i = 0; i < GCH_BUCKETS; i++)
    gch__lock(&gch__list_locks[i].lock);
}

static void unlock_lists(void) {
  for (int i = 0; i < GCH_BUCKETS; i++)
    gch__unlock(&gch__list_locks[i].lock);
}

static void unlock_trees(void) {
  for (int i = 0; i < GCH_BUCKETS; i++)
    gch__unlock(&gch__buckets[i].lock);
}

static void unlock_all(void) {
  unlock_lists();
  unlock_trees();
}

/* Frees nothing, and calls no user code: a ghost may hold a lock of theirs. */
static void complete(struct walk w, struct gch_wakes *k) {
  while (!gch__list_is_empty(w.work)) {
    struct gch_node *n = w.work->next;
    gch__detach(n);
    if (n->finish != gch__finish_cancel)
      continue;
    n->finish(n, w.work, w.err, w.cause, k);
    if (w.cause == 0) /* the orphan's */
      atomic_store(&gch__container_of(n, struct gch_cancel_ctx, node)->over,
                   false);
  }
}

static void orphan(struct gch_custom_ctx *x, struct gch_wakes *k) {
  if (x->err != 0)
    return;
  gch__detach(&x->walk);
  x->err = ECANCELED;
  x->orphan = true;
  complete(walk_of(&x->walk), k);
}

static void orphan_closed(struct gch_bucket *b, struct gch_wakes *k) {
  struct gch_node *next, *n = b->watching.next;
  for (; n && n != &b->watching; n = next) {
    struct gch_custom_ctx *x =
        gch__container_of(n, struct gch_custom_ctx, walk);
    next = n->next;
    if (gch__is_closed(x->done))
      orphan(x, k);
  }
}

/* Those whose channels were closed just now: k has their watches' calls, which
   hold them; and the calls of others who watch, which are made. */
static void orphan_called(struct gch_wakes *k) {
  while (k->calls) {
    struct gch_deferred *d = k->calls;
    struct gch_watch *w = gch__container_of(d, struct gch_watch, call);
    k->calls = d->next;
    if (w->hold != gch__custom_hold) {
      d->run(d, k);
      continue;
    }
    struct gch_custom_ctx *x =
        gch__container_of(w, struct gch_custom_ctx, watch);
    atomic_fetch_sub(&x->base.refs, 1);
    orphan(x, k);
  }
}

static void in_child(void) {
  struct gch_wakes nobody = GCH_WAKES_INIT;
  unlock_lists(); /* which are whole; what becomes done takes its own */
  for (int i = 0; i < GCH_BUCKETS; i++) {
    struct gch_bucket *b = &gch__buckets[i];
    for (struct gch_node *link = b->walks; link; link = link->next)
      complete(walk_of(link), &nobody);
    b->walks = NULL;
    orphan_closed(b, &nobody);
  }
  orphan_called(&nobody);
  unlock_trees();
}

const struct gch_fork_handlers gch__fork_context = {lock_all, unlock_all,
                                                    in_child};
