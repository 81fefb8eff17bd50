/* SPDX-License-Identifier: BSD-3-Clause */
/* Starting tasks, inside the library. */
#ifndef GCH_GO_SPAWN_H
#define GCH_GO_SPAWN_H

#include <gulch/go.h>

#include <stdbool.h>

/* What a task does: run(a, b, c). It calls the user's function, and keeps the rule
   of park/fork.h. */
typedef void gch__run_fn(void *a, void *b, void *c);

/* 0 or ENOMEM. */
int gch__spawn(gch__run_fn *run, void *a, void *b, void *c);

/* gch_go_with where opts->thread. */
int gch__go_thread(const gch_go_opts *opts, void (*fn)(void *), void *arg);

/* Whether the calling thread was started by that. */
bool gch__in_task_thread(void);

#endif
