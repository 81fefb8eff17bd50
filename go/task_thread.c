/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tasks that have a pthread of their own. The block that hands fn and arg over
 * belongs to the starter until the thread runs, then to the thread, which frees
 * it before it calls fn.
 */
#include "go/sched.h"
#include "go/spawn.h"
#include "park/fork.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct start {
  void (*fn)(void *);
  void *arg;
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
#ifdef __linux__
  if (s.name[0])
    pthread_setname_np(pthread_self(), s.name);
#endif
  pthread_cleanup_push(end, NULL);
  gch__call_task(s.fn, s.arg);
  pthread_cleanup_pop(1);
  return NULL;
}

/* Starts a detached thread. 0 or an error. */
static int start_thread(size_t stack_size, struct start *s) {
  pthread_attr_t attr;
  pthread_t thread;
  size_t page = gch__page();
  if (stack_size < (size_t)PTHREAD_STACK_MIN)
    stack_size = (size_t)PTHREAD_STACK_MIN;
  if (stack_size > SIZE_MAX - page || pthread_attr_init(&attr) != 0)
    return ENOMEM;
  int err =
      pthread_attr_setstacksize(&attr, (stack_size + page - 1) / page * page);
  if (!err)
    err = pthread_attr_setguardsize(&attr, gch__guard_size());
  if (!err)
    err = pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  if (!err)
    err = pthread_create(&thread, &attr, thread_main, s);
  pthread_attr_destroy(&attr);
  return err;
}

int gch__go_thread(const gch_go_opts *opts, void (*fn)(void *), void *arg) {
  int saved = errno;
  struct start *s = calloc(1, sizeof *s);
  bool started = false;
  if (s) {
    s->fn = fn;
    s->arg = arg;
    if (opts->name)
      strncpy(s->name, opts->name, sizeof s->name - 1);
    atomic_fetch_add(&gch__sched.started, 1);
    size_t size = opts->stack_size ? opts->stack_size : gch__stack_size();
    started = start_thread(size, s) == 0;
    if (!started) {
      gch__count_ended(NULL);
      free(s);
    }
  }
  errno = saved;
  return started ? 0 : ENOMEM;
}
