/* SPDX-License-Identifier: BSD-3-Clause */
/* Starting tasks. */
#include "go/job.h"
#include "go/sched.h"
#include "go/spawn.h"
#include "park/fork.h"
#include "park/strict.h"

#include <gulch/go.h>

#include <string.h>

/* A record for a task that w starts; NULL: no memory, or no worker. */
static inline struct gch_task *new_task(struct gch_worker *w, gch__run_fn *run,
                                        void *a, void *b, void *c) {
  if (!w && !gch__sched_start())
    return NULL;
  if (atomic_load_explicit(&gch__sched.forked, memory_order_relaxed) &&
      atomic_exchange(&gch__sched.forked, false))
    gch__monitor();
  struct gch_task *t = gch__task_new(w);
  if (!t)
    return NULL;
  t->fiber.sp = NULL;
  t->stack = NULL;
  gch__lock_reset(&t->running);
  t->generation = gch__sched.generation;
  t->call = (struct gch_call){run, a, b, c};
  return t;
}

int gch__spawn(gch__run_fn *run, void *a, void *b, void *c) {
  struct gch_worker *w = gch__worker_running;
  struct gch_task *t = new_task(w, run, a, b, c);
  if (!t)
    return ENOMEM;
  gch__launch(w, t);
  return 0;
}

static void call_fn(void *fn, void *arg, void *unused) {
  (void)unused;
  gch__call_task((void (*)(void *))fn, arg);
}

int gch_go(void (*fn)(void *), void *arg) {
  if (!fn)
    return gch__go_panics(EINVAL, EINVAL, GCH_NIL_FUNC);
  return gch__spawn(call_fn, (void *)fn, arg, NULL);
}

const char *gch__task_name(const struct gch_task *t) {
  return t->stack->name;
}

/* Tasks whose stack is there from the start: for a name, a size, a copy of
   their argument. */

static size_t round_up(size_t size) {
  return (size + 15) / 16 * 16;
}

static struct gch_stack *new_stack(struct gch_worker *w, size_t size) {
  return size > gch__stack_room() ? gch__stack_map(size) : gch__stack_new(w);
}

static int spawn_sized(const gch_go_opts *opts, gch__run_fn *run, void *fn,
                       const void *copy, size_t size, void *arg, void *more) {
  enum { MIN = 8 * 1024 };
  size_t room =
      opts && opts->stack_size ? opts->stack_size : gch__stack_size() / 2;
  struct gch_worker *w = gch__worker_running;
  if (room < MIN)
    room = MIN;
  if (size > SIZE_MAX / 4 || room > SIZE_MAX / 4)
    return ENOMEM;
  struct gch_task *t = new_task(w, run, fn, arg, more);
  if (!t)
    return ENOMEM;
  if (!(t->stack = new_stack(w, room + round_up(size)))) {
    gch__task_free(w, t, NULL);
    return ENOMEM;
  }
  if (copy) {
    t->stack->argument = round_up(size);
    t->call.b = memcpy(gch__stack_high(t->stack), copy, size);
  }
  if (opts && opts->name)
    strncpy(t->stack->name, opts->name, sizeof t->stack->name - 1);
  gch__launch(w, t);
  return 0;
}

int gch__spawn_with(const gch_go_opts *opts, gch__run_fn *run, void *fn,
                    void *a, void *b) {
  return opts && (opts->name || opts->stack_size)
             ? spawn_sized(opts, run, fn, NULL, 0, a, b)
             : gch__spawn(run, fn, a, b);
}

int gch__spawn_as(const gch_go_opts *opts, gch__run_fn *run, void *fn, void *a,
                  void *b) {
  return opts && opts->thread ? gch__spawn_thread(opts, run, fn, a, b)
                              : gch__spawn_with(opts, run, fn, a, b);
}

int gch__spawn_copy(gch__run_fn *run, gch__run_fn *run_word, void *fn,
                    const void *arg, size_t size, void *more) {
  void *word = NULL;
  if (size > sizeof word)
    return spawn_sized(NULL, run, fn, arg, size, NULL, more);
  if (size > 0)
    memcpy(&word, arg, size);
  return gch__spawn(run_word, fn, word, more);
}

/* Two words travel in the record. */
static void call_with_words(void *fn, void *a, void *b) {
  _Alignas(max_align_t) void *copy[2] = {a, b};
  gch__call_task((void (*)(void *))fn, copy);
}

int gch_go_copy(void (*fn)(void *), const void *arg, size_t size) {
  void *words[2] = {NULL, NULL};
  if (!fn)
    return gch__go_panics(EINVAL, EINVAL, GCH_NIL_FUNC);
  if (!arg && size > 0)
    return EINVAL;
  if (size > sizeof words)
    return spawn_sized(NULL, call_fn, (void *)fn, arg, size, NULL, NULL);
  if (size > 0)
    memcpy(words, arg, size);
  return gch__spawn(call_with_words, (void *)fn, words[0], words[1]);
}

int gch_go_with(const gch_go_opts *opts, void (*fn)(void *), void *arg) {
  if (!fn)
    return gch__go_panics(EINVAL, EINVAL, GCH_NIL_FUNC);
  return gch__spawn_as(opts, call_fn, (void *)fn, arg, NULL);
}

static void run_job(void *fn, void *job, void *unused) {
  struct gch_job *j = job;
  (void)fn;
  (void)unused;
  j->run(j);
}

/* The signal mask of workers is the caller's, not the library's own
   thread's. */
void gch__job_expect(void) {
  gch__threads_expect();
}

int gch__job_prepare(void) {
  gch__job_expect();
  return gch__service_start();
}

void gch__job_start(struct gch_job *job) {
  void *fn = job->user_fn ? (void *)job->user_fn : (void *)job->run;
  if (gch__spawn(run_job, fn, job, NULL) != 0)
    gch__service_run(job);
}
