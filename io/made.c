/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A table like that of the records: leaves that are there for good. What stands
 * in it of a number is whatever was noted last; all are relaxed, as a number
 * that was handed on was handed on by more than this.
 */
#include "io/made.h"

#include "chan/registry.h"
#include "go/map.h"
#include "go/sched.h"
#include "io/record.h"

struct leaf {
  _Atomic(const void *) at[GCH_FD_LEAF];
};

static _Atomic(struct leaf *) makers[GCH_FD_TOP];

/* The place of fd, which is a descriptor; NULL: no memory. */
static _Atomic(const void *) *place_of(int fd) {
  _Atomic(struct leaf *) *top = &makers[(unsigned)fd >> GCH_FD_LEAF_LOG2];
  struct leaf *leaf = atomic_load(top);
  if (!leaf) {
    struct leaf *mine = (void *)gch__map(sizeof *mine);
    if (!mine)
      return NULL;
    /* Where another is faster a few pages are lost, none of them touched. */
    if (atomic_compare_exchange_strong(top, &leaf, mine))
      leaf = mine;
  }
  return &leaf->at[(unsigned)fd % GCH_FD_LEAF];
}

void gch__fd_made(int fd) {
  if (!gch__lists_all())
    return;
  const struct gch_task *task = gch__task_self();
  _Atomic(const void *) *place = place_of(fd);
  if (place)
    atomic_store_explicit(place, task ? task->stack->entry : NULL,
                          memory_order_relaxed);
}

const void *gch__fd_maker(int fd) {
  struct leaf *leaf = atomic_load(&makers[(unsigned)fd >> GCH_FD_LEAF_LOG2]);
  return leaf ? atomic_load_explicit(&leaf->at[(unsigned)fd % GCH_FD_LEAF],
                                     memory_order_relaxed)
              : NULL;
}
