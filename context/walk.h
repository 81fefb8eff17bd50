/* SPDX-License-Identifier: BSD-3-Clause */
/* The locks of trees, lists of nodes, and walks: see walk.c. */
#ifndef GCH_CONTEXT_WALK_H
#define GCH_CONTEXT_WALK_H

#include "context/impl.h"

#include <stdalign.h>

/* Trees that have nothing to do with each other may share a lock. */
enum { GCH_BUCKETS_LOG2 = 8, GCH_BUCKETS = 1 << GCH_BUCKETS_LOG2 };

struct gch_bucket {
  alignas(64) struct gch_lock lock;
  struct gch_node *walks; /* the links of their roots, each by its next */
  struct gch_node watching; /* CUSTOM contexts' links; next is NULL: none yet */
};

extern GCH_HIDDEN struct gch_bucket gch__buckets[GCH_BUCKETS];

/* The locks of lists of one hub. */
struct gch_list_lock {
  alignas(64) struct gch_lock lock;
};

extern GCH_HIDDEN struct gch_list_lock gch__list_locks[GCH_BUCKETS];

static inline void gch__list_init(struct gch_node *head) {
  head->next = head->prev = head;
}

static inline bool gch__list_is_empty(const struct gch_node *head) {
  return head->next == head;
}

static inline void gch__list_add(struct gch_node *head, struct gch_node *n) {
  n->prev = head->prev;
  n->next = head;
  head->prev->next = n;
  head->prev = n;
}

/* All of from to the end of to. */
static inline void gch__list_move_all(struct gch_node *to,
                                      struct gch_node *from) {
  if (gch__list_is_empty(from))
    return;
  from->next->prev = to->prev;
  to->prev->next = from->next;
  from->prev->next = to;
  to->prev = from->prev;
  gch__list_init(from);
}

/* The finish of a CANCEL context's node. The context becomes done: err, then
   the channel if there is one, then over. What hangs on it comes later. */
void gch__finish_cancel(struct gch_node *n, struct gch_node *more, int err,
                        int cause, struct gch_wakes *k);

/* Nodes finished under one hold of the lock: some microseconds. */
enum { GCH_WALK_PIECE = 64 };

/* With the lock held: finishes nodes in work; whether those were all. */
static inline bool gch__walk_piece(struct gch_node *work, int err, int cause,
                                   struct gch_wakes *k) {
  for (int i = GCH_WALK_PIECE; !gch__list_is_empty(work); i--) {
    if (i == 0)
      return false;
    struct gch_node *n = work->next;
    gch__detach(n);
    n->finish(n, work, err, cause, k);
  }
  return true;
}

/* With the lock held, which is the hub's: lists x, whose done is open or the
   call of its watch to come. gch__detach undoes it. */
static inline void gch__watching(struct gch_custom_ctx *x) {
  struct gch_bucket *b = (struct gch_bucket *)x->hub.lock;
  if (!b->watching.next)
    gch__list_init(&b->watching);
  gch__list_add(&b->watching, &x->walk);
}

/* With the lock held: lists a walk that is not over by its link. */
static inline void gch__walk_list(struct gch_bucket *b, struct gch_node *link) {
  link->next = b->walks;
  b->walks = link;
}

#endif
