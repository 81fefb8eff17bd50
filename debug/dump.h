/* SPDX-License-Identifier: BSD-3-Clause */
/* The dump, for the folder's own reports. */
#ifndef GCH_DEBUG_DUMP_H
#define GCH_DEBUG_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What a dump has printed. */
struct gch_census {
  size_t plain, contexts, timers; /* channels, by owner */
};

struct gch_task;

/* As gch_dump, out not NULL, but for this task. */
struct gch_census gch__dump(FILE *out, const struct gch_task *but);

/* An operation that was parked on a channel when the dump came by. */
struct gch_op {
  uintptr_t who; /* the task, or GCH_OP_THREAD of a thread's number */
  const void *chan;
  int64_t since;
  uint32_t pos; /* in the select */
  bool sends;
};

#define GCH_OP_THREAD(tid) ((uintptr_t)(tid) << 1 | 1)
#define GCH_OP_PLAIN UINT32_MAX /* no select's */

/* All of them, as far as there was memory; malloc'd. */
struct gch_ops {
  struct gch_op *all;
  size_t n, room;
};

void gch__ops_add(struct gch_ops *ops, struct gch_op op);

/* Prints all tasks but this one; ops is sorted by that. */
void gch__dump_tasks(FILE *out, struct gch_ops *ops,
                     const struct gch_task *but);

/* One line whatever the name. */
void gch__make_printable(char *name);

#endif
