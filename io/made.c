/* SPDX-License-Identifier: BSD-3-Clause */
/* What stands in the table of a number is whatever was noted last; all are
   relaxed, as a number that was handed on was handed on by more than this. */
#include "io/made.h"

#include "chan/registry.h"
#include "go/sched.h"
#include "io/table.h"

static struct gch_fd_table makers;

void gch__fd_made(int fd) {
  if (!gch__lists_all())
    return;
  const struct gch_task *task = gch__task_self();
  _Atomic(const void *) *at = gch__fd_slot_made(&makers, fd, sizeof *at);
  if (at)
    atomic_store_explicit(at, task ? task->stack->entry : NULL,
                          memory_order_relaxed);
}

const void *gch__fd_maker(int fd) {
  _Atomic(const void *) *at = gch__fd_slot(&makers, fd, sizeof *at);
  return at ? atomic_load_explicit(at, memory_order_relaxed) : NULL;
}
