/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parker needs to know of tasks. go/ implements it. */
#ifndef GCH_PARK_TASK_H
#define GCH_PARK_TASK_H

#include "park/cpu.h"

#include <stdbool.h>
#include <stdint.h>

struct gch_parker;
struct gch_task;

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

/* Has t go on, perhaps in another thread; the last touch of t. */
void gch__task_ready(struct gch_task *t);

/* gch__park for the running task, where p is told of a deadline: p's state
   decides between an unpark and the deadline. */
int gch__task_park_until(struct gch_parker *p, int64_t deadline);

#endif
