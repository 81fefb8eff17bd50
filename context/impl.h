/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The context tree.
 *
 * Kinds. ROOT: background, todo. CANCEL: with_cancel, with_deadline. VALUE.
 * DETACHED: without_cancel. CUSTOM. Every context holds a reference to its
 * parent; roots are not counted.
 *
 * Hubs. A hub is what children hang on: a CANCEL context, or a CUSTOM one that
 * has a done channel of its own. The hub of a context is the nearest one at or
 * above it; VALUE contexts, and CUSTOM ones that give their parent's done
 * channel, are looked through; ROOT and DETACHED end the search.
 *
 * Nodes. What hangs on a hub: a CANCEL context or an after_func. A hub lists
 * its nodes without holding them; a node is listed if and only if it is not
 * done, by its hub or, where that is done, for the walk that will make it so.
 *
 * Locks. All contexts that one cancel can reach share one lock, that of the top
 * of their tree: a hub without a hub above it. It is one of a table, chosen by
 * the top's address, so that all can be held over a fork: then the child finds
 * every list whole. Nobody else holds two. It guards the lists, and err,
 * cause and the closing of the done channels: a context becomes done within one
 * hold of it, and what is below it in pieces (walk.c). Order: tree, list, timer
 * queue, channel (and none of sleepers under them). Unparks, jobs and user code
 * come after the unlock; and where it is the library's own thread that cancels,
 * the user code in a task.
 *
 * A CANCEL context's hub to which a node is hung just as others hold the
 * tree's lock is split: until it is done its list has a lock of its
 * own, from a second table, held over a fork too. So threads that each work
 * below a context of theirs do not meet.
 *
 *     hub     own    its list is guarded by   from here by
 *     whole   NULL   the tree's lock          split, the tree's lock held
 *     split   set    its own                  join, both held
 *     done    NULL   the tree's; walk.c       -
 *
 * Who has found a lock at own takes it and looks again: what is there then
 * stays until he lets go, and the hub is not done. With the tree's lock held own
 * stays, too; who wants a split list then takes its lock in addition.
 *
 * The last unref of a context that is in a split list takes it off, and makes
 * it done, without the tree's lock: its hub is not done, so no walk has come to
 * it, and without references nobody else does.
 *
 * Done. Most contexts are never asked for their channel, so it is made when
 * they first are (gch__done_of), under the tree's lock: open, or closed where
 * the context is done by then.
 *
 * err is also read without the lock. A cancel sets it, then closes the done
 * channel, then sets over, as its last touch of that context; who reads err
 * non-zero and over not set waits for the lock (gch_ctx_err).
 *
 * Memory. A CANCEL context has room for its done channel. From when that is
 * made the context holds one reference to it, and the last one frees both. The
 * last unref of a context takes it out of everything that could find it: its
 * hub's list and the timer queue, under their locks. Where over is set it is in
 * none, and no lock is needed: it was taken off the list before it was made
 * done, what hung on it is in that list by then, and who cancels the root of a
 * walk holds it.
 *
 * Fork. In the child's handler all cancels that were under way are completed;
 * what hangs on a custom context that was closed is done too, before anybody
 * asks for its error (custom.c). Only there is a context done, left alone, and
 * never over. One thing is not mended: a ghost that had fired a deadline or a
 * signal, or claimed the watch of a custom context, keeps the reference that it
 * took for the call. So that context is never freed in the child, and its drop
 * not called. Where it was a deadline, that has not come in the child, unless
 * the cancel had begun.
 */
#ifndef GCH_CONTEXT_IMPL_H
#define GCH_CONTEXT_IMPL_H

#include "chan/impl.h"
#include "go/job.h"
#include "timer/queue.h"

#include <gulch/ctx.h>

enum gch_ctx_kind {
  GCH_CTX_ROOT,
  GCH_CTX_CANCEL,
  GCH_CTX_VALUE,
  GCH_CTX_DETACHED,
  GCH_CTX_CUSTOM
};

struct gch_ctx {
  enum gch_ctx_kind kind;
  _Atomic uint32_t refs;
  const gch_ctx *parent;
};

/* A list of nodes; its own head is one. */
struct gch_node {
  struct gch_node *next, *prev; /* next is NULL when not listed */
  struct gch_hub *hub;          /* on which it was hung; &gch__no_hub: none */
  /* The hub is done: ends this node and adds its own nodes, if any, to the
     list at more. NULL in a list's head. */
  void (*finish)(struct gch_node *n, struct gch_node *more, int err, int cause,
                 struct gch_wakes *k);
};

struct gch_hub {
  struct gch_lock *lock;          /* of the tree */
  _Atomic(struct gch_lock *) own; /* of nodes; NULL: the tree's is */
  struct gch_node nodes;
};

extern GCH_HIDDEN struct gch_hub gch__no_hub;

/* Somebody to be told when the holder of a context cancels it, or it goes. */
struct gch_ctx_end_hook {
  void (*end)(struct gch_ctx_end_hook *h);  /* maybe several times */
  void (*free)(struct gch_ctx_end_hook *h); /* once, after the last end */
};

struct gch_cancel_ctx {
  struct gch_ctx base;
  _Atomic int err;
  int cause;
  atomic_bool over;     /* done, and left alone by who made it so */
  atomic_bool has_done; /* the channel is made */
  bool has_deadline;    /* of its own: the context is a gch_timed_ctx */
  union {
    struct gch_node node;
    struct gch_job last; /* over, without references: its end in a task */
  };
  struct gch_hub hub;
  struct gch_ctx_end_hook *hook;
  gch_chan done;
};

struct gch_timed_ctx {
  struct gch_cancel_ctx cancel;
  int64_t deadline;
  int deadline_cause;
  int forks; /* of the process whose timer it is (park/fork.h) */
  struct gch_entry timer;
  struct gch_deferred expired; /* what the timer has done after the unlock */
  struct gch_job rest;         /* of the cancel, see walk.c */
};

struct gch_value_ctx {
  struct gch_ctx base;
  const void *key;
  const void *value;
  void (*drop)(void *value);
};

struct gch_custom_ctx {
  struct gch_ctx base;
  const gch_ctx_ops *ops;
  void *self;
  struct gch_hub hub;
  struct gch_node walk;   /* its link, see custom.c; finish is NULL */
  struct gch_watch watch; /* on done, from the first child on */
  struct gch_job job;     /* the watch's call, where that starts a task */
  gch_chan *done;         /* what is watched; NULL: nothing yet; holds it */
  int err, cause;         /* err != 0: done was closed, and no more nodes */
  bool orphan;            /* in a forked child: see custom.c */
};

/* The context that hub belongs to, or none. */
struct gch_hub_ref {
  struct gch_hub *hub;           /* NULL: never done */
  struct gch_cancel_ctx *cancel; /* one of these, by what hub is */
  struct gch_custom_ctx *custom;
  gch_chan *done; /* of custom */
};

struct gch_end {
  int err, cause;
};

/* tree.c. gch__hub_init leaves the lock to the caller: that of gch__tree_lock
   if this is a top, else the top's. */
void gch__hub_init(struct gch_hub *h);
struct gch_lock *gch__tree_lock(const struct gch_hub *top);
struct gch_hub_ref gch__hub_of(const gch_ctx *ctx);

/* Hangs n on the hub, which is there, and returns the lock, held, by which
   nobody comes to n; NULL: the hub is done, with that end. */
struct gch_lock *gch__attach(const struct gch_hub_ref *r, struct gch_node *n,
                             struct gch_end *end);

/* Takes n off the list that it is in; whether it was in one. lock is the
   tree's. */
bool gch__unhang(struct gch_node *n, struct gch_lock *lock);

/* The lock that guards h's list instead of the tree's; NULL: there is none. It
   stays as it is while either is held. Acquire pairs with the release in split:
   who finds it sees the list. */
static inline struct gch_lock *gch__own_lock(const struct gch_hub *h) {
  return atomic_load_explicit(&h->own, memory_order_acquire);
}

/* c, which has no references any more, and is not over: makes it done without
   the tree's lock; false: its hub's list has no lock of its own any more. */
bool gch__depart(struct gch_cancel_ctx *c);

/* With the lock held that guards the list that n is in: takes it off; whether
   it was in one. */
static inline bool gch__detach(struct gch_node *n) {
  if (!n->next)
    return false;
  n->prev->next = n->next;
  n->next->prev = n->prev;
  n->next = NULL;
  return true;
}

/* Walks in progress that a cancel's caller has to see to: those of others may
   be at what is below the same context. OWN: from that context. */
enum gch_walks { GCH_WALKS_NONE, GCH_WALKS_OTHERS, GCH_WALKS_OWN };

/* Makes c done, unless it is, and the first of what is below it. */
enum gch_walks gch__cancel_begin(struct gch_cancel_ctx *c, int err, int cause,
                                 struct gch_wakes *k);
void gch__node_init_cancel(struct gch_cancel_ctx *c);

/* walk.c. The first of what is below hub, which is done, with the tree's lock
   held; link is a node of its context's that is in no list. True: that is all,
   and there are no other walks. */
bool gch__finish_hub(struct gch_hub *hub, struct gch_node *link, int err,
                     int cause, struct gch_wakes *k);

/* After one of those: when it returns all below ctx, whose hub and link these
   are, is done. */
void gch__walk_on(struct gch_hub *hub, struct gch_node *link,
                  const gch_ctx *ctx, struct gch_wakes *k);

/* A step of that; whether there is more. */
bool gch__walk_step(struct gch_hub *hub, struct gch_node *link,
                    const gch_ctx *ctx, struct gch_wakes *k);

/* Makes c and all below it done, unless it is. When it returns they are, and
   what is to be woken is in k. */
static inline void gch__cancel(struct gch_cancel_ctx *c, int err, int cause,
                               struct gch_wakes *k) {
  if (gch__cancel_begin(c, err, cause, k) != GCH_WALKS_NONE)
    gch__walk_on(&c->hub, &c->node, &c->base, k);
}

/* For who nobody else can reach: ends all nodes on h, and theirs. */
void gch__finish_nodes(struct gch_hub *h, int err, int cause,
                       struct gch_wakes *k);

/* cancel.c */
gch_ctx *gch__ctx_new_cancel(const gch_ctx *parent,
                             struct gch_ctx_end_hook *hook);
void gch__cancel_destroy(struct gch_cancel_ctx *c);
gch_chan *gch__make_done(struct gch_cancel_ctx *c);

/* custom.c. watch: sees to it that x's nodes are done when x->done closes; 0,
   or, where it is closed, x's error, and its cause in *cause. */
int gch__custom_watch(struct gch_custom_ctx *x, gch_chan *done, int *cause);

/* In a forked child: the error, and cause, of what is below an orphan. Calls
   user code. */
int gch__orphan_err(const gch_ctx *below, int *cause);
void gch__custom_destroy(struct gch_custom_ctx *x);

/* ops.c. The error of a context that is done, whose channel done is; 0 while it
   is not. */
int gch__ctx_over(const gch_ctx *ctx, const gch_chan *done);

/* ctx.c. A constructor's first look at its parent: false, with errno EINVAL
   (strict: panic), where it is NULL. */
bool gch__parent_ok(const gch_ctx *parent);
void gch__ctx_init(gch_ctx *ctx, enum gch_ctx_kind kind, const gch_ctx *parent);

/* Unrefs ctx if that is its last reference; whether it was. */
bool gch__unref_last(const gch_ctx *ctx);

/* Unrefs c, which is over, in a call deferred into k: where that is the
   library's own thread's, a last reference goes in a task. */
void gch__unref_over(struct gch_cancel_ctx *c, struct gch_wakes *k);

/* Cancels c and unrefs it, in a call deferred into the library's own thread's
   k. What is more than a little is done later there, by rest, a job that lives
   as long as c and whose run calls gch__cancel_rest. */
void gch__cancel_unref(struct gch_cancel_ctx *c, int err, int cause,
                       struct gch_job *rest, struct gch_wakes *k);
void gch__cancel_rest(struct gch_cancel_ctx *c, struct gch_job *rest);

static inline struct gch_cancel_ctx *gch__as_cancel(const gch_ctx *ctx) {
  return (struct gch_cancel_ctx *)(uintptr_t)ctx;
}

static inline struct gch_timed_ctx *gch__as_timed(const gch_ctx *ctx) {
  return (struct gch_timed_ctx *)(uintptr_t)ctx;
}

static inline struct gch_custom_ctx *gch__as_custom(const gch_ctx *ctx) {
  return (struct gch_custom_ctx *)(uintptr_t)ctx;
}

static inline const struct gch_value_ctx *gch__as_value(const gch_ctx *ctx) {
  return (const struct gch_value_ctx *)(const void *)ctx;
}

static inline gch_chan *gch__done_of(struct gch_cancel_ctx *c) {
  /* Acquire pairs with the release in gch__make_done. */
  if (!atomic_load_explicit(&c->has_done, memory_order_acquire))
    return gch__make_done(c);
  return &c->done;
}

/* custom.c: by this a CUSTOM context's watch is known. */
bool gch__custom_hold(struct gch_watch *w);

#endif
