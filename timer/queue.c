/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A pairing heap (Fredman, Sedgewick, Sleator and Tarjan, 1986): intrusive, so
 * that starting a timer allocates nothing and cannot fail; O(1) insert,
 * O(log n) amortised removal of any entry.
 *
 * child is an entry's first child, next its next sibling; prev is the sibling
 * before it, or its parent where it is the first child. No child is earlier
 * than its parent.
 */
#include "timer/queue.h"

#include "park/clock.h"
#include "park/lock.h"
#include "timer/service.h"

#include <stddef.h>

/* Entries fired under one hold of the lock. */
enum { BATCH = 64 };

static struct {
  struct gch_lock lock;
  struct gch_entry *root;
  int64_t wake_at; /* until when the library's thread means to sleep */
  uint32_t epoch;  /* changes with a fork; never 0 */
} queue = {.wake_at = GCH__FOREVER, .epoch = 1};

static struct gch_entry *meld(struct gch_entry *a, struct gch_entry *b) {
  if (!a || !b)
    return a ? a : b;
  if (b->when < a->when) {
    struct gch_entry *swap = a;
    a = b;
    b = swap;
  }
  b->prev = a;
  b->next = a->child;
  if (b->next)
    b->next->prev = b;
  a->child = b;
  return a;
}

/* Melds a list of siblings into one heap: in pairs from the left, then the
   pairs from the right. */
static struct gch_entry *meld_siblings(struct gch_entry *first) {
  struct gch_entry *pairs = NULL;
  while (first) {
    struct gch_entry *a = first, *b = a->next;
    first = b ? b->next : NULL;
    a->next = NULL;
    if (b)
      b->next = NULL;
    a = meld(a, b);
    a->next = pairs;
    pairs = a;
  }
  struct gch_entry *heap = NULL;
  while (pairs) {
    struct gch_entry *next = pairs->next;
    pairs->next = NULL;
    heap = meld(heap, pairs);
    pairs = next;
  }
  if (heap)
    heap->prev = NULL;
  return heap;
}

/* Cuts e out from among its siblings. */
static void cut(struct gch_entry *e) {
  if (e->prev->child == e)
    e->prev->child = e->next;
  else
    e->prev->next = e->next;
  if (e->next)
    e->next->prev = e->prev;
}

void gch__queue_lock(void) {
  gch__lock(&queue.lock);
}

void gch__queue_unlock(void) {
  gch__unlock(&queue.lock);
}

bool gch__queue_insert(struct gch_entry *e) {
  e->child = e->next = e->prev = NULL;
  e->epoch = queue.epoch;
  queue.root = meld(queue.root, e);
  if (e->when >= queue.wake_at)
    return false;
  queue.wake_at = e->when;
  return true;
}

bool gch__queue_cancel(struct gch_entry *e) {
  if (e->epoch != queue.epoch)
    return false;
  struct gch_entry *rest = meld_siblings(e->child);
  if (e == queue.root) {
    queue.root = rest;
  } else {
    cut(e);
    queue.root = meld(queue.root, rest);
  }
  e->epoch = 0;
  return true;
}

void gch__queue_start(struct gch_entry *e) {
  gch__queue_lock();
  bool wake = gch__queue_insert(e);
  gch__queue_unlock();
  if (wake)
    gch__service_wake();
}

bool gch__queue_stop(struct gch_entry *e) {
  gch__queue_lock();
  bool queued = gch__queue_cancel(e);
  gch__queue_unlock();
  return queued;
}

int64_t gch__queue_run(struct gch_wakes *k) {
  int64_t now = gch__now();
  gch__queue_lock();
  struct gch_entry *e;
  for (int i = 0; i < BATCH && (e = queue.root) && e->when <= now; i++) {
    gch__queue_cancel(e);
    e->fire(e, now, k);
  }
  int64_t next = queue.root ? queue.root->when : GCH__FOREVER;
  queue.wake_at = next;
  gch__queue_unlock();
  return next;
}

bool gch__queue_is_empty(void) {
  gch__queue_lock();
  bool empty = !queue.root;
  gch__queue_unlock();
  return empty;
}

void gch__queue_reset(void) {
  gch__lock_reset(&queue.lock);
  queue.root = NULL;
  queue.wake_at = GCH__FOREVER;
  queue.epoch = queue.epoch == UINT32_MAX ? 1 : queue.epoch + 1;
}
