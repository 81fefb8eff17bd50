/* SPDX-License-Identifier: BSD-3-Clause */
#include "chan/gone.h"

#include <inttypes.h>
#include <stdio.h>

/* Kept memory */

enum { KEPT = 256, MAX_BYTES = 65536 };

/* A ring; each exchange takes out what is the oldest by then. Acquire-release:
   who frees it has seen what was done to it. */
static _Atomic(void *) kept[KEPT];
static _Atomic uint32_t next;

void gch__keep_gone(void *memory, size_t chan_at, size_t bytes) {
  gch_chan *c = (gch_chan *)((char *)memory + chan_at);
  if (bytes <= MAX_BYTES) {
    atomic_store_explicit(&c->state, GCH_CLOSED, memory_order_relaxed);
    atomic_store_explicit(&c->len, 0, memory_order_relaxed);
    uint32_t i = atomic_fetch_add_explicit(&next, 1, memory_order_relaxed);
    memory = atomic_exchange_explicit(&kept[i % KEPT], memory,
                                      memory_order_acq_rel);
  }
  free(memory);
}

/* Words */

enum { TEXT = 96 };

static const char *describe(char text[TEXT], const gch_chan *c) {
  if (c->name[0])
    snprintf(text, TEXT, "channel \"%s\"", c->name);
  else if (c->owner == GCH_OWNER_CTX)
    return "the done channel of a context";
  else if (c->owner == GCH_OWNER_TIMER)
    return "the channel of a timer";
  else
    snprintf(text, TEXT, "channel %p", (const void *)c);
  return text;
}

void gch__panic_gone(const gch_chan *c) {
  char text[TEXT];
  gch_panic("gulch: %s was used after its last unref", describe(text, c));
}

/* Who is parked on a channel. */
struct crowd {
  size_t tasks, threads;
  char first[TEXT]; /* who, and in what */
};

static void note_first(struct crowd *k, const struct gch_waiter *w,
                       const char *what) {
  const struct gch_task *task = w->group->parker.task;
  const char *name = task ? gch__task_name(task) : "";
  const char *where = w->pos == GCH_NO_CASE ? "" : " of a select";
  if (w->pos == GCH_WAY_OUT) {
    what = "wait that a context ends";
    where = "";
  }
  if (!task)
    snprintf(k->first, TEXT, "thread %" PRIu32 " is parked in a %s%s",
             w->group->tid, what, where);
  else if (name[0])
    snprintf(k->first, TEXT, "task \"%s\" is parked in a %s%s", name, what,
             where);
  else
    snprintf(k->first, TEXT, "task %p is parked in a %s%s", (const void *)task,
             what, where);
}

static void note(struct crowd *k, const struct gch_queue *q, const char *what) {
  for (const struct gch_waiter *w = gch__queue_first(q); w; w = w->next) {
    if (k->tasks + k->threads == 0)
      note_first(k, w, what);
    if (w->group->parker.task)
      k->tasks++;
    else
      k->threads++;
  }
}

static const char *plural(size_t n) {
  return n == 1 ? "" : "s";
}

/* All that stand in the queues: who is only about to leave would find nothing
   there either. */
void gch__panic_parked(gch_chan *c) {
  struct crowd k = {0, 0, "somebody was parked"};
  char text[TEXT];
  gch__lock(&c->lock);
  const char *name = describe(text, c);
  note(&k, &c->receivers, "receive");
  note(&k, &c->senders, "send");
  gch__unlock(&c->lock);
  if (k.tasks + k.threads <= 1)
    gch_panic("gulch: last unref of %s on which %s", name, k.first);
  gch_panic("gulch: last unref of %s on which %s: %zu task%s and %zu thread%s "
            "are parked there",
            name, k.first, k.tasks, plural(k.tasks), k.threads,
            plural(k.threads));
}
