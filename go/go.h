/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * <gulch/go.h>: Go's go statement.
 *
 *     gch_go(worker, jobs);                          // go worker(jobs)
 *
 * What is started here is a task. In this version each task is a detached
 * pthread with a small stack (256 kB unless gch_go_with says otherwise).
 * Everything before the call is visible in the task. The process ends when
 * main returns, as in Go, whatever tasks are left.
 *
 * Errors: EINVAL (fn is NULL), ENOMEM (no memory, or no thread).
 */
#ifndef GULCH_GO_H
#define GULCH_GO_H

#include <gulch/base.h>

GCH_BEGIN_DECLS

/* go fn(arg) */
GCH_API int gch_go(void (*fn)(void *), void *arg);

/* go fn(copy): fn gets a copy of the size bytes at arg, on its own stack,
   aligned for any type. */
GCH_API int gch_go_copy(void (*fn)(void *), const void *arg, size_t size);

typedef struct gch_go_opts {
  const char
      *name; /* shown by debuggers; copied, cut to 15 bytes; NULL: none */
  size_t stack_size; /* bytes; 0: the default; rounded up to what is possible */
  bool thread;       /* a pthread of its own */
  uintptr_t reserved[4]; /* zero */
} gch_go_opts;

/* opts may be NULL for the defaults. */
GCH_API int gch_go_with(const gch_go_opts *opts, void (*fn)(void *), void *arg);

/* Runs fn(arg) as the main task, the caller waiting; its result. Tasks that
   are left go on. EINVAL: fn is NULL. */
GCH_API int gch_run(int (*fn)(void *), void *arg);

/* runtime.Gosched: lets others run. */
GCH_API void gch_yield(void);

/* runtime.GOMAXPROCS: sets, for n > 0, how many processors tasks may use;
   the previous value. The default is GULCH_MAXPROCS, or the processors that
   the process may use. (Tasks being threads, the kernel schedules them; the
   value is kept, and limits nothing yet.) */
GCH_API int gch_maxprocs(int n);

/* runtime.NumGoroutine, without plain threads: the tasks that have not yet
   returned. */
GCH_API size_t gch_num_tasks(void);

GCH_END_DECLS

#endif
