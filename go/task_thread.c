/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tasks that have a pthread of their own. The block that hands over the call
 * belongs to the starter until the thread runs, then to the thread, which frees
 * it before it calls fn.
 *
 * Who starts such a thread is its owner: it begins with his signal mask,
 * processors, scheduling policy and floating-point environment, as by
 * pthread_create (park/thread.h).
 *
 * The task is over, and counted so, before any destructor of a thread-local or of
 * a thread-specific value runs.
 */
#include "go/sched.h"
#include "go/spawn.h"
#include "park/thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct start {
  gch__run_fn *run;
  void *fn, *a, *b;
  char name[GCH_TASK_NAME_MAX];
};

static GCH_THREAD_LOCAL bool in_task;

bool gch__in_task_thread(void) {
  return in_task;
}

/* Also where the task calls pthread_exit. */
static void end(void *unused) {
  (void)unused;
  in_task = false;
  gch__count_ended(NULL);
}

static void *thread_main(void *arg) {
  struct start s = *(struct start *)arg;
  free(arg);
  in_task = true;
  if (s.name[0])
    gch__thread_name(s.name);
  pthread_cleanup_push(end, NULL);
  s.run(s.fn, s.a, s.b);
  pthread_cleanup_pop(1);
  return NULL;
}

/* Without a name it has that of who starts it, if that is a thread of the
   program's. */
static void name(struct start *s, const gch_go_opts *opts) {
  const char *from = gch__worker_running ? "gulch-task" : "";
  strncpy(s->name, opts->name ? opts->name : from, sizeof s->name - 1);
}

int gch__spawn_thread(const gch_go_opts *opts, gch__run_fn *run, void *fn,
                      void *a, void *b) {
  int saved = errno;
  struct start *s = calloc(1, sizeof *s);
  size_t stack = opts->stack_size ? opts->stack_size : gch__stack_size();
  bool started = false;
  if (s) {
    s->run = run;
    s->fn = fn;
    s->a = a;
    s->b = b;
    name(s, opts);
    atomic_fetch_add(&gch__sched.started, 1);
    started = gch__thread_start(GCH_THREAD_AS_CALLER, thread_main, s, stack,
                                NULL) == 0;
    if (!started) {
      gch__count_ended(NULL);
      free(s);
    }
  }
  errno = saved;
  return started ? 0 : ENOMEM;
}
