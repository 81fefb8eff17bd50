/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The main task: that of gch_run, and main itself, which GCH_MAIN makes one.
 *
 * What it is told, and what it tells, is on the stack of the thread that
 * started it and sleeps until it is over; the unpark is the task's last touch
 * of that. In a child that the task forked that thread is not there: the child
 * ends with the task.
 *
 * main_task is set by main's task as its first step, and cleared at its end,
 * that by pthread_exit included.
 */
#include "go/sched.h"
#include "park/fork.h"
#include "park/strict.h"
#include "park/wait.h"

#include <gulch/go.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

struct main_call {
  int (*fn)(void *);
  void *arg;
  int (*body)(int argc, char **argv); /* or this one */
  int argc;
  char **argv;
  int result;
  struct gch_parker parker;
};

static void run(void *fn, void *call, void *unused) {
  struct main_call *m = call;
  (void)fn;
  (void)unused;
  int forks = gch__forks();
  m->result = m->fn(m->arg);
  gch__exit_in_child(forks);
  gch__unpark(&m->parker);
}

int gch_run(int (*fn)(void *), void *arg) {
  struct main_call m = {.fn = fn, .arg = arg};
  if (!fn)
    return gch__go_panics(EINVAL, EINVAL, GCH_NIL_FUNC);
  gch__parker_init(&m.parker, GCH__FOREVER);
  int err = gch__spawn(run, (void *)fn, &m, NULL);
  if (err)
    return err;
  struct gch_wait *wait = gch__wait_begin(GCH_WAIT_RUN, (void *)fn);
  gch__park(&m.parker, GCH__FOREVER);
  gch__wait_end(wait);
  return m.result;
}

/* GCH_MAIN */

static _Atomic(struct gch_task *) main_task;

struct gch_task *gch__main_task(void) {
  struct gch_task *t = atomic_load(&main_task);
  return t && t->generation == gch__sched.generation ? t : NULL;
}

void gch__main_task_over(struct gch_task *t) {
  if (atomic_load(&main_task) == t)
    atomic_store(&main_task, NULL);
}

/* Whoever returns from main calls exit: so does, in a child, the task. */
static void run_body(void *body, void *call, void *unused) {
  struct main_call *m = call;
  (void)body;
  (void)unused;
  int forks = gch__forks();
  atomic_store(&main_task, gch__task_self());
  m->result = m->body(m->argc, m->argv);
  gch__drop_values();
  if (gch__forks() != forks)
    exit(m->result);
  atomic_store(&main_task, NULL);
  gch__unpark(&m->parker);
}

enum { UNLIMITED = 8 * 1024 * 1024 };

/* Bytes of stack: as many as main's own has. */
static size_t stack_size(void) {
  struct rlimit r;
  if (getrlimit(RLIMIT_STACK, &r) != 0 || r.rlim_cur == RLIM_INFINITY)
    return UNLIMITED;
  return r.rlim_cur < SIZE_MAX / 8 ? (size_t)r.rlim_cur : SIZE_MAX / 8;
}

/* A limit may be larger than what can be had. */
static int spawn(struct main_call *m) {
  gch_go_opts opts = {.name = "main", .stack_size = stack_size()};
  int err = gch__spawn_with(&opts, run_body, (void *)m->body, m, NULL);
  if (err && opts.stack_size > UNLIMITED) {
    opts.stack_size = UNLIMITED;
    err = gch__spawn_with(&opts, run_body, (void *)m->body, m, NULL);
  }
  return err;
}

int gch_main(int (*body)(int, char **), int argc, char **argv) {
  struct main_call m = {.body = body, .argc = argc, .argv = argv};
  gch__parker_init(&m.parker, GCH__FOREVER);
  if (!body || spawn(&m) != 0) {
    fputs("fatal error: main can't be started as a task: no memory, or no "
          "thread (RLIMIT_AS, RLIMIT_NPROC, pids.max)\n",
          stderr);
    return EXIT_FAILURE;
  }
  gch__park(&m.parker, GCH__FOREVER);
  return m.result;
}
