/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From one task to the next.
 *
 * A task that stops takes the next one from its worker's proc and switches
 * straight to it; where there is none it switches to the worker's native stack,
 * which looks for work (sched.c). Whoever runs after the switch settles for the
 * one who left: its registers are saved now, so running is unlocked.
 *
 * A task may be made ready as soon as others can find it in a queue of waiters,
 * before it has stopped. Then its own worker may take it as the next, and it
 * just goes on; or another worker takes it, who must wait for running to be
 * unlocked (a few nanoseconds, while the task is on its way into the switch).
 * He waits on his native stack: two who waited for each other's task, each
 * still in the task that the other has taken, would wait for ever. He spins no
 * longer than on any lock, then sleeps: the other may have lost its processor,
 * and to him.
 *
 *     running     written by
 *     HELD        who is about to switch to the task, which is his
 *     FREE        who runs after the switch from it (release, for the acquire
 *                 in gch__run: the registers are in memory)
 *     BLOCKS      the same; and the task is to run without a proc (outside.c),
 *                 which is for the native stack to arrange
 *
 * A task that is over leaves its record and stack to who settles; only the
 * stack may be used at once again, by the next task if that has not begun:
 * then there is no switch at all.
 *
 * Each way out of a task is here twice: plain, and in full, with what C++ and
 * the sanitizers need (extras.h).
 */
#include "go/extras.h"
#include "go/sanitizer.h"
#include "go/sched.h"
#include "park/poll.h"
#include "timer/queue.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#define ALWAYS_INLINE __attribute__((always_inline)) static inline

enum { LOOK_AT_SHARED = 61 }; /* tasks taken between two looks at that */

GCH_THREAD_LOCAL struct gch_task *gch__task_running;
GCH_THREAD_LOCAL struct gch_worker *gch__worker_running;

GCH_NOIPA struct gch_worker *gch__worker_self(void) {
  return gch__worker_running;
}

#if !defined(__x86_64__)
struct gch_task *gch__task_self_far(void);
GCH_NOIPA struct gch_task *gch__task_self_far(void) {
  return gch__task_running;
}
#endif

/* Frees what a task that is over had. */
__attribute__((noinline)) static void bury(struct gch_worker *w,
                                           struct gch_task *t) {
  gch__sanitizer_stack_unused(t->stack);
  gch__task_free(w, t, t->stack);
}

__attribute__((noinline)) static void settle_slowly(struct gch_worker *w,
                                                    struct gch_task *left) {
  bool is_over = w->left_how == GCH_OVER;
  w->left_how = GCH_STOPPED;
  if (is_over)
    bury(w, left);
  else
    gch__unlock_as(&left->running, GCH_TASK_BLOCKS);
}

static inline void settle(struct gch_worker *w) {
  struct gch_task *left = w->left;
  if (!left)
    return;
  if (__builtin_expect(w->left_how != GCH_STOPPED, false))
    settle_slowly(w, left);
  else
    gch__unlock(&left->running);
}

/* w has taken many tasks from its own queue: one from the shared one, if there
   is any. The caller has entered p, which is left. */
__attribute__((noinline)) static struct gch_task *
look_at_shared(struct gch_worker *w, struct gch_proc *p) {
  struct gch_task *t = NULL;
  p->look_tick = gch__tick(p) + LOOK_AT_SHARED;
  bool look = gch__count(&gch__sched.shared) > 0 && !gch__retired(p);
  if (!look && !gch__retired(p))
    t = gch__take_next(p);
  gch__leave(w);
  if (gch__fds_expected())
    gch__poll_look();
  return look ? gch__take_shared(w) : t;
}

ALWAYS_INLINE struct gch_task *next_of(struct gch_worker *w, struct gch_proc *p,
                                       bool plain) {
  uint32_t hints = atomic_load_explicit(&gch__due_hints, memory_order_relaxed);
  if (__builtin_expect(hints != 0, false) && gch__is_due(w)) {
    gch__leave(w);
    return NULL;
  }
  if ((int32_t)(gch__tick(p) - p->look_tick) >= 0)
    return look_at_shared(w, p);
  struct gch_task *t = gch__take_next(p);
  if (plain)
    gch__leave_at_once(w);
  else
    gch__leave(w);
  return t;
}

__attribute__((noinline)) static struct gch_task *
next_task_slowly(struct gch_worker *w, bool over) {
  struct gch_proc *p = gch__enter(w);
  if (p)
    return next_of(w, p, false);
  gch__leave(w);
  gch__stop_outside(w, over);
  return NULL;
}

/* What w is to run next; NULL: look further, from the native stack. The running
   task stops, or is over. */
ALWAYS_INLINE struct gch_task *next_task(struct gch_worker *w, bool over,
                                         bool plain) {
  struct gch_proc *p = plain ? gch__enter_asymmetric(w) : gch__enter_at_once(w);
  if (over && p)
    gch__count_up(&p->ended);
  else if (over)
    gch__count_ended(w);
  return p ? next_of(w, p, plain) : next_task_slowly(w, over);
}

static void task_main(void *passed);

/* To a task that has not begun. False: it can't have a stack now. */
__attribute__((noinline)) static bool give_stack(struct gch_worker *w,
                                                 struct gch_task *t) {
  if (!t->stack && !(t->stack = gch__stack_new(w)))
    return false;
  char *low = gch__stack_low(t->stack);
  gch__sanitizer_stack_used(t->stack);
  gch__fiber_make(&t->fiber, low, (size_t)(gch__stack_high(t->stack) - low),
                  task_main);
  return true;
}

/* t is the caller's to switch to: nobody else locks that. */
static inline void set_running(struct gch_task *t) {
  atomic_store_explicit(&t->running.word, GCH_LOCK_HELD, memory_order_relaxed);
}

static inline bool has_stopped(struct gch_task *t) {
  /* Acquire pairs with the release in settle. */
  return atomic_load_explicit(&t->running.word, memory_order_acquire) ==
         GCH_LOCK_FREE;
}

static inline bool blocks(struct gch_task *t) {
  if (!t->fiber.sp)
    return gch__begins_outside(t);
  return atomic_load_explicit(&t->running.word, memory_order_acquire) ==
         GCH_TASK_BLOCKS;
}

/* Makes t, which is to run on w, ready for the switch, if it can be at once. */
static inline bool prepare(struct gch_worker *w, struct gch_task *t) {
  if (!t->fiber.sp ? gch__begins_outside(t) || !give_stack(w, t)
                   : !has_stopped(t))
    return false;
  set_running(t);
  return true;
}

/* The same for a task to follow the running one: what can't run at once is
   queued again, or left to the native stack, and NULL returned. */
static inline struct gch_task *prepare_next(struct gch_worker *w,
                                            struct gch_task *t) {
  if (!t || prepare(w, t))
    return t;
  if (blocks(t))
    w->taken = t;
  else
    gch__submit_quietly(t);
  return NULL;
}

/* The stack mine is left for that of the task to, or w's native one. Returns
   the worker that comes back to it. */
ALWAYS_INLINE struct gch_worker *switch_to(struct gch_worker *w,
                                           struct gch_fiber *from,
                                           struct gch_sanitizer_stack *mine,
                                           struct gch_task *to, bool plain) {
  struct gch_fiber *fiber = to ? &to->fiber : &w->native;
  w->task = gch__task_running = to;
  if (!plain)
    gch__sanitizer_leave(mine, to ? &to->stack->sanitizer : &w->sanitizer);
  w = gch__fiber_switch(from, fiber, w);
  if (!plain)
    gch__sanitizer_arrive(mine);
  settle(w);
  return w;
}

/* Only from a native stack: who still stands on the stack of a task may himself
   be awaited. */
void gch__run(struct gch_worker *w, struct gch_task *t) {
  gch__begin_turn(w);
  w->outside = false;
  gch__forget_block(w);
  bool is_new = !t->fiber.sp, begins_outside = is_new && blocks(t);
  if (!is_new) {
    gch__lock_await(&t->running);
  } else if (!give_stack(w, t)) {
    gch__submit_shared(t);
    return;
  }
  if (is_new ? begins_outside : blocks(t))
    gch__go_outside(w, t->stack, is_new);
  set_running(t);
  w->left = NULL;
  switch_to(w, &w->native, &w->sanitizer, t, gch__plain);
}

/* The running task, self, makes way for next, if that can run at once. */
ALWAYS_INLINE struct gch_worker *make_way(struct gch_worker *w,
                                          struct gch_task *self,
                                          struct gch_task *next, bool plain) {
  next = prepare_next(w, next);
  w->left = self;
  return switch_to(w, &self->fiber, &self->stack->sanitizer, next, plain);
}

__attribute__((noinline)) static void stop_in_full(struct gch_worker *w) {
  struct gch_task *self = w->task;
  struct gch_exceptions mine;
  int saved = *w->errno_at;
  GCH_DELAY();
  struct gch_task *next = next_task(w, false, false);
  if (next != self) {
    gch__exceptions_leave(&mine);
    w = make_way(w, self, next, false);
    gch__exceptions_arrive(&mine);
  }
  *w->errno_at = saved;
}

/* errno_at, since compilers remember where errno was. */
static inline void stop(void) {
  struct gch_worker *w = gch__worker_running;
  if (__builtin_expect(!gch__plain, false)) {
    stop_in_full(w);
    return;
  }
  struct gch_task *self = w->task;
  int saved = *w->errno_at;
  GCH_DELAY();
  struct gch_task *next = next_task(w, false, true);
  if (next != self)
    w = make_way(w, self, next, true);
  *w->errno_at = saved;
}

void gch__task_stop(void) {
  stop();
}

/* gch__task_stop_for; on x86-64 that calls it (stop_x86_64.S). */
#ifndef GCH_FIBER_X86_64
#define gch__task_stop_then gch__task_stop_for
#endif
int gch__task_stop_then(const int *outcome, int (*failed)(void *a, void *b),
                        void *a, void *b);

int gch__task_stop_then(const int *outcome, int (*failed)(void *a, void *b),
                        void *a, void *b) {
  stop();
  return *outcome == 0 ? 0 : failed(a, b);
}

void gch_yield(void) {
  struct gch_task *self = gch__task_self();
  if (!self) {
    sched_yield();
    return;
  }
  gch__submit_quietly(self);
  gch__task_stop();
}

/* Apart, since compilers remember where a thread-local was, from before the
   task went to another thread. */
GCH_NOIPA static void set_task(struct gch_worker *w, struct gch_task *t) {
  w->task = gch__task_running = t;
}

/* Has next, which has not begun, go on here. */
static inline struct gch_worker *
take_over(struct gch_worker *w, struct gch_task *self, struct gch_task *next) {
  next->stack = self->stack;
  next->stack->name[0] = '\0';
  next->stack->argument = 0; /* room that is lost until the stack is free */
  next->stack->values = NULL;
  next->fiber.sp = next->stack; /* it has begun */
  set_running(next);
  set_task(w, next);
  gch__record_free(w, self);
  return w;
}

/* The task is over: the next one. Without sanitizers, which want to know one
   stack from the other, a task that has not begun goes on here. */
ALWAYS_INLINE struct gch_worker *end_by(struct gch_worker *w, bool plain) {
  struct gch_task *self = w->task;
  struct gch_task *next = next_task(w, true, plain);
  if (next && !next->fiber.sp && !next->stack && !self->stack->special &&
      !gch__begins_outside(next) && (plain || !gch__sanitized()))
    return take_over(w, self, next);
  next = prepare_next(w, next);
  w->left = self;
  w->left_how = GCH_OVER;
  set_task(w, next);
  if (!plain)
    gch__sanitizer_leave(NULL, next ? &next->stack->sanitizer : &w->sanitizer);
  gch__fiber_jump(next ? &next->fiber : &w->native, w);
}

__attribute__((noinline)) static struct gch_worker *
end_in_full(struct gch_worker *w) {
  struct gch_exceptions none;
  gch__exceptions_leave(&none);
  return end_by(w, false);
}

static struct gch_worker *end_task(struct gch_worker *w) {
  return gch__plain ? end_by(w, true) : end_in_full(w);
}

struct gch_task *gch__task_lost(struct gch_worker *w) {
  struct gch_task *t = w->task;
  w->task = gch__task_running = NULL;
  if (!t)
    return NULL;
  gch__sanitizer_leave(NULL, &w->sanitizer);
  gch__sanitizer_arrive(&w->sanitizer);
  gch__sanitizer_frames_left(&w->sanitizer);
  gch__main_task_over(t);
  gch__values_to_thread(t);
  gch__count_ended(w);
  return t;
}

void gch__task_bury(struct gch_worker *w, struct gch_task *t) {
  bury(w, t);
}

static void call(struct gch_worker *w) {
  struct gch_call c = w->task->call;
  w->task->stack->entry = c.a;
  atomic_store_explicit(&w->entry, c.a, memory_order_relaxed);
  memset(w->task->room, 0, GCH_TASK_ROOM_ZEROED);
  *w->errno_at = 0;
  c.run(c.a, c.b, c.c);
}

/* The bottom of every task's stack. */
static void task_main(void *passed) {
  struct gch_worker *w = passed;
  if (!gch__plain)
    gch__sanitizer_arrive(&w->task->stack->sanitizer);
  settle(w);
  for (;;) {
    call(w);
    w = end_task(gch__worker_self());
  }
}
