/* SPDX-License-Identifier: BSD-3-Clause */
/* Contexts that end by time, what decides their error and cause, and what
   their deadline is. */
#include "ctx_facts.h"

static const gch_ctx *bg(void) {
  return gch_ctx_background();
}

static int64_t deadline_of(const gch_ctx *ctx) {
  int64_t deadline = -1;
  ck_assert(gch_ctx_deadline(ctx, &deadline));
  return deadline;
}

static int64_t soon(void) {
  return gch_now() + 2 * GCH_MILLISECOND;
}

static void await_done(const gch_ctx *ctx) {
  gch_recv(gch_ctx_done(ctx), NULL);
}

/* The deadline */

START_TEST(a_deadline_is_told) {
  int64_t deadline = gch_now() + GCH_HOUR;
  gch_ctx *ctx = gch_ctx_with_deadline(bg(), deadline);
  ck_assert_int_eq(deadline_of(ctx), deadline);
  ck_assert(gch_ctx_deadline(ctx, NULL));
  expect_not_done(ctx);
  gch_ctx_end(ctx);
}
END_TEST

START_TEST(a_timeout_counts_from_now) {
  int64_t before = gch_now();
  gch_ctx *ctx = gch_ctx_with_timeout(bg(), GCH_HOUR);
  int64_t after = gch_now();
  ck_assert_int_ge(deadline_of(ctx), before + GCH_HOUR);
  ck_assert_int_le(deadline_of(ctx), after + GCH_HOUR);
  gch_ctx_end(ctx);
}
END_TEST

START_TEST(children_inherit_the_deadline) {
  static int key, value;
  int64_t deadline = gch_now() + GCH_HOUR;
  gch_ctx *ctx = gch_ctx_with_deadline(bg(), deadline);
  gch_ctx *child = gch_ctx_with_cancel(ctx);
  const gch_ctx *grandchild = gch_ctx_with_value(child, &key, &value);
  ck_assert_int_eq(deadline_of(child), deadline);
  ck_assert_int_eq(deadline_of(grandchild), deadline);
  gch_ctx_unref(grandchild);
  gch_ctx_unref(child);
  gch_ctx_end(ctx);
}
END_TEST

START_TEST(a_done_context_keeps_its_deadline) {
  int64_t deadline = gch_now() + GCH_HOUR;
  gch_ctx *ctx = gch_ctx_with_deadline(bg(), deadline);
  gch_ctx_cancel(ctx);
  ck_assert_int_eq(deadline_of(ctx), deadline);
  gch_ctx_unref(ctx);
}
END_TEST

START_TEST(a_later_deadline_gives_way_to_the_parents) {
  int64_t deadline = gch_now() + GCH_HOUR;
  gch_ctx *parent = gch_ctx_with_deadline(bg(), deadline);
  gch_ctx *later = gch_ctx_with_deadline(parent, deadline + 1);
  ck_assert_int_eq(deadline_of(later), deadline);
  gch_ctx_unref(later);
  gch_ctx_end(parent);
}
END_TEST

START_TEST(an_earlier_deadline_is_the_childs_own) {
  int64_t deadline = gch_now() + GCH_HOUR;
  gch_ctx *parent = gch_ctx_with_deadline(bg(), deadline);
  gch_ctx *earlier = gch_ctx_with_deadline(parent, deadline - 1);
  ck_assert_int_eq(deadline_of(earlier), deadline - 1);
  ck_assert_int_eq(deadline_of(parent), deadline);
  gch_ctx_unref(earlier);
  gch_ctx_end(parent);
}
END_TEST

START_TEST(forever_never_comes) {
  gch_ctx *deadline = gch_ctx_with_deadline(bg(), GCH_FOREVER);
  gch_ctx *timeout = gch_ctx_with_timeout(bg(), GCH_FOREVER);
  gch_ctx *first = gch_ctx_with_deadline(bg(), soon());
  await_done(first);
  expect_not_done(deadline);
  expect_not_done(timeout);
  gch_ctx_end(first);
  gch_ctx_end(timeout);
  gch_ctx_end(deadline);
}
END_TEST

START_TEST(a_timeout_beyond_the_end_of_time_saturates) {
  gch_ctx *ctx = gch_ctx_with_timeout(bg(), INT64_MAX - 1);
  int64_t deadline = GCH_FOREVER;
  gch_ctx_deadline(ctx, &deadline);
  ck_assert_int_eq(deadline, GCH_FOREVER);
  expect_not_done(ctx);
  gch_ctx_end(ctx);
}
END_TEST

/* Time passes */

START_TEST(a_deadline_ends_its_context_not_before) {
  int64_t deadline = soon();
  gch_ctx *ctx = gch_ctx_with_deadline(bg(), deadline);
  await_done(ctx);
  ck_assert_int_ge(gch_now(), deadline);
  expect_done(ctx, ETIMEDOUT, ETIMEDOUT);
  gch_ctx_unref(ctx);
}
END_TEST

START_TEST(a_timeout_ends_its_context_not_before) {
  int64_t start = gch_now();
  gch_ctx *ctx = gch_ctx_with_timeout(bg(), 2 * GCH_MILLISECOND);
  await_done(ctx);
  ck_assert_int_ge(gch_now(), start + 2 * GCH_MILLISECOND);
  expect_done(ctx, ETIMEDOUT, ETIMEDOUT);
  gch_ctx_unref(ctx);
}
END_TEST

START_TEST(an_earlier_child_ends_alone) {
  gch_ctx *parent = gch_ctx_with_timeout(bg(), GCH_HOUR);
  gch_ctx *child = gch_ctx_with_deadline(parent, soon());
  await_done(child);
  expect_done(child, ETIMEDOUT, ETIMEDOUT);
  expect_not_done(parent);
  gch_ctx_unref(child);
  gch_ctx_end(parent);
}
END_TEST

START_TEST(a_parents_deadline_ends_its_children) {
  static int key, value;
  gch_ctx *parent = gch_ctx_with_deadline_cause(bg(), soon(), EIO);
  gch_ctx *child = gch_ctx_with_cancel(parent);
  gch_ctx *later = gch_ctx_with_timeout_cause(child, GCH_HOUR, ENOENT);
  const gch_ctx *leaf = gch_ctx_with_value(later, &key, &value);
  await_done(leaf);
  expect_done(child, ETIMEDOUT, EIO);
  expect_done(later, ETIMEDOUT, EIO);
  expect_done(leaf, ETIMEDOUT, EIO);
  gch_ctx_unref(leaf);
  gch_ctx_unref(later);
  gch_ctx_unref(child);
  gch_ctx_unref(parent);
}
END_TEST

START_TEST(contexts_end_in_the_order_of_their_deadlines) {
  int64_t start = gch_now();
  gch_ctx *second = gch_ctx_with_deadline(bg(), start + 4 * GCH_MILLISECOND);
  gch_ctx *first = gch_ctx_with_deadline(bg(), start + 2 * GCH_MILLISECOND);
  await_done(second);
  expect_done(first, ETIMEDOUT, ETIMEDOUT);
  gch_ctx_unref(first);
  gch_ctx_unref(second);
}
END_TEST

START_TEST(what_ended_a_context_first_sticks) {
  gch_ctx *ctx = gch_ctx_with_deadline(bg(), soon());
  gch_ctx_cancel(ctx);
  int err = gch_ctx_err(ctx);
  gch_ctx *clock = gch_ctx_with_deadline(bg(), deadline_of(ctx) + 1);
  await_done(clock);
  expect_done(ctx, err, err);
  gch_ctx_unref(clock);
  gch_ctx_unref(ctx);
}
END_TEST

START_TEST(unref_stops_the_timer) {
  for (int i = 0; i < scaled(200); i++)
    gch_ctx_unref(gch_ctx_with_timeout(bg(), i % 20 * GCH_MICROSECOND));
  gch_ctx *clock = gch_ctx_with_deadline(bg(), soon());
  await_done(clock);
  gch_ctx_unref(clock);
}
END_TEST

/* Deadlines that have passed */

START_TEST(a_passed_deadline_gives_a_context_already_done) {
  const int64_t past[] = {INT64_MIN, -1, 0, 1, gch_now()};
  for (size_t i = 0; i < sizeof past / sizeof *past; i++) {
    gch_ctx *ctx = gch_ctx_with_deadline(bg(), past[i]);
    expect_done(ctx, ETIMEDOUT, ETIMEDOUT);
    ck_assert_int_eq(deadline_of(ctx), past[i]);
    gch_ctx_unref(ctx);
  }
}
END_TEST

START_TEST(a_timeout_of_no_time_gives_a_context_already_done) {
  const int64_t none[] = {0, -1, INT64_MIN, 1};
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
    gch_ctx *ctx = gch_ctx_with_timeout(bg(), none[i]);
    expect_done(ctx, ETIMEDOUT, ETIMEDOUT);
    gch_ctx_unref(ctx);
  }
}
END_TEST

START_TEST(a_later_cancel_changes_nothing) {
  gch_ctx *ctx = gch_ctx_with_timeout(bg(), 0);
  gch_ctx_cancel_cause(ctx, EIO);
  expect_done(ctx, ETIMEDOUT, ETIMEDOUT);
  gch_ctx_unref(ctx);
}
END_TEST

START_TEST(a_cancelled_parent_beats_a_passed_deadline) {
  gch_ctx *parent = gch_ctx_with_cancel(bg());
  gch_ctx_cancel_cause(parent, EIO);
  gch_ctx *child = gch_ctx_with_deadline_cause(parent, 0, ENOENT);
  expect_done(child, ECANCELED, EIO);
  gch_ctx_unref(child);
  gch_ctx_unref(parent);
}
END_TEST

START_TEST(a_passed_deadline_leaves_the_parent_alone) {
  gch_ctx *parent = gch_ctx_with_cancel(bg());
  gch_ctx *child = gch_ctx_with_timeout(parent, 0);
  expect_not_done(parent);
  gch_ctx_unref(child);
  gch_ctx_end(parent);
}
END_TEST

/* Causes */

START_TEST(the_cause_of_a_passed_deadline_is_the_one_given) {
  gch_ctx *deadline = gch_ctx_with_deadline_cause(bg(), 0, EIO);
  gch_ctx *timeout = gch_ctx_with_timeout_cause(bg(), 0, ENOENT);
  expect_done(deadline, ETIMEDOUT, EIO);
  expect_done(timeout, ETIMEDOUT, ENOENT);
  gch_ctx_unref(timeout);
  gch_ctx_unref(deadline);
}
END_TEST

START_TEST(the_cause_comes_when_the_time_comes) {
  gch_ctx *ctx = gch_ctx_with_deadline_cause(bg(), soon(), EIO);
  await_done(ctx);
  expect_done(ctx, ETIMEDOUT, EIO);
  gch_ctx_unref(ctx);
}
END_TEST

START_TEST(a_deadlines_cause_zero_means_timedout) {
  gch_ctx *ctx = gch_ctx_with_timeout_cause(bg(), 0, 0);
  expect_done(ctx, ETIMEDOUT, ETIMEDOUT);
  gch_ctx_unref(ctx);
}
END_TEST

START_TEST(a_cancel_in_time_leaves_the_deadlines_cause_out) {
  gch_ctx *ctx = gch_ctx_with_timeout_cause(bg(), GCH_HOUR, EIO);
  gch_ctx_cancel(ctx);
  expect_done(ctx, ECANCELED, ECANCELED);
  gch_ctx_unref(ctx);
}
END_TEST

START_TEST(a_cancel_in_time_may_have_a_cause_of_its_own) {
  gch_ctx *ctx = gch_ctx_with_timeout_cause(bg(), GCH_HOUR, EIO);
  gch_ctx_cancel_cause(ctx, ENOENT);
  expect_done(ctx, ECANCELED, ENOENT);
  gch_ctx_unref(ctx);
}
END_TEST

START_TEST(an_expired_child_keeps_its_cause) {
  gch_ctx *parent = gch_ctx_with_cancel(bg());
  gch_ctx *child = gch_ctx_with_timeout_cause(parent, 0, EIO);
  gch_ctx_cancel_cause(parent, ENOENT);
  expect_done(child, ETIMEDOUT, EIO);
  gch_ctx_unref(child);
  gch_ctx_unref(parent);
}
END_TEST

START_TEST(an_unexpired_child_takes_its_parents_cause) {
  gch_ctx *parent = gch_ctx_with_cancel(bg());
  gch_ctx *child = gch_ctx_with_timeout_cause(parent, GCH_HOUR, EIO);
  gch_ctx_cancel_cause(parent, ENOENT);
  expect_done(child, ECANCELED, ENOENT);
  gch_ctx_unref(child);
  gch_ctx_unref(parent);
}
END_TEST

static void cancel(void *ctx) {
  gch_ctx_cancel(ctx);
}

START_TEST(after_a_cancel_that_raced_the_deadline_all_descendants_are_done) {
  for (int i = 0; i < scaled(100); i++) {
    gch_ctx *ctx = gch_ctx_with_timeout(bg(), 50 * GCH_MICROSECOND);
    gch_ctx *children[50];
    for (int k = 0; k < 50; k++)
      children[k] = gch_ctx_with_cancel(ctx);
    test_thread *t = thread_start(cancel, ctx);
    gch_ctx_cancel(ctx);
    int err = gch_ctx_err(ctx);
    ck_assert(err == ECANCELED || err == ETIMEDOUT);
    for (int k = 0; k < 50; k++) {
      expect_done(children[k], err, err);
      gch_ctx_unref(children[k]);
    }
    thread_join(t);
    gch_ctx_unref(ctx);
  }
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("ctx_deadline");
  TCase *t = test_case(s, "deadline");
  tcase_add_test(t, a_deadline_is_told);
  tcase_add_test(t, a_timeout_counts_from_now);
  tcase_add_test(t, children_inherit_the_deadline);
  tcase_add_test(t, a_done_context_keeps_its_deadline);
  tcase_add_test(t, a_later_deadline_gives_way_to_the_parents);
  tcase_add_test(t, an_earlier_deadline_is_the_childs_own);
  tcase_add_test(t, forever_never_comes);
  tcase_add_test(t, a_timeout_beyond_the_end_of_time_saturates);
  t = test_case(s, "time");
  tcase_add_test(t, a_deadline_ends_its_context_not_before);
  tcase_add_test(t, a_timeout_ends_its_context_not_before);
  tcase_add_test(t, an_earlier_child_ends_alone);
  tcase_add_test(t, a_parents_deadline_ends_its_children);
  tcase_add_test(t, contexts_end_in_the_order_of_their_deadlines);
  tcase_add_test(t, what_ended_a_context_first_sticks);
  tcase_add_test(t, unref_stops_the_timer);
  t = test_case(s, "past");
  tcase_add_test(t, a_passed_deadline_gives_a_context_already_done);
  tcase_add_test(t, a_timeout_of_no_time_gives_a_context_already_done);
  tcase_add_test(t, a_later_cancel_changes_nothing);
  tcase_add_test(t, a_cancelled_parent_beats_a_passed_deadline);
  tcase_add_test(t, a_passed_deadline_leaves_the_parent_alone);
  t = test_case(s, "cause");
  tcase_add_test(t, the_cause_of_a_passed_deadline_is_the_one_given);
  tcase_add_test(t, the_cause_comes_when_the_time_comes);
  tcase_add_test(t, a_deadlines_cause_zero_means_timedout);
  tcase_add_test(t, a_cancel_in_time_leaves_the_deadlines_cause_out);
  tcase_add_test(t, a_cancel_in_time_may_have_a_cause_of_its_own);
  tcase_add_test(t, an_expired_child_keeps_its_cause);
  tcase_add_test(t, an_unexpired_child_takes_its_parents_cause);
  tcase_add_test(
      t, after_a_cancel_that_raced_the_deadline_all_descendants_are_done);
  return s;
}
