/* SPDX-License-Identifier: BSD-3-Clause */
/* The global lists of free task records and stacks, in batches. */
#ifndef GCH_GO_SLAB_H
#define GCH_GO_SLAB_H

#include "go/stack.h"

static inline struct gch_free *gch__batch_of_one(void *free) {
  struct gch_free *f = (struct gch_free *)free;
  f->next = NULL;
  f->count = 1;
  return f;
}

/* A batch from the list; NULL: no memory. */
struct gch_free *gch__take_tasks(void);
void gch__tasks_over(struct gch_free *batch);

/* A batch from the list, else one stack that is not warm; NULL: all are. */
struct gch_free *gch__take_stacks(void);

void gch__stacks_over(struct gch_free *batch);

/* At each look of the monitor: whether there are more free stacks than are to
   stay warm. */
bool gch__cool_stacks(void);

#endif
