/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's context/{x,context}_test.go: the roots, cancelling, deadlines. */
#include "context_checks.h"

START_TEST(TestBackground) {
  const gch_ctx *c = gch_ctx_background();
  ck_assert_ptr_nonnull(c);
  ck_assert_ptr_eq(gch_ctx_background(), c);
  ck_assert_ptr_null(gch_ctx_done(c));
  ck_assert(!gch_ctx_deadline(c, NULL));
  check_open(c);
  check_string(c, "context.Background");
}
END_TEST

START_TEST(TestTODO) {
  const gch_ctx *c = gch_ctx_todo();
  ck_assert_ptr_nonnull(c);
  ck_assert_ptr_ne(c, gch_ctx_background());
  ck_assert_ptr_null(gch_ctx_done(c));
  ck_assert(!gch_ctx_deadline(c, NULL));
  check_open(c);
  check_string(c, "context.TODO");
}
END_TEST

START_TEST(TestWithCancel) {
  GCH_CTX_AUTO gch_ctx *c1 = gch_ctx_with_cancel(gch_ctx_background());
  GCH_CTX_UNREF_AUTO const gch_ctx *o = other_context(c1);
  GCH_CTX_AUTO gch_ctx *c2 = gch_ctx_with_cancel(o);
  const gch_ctx *contexts[] = {c1, o, c2};

  check_string(c1, "context.Background.WithCancel");
  for (int i = 0; i < 3; i++) {
    ck_assert_ptr_nonnull(gch_ctx_done(contexts[i]));
    check_open(contexts[i]);
  }
  gch_ctx_cancel(c1);
  for (int i = 0; i < 3; i++)
    check_done(contexts[i], ECANCELED);
}
END_TEST

START_TEST(TestWithCancel_done_is_the_same_channel_each_time) {
  GCH_CTX_AUTO gch_ctx *c = gch_ctx_with_cancel(gch_ctx_background());
  gch_chan *done = gch_ctx_done(c);
  ck_assert_ptr_eq(gch_ctx_done(c), done);
  gch_ctx_cancel(c);
  ck_assert_ptr_eq(gch_ctx_done(c), done);
}
END_TEST

/* parent -> cancel_child; parent -> value_child -> timer_child */
START_TEST(TestParentFinishesChild) {
  static const char key[] = "key";
  GCH_CTX_AUTO gch_ctx *parent = gch_ctx_with_cancel(gch_ctx_background());
  GCH_CTX_AUTO gch_ctx *cancel_child = gch_ctx_with_cancel(parent);
  GCH_CTX_UNREF_AUTO const gch_ctx *value_child =
      gch_ctx_with_value(parent, key, "value");
  GCH_CTX_AUTO gch_ctx *timer_child =
      gch_ctx_with_timeout(value_child, VERY_LONG_DURATION);

  ck_assert_int_eq(gch_select(GCH_RECV(gch_ctx_done(parent), NULL),
                              GCH_RECV(gch_ctx_done(cancel_child), NULL),
                              GCH_RECV(gch_ctx_done(value_child), NULL),
                              GCH_RECV(gch_ctx_done(timer_child), NULL),
                              GCH_DEFAULT),
                   4);
  gch_ctx_cancel(parent);
  check_done(parent, ECANCELED);
  check_done(cancel_child, ECANCELED);
  check_done(value_child, ECANCELED);
  check_done(timer_child, ECANCELED);

  GCH_CTX_UNREF_AUTO const gch_ctx *precanceled_child =
      gch_ctx_with_value(parent, key, "value");
  check_done(precanceled_child, ECANCELED);
}
END_TEST

START_TEST(TestParentFinishesChild_value_shares_its_parents_done) {
  static const char key[] = "key";
  GCH_CTX_AUTO gch_ctx *parent = gch_ctx_with_cancel(gch_ctx_background());
  GCH_CTX_UNREF_AUTO const gch_ctx *child =
      gch_ctx_with_value(parent, key, "value");
  ck_assert_ptr_eq(gch_ctx_done(child), gch_ctx_done(parent));
}
END_TEST

struct family {
  gch_ctx *parent, *child;
  _Atomic int parent_was_done;
};

static void await_child(void *arg) {
  struct family *f = arg;
  gch_recv(gch_ctx_done(f->child), NULL);
  f->parent_was_done = is_done(f->parent);
}

START_TEST(TestParentFinishesChild_parent_is_done_first) {
  GCH_CTX_AUTO gch_ctx *parent = gch_ctx_with_cancel(gch_ctx_background());
  GCH_CTX_AUTO gch_ctx *child = gch_ctx_with_cancel(parent);
  struct family f = {parent, child, 0};
  gch_wg wg = GCH_WG_INIT;

  ck_assert_int_eq(gch_wg_go(&wg, await_child, &f), 0);
  gch_ctx_cancel(parent);
  gch_wg_wait(&wg);
  ck_assert(f.parent_was_done);
}
END_TEST

/* The child of a parent that can't be done, then of one that can. */
START_TEST(TestChildFinishesFirst) {
  GCH_CTX_AUTO gch_ctx *cancelable = gch_ctx_with_cancel(gch_ctx_background());
  const gch_ctx *parent = _i == 0 ? gch_ctx_background() : cancelable;
  GCH_CTX_AUTO gch_ctx *child = gch_ctx_with_cancel(parent);

  check_open(parent);
  check_open(child);
  gch_ctx_cancel(child);
  check_done(child, ECANCELED);
  check_open(parent);
}
END_TEST

static gch_ctx *cancel_child_of(const gch_ctx *parent) {
  return gch_ctx_with_cancel(parent);
}

static gch_ctx *timeout_child_of(const gch_ctx *parent) {
  return gch_ctx_with_timeout(parent, GCH_HOUR);
}

static gch_ctx *(*const child_of[])(const gch_ctx *) = {cancel_child_of,
                                                        timeout_child_of};

/* A parent that is cancelled after its child touches nothing of it: the
   address sanitizer would see it. */
START_TEST(TestCancelRemoves) {
  GCH_CTX_AUTO gch_ctx *parent = gch_ctx_with_cancel(gch_ctx_background());
  gch_ctx *child = child_of[_i](parent);
  gch_ctx_cancel(child);
  gch_ctx_unref(child);
  check_open(parent);
  gch_ctx_cancel(parent);
  check_done(parent, ECANCELED);
}
END_TEST

START_TEST(TestCancelRemoves_unref_alone) {
  GCH_CTX_AUTO gch_ctx *parent = gch_ctx_with_cancel(gch_ctx_background());
  gch_ctx_unref(child_of[_i](parent));
  check_open(parent);
  gch_ctx_cancel(parent);
  check_done(parent, ECANCELED);
}
END_TEST

static void check_deadline(gch_ctx *c) {
  ck_assert_ptr_nonnull(c);
  await_done(c);
  ck_assert_int_eq(gch_ctx_err(c), ETIMEDOUT);
  ck_assert_int_eq(gch_ctx_cause(c), ETIMEDOUT);
}

START_TEST(TestDeadline) {
  int64_t deadline = gch_now() + SHORT_DURATION, got = 0;
  GCH_CTX_AUTO gch_ctx *c =
      gch_ctx_with_deadline(gch_ctx_background(), deadline);
  check_string_begins(c, "context.Background.WithDeadline(");
  ck_assert(gch_ctx_deadline(c, &got));
  ck_assert_int_eq(got, deadline);
  check_deadline(c);
  ck_assert_int_ge(gch_now(), deadline);
}
END_TEST

START_TEST(TestDeadline_otherContext) {
  GCH_CTX_AUTO gch_ctx *c =
      gch_ctx_with_deadline(gch_ctx_background(), gch_now() + SHORT_DURATION);
  GCH_CTX_UNREF_AUTO const gch_ctx *o = other_context(c);
  await_done(o);
  ck_assert_int_eq(gch_ctx_err(o), ETIMEDOUT);
}
END_TEST

START_TEST(TestDeadline_otherContext_WithDeadline) {
  int64_t soon = gch_now() + SHORT_DURATION, got = 0;
  GCH_CTX_AUTO gch_ctx *c = gch_ctx_with_deadline(gch_ctx_background(), soon);
  GCH_CTX_UNREF_AUTO const gch_ctx *o = other_context(c);
  GCH_CTX_AUTO gch_ctx *d =
      gch_ctx_with_deadline(o, gch_now() + VERY_LONG_DURATION);
  ck_assert(gch_ctx_deadline(d, &got));
  ck_assert_int_eq(got, soon);
  check_deadline(d);
}
END_TEST

START_TEST(TestDeadline_inthepast) {
  GCH_CTX_AUTO gch_ctx *c =
      gch_ctx_with_deadline(gch_ctx_background(), gch_now() - SHORT_DURATION);
  check_done(c, ETIMEDOUT);
  gch_ctx_cancel_cause(c, CHILD_CAUSE);
  check_deadline(c);
}
END_TEST

START_TEST(TestDeadline_now) {
  GCH_CTX_AUTO gch_ctx *c =
      gch_ctx_with_deadline(gch_ctx_background(), gch_now());
  check_done(c, ETIMEDOUT);
}
END_TEST

START_TEST(TestDeadline_canceled_parent_beats_the_past) {
  GCH_CTX_AUTO gch_ctx *parent = gch_ctx_with_cancel(gch_ctx_background());
  gch_ctx_cancel(parent);
  GCH_CTX_AUTO gch_ctx *c =
      gch_ctx_with_deadline(parent, gch_now() - SHORT_DURATION);
  check_done(c, ECANCELED);
}
END_TEST

START_TEST(TestDeadline_earlier_parent_makes_a_plain_cancel_context) {
  GCH_CTX_AUTO gch_ctx *parent =
      gch_ctx_with_timeout(gch_ctx_background(), GCH_HOUR);
  GCH_CTX_AUTO gch_ctx *c = gch_ctx_with_timeout(parent, VERY_LONG_DURATION);
  char got[256];
  gch_ctx_string(c, got, sizeof got);
  ck_assert_str_eq(got + strlen(got) - strlen(".WithCancel"), ".WithCancel");
}
END_TEST

START_TEST(TestDeadline_equal_to_the_parents_is_its_own) {
  int64_t deadline = gch_now() + GCH_HOUR;
  GCH_CTX_AUTO gch_ctx *parent =
      gch_ctx_with_deadline(gch_ctx_background(), deadline);
  GCH_CTX_AUTO gch_ctx *c = gch_ctx_with_deadline(parent, deadline);
  char got[256];
  gch_ctx_string(c, got, sizeof got);
  const char *first = strstr(got, ".WithDeadline(");
  ck_assert_ptr_nonnull(first);
  ck_assert_ptr_nonnull(strstr(first + 1, ".WithDeadline("));
}
END_TEST

/* What came first, the cancel or the deadline, stays. */
START_TEST(TestDeadline_passes_after_the_cancel) {
  GCH_CTX_AUTO gch_ctx *c =
      gch_ctx_with_timeout(gch_ctx_background(), SHORT_DURATION);
  gch_ctx_cancel(c);
  int err = gch_ctx_err(c);
  GCH_AUTO gch_chan *later = gch_after(2 * SHORT_DURATION);
  ck_assert_int_eq(gch_recv(later, NULL), 0);
  check_done(c, err);
}
END_TEST

START_TEST(TestTimeout) {
  int64_t start = gch_now();
  GCH_CTX_AUTO gch_ctx *c =
      gch_ctx_with_timeout(gch_ctx_background(), SHORT_DURATION);
  check_string_begins(c, "context.Background.WithDeadline(");
  check_deadline(c);
  ck_assert_int_ge(gch_now(), start + SHORT_DURATION);
}
END_TEST

START_TEST(TestTimeout_otherContext) {
  GCH_CTX_AUTO gch_ctx *c =
      gch_ctx_with_timeout(gch_ctx_background(), SHORT_DURATION);
  GCH_CTX_UNREF_AUTO const gch_ctx *o = other_context(c);
  await_done(o);
  ck_assert_int_eq(gch_ctx_err(o), ETIMEDOUT);
}
END_TEST

START_TEST(TestTimeout_otherContext_WithTimeout) {
  GCH_CTX_AUTO gch_ctx *c =
      gch_ctx_with_timeout(gch_ctx_background(), SHORT_DURATION);
  GCH_CTX_UNREF_AUTO const gch_ctx *o = other_context(c);
  GCH_CTX_AUTO gch_ctx *d = gch_ctx_with_timeout(o, VERY_LONG_DURATION);
  check_deadline(d);
}
END_TEST

START_TEST(TestCanceledTimeout) {
  GCH_CTX_AUTO gch_ctx *c =
      gch_ctx_with_timeout(gch_ctx_background(), GCH_HOUR);
  GCH_CTX_UNREF_AUTO const gch_ctx *o = other_context(c);
  GCH_CTX_AUTO gch_ctx *d = gch_ctx_with_timeout(o, VERY_LONG_DURATION);
  gch_ctx_cancel(d);
  check_done(d, ECANCELED);
  check_open(c);
}
END_TEST

START_TEST(TestWithCancelCanceledParent) {
  GCH_CTX_AUTO gch_ctx *parent = gch_ctx_with_cancel(gch_ctx_background());
  gch_ctx_cancel_cause(parent, PARENT_CAUSE);
  GCH_CTX_AUTO gch_ctx *c = gch_ctx_with_cancel(parent);
  check_done(c, ECANCELED);
  ck_assert_int_eq(gch_ctx_cause(c), PARENT_CAUSE);
}
END_TEST

static void add_cancel(Suite *s) {
  TCase *t = test_case(s, "cancel");
  tcase_add_test(t, TestBackground);
  tcase_add_test(t, TestTODO);
  tcase_add_test(t, TestWithCancel);
  tcase_add_test(t, TestWithCancel_done_is_the_same_channel_each_time);
  tcase_add_test(t, TestParentFinishesChild);
  tcase_add_test(t, TestParentFinishesChild_value_shares_its_parents_done);
  tcase_add_test(t, TestParentFinishesChild_parent_is_done_first);
  tcase_add_loop_test(t, TestChildFinishesFirst, 0, 2);
  tcase_add_loop_test(t, TestCancelRemoves, 0, 2);
  tcase_add_loop_test(t, TestCancelRemoves_unref_alone, 0, 2);
  tcase_add_test(t, TestWithCancelCanceledParent);
}

static void add_deadline(Suite *s) {
  TCase *t = test_case(s, "deadline");
  tcase_add_test(t, TestDeadline);
  tcase_add_test(t, TestDeadline_otherContext);
  tcase_add_test(t, TestDeadline_otherContext_WithDeadline);
  tcase_add_test(t, TestDeadline_inthepast);
  tcase_add_test(t, TestDeadline_now);
  tcase_add_test(t, TestDeadline_canceled_parent_beats_the_past);
  tcase_add_test(t, TestDeadline_earlier_parent_makes_a_plain_cancel_context);
  tcase_add_test(t, TestDeadline_equal_to_the_parents_is_its_own);
  tcase_add_test(t, TestDeadline_passes_after_the_cancel);
  tcase_add_test(t, TestTimeout);
  tcase_add_test(t, TestTimeout_otherContext);
  tcase_add_test(t, TestTimeout_otherContext_WithTimeout);
  tcase_add_test(t, TestCanceledTimeout);
}

Suite *test_suite(void) {
  Suite *s = suite_create("golang/context");
  add_cancel(s);
  add_deadline(s);
  return s;
}
