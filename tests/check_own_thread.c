/* SPDX-License-Identifier: BSD-3-Clause */
/* The library's own thread runs no user code: what a deadline or a signal sets
   off there may block, and timers, deadlines and signals go on. */
#include "own_ctx.h"
#include "ctx_facts.h"
#include "tasks.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define MS GCH_MILLISECOND

static const gch_ctx *bg(void) {
  return gch_ctx_background();
}

/* User code that is in the midst of it from `entered` to `leave`. */
static gch_chan *entered, *leave;

static void gates_make(void) {
  entered = gch_make(0, 0);
  leave = gch_make(0, 0);
}

static void gates_free(void) {
  await_no_tasks();
  gch_unref(entered);
  gch_unref(leave);
}

static void block(void) {
  gch_send(entered, NULL);
  gch_recv(leave, NULL);
}

static void expect_in_time(gch_chan *c) {
  ck_assert_int_ne(gch_recv_until(c, NULL, gch_now() + 20 * GCH_SECOND),
                   ETIMEDOUT);
}

/* Timers, deadlines and signals come. */
static void expect_all_goes_on(void) {
  const int sig = SIGUSR2;
  gch_chan *after = gch_after(MS);
  gch_ctx *timed = gch_ctx_with_timeout(bg(), MS);
  gch_ctx *told = gch_signal_notify_ctx(bg(), &sig, 1);
  kill(getpid(), sig);
  expect_in_time(after);
  expect_in_time(gch_ctx_done(timed));
  expect_in_time(gch_ctx_done(told));
  gch_ctx_end(told);
  gch_ctx_end(timed);
  gch_unref(after);
}

/* A custom context whose done is an inner context's. Its err blocks, when it is
   first asked, if that is after the context was armed. */

enum { FRESH, ARMED, ASKED };

struct outer {
  gch_ctx *inner, *child;
  atomic_int state;
};

static gch_chan *inner_done(void *self, const gch_ctx *parent) {
  (void)parent;
  return gch_ctx_done(((struct outer *)self)->inner);
}

static int slow_err(void *self, const gch_ctx *parent) {
  struct outer *o = self;
  (void)parent;
  if (atomic_exchange(&o->state, ASKED) == ARMED)
    block();
  return gch_ctx_err(o->inner);
}

static const gch_ctx_ops outer_ops = {.done = inner_done, .err = slow_err};

static void outer_init(struct outer *o, gch_ctx *inner) {
  *o = (struct outer){.inner = inner};
  const gch_ctx *outer = gch_ctx_custom(bg(), &outer_ops, o);
  o->child = gch_ctx_with_cancel(outer);
  gch_ctx_unref(outer);
}

/* False: err was asked before. */
static bool arm(struct outer *o) {
  int fresh = FRESH;
  return atomic_compare_exchange_strong(&o->state, &fresh, ARMED);
}

static void expect_ended(struct outer *o, int err) {
  expect_in_time(gch_ctx_done(o->child));
  ck_assert_int_eq(gch_ctx_err(o->child), err);
  gch_ctx_end(o->child);
}

START_TEST(a_custom_err_that_a_deadline_asks_holds_up_nobody) {
  struct outer o;
  gates_make();
  for (int64_t ns = 5 * MS;; ns *= 4) {
    outer_init(&o, gch_ctx_with_timeout(bg(), ns));
    if (arm(&o))
      break;
    gch_ctx_end(o.child);
    gch_ctx_end(o.inner);
  }
  expect_in_time(entered);
  expect_all_goes_on();
  gch_send(leave, NULL);
  expect_ended(&o, ETIMEDOUT);
  gch_ctx_end(o.inner);
  gates_free();
}
END_TEST

static gch_ctx *listening(void) {
  const int sig = SIGUSR1;
  return gch_signal_notify_ctx(bg(), &sig, 1);
}

START_TEST(a_custom_err_that_a_signal_asks_holds_up_nobody) {
  struct outer o;
  gates_make();
  outer_init(&o, listening());
  arm(&o);
  kill(getpid(), SIGUSR1);
  expect_in_time(entered);
  expect_all_goes_on();
  gch_send(leave, NULL);
  expect_ended(&o, ECANCELED);
  gch_ctx_end(o.inner);
  gates_free();
}
END_TEST

START_TEST(one_err_does_not_hold_up_another) {
  struct outer o[2];
  gch_ctx *inner = listening();
  gates_make();
  for (int i = 0; i < 2; i++) {
    outer_init(&o[i], inner);
    arm(&o[i]);
  }
  kill(getpid(), SIGUSR1);
  expect_in_time(entered);
  expect_in_time(entered);
  for (int i = 0; i < 2; i++)
    gch_send(leave, NULL);
  for (int i = 0; i < 2; i++)
    expect_ended(&o[i], ECANCELED);
  gch_ctx_end(inner);
  gates_free();
}
END_TEST

/* The promise that stays: who cancels the inner context by a call finds the
   outer's children done. */
START_TEST(after_a_cancel_by_a_call_all_behind_it_are_done) {
  gch_ctx *inner = gch_ctx_with_timeout(bg(), GCH_HOUR);
  struct outer o;
  outer_init(&o, inner);
  gch_ctx_cancel(inner);
  expect_done(o.child, ECANCELED, ECANCELED);
  gch_ctx_end(o.child);
  gch_ctx_end(inner);
}
END_TEST

/* Last references. Three deadlines come together: the first wakes a thread, the
   second keeps the library busy meanwhile, the third's context loses its last
   reference but the library's own. */

static void unref_victim_after(void *arg) {
  gch_ctx **pair = arg;
  gch_recv(gch_ctx_done(pair[0]), NULL);
  gch_ctx_unref(pair[1]);
}

/* In most tries, not all: what is above goes by the library's own reference. */
static void lose_last_reference(const gch_ctx *above) {
  enum { CROWD = 20000 };
  int n = scaled(CROWD);
  int64_t due = gch_now() + 300 * MS;
  gch_ctx *first = gch_ctx_with_deadline(bg(), due);
  gch_ctx *busy = gch_ctx_with_deadline(bg(), due + 1);
  gch_ctx *victim = gch_ctx_with_deadline(above, due + 2);
  gch_ctx **crowd = calloc((size_t)n, sizeof *crowd);
  gch_ctx_unref(above);
  for (int i = 0; i < n; i++)
    gch_ctx_done(crowd[i] = gch_ctx_with_cancel(busy));
  test_thread *t =
      thread_start_as(false, unref_victim_after, (gch_ctx *[]){first, victim});
  thread_join(t);
  for (int i = 0; i < n; i++)
    gch_ctx_end(crowd[i]);
  free(crowd);
  gch_ctx_end(busy);
  gch_ctx_end(first);
}

static void drop_slowly(void *unused) {
  (void)unused;
  block();
}

static void lose(void *above) {
  lose_last_reference(above);
}

static void expect_no_delay_by_drop(const gch_ctx *above) {
  test_thread *t = thread_start(lose, (void *)(uintptr_t)above);
  expect_in_time(entered);
  expect_all_goes_on();
  gch_send(leave, NULL);
  thread_join(t);
}

START_TEST(a_values_drop_holds_up_nobody) {
  int key, value;
  gates_make();
  expect_no_delay_by_drop(
      gch_ctx_with_value_drop(bg(), &key, &value, drop_slowly));
  gates_free();
}
END_TEST

static const gch_ctx_ops only_drop = {.drop = drop_slowly};

START_TEST(a_customs_drop_holds_up_nobody) {
  gates_make();
  expect_no_delay_by_drop(gch_ctx_custom(bg(), &only_drop, NULL));
  gates_free();
}
END_TEST

static const gch_ctx_ops own_ops = {.done = own_done, .err = own_err};

START_TEST(a_channels_drop_holds_up_nobody) {
  struct own o = {.done = gch_make(1, 1)};
  gates_make();
  gch_set_drop(o.done, drop_slowly);
  gch_send(o.done, "");
  const gch_ctx *above = gch_ctx_custom(bg(), &own_ops, &o);
  gch_ctx_unref(gch_ctx_with_cancel(above)); /* now it holds the channel */
  gch_unref(o.done);
  expect_no_delay_by_drop(above);
  gates_free();
}
END_TEST

/* What a drop may do */

static gch_ctx *other;
static gch_mutex mutex = GCH_MUTEX_INIT;

static void end_other(void *unused) {
  (void)unused;
  gch_mutex_lock(&mutex);
  gch_ctx_end(other);
  gch_mutex_unlock(&mutex);
  gch_send(entered, NULL);
}

START_TEST(a_drop_may_lock_and_end_other_contexts) {
  int key, value;
  gates_make();
  other = gch_ctx_with_timeout(bg(), GCH_HOUR);
  gch_chan *done = gch_ref(gch_ctx_done(other));
  gch_mutex_lock(&mutex);
  const gch_ctx *above = gch_ctx_with_value_drop(bg(), &key, &value, end_other);
  test_thread *t = thread_start(lose, (void *)(uintptr_t)above);
  gch_sleep(310 * MS); /* with the mutex: the deadlines come meanwhile */
  expect_all_goes_on();
  gch_mutex_unlock(&mutex);
  expect_in_time(entered);
  ck_assert(is_closed(done));
  thread_join(t);
  gch_unref(done);
  gates_free();
}
END_TEST

static gch_after_func *handle;
static gch_chan *handles; /* of gch_after_func * */

static void stop_handle(void *unused) {
  gch_after_func *a;
  (void)unused;
  gch_recv(handles, &a);
  gch_after_func_stop(a);
}

START_TEST(an_after_func_may_give_the_last_reference_back) {
  int key, value;
  gates_make();
  handles = gch_make_of(gch_after_func *, 0);
  const gch_ctx *above =
      gch_ctx_with_value_drop(bg(), &key, &value, drop_slowly);
  gch_ctx *ctx = gch_ctx_with_timeout(above, 5 * MS);
  handle = gch_ctx_after_func(ctx, stop_handle, NULL);
  gch_ctx_unref(above);
  gch_ctx_unref(ctx);
  gch_send(handles, &handle);
  expect_in_time(entered);
  expect_all_goes_on();
  gch_send(leave, NULL);
  gates_free();
  gch_unref(handles);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("own_thread");
  TCase *t = test_case(s, "err");
  tcase_add_test(t, a_custom_err_that_a_deadline_asks_holds_up_nobody);
  tcase_add_test(t, a_custom_err_that_a_signal_asks_holds_up_nobody);
  tcase_add_test(t, one_err_does_not_hold_up_another);
  tcase_add_test(t, after_a_cancel_by_a_call_all_behind_it_are_done);
  t = test_case(s, "drop");
  tcase_add_test(t, a_values_drop_holds_up_nobody);
  tcase_add_test(t, a_customs_drop_holds_up_nobody);
  tcase_add_test(t, a_channels_drop_holds_up_nobody);
  tcase_add_test(t, a_drop_may_lock_and_end_other_contexts);
  tcase_add_test(t, an_after_func_may_give_the_last_reference_back);
  return s;
}
