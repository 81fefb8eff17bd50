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
 * The task is over, and counted so, before any destructor of a thread-local or
 * of a thread-specific value runs.
 */
#include "go/sched.h"
#include "go/spawn.h"
#include "park/thread.h"
#include "park/thread_id.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct start {
  gch__run_fn *run;
  void *fn, *a, *b;
  char name[GCH_TASK_NAME_MAX];
};

/* Such a task, on its thread's stack, while it is not over: for reports, listed
   in the order in which they began, under the lock. */
struct listed {
  struct gch_thread_task task;
  struct listed *next, **link;
};

static struct {
  struct gch_lock lock;
  struct listed *first, **end; /* NULL: &first */
  uint64_t serial;
} list;

static GCH_THREAD_LOCAL struct listed *self;

bool gch__in_task_thread(void) {
  return self != NULL;
}

struct gch_wait *gch__wait_place(void) {
  struct gch_task *t = gch__task_self();
  if (t)
    return &t->stack->wait;
  return self ? &self->task.wait : NULL;
}

static void begin(struct listed *l) {
  gch__lock(&list.lock);
  l->task.serial = ++list.serial;
  l->link = list.end ? list.end : &list.first;
  *l->link = l;
  list.end = &l->next;
  gch__unlock(&list.lock);
  self = l;
}

/* Also where the task calls pthread_exit. */
static void end(void *listed) {
  struct listed *l = listed;
  self = NULL;
  gch__lock(&list.lock);
  *l->link = l->next;
  if (l->next)
    l->next->link = l->link;
  else
    list.end = l->link;
  gch__unlock(&list.lock);
  gch__count_ended(NULL);
}

/* What it waits for changes meanwhile. */
static void copy(struct gch_thread_task *to, struct gch_thread_task *t) {
  *to = (struct gch_thread_task){
      .serial = t->serial, .tid = t->tid, .entry = t->entry};
  memcpy(to->name, t->name, sizeof to->name);
  gch__wait_read(&to->wait, &t->wait);
}

size_t gch__thread_tasks(uint64_t after, struct gch_thread_task *to,
                         size_t room) {
  size_t n = 0;
  gch__lock(&list.lock);
  for (struct listed *l = list.first; l && n < room; l = l->next)
    if (l->task.serial > after)
      copy(&to[n++], &l->task);
  gch__unlock(&list.lock);
  return n;
}

void gch__thread_tasks_lock(void) {
  gch__lock(&list.lock);
}

void gch__thread_tasks_unlock(void) {
  gch__unlock(&list.lock);
}

/* Of those that there were only the caller may be left. */
void gch__thread_tasks_reset(void) {
  gch__lock_reset(&list.lock);
  list.first = NULL;
  list.end = NULL;
  if (!self)
    return;
  self->next = NULL;
  self->link = &list.first;
  self->task.tid = gch__thread_id();
  list.first = self;
  list.end = &self->next;
}

static void *thread_main(void *arg) {
  struct start s = *(struct start *)arg;
  free(arg);
  struct listed l = {.task = {.entry = (void *)s.fn, .tid = gch__thread_id()}};
  memcpy(l.task.name, s.name, sizeof l.task.name);
  begin(&l);
  if (s.name[0])
    gch__thread_name(s.name);
  pthread_cleanup_push(end, &l);
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
    started = gch__thread_start(GCH_THREAD_AS_CALLER, thread_main, s,
                                stack) == 0;
    if (!started) {
      gch__count_ended(NULL);
      free(s);
    }
  }
  errno = saved;
  return started ? 0 : ENOMEM;
}
