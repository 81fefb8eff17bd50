/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tasks and queues of them. A queue has no lock of its own; its count may be
 * read by anybody, as a hint.
 *
 *     task       who owns it (its struct, its registers)
 *     ready      the queue that it is in; whoever takes it out
 *     runs       its worker
 *     stops      its worker, until running is unlocked; see switch.c
 *     parked     who has undertaken to make it ready
 */
#ifndef GCH_GO_QUEUE_H
#define GCH_GO_QUEUE_H

#include "go/fiber.h"
#include "go/spawn.h"
#include "park/lock.h"
#include "park/task.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

struct gch_call {
  gch__run_fn *run;
  void *a, *b, *c;
};

struct gch_task {
  struct gch_fiber fiber; /* sp is NULL: not begun */
  struct gch_task *next;  /* in a queue */
  struct gch_stack *stack;
  struct gch_lock
      running;            /* held: its registers are in a processor; free, or */
#define GCH_TASK_BLOCKS 2 /* it is to run outside: outside.c */
  uint32_t generation;    /* of the process that it belongs to, or */
#define GCH_NO_GENERATION UINT32_MAX /* it is free */
  alignas(GCH_TASK_ROOM_AT) union {
    struct gch_call call; /* while not begun */
    char room[GCH_TASK_ROOM];
  };
};

_Static_assert(sizeof(struct gch_call) <= GCH_TASK_ROOM_ZEROED &&
                   offsetof(struct gch_task, room) == GCH_TASK_ROOM_AT &&
                   sizeof(struct gch_task) == 128,
               "two cache lines a task, of which one that has not begun "
               "needs the first");

static inline uint32_t gch__count(const struct gch_queue_of_tasks *q) {
  return atomic_load_explicit(&q->count, memory_order_relaxed);
}

static inline void gch__add_count(struct gch_queue_of_tasks *q, uint32_t n) {
  atomic_store_explicit(&q->count, gch__count(q) + n, memory_order_relaxed);
}

static inline void gch__push(struct gch_queue_of_tasks *q, struct gch_task *t) {
  t->next = NULL;
  if (q->first)
    q->last->next = t;
  else
    q->first = t;
  q->last = t;
  gch__add_count(q, 1);
}

static inline struct gch_task *gch__pop(struct gch_queue_of_tasks *q) {
  struct gch_task *t = q->first;
  if (t) {
    q->first = t->next;
    gch__add_count(q, (uint32_t)-1);
  }
  return t;
}

/* Moves the first n of from, or all, behind to. */
void gch__move(struct gch_queue_of_tasks *to, struct gch_queue_of_tasks *from,
               uint32_t n);

/* The first; and asks for the memory that the third goes on in, the end of a
   stack that may not have been touched for long. (The third may just be
   stopping, on another worker: then sp is no more than a hint.) */
static inline struct gch_task *gch__pop_and_warm(struct gch_queue_of_tasks *q) {
  enum { LINE = 64, LINES = 6 };
  struct gch_task *t = gch__pop(q);
  struct gch_task *third = t && t->next ? t->next->next : NULL;
  const char *sp =
      third ? __atomic_load_n(&third->fiber.sp, __ATOMIC_RELAXED) : NULL;
  for (int i = 0; sp && i < LINES; i++)
    __builtin_prefetch(sp + LINE * i);
  return t;
}

#endif
