/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Entries by time: the earliest of any number, with a bound on each step and
 * not only on their sum. Intrusive, so that adding allocates nothing and can't
 * fail. It knows no lock.
 *
 * Most timers are stopped soon after their start, long before they are due (the
 * timeout of something that succeeds). So the last YOUNG that were added and
 * not removed stand in an array, in no order: adding and removing are a few
 * stores there, however many others there are. Where the array is full, one of
 * the oldest goes to the tree. The first of all is the first of the tree, or
 * one of the array, which is looked through.
 *
 * The tree is a leftist heap (Crane, 1972) with links up. An entry is not
 * earlier than its parent. Its rank is the number of entries on the shortest
 * way down out of the tree, itself included; the right child's is never more
 * than the left child's. So the way down to the right is as long as the rank,
 * and a tree of rank r has at least 2^r - 1 entries. With n entries:
 *
 *     merge     walks down the right sides of both, then back up: at most
 *               2 log2(n + 1) entries
 *     add       merges the tree with a tree of one
 *     remove    any: puts the merged children in its place, then mends ranks
 *               upwards until one is as before. Where they sink each is by one
 *               more than the one below is now; where they rise each was by
 *               one more than the one below was. In both they grow by one a
 *               step, and none is over log2(n + 1): so there are no more steps
 *               than that, though the way up to the root may be as long as n.
 *
 * Of 10^6 entries no step touches more than some sixty.
 */
#ifndef GCH_TIMER_HEAP_H
#define GCH_TIMER_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gch_wakes;

struct gch_entry {
  int64_t when; /* nanoseconds, monotonic; not changed while it is in */
  void (*fire)(struct gch_entry *e, int64_t now, struct gch_wakes *k);
  struct gch_entry *left, *right, *up; /* in the tree */
  uint32_t epoch;                      /* the queue's, see queue.c */
  uint16_t place;                      /* in the array; */
  uint16_t rank;                       /* or YOUNG, and in the tree */
  bool own; /* for the library's own thread: not in the heap, see queue.c */
};

enum { GCH_YOUNG = 16 };

struct gch_heap {
  struct gch_entry *root;
  size_t young; /* how many there are */
  size_t hand;  /* whose turn to go to the tree is next */
  struct {
    int64_t when;
    struct gch_entry *entry;
  } array[GCH_YOUNG];
};

/* Makes room in the array. */
void gch__heap_age(struct gch_heap *h);

/* e is in the tree. */
void gch__tree_remove(struct gch_heap *h, struct gch_entry *e);

static inline void gch__heap_place(struct gch_heap *h, size_t i,
                                   struct gch_entry *e) {
  e->place = (uint16_t)i;
  h->array[i].when = e->when;
  h->array[i].entry = e;
}

static inline void gch__heap_add(struct gch_heap *h, struct gch_entry *e) {
  if (__builtin_expect(h->young == GCH_YOUNG, 0))
    gch__heap_age(h);
  gch__heap_place(h, h->young++, e);
}

/* e is in. */
static inline void gch__heap_remove(struct gch_heap *h, struct gch_entry *e) {
  if (__builtin_expect(e->place == GCH_YOUNG, 0))
    gch__tree_remove(h, e);
  else if (e->place != --h->young)
    gch__heap_place(h, e->place, h->array[h->young].entry);
}

/* The earliest; NULL: there is none. */
static inline struct gch_entry *gch__heap_first(const struct gch_heap *h) {
  struct gch_entry *first = h->root;
  int64_t when = first ? first->when : INT64_MAX;
  for (size_t i = 0; i < h->young; i++)
    if (h->array[i].when < when || !first) {
      first = h->array[i].entry;
      when = h->array[i].when;
    }
  return first;
}

static inline bool gch__heap_is_empty(const struct gch_heap *h) {
  return !h->root && h->young == 0;
}

#endif
