/* SPDX-License-Identifier: BSD-3-Clause */
#include "chan/wakes.h"

#include "chan/waiter.h"

void gch__wakes_add(struct gch_wakes *k, struct gch_waiter *w) {
  if (!w->group->parker.uses_state) {
    gch__task_gather(&k->tasks, w->group->parker.task);
    return;
  }
  w->next = NULL;
  if (k->waiters)
    k->last_waiter->next = w;
  else
    k->waiters = w;
  k->last_waiter = w;
}

void gch__wakes_defer(struct gch_wakes *k, struct gch_deferred *d) {
  d->next = NULL;
  if (k->calls)
    k->last_call->next = d;
  else
    k->calls = d;
  k->last_call = d;
}

void gch__wakes_unpark(struct gch_wakes *k) {
  struct gch_waiter *next;
  gch__tasks_ready(&k->tasks);
  for (struct gch_waiter *w = k->waiters; w; w = next) {
    next = w->next; /* w is gone after its unpark */
    gch__wake(w);
  }
  k->waiters = NULL;
}

void gch__wakes_flush(struct gch_wakes *k) {
  gch__wakes_unpark(k);
  while (k->calls) {
    struct gch_deferred *d = k->calls;
    k->calls = d->next; /* d is gone after its run */
    d->run(d, k);
    gch__wakes_unpark(k);
  }
}
