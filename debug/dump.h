/* SPDX-License-Identifier: BSD-3-Clause */
/* The dump, for the folder's own reports. */
#ifndef GCH_DEBUG_DUMP_H
#define GCH_DEBUG_DUMP_H

#include "go/sched.h"

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

/* An operation that was parked on a channel, or a descriptor, when the dump
   came by. */
struct gch_op {
  uintptr_t who; /* the task, or GCH_OP_THREAD of a thread's number */
  const void *chan;
  const char *word; /* NULL: chan's; else what it does to, */
  int fd;           /* this */
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

/* One parked operation. */
struct gch_parked {
  int64_t since;
  uint32_t tid, pos;
  bool sends;
  char name[GCH_TASK_NAME_MAX]; /* of the task, */
  const void *task;             /* if it is one */
};

struct gch_waiter;

/* Of w, which is in a queue whose lock is held. */
struct gch_parked gch__parked_of(const struct gch_waiter *w, bool sends);

/* Whether nobody has claimed it, so that it is not on its way out. */
bool gch__is_parked(const struct gch_waiter *w);

/* "task …" or "thread …"; ", 0.123 s" and the end of the line. */
void gch__print_who(FILE *out, const struct gch_parked *p);
void gch__print_since(FILE *out, int64_t since, int64_t now);

/* For gch_op. */
uintptr_t gch__who(const struct gch_parked *p);

/* Prints who waits for descriptors. */
void gch__dump_fds(FILE *out, struct gch_ops *ops);

/* Whether somebody does. */
bool gch__fds_waited_for(void);

/* Prints the adopted descriptors that are open; how many there are. */
size_t gch__list_open_fds(FILE *out);

/* Prints all tasks but this one; ops is sorted by that. */
void gch__dump_tasks(FILE *out, struct gch_ops *ops,
                     const struct gch_task *but);

/* One line whatever the name. */
void gch__make_printable(char *name);

#endif
