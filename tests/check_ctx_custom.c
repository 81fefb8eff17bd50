/* SPDX-License-Identifier: BSD-3-Clause */
/* Contexts of the user's own kind: what they inherit, what they answer, and
   that what is derived from them is done when their channel is closed. */
#include "ctx_facts.h"
#include "own_ctx.h"

static const gch_ctx *bg(void) {
  return gch_ctx_background();
}

/* A kind with a channel and an error of its own, that counts its drops. */
static const gch_ctx_ops own_ops = {
    .done = own_done, .err = own_err, .drop = own_drop};

static const gch_ctx_ops inherits_all = {0};

static void own_init(struct own *o) {
  o->done = gch_make(0, 0);
  atomic_init(&o->err, 0);
  o->drops = 0;
}

static void own_end(struct own *o, int err) {
  atomic_store(&o->err, err);
  gch_close(o->done);
}

/* What is not there is inherited */

START_TEST(without_operations_all_is_inherited) {
  static int key, value;
  gch_ctx *timeout = gch_ctx_with_timeout(bg(), GCH_HOUR);
  const gch_ctx *parent = gch_ctx_with_value(timeout, &key, &value);
  const gch_ctx *ctx = gch_ctx_custom(parent, &inherits_all, NULL);
  int64_t deadline, parents;
  ck_assert(gch_ctx_deadline(parent, &parents));
  ck_assert(gch_ctx_deadline(ctx, &deadline));
  ck_assert_int_eq(deadline, parents);
  ck_assert_ptr_eq(gch_ctx_done(ctx), gch_ctx_done(parent));
  ck_assert_ptr_eq(gch_ctx_value(ctx, &key), &value);
  expect_not_done(ctx);
  gch_ctx_cancel_cause(timeout, EIO);
  expect_done(ctx, ECANCELED, EIO);
  gch_ctx_unref(ctx);
  gch_ctx_unref(parent);
  gch_ctx_unref(timeout);
}
END_TEST

START_TEST(children_of_one_that_inherits_end_with_its_parent) {
  gch_ctx *parent = gch_ctx_with_cancel(bg());
  const gch_ctx *ctx = gch_ctx_custom(parent, &inherits_all, NULL);
  gch_ctx *child = gch_ctx_with_cancel(ctx);
  gch_ctx_cancel_cause(parent, EIO);
  expect_done(child, ECANCELED, EIO);
  gch_ctx_unref(child);
  gch_ctx_unref(ctx);
  gch_ctx_unref(parent);
}
END_TEST

START_TEST(over_a_done_parent_one_that_inherits_is_born_done) {
  gch_ctx *parent = gch_ctx_with_cancel(bg());
  gch_ctx_cancel_cause(parent, EIO);
  const gch_ctx *ctx = gch_ctx_custom(parent, &inherits_all, NULL);
  expect_done(ctx, ECANCELED, EIO);
  gch_ctx_unref(ctx);
  gch_ctx_unref(parent);
}
END_TEST

/* What is there is asked */

struct asked {
  int key, value;
  void *self;
  const gch_ctx *parent;
};

static const void *answer_value(void *self, const gch_ctx *parent,
                                const void *key) {
  struct asked *a = self;
  a->self = self;
  a->parent = parent;
  return key == &a->key ? &a->value : gch_ctx_value(parent, key);
}

START_TEST(its_value_is_asked_with_itself_and_its_parent) {
  static int other, theirs;
  struct asked a = {0};
  const gch_ctx_ops ops = {.value = answer_value};
  const gch_ctx *parent = gch_ctx_with_value(bg(), &other, &theirs);
  const gch_ctx *ctx = gch_ctx_custom(parent, &ops, &a);
  gch_ctx *child = gch_ctx_with_cancel(ctx);
  ck_assert_ptr_eq(gch_ctx_value(child, &a.key), &a.value);
  ck_assert_ptr_eq(a.self, &a);
  ck_assert_ptr_eq(a.parent, parent);
  ck_assert_ptr_eq(gch_ctx_value(child, &other), &theirs);
  gch_ctx_unref(child);
  gch_ctx_unref(ctx);
  gch_ctx_unref(parent);
}
END_TEST

static bool answer_deadline(void *self, const gch_ctx *parent, int64_t *out) {
  (void)parent;
  *out = *(int64_t *)self;
  return true;
}

START_TEST(its_deadline_is_asked_and_inherited) {
  int64_t mine = gch_now() + GCH_HOUR, deadline = 0;
  const gch_ctx_ops ops = {.deadline = answer_deadline};
  const gch_ctx *ctx = gch_ctx_custom(bg(), &ops, &mine);
  gch_ctx *later = gch_ctx_with_deadline(ctx, mine + 1);
  ck_assert(gch_ctx_deadline(ctx, &deadline));
  ck_assert_int_eq(deadline, mine);
  ck_assert(gch_ctx_deadline(later, &deadline));
  ck_assert_int_eq(deadline, mine);
  ck_assert(gch_ctx_deadline(ctx, NULL));
  gch_ctx_unref(later);
  gch_ctx_unref(ctx);
}
END_TEST

START_TEST(its_done_and_err_are_asked) {
  struct own o;
  own_init(&o);
  const gch_ctx *ctx = gch_ctx_custom(bg(), &own_ops, &o);
  ck_assert_ptr_eq(gch_ctx_done(ctx), o.done);
  expect_not_done(ctx);
  own_end(&o, EIO);
  expect_done(ctx, EIO, EIO);
  gch_ctx_unref(ctx);
  gch_unref(o.done);
}
END_TEST

/* done may say never. */
START_TEST(a_null_done_is_never_done) {
  struct own o = {0};
  gch_ctx *parent = gch_ctx_with_cancel(bg());
  const gch_ctx *ctx = gch_ctx_custom(parent, &own_ops, &o);
  gch_ctx *child = gch_ctx_with_cancel(ctx);
  gch_ctx_cancel(parent);
  ck_assert_ptr_null(gch_ctx_done(ctx));
  expect_not_done(child);
  gch_ctx_unref(child);
  gch_ctx_unref(ctx);
  gch_ctx_unref(parent);
}
END_TEST

START_TEST(a_custom_context_writes_something_after_its_parent) {
  char buf[64] = "";
  const gch_ctx *ctx = gch_ctx_custom(bg(), &inherits_all, NULL);
  size_t n = gch_ctx_string(ctx, buf, sizeof buf);
  ck_assert_uint_gt(n, 18);
  ck_assert_str_eq(buf, "context.Background.Custom");
  gch_ctx_unref(ctx);
}
END_TEST

/* drop */

START_TEST(drop_is_called_once_at_the_last_unref) {
  struct own o;
  own_init(&o);
  const gch_ctx *ctx = gch_ctx_custom(bg(), &own_ops, &o);
  gch_ctx *child = gch_ctx_with_cancel(ctx);
  gch_ctx_unref(ctx);
  ck_assert_int_eq(o.drops, 0);
  gch_ctx_unref(child);
  ck_assert_int_eq(o.drops, 1);
  gch_unref(o.done);
}
END_TEST

static void drop_done(void *self) {
  struct own *o = self;
  gch_unref(o->done);
  o->drops++;
}

START_TEST(drop_may_free_the_channel) {
  const gch_ctx_ops ops = {.done = own_done, .err = own_err, .drop = drop_done};
  struct own o;
  own_init(&o);
  const gch_ctx *ctx = gch_ctx_custom(bg(), &ops, &o);
  gch_ctx *child = gch_ctx_with_cancel(ctx);
  gch_ctx_unref(ctx);
  gch_ctx_unref(child);
  ck_assert_int_eq(o.drops, 1);
}
END_TEST

/* A done channel of its own */

START_TEST(descendants_are_done_when_the_close_returns) {
  static int key, value;
  struct own o;
  own_init(&o);
  const gch_ctx *ctx = gch_ctx_custom(bg(), &own_ops, &o);
  gch_ctx *child = gch_ctx_with_cancel(ctx);
  const gch_ctx *middle = gch_ctx_with_value(child, &key, &value);
  gch_ctx *leaf = gch_ctx_with_timeout_cause(middle, GCH_HOUR, ENOENT);
  own_end(&o, EIO);
  expect_done(child, EIO, EIO);
  expect_done(leaf, EIO, EIO);
  gch_ctx_unref(leaf);
  gch_ctx_unref(middle);
  gch_ctx_unref(child);
  gch_ctx_unref(ctx);
  gch_unref(o.done);
}
END_TEST

START_TEST(an_err_of_zero_after_the_close_counts_as_canceled) {
  struct own o;
  own_init(&o);
  const gch_ctx *ctx = gch_ctx_custom(bg(), &own_ops, &o);
  gch_ctx *before = gch_ctx_with_cancel(ctx);
  gch_close(o.done);
  gch_ctx *after = gch_ctx_with_cancel(ctx);
  expect_done(before, ECANCELED, ECANCELED);
  expect_done(after, ECANCELED, ECANCELED);
  gch_ctx_unref(after);
  gch_ctx_unref(before);
  gch_ctx_unref(ctx);
  gch_unref(o.done);
}
END_TEST

START_TEST(a_child_of_a_closed_one_is_born_done) {
  struct own o;
  own_init(&o);
  const gch_ctx *ctx = gch_ctx_custom(bg(), &own_ops, &o);
  own_end(&o, EIO);
  gch_ctx *child = gch_ctx_with_cancel(ctx);
  expect_done(child, EIO, EIO);
  gch_ctx_unref(child);
  gch_ctx_unref(ctx);
  gch_unref(o.done);
}
END_TEST

START_TEST(the_cancel_of_a_built_in_ancestor_stops_at_its_done) {
  struct own o;
  own_init(&o);
  gch_ctx *top = gch_ctx_with_cancel(bg());
  const gch_ctx *ctx = gch_ctx_custom(top, &own_ops, &o);
  gch_ctx *child = gch_ctx_with_cancel(ctx);
  gch_ctx_cancel(top);
  expect_not_done(child);
  own_end(&o, ECANCELED);
  ck_assert_int_eq(gch_ctx_err(child), ECANCELED);
  gch_ctx_unref(child);
  gch_ctx_unref(ctx);
  gch_ctx_unref(top);
  gch_unref(o.done);
}
END_TEST

START_TEST(the_cause_is_that_of_the_nearest_built_in_ancestor) {
  struct own o;
  own_init(&o);
  gch_ctx *top = gch_ctx_with_cancel(bg());
  const gch_ctx *ctx = gch_ctx_custom(top, &own_ops, &o);
  gch_ctx *child = gch_ctx_with_cancel(ctx);
  gch_ctx_cancel_cause(top, EIO);
  own_end(&o, ETIMEDOUT);
  expect_done(ctx, ETIMEDOUT, EIO);
  expect_done(child, ETIMEDOUT, EIO);
  gch_ctx_unref(child);
  gch_ctx_unref(ctx);
  gch_ctx_unref(top);
  gch_unref(o.done);
}
END_TEST

START_TEST(without_an_ancestors_cause_the_cause_is_the_err) {
  struct own o;
  own_init(&o);
  gch_ctx *top = gch_ctx_with_cancel(bg());
  const gch_ctx *ctx = gch_ctx_custom(top, &own_ops, &o);
  gch_ctx *child = gch_ctx_with_cancel(ctx);
  own_end(&o, ETIMEDOUT);
  gch_ctx_cancel_cause(top, EIO);
  expect_done(child, ETIMEDOUT, ETIMEDOUT);
  gch_ctx_unref(child);
  gch_ctx_unref(ctx);
  gch_ctx_unref(top);
  gch_unref(o.done);
}
END_TEST

START_TEST(a_child_cancelled_first_keeps_its_error) {
  struct own o;
  own_init(&o);
  const gch_ctx *ctx = gch_ctx_custom(bg(), &own_ops, &o);
  gch_ctx *child = gch_ctx_with_cancel(ctx);
  gch_ctx_cancel_cause(child, ENOENT);
  own_end(&o, EIO);
  expect_done(child, ECANCELED, ENOENT);
  gch_ctx_unref(child);
  gch_ctx_unref(ctx);
  gch_unref(o.done);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("ctx_custom");
  TCase *t = test_case(s, "inherit");
  tcase_add_test(t, without_operations_all_is_inherited);
  tcase_add_test(t, children_of_one_that_inherits_end_with_its_parent);
  tcase_add_test(t, over_a_done_parent_one_that_inherits_is_born_done);
  t = test_case(s, "ask");
  tcase_add_test(t, its_value_is_asked_with_itself_and_its_parent);
  tcase_add_test(t, its_deadline_is_asked_and_inherited);
  tcase_add_test(t, its_done_and_err_are_asked);
  tcase_add_test(t, a_null_done_is_never_done);
  tcase_add_test(t, a_custom_context_writes_something_after_its_parent);
  t = test_case(s, "drop");
  tcase_add_test(t, drop_is_called_once_at_the_last_unref);
  tcase_add_test(t, drop_may_free_the_channel);
  t = test_case(s, "done");
  tcase_add_test(t, descendants_are_done_when_the_close_returns);
  tcase_add_test(t, an_err_of_zero_after_the_close_counts_as_canceled);
  tcase_add_test(t, a_child_of_a_closed_one_is_born_done);
  tcase_add_test(t, the_cancel_of_a_built_in_ancestor_stops_at_its_done);
  tcase_add_test(t, the_cause_is_that_of_the_nearest_built_in_ancestor);
  tcase_add_test(t, without_an_ancestors_cause_the_cause_is_the_err);
  tcase_add_test(t, a_child_cancelled_first_keeps_its_error);
  return s;
}
