/* SPDX-License-Identifier: BSD-3-Clause */
/* The leftist tree of heap.h. Nothing here recurses. */
#include "timer/heap.h"

static unsigned rank_of(const struct gch_entry *e) {
  return e ? e->rank : 0;
}

/* Puts e's children in order; whether its rank is another than before. */
static bool mend(struct gch_entry *e) {
  if (rank_of(e->left) < rank_of(e->right)) {
    struct gch_entry *swap = e->left;
    e->left = e->right;
    e->right = swap;
  }
  unsigned rank = rank_of(e->right) + 1;
  bool changed = e->rank != rank;
  e->rank = (uint16_t)rank;
  return changed;
}

/* Links the right sides of a and b, by time, below up, which does not know of
   it yet; then mends those that were walked over, from the last to the first.
   The root of both. */
static struct gch_entry *merge(struct gch_entry *a, struct gch_entry *b,
                               struct gch_entry *up) {
  struct gch_entry *root = NULL, **link = &root, *last = up;
  while (a && b) {
    if (b->when < a->when) {
      struct gch_entry *swap = a;
      a = b;
      b = swap;
    }
    *link = a;
    a->up = last;
    last = a;
    link = &a->right;
    a = a->right;
  }
  *link = a ? a : b;
  if (*link)
    (*link)->up = last;
  for (; last != up; last = last->up)
    mend(last);
  return root;
}

void gch__heap_age(struct gch_heap *h) {
  size_t i = h->hand++ % GCH_YOUNG;
  struct gch_entry *e = h->array[i].entry;
  gch__heap_remove(h, e);
  e->place = GCH_YOUNG;
  e->left = e->right = NULL;
  e->rank = 1;
  h->root = merge(h->root, e, NULL);
}

static struct gch_entry **link_to(struct gch_heap *h, struct gch_entry *e) {
  if (!e->up)
    return &h->root;
  return e->up->left == e ? &e->up->left : &e->up->right;
}

void gch__tree_remove(struct gch_heap *h, struct gch_entry *e) {
  struct gch_entry *up = e->up;
  *link_to(h, e) = merge(e->left, e->right, up);
  while (up && mend(up))
    up = up->up;
}
