/* SPDX-License-Identifier: BSD-3-Clause */
#include "timer/queue.h"

#include "park/clock.h"
#include "park/lock.h"
#include "timer/service.h"

/* Entries fired under one hold of the lock. */
enum { BATCH = 64 };

static struct {
  struct gch_lock lock;
  struct gch_heap heap;
  int64_t wake_at; /* until when the library's thread means to sleep */
  uint32_t epoch;  /* changes with a fork; never 0 */
} queue = {.wake_at = GCH__FOREVER, .epoch = 1};

void gch__queue_lock(void) {
  gch__lock(&queue.lock);
}

void gch__queue_unlock(void) {
  gch__unlock(&queue.lock);
}

bool gch__queue_insert(struct gch_entry *e) {
  gch__heap_add(&queue.heap, e);
  e->epoch = queue.epoch;
  if (e->when >= queue.wake_at)
    return false;
  queue.wake_at = e->when;
  return true;
}

bool gch__queue_cancel(struct gch_entry *e) {
  if (e->epoch != queue.epoch)
    return false;
  gch__heap_remove(&queue.heap, e);
  e->epoch = 0;
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

int64_t gch__queue_run(struct gch_wakes *k) {
  int64_t now = gch__now();
  gch__queue_lock();
  struct gch_entry *e = gch__heap_first(&queue.heap);
  for (int i = 0; i < BATCH && e && e->when <= now; i++) {
    gch__queue_cancel(e);
    e->fire(e, now, k);
    e = gch__heap_first(&queue.heap);
  }
  int64_t next = e ? e->when : GCH__FOREVER;
  queue.wake_at = next;
  gch__queue_unlock();
  return next;
}

bool gch__queue_is_empty(void) {
  gch__queue_lock();
  bool empty = gch__heap_is_empty(&queue.heap);
  gch__queue_unlock();
  return empty;
}

void gch__queue_reset(void) {
  gch__lock_reset(&queue.lock);
  queue.heap.root = NULL;
  queue.heap.young = 0;
  queue.wake_at = GCH__FOREVER;
  queue.epoch = queue.epoch == UINT32_MAX ? 1 : queue.epoch + 1;
}
