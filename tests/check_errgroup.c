/* SPDX-License-Identifier: BSD-3-Clause */
/* Error groups: results, contexts, waiting and freeing. Their limits are in
   check_errgroup_limit.c. */
#include "ctx_facts.h"
#include "tasks.h"

#include <stdatomic.h>

static int return_it(const gch_ctx *ctx, void *arg) {
  (void)ctx;
  return *(int *)arg;
}

static int count(const gch_ctx *ctx, void *arg) {
  (void)ctx;
  atomic_fetch_add((atomic_int *)arg, 1);
  return 0;
}

/* Results */

START_TEST(a_group_of_nobody_gives_zero) {
  gch_errgroup *g = gch_errgroup_new();
  ck_assert_int_eq(gch_errgroup_wait(g), 0);
  gch_errgroup_free(g);
}
END_TEST

START_TEST(wait_waits_for_all) {
  gch_errgroup *g = gch_errgroup_new();
  atomic_int runs = 0;
  for (int i = 0; i < 20; i++)
    ck_assert_int_eq(gch_errgroup_go(g, count, &runs), 0);
  ck_assert_int_eq(gch_errgroup_wait(g), 0);
  ck_assert_int_eq(runs, 20);
  gch_errgroup_free(g);
  await_no_tasks();
}
END_TEST

START_TEST(wait_gives_a_non_zero_result) {
  gch_errgroup *g = gch_errgroup_new();
  int none = 0, err = EIO;
  gch_errgroup_go(g, return_it, &none);
  gch_errgroup_go(g, return_it, &err);
  gch_errgroup_go(g, return_it, &none);
  ck_assert_int_eq(gch_errgroup_wait(g), EIO);
  gch_errgroup_free(g);
  await_no_tasks();
}
END_TEST

static int after_the_first(const gch_ctx *ctx, void *arg) {
  gch_recv(gch_ctx_done(ctx), NULL);
  return *(int *)arg;
}

START_TEST(the_first_error_wins) {
  gch_errgroup *g = gch_errgroup_with_ctx(gch_ctx_background());
  int first = EIO, later = ENOENT;
  gch_errgroup_go(g, after_the_first, &later);
  gch_errgroup_go(g, return_it, &first);
  ck_assert_int_eq(gch_errgroup_wait(g), EIO);
  gch_errgroup_free(g);
  await_no_tasks();
}
END_TEST

START_TEST(wait_may_be_called_again) {
  gch_errgroup *g = gch_errgroup_new();
  int err = EIO;
  gch_errgroup_go(g, return_it, &err);
  ck_assert_int_eq(gch_errgroup_wait(g), EIO);
  ck_assert_int_eq(gch_errgroup_wait(g), EIO);
  gch_errgroup_free(g);
  await_no_tasks();
}
END_TEST

START_TEST(after_wait_more_may_be_started) {
  gch_errgroup *g = gch_errgroup_new();
  int none = 0, err = EIO;
  gch_errgroup_go(g, return_it, &none);
  ck_assert_int_eq(gch_errgroup_wait(g), 0);
  gch_errgroup_go(g, return_it, &err);
  ck_assert_int_eq(gch_errgroup_wait(g), EIO);
  gch_errgroup_go(g, return_it, &none);
  ck_assert_int_eq(gch_errgroup_wait(g), EIO);
  gch_errgroup_free(g);
  await_no_tasks();
}
END_TEST

START_TEST(try_go_runs_too) {
  gch_errgroup *g = gch_errgroup_new();
  int err = EIO;
  ck_assert_int_eq(gch_errgroup_try_go(g, return_it, &err), 0);
  ck_assert_int_eq(gch_errgroup_wait(g), EIO);
  gch_errgroup_free(g);
  await_no_tasks();
}
END_TEST

struct tree {
  gch_errgroup *g;
  atomic_int runs;
};

static int grow(const gch_ctx *ctx, void *arg) {
  (void)ctx;
  struct tree *t = arg;
  if (atomic_fetch_add(&t->runs, 1) < 9)
    gch_errgroup_go(t->g, grow, t);
  return 0;
}

START_TEST(what_runs_in_a_group_may_start_more) {
  struct tree t = {.g = gch_errgroup_new()};
  gch_errgroup_go(t.g, grow, &t);
  ck_assert_int_eq(gch_errgroup_wait(t.g), 0);
  ck_assert_int_eq(t.runs, 10);
  gch_errgroup_free(t.g);
  await_no_tasks();
}
END_TEST

/* The context */

static int look(const gch_ctx *ctx, void *arg) {
  *(const gch_ctx **)arg = ctx;
  return 0;
}

START_TEST(a_plain_group_has_the_background_context) {
  gch_errgroup *g = gch_errgroup_new();
  const gch_ctx *seen = NULL;
  ck_assert_ptr_eq(gch_errgroup_ctx(g), gch_ctx_background());
  gch_errgroup_go(g, look, &seen);
  gch_errgroup_wait(g);
  ck_assert_ptr_eq(seen, gch_ctx_background());
  gch_errgroup_free(g);
  await_no_tasks();
}
END_TEST

START_TEST(the_context_of_a_group_is_a_child_of_its_parent) {
  static int key, value;
  gch_ctx *top = gch_ctx_with_cancel(gch_ctx_background());
  const gch_ctx *parent = gch_ctx_with_value(top, &key, &value);
  gch_errgroup *g = gch_errgroup_with_ctx(parent);
  const gch_ctx *ctx = gch_errgroup_ctx(g), *seen = NULL;
  ck_assert_ptr_eq(gch_ctx_value(ctx, &key), &value);
  expect_not_done(ctx);
  gch_errgroup_go(g, look, &seen);
  gch_ctx_cancel_cause(top, EIO);
  expect_done(ctx, ECANCELED, EIO);
  ck_assert_int_eq(gch_errgroup_wait(g), 0);
  ck_assert_ptr_eq(seen, ctx);
  gch_errgroup_free(g);
  gch_ctx_unref(parent);
  gch_ctx_unref(top);
  await_no_tasks();
}
END_TEST

START_TEST(the_first_error_cancels_with_itself_as_the_cause) {
  gch_errgroup *g = gch_errgroup_with_ctx(gch_ctx_background());
  int err = EIO;
  gch_errgroup_go(g, return_it, &err);
  gch_recv(gch_ctx_done(gch_errgroup_ctx(g)), NULL);
  expect_done(gch_errgroup_ctx(g), ECANCELED, EIO);
  ck_assert_int_eq(gch_errgroup_wait(g), EIO);
  expect_done(gch_errgroup_ctx(g), ECANCELED, EIO);
  gch_errgroup_free(g);
  await_no_tasks();
}
END_TEST

START_TEST(a_result_of_zero_cancels_nothing) {
  gch_errgroup *g = gch_errgroup_with_ctx(gch_ctx_background());
  int none = 0;
  gch_errgroup_go(g, return_it, &none);
  await_no_tasks();
  expect_not_done(gch_errgroup_ctx(g));
  gch_errgroup_wait(g);
  gch_errgroup_free(g);
}
END_TEST

START_TEST(wait_cancels_the_context) {
  gch_errgroup *g = gch_errgroup_with_ctx(gch_ctx_background());
  ck_assert_int_eq(gch_errgroup_wait(g), 0);
  expect_done(gch_errgroup_ctx(g), ECANCELED, ECANCELED);
  gch_errgroup_free(g);
}
END_TEST

START_TEST(the_context_outlives_its_group_by_ref) {
  gch_errgroup *g = gch_errgroup_with_ctx(gch_ctx_background());
  const gch_ctx *ctx = gch_ctx_ref(gch_errgroup_ctx(g));
  gch_errgroup_free(g);
  expect_done(ctx, ECANCELED, ECANCELED);
  gch_ctx_unref(ctx);
}
END_TEST

/* Bad arguments */

START_TEST(a_null_parent_is_einval) {
  expect_null(gch_errgroup_with_ctx(NULL), EINVAL);
}
END_TEST

static void with_null_parent(void *arg) {
  gch_errgroup_with_ctx(arg);
}

START_TEST(a_null_parent_is_a_panic_in_strict_mode) {
  expect_panic_strict(with_null_parent, NULL,
                      "cannot create context from nil parent");
}
END_TEST

START_TEST(a_null_function_is_einval) {
  gch_errgroup *g = gch_errgroup_new();
  ck_assert_int_eq(gch_errgroup_go(g, NULL, NULL), EINVAL);
  ck_assert_int_eq(gch_errgroup_try_go(g, NULL, NULL), EINVAL);
  ck_assert_int_eq(gch_errgroup_wait(g), 0);
  gch_errgroup_free(g);
}
END_TEST

START_TEST(free_accepts_null) {
  gch_errgroup_free(NULL);
}
END_TEST

/* The end */

struct held {
  gch_chan *c;
  int ran;
};

static int run_to_the_end(const gch_ctx *ctx, void *arg) {
  (void)ctx;
  struct held *h = arg;
  gch_recv(h->c, NULL);
  h->ran = 42;
  return 0;
}

static void free_group(void *g) {
  gch_errgroup_free(g);
}

START_TEST(free_waits_for_what_still_runs) {
  gch_errgroup *g = gch_errgroup_new();
  struct held h = {gch_make(0, 0), 0};
  gch_errgroup_go(g, run_to_the_end, &h);
  await_waiting(h.c, 0, 1);
  test_thread *t = thread_start(free_group, g);
  gch_send(h.c, NULL);
  thread_join(t);
  ck_assert_int_eq(h.ran, 42);
  await_no_tasks();
  gch_unref(h.c);
}
END_TEST

START_TEST(a_group_may_be_freed_as_soon_as_wait_returns) {
  int none = 0, err = EIO;
  for (int i = 0; i < scaled(200); i++) {
    gch_errgroup *g = gch_errgroup_with_ctx(gch_ctx_background());
    gch_errgroup_set_limit(g, 2);
    gch_errgroup_go(g, return_it, &none);
    gch_errgroup_go(g, return_it, &err);
    ck_assert_int_eq(gch_errgroup_wait(g), EIO);
    gch_errgroup_free(g);
  }
  await_no_tasks();
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("errgroup");
  TCase *t = test_case(s, "result");
  tcase_add_test(t, a_group_of_nobody_gives_zero);
  tcase_add_test(t, wait_waits_for_all);
  tcase_add_test(t, wait_gives_a_non_zero_result);
  tcase_add_test(t, the_first_error_wins);
  tcase_add_test(t, wait_may_be_called_again);
  tcase_add_test(t, after_wait_more_may_be_started);
  tcase_add_test(t, try_go_runs_too);
  tcase_add_test(t, what_runs_in_a_group_may_start_more);
  t = test_case(s, "context");
  tcase_add_test(t, a_plain_group_has_the_background_context);
  tcase_add_test(t, the_context_of_a_group_is_a_child_of_its_parent);
  tcase_add_test(t, the_first_error_cancels_with_itself_as_the_cause);
  tcase_add_test(t, a_result_of_zero_cancels_nothing);
  tcase_add_test(t, wait_cancels_the_context);
  tcase_add_test(t, the_context_outlives_its_group_by_ref);
  t = test_case(s, "bad");
  tcase_add_test(t, a_null_parent_is_einval);
  tcase_add_test(t, a_null_parent_is_a_panic_in_strict_mode);
  tcase_add_test(t, a_null_function_is_einval);
  tcase_add_test(t, free_accepts_null);
  t = test_case(s, "end");
  tcase_add_test(t, free_waits_for_what_still_runs);
  tcase_add_test(t, a_group_may_be_freed_as_soon_as_wait_returns);
  return s;
}
