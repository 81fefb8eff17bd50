/* SPDX-License-Identifier: BSD-3-Clause */
/* Functions that run when a context is done. */
#include "after_facts.h"

#include <pthread.h>

static void close_it(void *c) {
  gch_close(c);
}

/* When fn runs */

START_TEST(fn_runs_once_when_the_context_is_cancelled) {
  gch_ctx *ctx = new_ctx();
  reset_runs();
  gch_after_func *a = gch_ctx_after_func(ctx, count, NULL);
  ck_assert_int_eq(runs, 0);
  gch_ctx_cancel(ctx);
  await_count(&runs, 1);
  gch_ctx_cancel(ctx);
  ck_assert(!gch_after_func_stop(a));
  gch_ctx_unref(ctx);
  await_no_tasks();
  ck_assert_int_eq(runs, 1);
}
END_TEST

START_TEST(fn_runs_at_once_if_the_context_is_done) {
  gch_ctx *ctx = new_ctx();
  gch_chan *c = gch_make(0, 0);
  gch_ctx_cancel(ctx);
  gch_after_func *a = gch_ctx_after_func(ctx, close_it, c);
  gch_recv(c, NULL);
  ck_assert(!gch_after_func_stop(a));
  gch_ctx_unref(ctx);
  await_no_tasks();
  gch_unref(c);
}
END_TEST

START_TEST(fn_runs_when_a_deadline_passes) {
  gch_ctx *ctx = gch_ctx_with_timeout(gch_ctx_background(), GCH_MILLISECOND);
  gch_chan *c = gch_make(0, 0);
  gch_after_func *a = gch_ctx_after_func(ctx, close_it, c);
  gch_recv(c, NULL);
  ck_assert_int_eq(gch_ctx_err(ctx), ETIMEDOUT);
  gch_after_func_release(a);
  gch_ctx_unref(ctx);
  await_no_tasks();
  gch_unref(c);
}
END_TEST

START_TEST(fn_runs_when_an_ancestor_is_done) {
  static int key;
  gch_ctx *top = new_ctx();
  gch_ctx *middle = gch_ctx_with_cancel(top);
  const gch_ctx *leaf = gch_ctx_with_value(middle, &key, NULL);
  reset_runs();
  gch_after_func *a = gch_ctx_after_func(leaf, count, NULL);
  gch_after_func *b = gch_ctx_after_func(middle, count, NULL);
  gch_ctx_cancel(top);
  await_count(&runs, 2);
  gch_after_func_release(b);
  gch_after_func_release(a);
  gch_ctx_unref(leaf);
  gch_ctx_unref(middle);
  gch_ctx_unref(top);
  await_no_tasks();
}
END_TEST

START_TEST(fn_runs_when_a_custom_context_is_closed) {
  const gch_ctx_ops ops = {.done = own_done, .err = own_err};
  struct own self = {.done = gch_make(0, 0)};
  const gch_ctx *ctx = gch_ctx_custom(gch_ctx_background(), &ops, &self);
  reset_runs();
  gch_after_func *a = gch_ctx_after_func(ctx, count, NULL);
  gch_close(self.done);
  await_count(&runs, 1);
  ck_assert(!gch_after_func_stop(a));
  gch_ctx_unref(ctx);
  await_no_tasks();
  gch_unref(self.done);
}
END_TEST

START_TEST(registrations_are_independent) {
  gch_ctx *ctx = new_ctx();
  gch_after_func *a[10];
  reset_runs();
  for (int i = 0; i < 10; i++)
    a[i] = gch_ctx_after_func(ctx, count, NULL);
  for (int i = 0; i < 10; i += 2)
    ck_assert(gch_after_func_stop(a[i]));
  gch_ctx_cancel(ctx);
  await_count(&runs, 5);
  for (int i = 1; i < 10; i += 2)
    ck_assert(!gch_after_func_stop(a[i]));
  gch_ctx_unref(ctx);
  await_no_tasks();
  ck_assert_int_eq(runs, 5);
}
END_TEST

/* Where fn runs */

struct where {
  pthread_t thread;
  size_t tasks;
  gch_chan *end;
};

static void look(void *arg) {
  struct where *w = arg;
  w->thread = pthread_self();
  w->tasks = gch_num_tasks();
  gch_close(w->end);
}

START_TEST(fn_runs_in_a_task_of_its_own) {
  gch_ctx *ctx = new_ctx();
  struct where w = {.end = gch_make(0, 0)};
  gch_after_func *a = gch_ctx_after_func(ctx, look, &w);
  gch_ctx_cancel(ctx);
  gch_recv(w.end, NULL);
  ck_assert(!pthread_equal(w.thread, pthread_self()));
  ck_assert_uint_eq(w.tasks, 1);
  gch_after_func_release(a);
  gch_ctx_unref(ctx);
  await_no_tasks();
  gch_unref(w.end);
}
END_TEST

START_TEST(cancel_does_not_wait_for_fn) {
  gch_ctx *ctx = new_ctx();
  gch_chan *c = gch_make(0, 0);
  gch_after_func *a = gch_ctx_after_func(ctx, block, c);
  gch_ctx_cancel(ctx);
  await_waiting(c, 0, 1);
  gch_send(c, NULL);
  gch_after_func_release(a);
  gch_ctx_unref(ctx);
  await_no_tasks();
  gch_unref(c);
}
END_TEST

struct seen {
  const gch_ctx *ctx;
  int plain, before, err;
  gch_chan *end;
};

static void see(void *arg) {
  struct seen *s = arg;
  s->before = s->plain;
  s->err = gch_ctx_err(s->ctx);
  gch_close(s->end);
}

START_TEST(fn_sees_the_context_done_and_what_was_before_the_cancel) {
  gch_ctx *ctx = new_ctx();
  struct seen s = {.ctx = ctx, .end = gch_make(0, 0)};
  gch_after_func *a = gch_ctx_after_func(ctx, see, &s);
  s.plain = 42;
  gch_ctx_cancel(ctx);
  gch_recv(s.end, NULL);
  ck_assert_int_eq(s.before, 42);
  ck_assert_int_eq(s.err, ECANCELED);
  gch_after_func_release(a);
  await_no_tasks();
  gch_ctx_unref(ctx);
  gch_unref(s.end);
}
END_TEST

START_TEST(waiting_functions_cost_no_threads) {
  enum { MANY = 100 };
  gch_ctx *ctx = new_ctx();
  gch_after_func *a[MANY];
  int before = thread_count();
  for (int i = 0; i < MANY; i++)
    a[i] = gch_ctx_after_func(ctx, count, NULL);
  ck_assert_int_le(thread_count(), before + 1);
  for (int i = 0; i < MANY; i++)
    gch_after_func_stop(a[i]);
  gch_ctx_end(ctx);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("after_func");
  TCase *t = test_case(s, "run");
  tcase_add_test(t, fn_runs_once_when_the_context_is_cancelled);
  tcase_add_test(t, fn_runs_at_once_if_the_context_is_done);
  tcase_add_test(t, fn_runs_when_a_deadline_passes);
  tcase_add_test(t, fn_runs_when_an_ancestor_is_done);
  tcase_add_test(t, fn_runs_when_a_custom_context_is_closed);
  tcase_add_test(t, registrations_are_independent);
  add_thread_test(t, fn_runs_in_a_task_of_its_own);
  tcase_add_test(t, cancel_does_not_wait_for_fn);
  tcase_add_test(t, fn_sees_the_context_done_and_what_was_before_the_cancel);
  tcase_add_test(t, waiting_functions_cost_no_threads);
  return s;
}
