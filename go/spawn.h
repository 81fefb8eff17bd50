/* SPDX-License-Identifier: BSD-3-Clause */
/* Starting tasks, inside the library. */
#ifndef GCH_GO_SPAWN_H
#define GCH_GO_SPAWN_H

#include "go/stack.h"
#include "park/wait.h"

#include <gulch/go.h>

#include <stdbool.h>

#define GCH_NIL_FUNC "go of nil func value"

/* What a task does: run(fn, a, b), where fn is the user's function, by which a
   dump calls the task. It calls that, and keeps the rule of park/fork.h. */
typedef void gch__run_fn(void *fn, void *a, void *b);

/* 0 or ENOMEM. */
int gch__spawn(gch__run_fn *run, void *fn, void *a, void *b);

/* The same for a name and a size of stack; opts may be NULL, and opts->thread
   is not looked at. */
int gch__spawn_with(const gch_go_opts *opts, gch__run_fn *run, void *fn,
                    void *a, void *b);

/* As opts say, thread too. */
int gch__spawn_as(const gch_go_opts *opts, gch__run_fn *run, void *fn, void *a,
                  void *b);

/* run(fn, copy, more) with a copy of the size bytes at arg on the task's stack;
   or, if they fit, run_word(fn, word, more), whose word begins with them. */
int gch__spawn_copy(gch__run_fn *run, gch__run_fn *run_word, void *fn,
                    const void *arg, size_t size, void *more);

/* The task that GCH_MAIN's body runs in; NULL: there is none, in this process.
   Who is not that task must not rely on the answer for long. */
struct gch_task *gch__main_task(void);

/* t is lost with its thread. */
void gch__main_task_over(struct gch_task *t);

/* The same in a thread, as where opts->thread. */
int gch__spawn_thread(const gch_go_opts *opts, gch__run_fn *run, void *fn,
                      void *a, void *b);

/* Whether the calling thread was started by that. */
bool gch__in_task_thread(void);

/* A task that is a thread, for reports. */
struct gch_thread_task {
  uint64_t serial; /* from 1 on */
  uint32_t tid;
  const void *entry;
  char name[GCH_TASK_NAME_MAX];
  struct gch_wait wait;
};

/* The first of them, at most room, whose serial is greater than after: how many
   there are. */
size_t gch__thread_tasks(uint64_t after, struct gch_thread_task *to,
                         size_t room);

/* Around a fork. */
void gch__thread_tasks_lock(void);
void gch__thread_tasks_unlock(void);
void gch__thread_tasks_reset(void);

#endif
