/* SPDX-License-Identifier: BSD-3-Clause */
/* Bad input to contexts: NULL contexts, parents, keys and callbacks; what is
   only borrowed; strict mode; the words for errors. */
#include "ctx_facts.h"

#include <stdlib.h>
#include <string.h>

/* Asking a NULL context */

static void ask_done(void *ctx) {
  gch_ctx_done(ctx);
}

static void ask_err(void *ctx) {
  gch_ctx_err(ctx);
}

static void ask_cause(void *ctx) {
  gch_ctx_cause(ctx);
}

static void ask_deadline(void *ctx) {
  gch_ctx_deadline(ctx, NULL);
}

static void ask_value(void *ctx) {
  static int key;
  gch_ctx_value(ctx, &key);
}

static void ask_string(void *ctx) {
  gch_ctx_string(ctx, NULL, 0);
}

static void send_with(void *ctx) {
  gch_send_ctx(ctx, NULL, NULL);
}

static void recv_with(void *ctx) {
  gch_recv_ctx(ctx, NULL, NULL);
}

static void sleep_with(void *ctx) {
  gch_sleep_ctx(ctx, 0);
}

static void (*const asks[])(void *) = {
    ask_done,   ask_err,   ask_cause, ask_deadline, ask_value,
    ask_string, send_with, recv_with, sleep_with,
};

START_TEST(asking_a_null_context_is_a_panic) {
  expect_panic(asks[_i], NULL, "gulch: NULL context");
}
END_TEST

/* NULL parents */

static int key;
static int value;

static void never(void *arg) {
  (void)arg;
  abort();
}

static const gch_ctx *with_cancel(void) {
  return gch_ctx_with_cancel(NULL);
}

static const gch_ctx *with_deadline(void) {
  return gch_ctx_with_deadline(NULL, GCH_FOREVER);
}

static const gch_ctx *with_timeout(void) {
  return gch_ctx_with_timeout(NULL, GCH_HOUR);
}

static const gch_ctx *with_past_deadline(void) {
  return gch_ctx_with_deadline(NULL, 0);
}

static const gch_ctx *with_deadline_cause(void) {
  return gch_ctx_with_deadline_cause(NULL, GCH_FOREVER, EIO);
}

static const gch_ctx *with_timeout_cause(void) {
  return gch_ctx_with_timeout_cause(NULL, GCH_HOUR, EIO);
}

static const gch_ctx *with_value(void) {
  return gch_ctx_with_value(NULL, &key, &value);
}

static const gch_ctx *with_value_drop(void) {
  return gch_ctx_with_value_drop(NULL, &key, &value, never);
}

static const gch_ctx *without_cancel(void) {
  return gch_ctx_without_cancel(NULL);
}

static const gch_ctx *custom(void) {
  static const gch_ctx_ops ops = {.drop = never};
  return gch_ctx_custom(NULL, &ops, NULL);
}

static const gch_ctx *(*const orphans[])(void) = {
    with_cancel,         with_deadline,
    with_timeout,        with_past_deadline,
    with_deadline_cause, with_timeout_cause,
    with_value,          with_value_drop,
    without_cancel,      custom,
};

START_TEST(a_null_parent_is_einval) {
  expect_null(orphans[_i](), EINVAL);
}
END_TEST

static void make_orphan(void *i) {
  orphans[*(int *)i]();
}

START_TEST(a_null_parent_is_a_panic_in_strict_mode) {
  expect_panic_strict(make_orphan, &_i,
                      "cannot create context from nil parent");
}
END_TEST

/* NULL keys and callbacks */

START_TEST(a_null_key_is_einval) {
  const gch_ctx *bg = gch_ctx_background();
  expect_null(gch_ctx_with_value(bg, NULL, &value), EINVAL);
  expect_null(gch_ctx_with_value_drop(bg, NULL, &value, never), EINVAL);
}
END_TEST

static void make_with_null_key(void *arg) {
  (void)arg;
  gch_ctx_with_value(gch_ctx_background(), NULL, &value);
}

static void make_drop_with_null_key(void *arg) {
  (void)arg;
  gch_ctx_with_value_drop(gch_ctx_background(), NULL, &value, never);
}

START_TEST(a_null_key_is_a_panic_in_strict_mode) {
  expect_panic_strict(make_with_null_key, NULL, "nil key");
  expect_panic_strict(make_drop_with_null_key, NULL, "nil key");
}
END_TEST

START_TEST(a_null_drop_is_einval) {
  expect_null(gch_ctx_with_value_drop(gch_ctx_background(), &key, &value, NULL),
              EINVAL);
}
END_TEST

START_TEST(a_null_function_for_after_func_is_einval) {
  expect_null(gch_ctx_after_func(gch_ctx_background(), NULL, NULL), EINVAL);
}
END_TEST

START_TEST(a_null_context_for_after_func_is_einval) {
  expect_null(gch_ctx_after_func(NULL, never, NULL), EINVAL);
}
END_TEST

START_TEST(null_operations_of_a_custom_context_are_einval) {
  expect_null(gch_ctx_custom(gch_ctx_background(), NULL, NULL), EINVAL);
}
END_TEST

static gch_chan *some_done(void *self, const gch_ctx *parent) {
  (void)parent;
  return self;
}

START_TEST(a_custom_done_without_err_is_einval_and_drops_nothing) {
  static const gch_ctx_ops ops = {.done = some_done, .drop = never};
  gch_chan *c = gch_make(0, 0);
  expect_null(gch_ctx_custom(gch_ctx_background(), &ops, c), EINVAL);
  gch_unref(c);
}
END_TEST

/* What is only borrowed */

static void unref_done(void *ctx) {
  gch_unref(gch_ctx_done(ctx));
}

START_TEST(unref_of_a_borrowed_done_is_a_panic) {
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  expect_panic(unref_done, ctx, "gulch: unref of a borrowed channel");
  gch_ctx_end(ctx);
}
END_TEST

/* The words for errors */

START_TEST(strerror_speaks_go) {
  ck_assert_str_eq(gch_strerror(EPIPE), "closed channel");
  ck_assert_str_eq(gch_strerror(ECANCELED), "context canceled");
  ck_assert_str_eq(gch_strerror(ETIMEDOUT), "context deadline exceeded");
}
END_TEST

START_TEST(strerror_of_others_is_the_systems) {
  ck_assert_str_eq(gch_strerror(ENOENT), strerror(ENOENT));
  ck_assert_str_eq(gch_strerror(0), strerror(0));
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

Suite *test_suite(void) {
  Suite *s = suite_create("ctx_bad");
  TCase *t = test_case(s, "null");
  tcase_add_loop_test(t, asking_a_null_context_is_a_panic, 0, COUNT(asks));
  tcase_add_loop_test(t, a_null_parent_is_einval, 0, COUNT(orphans));
  tcase_add_loop_test(t, a_null_parent_is_a_panic_in_strict_mode, 0,
                      COUNT(orphans));
  tcase_add_test(t, a_null_key_is_einval);
  tcase_add_test(t, a_null_key_is_a_panic_in_strict_mode);
  tcase_add_test(t, a_null_drop_is_einval);
  tcase_add_test(t, a_null_function_for_after_func_is_einval);
  tcase_add_test(t, a_null_context_for_after_func_is_einval);
  tcase_add_test(t, null_operations_of_a_custom_context_are_einval);
  tcase_add_test(t, a_custom_done_without_err_is_einval_and_drops_nothing);
  t = test_case(s, "borrowed");
  tcase_add_test(t, unref_of_a_borrowed_done_is_a_panic);
  t = test_case(s, "strerror");
  tcase_add_test(t, strerror_speaks_go);
  tcase_add_test(t, strerror_of_others_is_the_systems);
  return s;
}
