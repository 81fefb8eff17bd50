/* SPDX-License-Identifier: BSD-3-Clause */
/* Values of contexts, without_cancel, and how contexts write themselves. */
#include "ctx_facts.h"

#include <string.h>

static int key, other_key;
static int one = 1, two = 2;

static const gch_ctx *bg(void) {
  return gch_ctx_background();
}

/* Values */

START_TEST(a_value_is_found_by_its_key) {
  const gch_ctx *ctx = gch_ctx_with_value(bg(), &key, &one);
  ck_assert_ptr_eq(gch_ctx_value(ctx, &key), &one);
  gch_ctx_unref(ctx);
}
END_TEST

START_TEST(a_miss_is_null) {
  const gch_ctx *ctx = gch_ctx_with_value(bg(), &key, &one);
  ck_assert_ptr_null(gch_ctx_value(ctx, &other_key));
  gch_ctx_unref(ctx);
}
END_TEST

START_TEST(keys_are_compared_by_address) {
  const char a[] = "trace", b[] = "trace";
  const gch_ctx *ctx = gch_ctx_with_value(bg(), a, &one);
  ck_assert_ptr_eq(gch_ctx_value(ctx, a), &one);
  ck_assert_ptr_null(gch_ctx_value(ctx, b));
  gch_ctx_unref(ctx);
}
END_TEST

START_TEST(the_nearest_value_wins) {
  const gch_ctx *outer = gch_ctx_with_value(bg(), &key, &one);
  const gch_ctx *inner = gch_ctx_with_value(outer, &key, &two);
  ck_assert_ptr_eq(gch_ctx_value(inner, &key), &two);
  ck_assert_ptr_eq(gch_ctx_value(outer, &key), &one);
  gch_ctx_unref(inner);
  gch_ctx_unref(outer);
}
END_TEST

START_TEST(a_null_value_shadows) {
  const gch_ctx *outer = gch_ctx_with_value(bg(), &key, &one);
  const gch_ctx *inner = gch_ctx_with_value(outer, &key, NULL);
  ck_assert_ptr_null(gch_ctx_value(inner, &key));
  gch_ctx_unref(inner);
  gch_ctx_unref(outer);
}
END_TEST

START_TEST(values_are_found_through_other_contexts) {
  const gch_ctx *outer = gch_ctx_with_value(bg(), &key, &one);
  gch_ctx *cancel = gch_ctx_with_cancel(outer);
  gch_ctx *timeout = gch_ctx_with_timeout(cancel, GCH_HOUR);
  const gch_ctx *inner = gch_ctx_with_value(timeout, &other_key, &two);
  ck_assert_ptr_eq(gch_ctx_value(inner, &key), &one);
  ck_assert_ptr_eq(gch_ctx_value(inner, &other_key), &two);
  gch_ctx_unref(inner);
  gch_ctx_unref(timeout);
  gch_ctx_unref(cancel);
  gch_ctx_unref(outer);
}
END_TEST

START_TEST(a_done_context_keeps_its_values) {
  const gch_ctx *outer = gch_ctx_with_value(bg(), &key, &one);
  gch_ctx *ctx = gch_ctx_with_cancel(outer);
  gch_ctx_cancel(ctx);
  ck_assert_ptr_eq(gch_ctx_value(ctx, &key), &one);
  gch_ctx_unref(ctx);
  gch_ctx_unref(outer);
}
END_TEST

START_TEST(a_value_context_shares_its_parents_done) {
  gch_ctx *parent = gch_ctx_with_cancel(bg());
  const gch_ctx *ctx = gch_ctx_with_value(parent, &key, &one);
  ck_assert_ptr_eq(gch_ctx_done(ctx), gch_ctx_done(parent));
  gch_ctx_cancel_cause(parent, EIO);
  expect_done(ctx, ECANCELED, EIO);
  gch_ctx_unref(ctx);
  gch_ctx_unref(parent);
}
END_TEST

START_TEST(a_value_of_a_root_is_never_done) {
  const gch_ctx *ctx = gch_ctx_with_value(bg(), &key, &one);
  ck_assert_ptr_null(gch_ctx_done(ctx));
  ck_assert_int_eq(gch_ctx_err(ctx), 0);
  ck_assert_int_eq(gch_ctx_cause(ctx), 0);
  gch_ctx_unref(ctx);
}
END_TEST

static void count_drop(void *value) {
  ++*(int *)value;
}

START_TEST(drop_destroys_the_value_once_at_the_last_unref) {
  int drops = 0;
  const gch_ctx *ctx = gch_ctx_with_value_drop(bg(), &key, &drops, count_drop);
  ck_assert_ptr_eq(gch_ctx_value(ctx, &key), &drops);
  gch_ctx_unref(gch_ctx_ref(ctx));
  ck_assert_int_eq(drops, 0);
  gch_ctx_unref(ctx);
  ck_assert_int_eq(drops, 1);
}
END_TEST

START_TEST(a_child_keeps_its_parents_value) {
  int drops = 0;
  const gch_ctx *outer =
      gch_ctx_with_value_drop(bg(), &key, &drops, count_drop);
  gch_ctx *child = gch_ctx_with_cancel(outer);
  gch_ctx_unref(outer);
  ck_assert_int_eq(drops, 0);
  ck_assert_ptr_eq(gch_ctx_value(child, &key), &drops);
  gch_ctx_end(child);
  ck_assert_int_eq(drops, 1);
}
END_TEST

START_TEST(a_value_that_was_refused_stays_the_callers) {
  int drops = 0;
  expect_null(gch_ctx_with_value_drop(bg(), NULL, &drops, count_drop), EINVAL);
  expect_null(gch_ctx_with_value_drop(NULL, &key, &drops, count_drop), EINVAL);
  ck_assert_int_eq(drops, 0);
}
END_TEST

/* without_cancel */

START_TEST(without_cancel_keeps_the_values) {
  const gch_ctx *outer = gch_ctx_with_value(bg(), &key, &one);
  const gch_ctx *ctx = gch_ctx_without_cancel(outer);
  ck_assert_ptr_eq(gch_ctx_value(ctx, &key), &one);
  gch_ctx_unref(ctx);
  gch_ctx_unref(outer);
}
END_TEST

START_TEST(without_cancel_has_no_deadline) {
  gch_ctx *parent = gch_ctx_with_timeout(bg(), GCH_HOUR);
  const gch_ctx *ctx = gch_ctx_without_cancel(parent);
  ck_assert(!gch_ctx_deadline(ctx, NULL));
  gch_ctx_unref(ctx);
  gch_ctx_end(parent);
}
END_TEST

START_TEST(without_cancel_is_never_done) {
  gch_ctx *parent = gch_ctx_with_cancel(bg());
  const gch_ctx *ctx = gch_ctx_without_cancel(parent);
  gch_ctx_cancel_cause(parent, EIO);
  ck_assert_ptr_null(gch_ctx_done(ctx));
  ck_assert_int_eq(gch_ctx_err(ctx), 0);
  ck_assert_int_eq(gch_ctx_cause(ctx), 0);
  gch_ctx_unref(ctx);
  gch_ctx_unref(parent);
}
END_TEST

START_TEST(descendants_behind_without_cancel_live_on) {
  gch_ctx *parent = gch_ctx_with_cancel(bg());
  const gch_ctx *wall = gch_ctx_without_cancel(parent);
  gch_ctx *child = gch_ctx_with_cancel(wall);
  gch_ctx_cancel_cause(parent, EIO);
  expect_not_done(child);
  gch_ctx_cancel(child);
  expect_done(child, ECANCELED, ECANCELED);
  gch_ctx_unref(child);
  gch_ctx_unref(wall);
  gch_ctx_unref(parent);
}
END_TEST

START_TEST(without_cancel_of_a_done_context_is_not_done) {
  gch_ctx *parent = gch_ctx_with_cancel(bg());
  gch_ctx_cancel(parent);
  const gch_ctx *wall = gch_ctx_without_cancel(parent);
  gch_ctx *child = gch_ctx_with_cancel(wall);
  ck_assert_int_eq(gch_ctx_err(wall), 0);
  expect_not_done(child);
  gch_ctx_unref(child);
  gch_ctx_unref(wall);
  gch_ctx_unref(parent);
}
END_TEST

/* Strings */

static void expect_string(const gch_ctx *ctx, const char *expected) {
  char buf[256];
  ck_assert_uint_eq(gch_ctx_string(ctx, buf, sizeof buf), strlen(expected));
  ck_assert_str_eq(buf, expected);
}

static void expect_prefix(const gch_ctx *ctx, const char *expected) {
  char buf[256] = "";
  ck_assert_uint_eq(gch_ctx_string(ctx, buf, sizeof buf), strlen(buf));
  ck_assert_int_eq(strncmp(buf, expected, strlen(expected)), 0);
}

START_TEST(the_roots_write_their_names) {
  expect_string(bg(), "context.Background");
  expect_string(gch_ctx_todo(), "context.TODO");
}
END_TEST

START_TEST(children_write_their_parents_and_how_they_were_made) {
  gch_ctx *cancel = gch_ctx_with_cancel(bg());
  const gch_ctx *wall = gch_ctx_without_cancel(cancel);
  expect_string(cancel, "context.Background.WithCancel");
  expect_string(wall, "context.Background.WithCancel.WithoutCancel");
  gch_ctx_unref(wall);
  gch_ctx_end(cancel);
}
END_TEST

START_TEST(deadlines_and_values_write_theirs) {
  gch_ctx *ctx = gch_ctx_with_timeout(gch_ctx_todo(), GCH_HOUR);
  const gch_ctx *leaf = gch_ctx_with_value(ctx, &key, &one);
  expect_prefix(ctx, "context.TODO.WithDeadline(");
  expect_prefix(leaf, "context.TODO.WithDeadline(");
  char buf[256];
  gch_ctx_string(leaf, buf, sizeof buf);
  ck_assert_ptr_nonnull(strstr(buf, ".WithValue("));
  gch_ctx_unref(leaf);
  gch_ctx_end(ctx);
}
END_TEST

START_TEST(a_short_buffer_gets_what_fits_and_a_zero) {
  char buf[12];
  memset(buf, 'x', sizeof buf);
  ck_assert_uint_eq(gch_ctx_string(bg(), buf, 8), 18);
  ck_assert_str_eq(buf, "context");
  ck_assert_int_eq(buf[8], 'x');
}
END_TEST

START_TEST(without_a_buffer_the_length_is_told) {
  ck_assert_uint_eq(gch_ctx_string(bg(), NULL, 0), 18);
}
END_TEST

START_TEST(a_buffer_of_length_zero_is_left_alone) {
  char c = 'x';
  ck_assert_uint_eq(gch_ctx_string(bg(), &c, 0), 18);
  ck_assert_int_eq(c, 'x');
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("ctx_value");
  TCase *t = test_case(s, "value");
  tcase_add_test(t, a_value_is_found_by_its_key);
  tcase_add_test(t, a_miss_is_null);
  tcase_add_test(t, keys_are_compared_by_address);
  tcase_add_test(t, the_nearest_value_wins);
  tcase_add_test(t, a_null_value_shadows);
  tcase_add_test(t, values_are_found_through_other_contexts);
  tcase_add_test(t, a_done_context_keeps_its_values);
  tcase_add_test(t, a_value_context_shares_its_parents_done);
  tcase_add_test(t, a_value_of_a_root_is_never_done);
  tcase_add_test(t, drop_destroys_the_value_once_at_the_last_unref);
  tcase_add_test(t, a_child_keeps_its_parents_value);
  tcase_add_test(t, a_value_that_was_refused_stays_the_callers);
  t = test_case(s, "without_cancel");
  tcase_add_test(t, without_cancel_keeps_the_values);
  tcase_add_test(t, without_cancel_has_no_deadline);
  tcase_add_test(t, without_cancel_is_never_done);
  tcase_add_test(t, descendants_behind_without_cancel_live_on);
  tcase_add_test(t, without_cancel_of_a_done_context_is_not_done);
  t = test_case(s, "string");
  tcase_add_test(t, the_roots_write_their_names);
  tcase_add_test(t, children_write_their_parents_and_how_they_were_made);
  tcase_add_test(t, deadlines_and_values_write_theirs);
  tcase_add_test(t, a_short_buffer_gets_what_fits_and_a_zero);
  tcase_add_test(t, without_a_buffer_the_length_is_told);
  tcase_add_test(t, a_buffer_of_length_zero_is_left_alone);
  return s;
}
