/* SPDX-License-Identifier: BSD-3-Clause */
#include "timer/queue.h"

#include "park/clock.h"
#include "park/lock.h"
#include "timer/service.h"

/* Entries fired under one hold of the lock; nanoseconds for which what is due
   is due soon: the library's thread looks more often while a worker runs. */
enum { BATCH = 64, SOON = 20000000 };

static struct {
  struct gch_lock lock;
  struct gch_heap heap;
  struct gch_entry *own; /* that for the library's thread alone */
  int64_t wake_at;       /* until when the library's thread means to sleep */
  uint32_t epoch;        /* changes with a fork; never 0 */
} queue = {.wake_at = GCH__FOREVER, .epoch = 1};

_Atomic uint32_t gch__due_hints;
_Atomic int64_t gch__due_at = GCH__FOREVER;

static void set_due_at(int64_t when) {
  atomic_store_explicit(&gch__due_at, when, memory_order_relaxed);
}

static void set_soon(bool soon) {
  uint32_t hints = atomic_load_explicit(&gch__due_hints, memory_order_relaxed);
  if (soon && !(hints & GCH_DUE_SOON))
    atomic_fetch_or(&gch__due_hints, GCH_DUE_SOON);
  else if (!soon && (hints & GCH_DUE_SOON))
    atomic_fetch_and(&gch__due_hints, ~(uint32_t)GCH_DUE_SOON);
}

/* With the lock held: e has come into the heap. (What has left it, and what is
   soon by now, is seen by the next who fires: the library's thread each time
   that the monitor looks. Where that does not look, no worker runs.) */
static inline void hasten(const struct gch_entry *e) {
  if (e->when >= atomic_load_explicit(&gch__due_at, memory_order_relaxed))
    return;
  set_due_at(e->when);
  int64_t recent = gch__recent();
  if (recent != 0 && e->when - recent < SOON)
    set_soon(true);
}

void gch__queue_lock(void) {
  gch__lock(&queue.lock);
}

void gch__queue_unlock(void) {
  gch__unlock(&queue.lock);
}

bool gch__queue_insert(struct gch_entry *e) {
  e->epoch = queue.epoch;
  if (e->own) {
    queue.own = e;
  } else {
    gch__heap_add(&queue.heap, e);
    hasten(e);
  }
  if (e->when >= queue.wake_at)
    return false;
  queue.wake_at = e->when;
  return true;
}

bool gch__queue_cancel(struct gch_entry *e) {
  if (e->epoch != queue.epoch)
    return false;
  e->epoch = 0;
  if (e->own) {
    queue.own = NULL;
    return true;
  }
  gch__heap_remove(&queue.heap, e);
  return true;
}

bool gch__queue_hasten(struct gch_entry *e, int64_t when) {
  gch__queue_lock();
  bool wake = false;
  if (e->epoch != queue.epoch || e->when > when) {
    gch__queue_cancel(e);
    e->when = when;
    wake = gch__queue_insert(e);
  }
  gch__queue_unlock();
  return wake;
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

/* With the lock held: fires what is due of the heap. When the next is. */
static int64_t fire_due(int64_t now, struct gch_wakes *k, bool *fired) {
  struct gch_entry *e = gch__heap_first(&queue.heap);
  for (int i = 0; i < BATCH && e && e->when <= now; i++) {
    gch__queue_cancel(e);
    e->fire(e, now, k);
    *fired = true;
    e = gch__heap_first(&queue.heap);
  }
  int64_t next = e ? e->when : GCH__FOREVER;
  set_due_at(next);
  set_soon(e && next - now < SOON);
  return next;
}

void gch__queue_run(struct gch_wakes *k) {
  bool fired;
  int64_t now = gch__now();
  gch__queue_lock();
  fire_due(now, k, &fired);
  gch__queue_unlock();
}

int64_t gch__queue_serve(struct gch_wakes *k, bool *fired) {
  int64_t now = gch__now();
  *fired = false;
  gch__queue_lock();
  int64_t next = fire_due(now, k, fired);
  struct gch_entry *own = queue.own;
  if (own && own->when <= now) {
    gch__queue_cancel(own);
    own->fire(own, now, k);
  } else if (own && own->when < next) {
    next = own->when;
  }
  queue.wake_at = next;
  gch__queue_unlock();
  return next;
}

bool gch__queue_is_empty(void) {
  gch__queue_lock();
  bool empty = gch__heap_is_empty(&queue.heap) && !queue.own;
  gch__queue_unlock();
  return empty;
}

void gch__queue_reset(void) {
  gch__lock_reset(&queue.lock);
  queue.heap.root = NULL;
  queue.heap.young = 0;
  queue.own = NULL;
  atomic_store(&gch__due_at, GCH__FOREVER);
  atomic_store(&gch__due_hints, 0);
  queue.wake_at = GCH__FOREVER;
  queue.epoch = queue.epoch == UINT32_MAX ? 1 : queue.epoch + 1;
}
