/* SPDX-License-Identifier: BSD-3-Clause */
/* Stopping and giving up functions that run when a context is done, and what
   their handles hold. */
#include "after_facts.h"

/* stop */

START_TEST(stop_in_time_is_true_and_fn_does_not_run) {
  gch_ctx *ctx = new_ctx();
  reset_runs();
  ck_assert(gch_after_func_stop(gch_ctx_after_func(ctx, count, NULL)));
  gch_ctx_end(ctx);
  await_no_tasks();
  ck_assert_int_eq(runs, 0);
}
END_TEST

START_TEST(stop_of_a_running_fn_is_false_and_does_not_wait) {
  gch_ctx *ctx = new_ctx();
  gch_chan *c = gch_make(0, 0);
  gch_after_func *a = gch_ctx_after_func(ctx, block, c);
  gch_ctx_cancel(ctx);
  await_waiting(c, 0, 1);
  ck_assert(!gch_after_func_stop(a));
  gch_send(c, NULL);
  gch_ctx_unref(ctx);
  await_no_tasks();
  gch_unref(c);
}
END_TEST

START_TEST(on_a_context_that_is_never_done_stop_is_true) {
  const gch_ctx *bg = gch_ctx_background();
  ck_assert(gch_after_func_stop(gch_ctx_after_func(bg, count, NULL)));
}
END_TEST

START_TEST(stop_of_null_is_false) {
  ck_assert(!gch_after_func_stop(NULL));
}
END_TEST

static void cancel(void *ctx) {
  gch_ctx_cancel(ctx);
}

START_TEST(exactly_one_of_stop_and_fn_wins) {
  int rounds = scaled(200), stopped = 0;
  reset_runs();
  for (int i = 0; i < rounds; i++) {
    gch_ctx *ctx = new_ctx();
    gch_after_func *a = gch_ctx_after_func(ctx, count, NULL);
    test_thread *t = thread_start(cancel, ctx);
    stopped += gch_after_func_stop(a);
    thread_join(t);
    gch_ctx_unref(ctx);
  }
  await_count(&runs, rounds - stopped);
  await_no_tasks();
  ck_assert_int_eq(runs, rounds - stopped);
}
END_TEST

struct self_stopper {
  gch_chan *handle; /* of gch_after_func * */
  bool stopped;
};

static void stop_own(void *arg) {
  struct self_stopper *o = arg;
  gch_after_func *a = NULL;
  gch_recv(o->handle, &a);
  o->stopped = gch_after_func_stop(a);
}

START_TEST(fn_may_stop_itself_and_learns_that_it_runs) {
  gch_ctx *ctx = new_ctx();
  struct self_stopper o = {gch_make_of(gch_after_func *, 0), true};
  gch_after_func *a = gch_ctx_after_func(ctx, stop_own, &o);
  gch_ctx_cancel(ctx);
  gch_send(o.handle, &a);
  gch_ctx_unref(ctx);
  await_no_tasks();
  ck_assert(!o.stopped);
  gch_unref(o.handle);
}
END_TEST

/* The handle */

START_TEST(the_handle_holds_the_context) {
  gch_ctx *ctx = new_ctx();
  gch_after_func *a = gch_ctx_after_func(ctx, count, NULL);
  gch_ctx_unref(ctx);
  expect_not_done(ctx);
  ck_assert(gch_after_func_stop(a));
}
END_TEST

START_TEST(stop_gives_the_context_back) {
  gch_ctx *ctx = new_ctx();
  gch_chan *done = gch_ref(gch_ctx_done(ctx));
  gch_after_func *a = gch_ctx_after_func(ctx, count, NULL);
  gch_ctx_unref(ctx);
  ck_assert(!is_closed(done));
  gch_after_func_stop(a);
  ck_assert(is_closed(done));
  gch_unref(done);
}
END_TEST

START_TEST(release_gives_the_context_back_and_fn_still_runs) {
  gch_ctx *ctx = new_ctx();
  gch_chan *done = gch_ref(gch_ctx_done(ctx));
  reset_runs();
  gch_after_func *a = gch_ctx_after_func(ctx, count, NULL);
  gch_after_func_release(a);
  ck_assert(!is_closed(done));
  gch_ctx_unref(ctx); /* the last: cancels */
  ck_assert(is_closed(done));
  await_count(&runs, 1);
  await_no_tasks();
  gch_unref(done);
}
END_TEST

START_TEST(release_after_fn_ran_frees) {
  gch_ctx *ctx = new_ctx();
  reset_runs();
  gch_after_func *a = gch_ctx_after_func(ctx, count, NULL);
  gch_ctx_end(ctx);
  await_count(&runs, 1);
  await_no_tasks();
  gch_after_func_release(a);
}
END_TEST

START_TEST(a_released_handle_on_a_root_is_freed) {
  gch_after_func_release(gch_ctx_after_func(gch_ctx_background(), count, NULL));
}
END_TEST

START_TEST(a_released_handle_goes_with_a_custom_context) {
  const gch_ctx_ops ops = {.done = own_done, .err = own_err};
  struct own self = {.done = gch_make(0, 0)};
  const gch_ctx *ctx = gch_ctx_custom(gch_ctx_background(), &ops, &self);
  gch_after_func_release(gch_ctx_after_func(ctx, count, NULL));
  gch_ctx_unref(ctx);
  gch_unref(self.done);
}
END_TEST

START_TEST(release_of_null_does_nothing) {
  gch_after_func_release(NULL);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("after_func_stop");
  TCase *t = test_case(s, "stop");
  tcase_add_test(t, stop_in_time_is_true_and_fn_does_not_run);
  tcase_add_test(t, stop_of_a_running_fn_is_false_and_does_not_wait);
  tcase_add_test(t, on_a_context_that_is_never_done_stop_is_true);
  tcase_add_test(t, stop_of_null_is_false);
  tcase_add_test(t, exactly_one_of_stop_and_fn_wins);
  tcase_add_test(t, fn_may_stop_itself_and_learns_that_it_runs);
  t = test_case(s, "handle");
  tcase_add_test(t, the_handle_holds_the_context);
  tcase_add_test(t, stop_gives_the_context_back);
  tcase_add_test(t, release_gives_the_context_back_and_fn_still_runs);
  tcase_add_test(t, release_after_fn_ran_frees);
  tcase_add_test(t, a_released_handle_on_a_root_is_freed);
  tcase_add_test(t, a_released_handle_goes_with_a_custom_context);
  tcase_add_test(t, release_of_null_does_nothing);
  return s;
}
