/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parker needs to know of tasks. go/ implements it. */
#ifndef GCH_PARK_TASK_H
#define GCH_PARK_TASK_H

#include "park/cpu.h"

#include <stdbool.h>
#include <stdint.h>

struct gch_parker;
struct gch_task;

struct gch_queue_of_tasks {
  struct gch_task *first, *last;
  _Atomic uint32_t count; /* read by others, as a hint */
};

/* The task that the calling thread runs; NULL: none. Whoever looks at it after
   a call that can block, in the same function, needs gch__task_self for it. */
extern GCH_THREAD_LOCAL struct gch_task *gch__task_running;

static inline struct gch_task *gch__task_self(void) {
#if defined(__x86_64__)
  return gch__task_running; /* read through %fs each time */
#else
  struct gch_task *gch__task_self_far(void);
  return gch__task_self_far();
#endif
}

/* The running task stops until it is made ready, which may have happened
   already. Exactly one gch__task_ready belongs to each. */
void gch__task_stop(void);

/* The same, and then what *outcome has come to be: 0, or else what failed(a, b)
   returns. For a caller that does no more than return this: so the task goes on
   without a return to it, which the processor would not foresee. */
int gch__task_stop_for(const int *outcome, int (*failed)(void *a, void *b),
                       void *a, void *b);

/* Has t go on, perhaps in another thread; the last touch of t. */
void gch__task_ready(struct gch_task *t);

/* The same for many. First they are gathered, which is the last touch of each;
   a zeroed queue is empty, and it is so afterwards. */
void gch__task_gather(struct gch_queue_of_tasks *q, struct gch_task *t);
void gch__tasks_ready(struct gch_queue_of_tasks *q);

/* The name of a task that is parked; "" if it has none. */
const char *gch__task_name(const struct gch_task *t);

/* Room in the record of a task that has begun, for the operation that it is
   parked in. Records lie side by side, where stacks lie far apart: who wakes
   many tasks finds them sooner there. When a task begins, the first bytes of it
   are zero. */
enum { GCH_TASK_ROOM_AT = 32, GCH_TASK_ROOM = 96, GCH_TASK_ROOM_ZEROED = 32 };
static inline void *gch__task_room(struct gch_task *t) {
  return (char *)t + GCH_TASK_ROOM_AT;
}

/* gch__park for the running task, where p is told of a deadline: p's state
   decides between an unpark and the deadline. */
int gch__task_park_until(struct gch_parker *p, int64_t deadline);

#endif
