/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's context/x_test.go: causes, err against done, WithoutCancel. */
#include "context_checks.h"

/* A way to make a context; the case drops what it made before it. */
struct pile {
  gch_ctx *parent, *child;
};

static const gch_ctx *background(struct pile *p) {
  (void)p;
  return gch_ctx_background();
}

static const gch_ctx *todo(struct pile *p) {
  (void)p;
  return gch_ctx_todo();
}

static const gch_ctx *with_cancel(struct pile *p) {
  p->parent = gch_ctx_with_cancel(gch_ctx_background());
  gch_ctx_cancel(p->parent);
  return p->parent;
}

static const gch_ctx *cancel_cause(struct pile *p) {
  p->parent = gch_ctx_with_cancel(gch_ctx_background());
  gch_ctx_cancel_cause(p->parent, PARENT_CAUSE);
  return p->parent;
}

static const gch_ctx *cancel_cause_nil(struct pile *p) {
  p->parent = gch_ctx_with_cancel(gch_ctx_background());
  gch_ctx_cancel_cause(p->parent, 0);
  return p->parent;
}

static void make_pair(struct pile *p) {
  p->parent = gch_ctx_with_cancel(gch_ctx_background());
  p->child = gch_ctx_with_cancel(p->parent);
}

static const gch_ctx *parent_cause_before_child(struct pile *p) {
  make_pair(p);
  gch_ctx_cancel_cause(p->parent, PARENT_CAUSE);
  gch_ctx_cancel_cause(p->child, CHILD_CAUSE);
  return p->child;
}

static const gch_ctx *parent_cause_after_child(struct pile *p) {
  make_pair(p);
  gch_ctx_cancel_cause(p->child, CHILD_CAUSE);
  gch_ctx_cancel_cause(p->parent, PARENT_CAUSE);
  return p->child;
}

static const gch_ctx *parent_cause_before_nil(struct pile *p) {
  make_pair(p);
  gch_ctx_cancel_cause(p->parent, PARENT_CAUSE);
  gch_ctx_cancel(p->child);
  return p->child;
}

static const gch_ctx *parent_cause_after_nil(struct pile *p) {
  make_pair(p);
  gch_ctx_cancel(p->child);
  gch_ctx_cancel_cause(p->parent, PARENT_CAUSE);
  return p->child;
}

static const gch_ctx *child_cause_after_nil(struct pile *p) {
  make_pair(p);
  gch_ctx_cancel(p->parent);
  gch_ctx_cancel_cause(p->child, CHILD_CAUSE);
  return p->child;
}

static const gch_ctx *child_cause_before_nil(struct pile *p) {
  make_pair(p);
  gch_ctx_cancel_cause(p->child, CHILD_CAUSE);
  gch_ctx_cancel(p->parent);
  return p->child;
}

static const gch_ctx *timeout(struct pile *p) {
  p->parent = gch_ctx_with_timeout(gch_ctx_background(), 0);
  gch_ctx_cancel(p->parent);
  return p->parent;
}

static const gch_ctx *timeout_canceled(struct pile *p) {
  p->parent = gch_ctx_with_timeout(gch_ctx_background(), VERY_LONG_DURATION);
  gch_ctx_cancel(p->parent);
  return p->parent;
}

static const gch_ctx *timeout_cause(struct pile *p) {
  p->parent = gch_ctx_with_timeout_cause(gch_ctx_background(), 0, TOO_SLOW);
  gch_ctx_cancel(p->parent);
  return p->parent;
}

static const gch_ctx *timeout_cause_nil(struct pile *p) {
  p->parent = gch_ctx_with_timeout_cause(gch_ctx_background(), 0, 0);
  return p->parent;
}

static const gch_ctx *timeout_cause_canceled(struct pile *p) {
  p->parent = gch_ctx_with_timeout_cause(gch_ctx_background(),
                                         VERY_LONG_DURATION, TOO_SLOW);
  gch_ctx_cancel(p->parent);
  return p->parent;
}

static const gch_ctx *timeout_cause_fired(struct pile *p) {
  p->parent = gch_ctx_with_timeout_cause(gch_ctx_background(), SHORT_DURATION,
                                         TOO_SLOW);
  await_done(p->parent);
  return p->parent;
}

static const gch_ctx *timeout_cause_stacked(struct pile *p) {
  p->parent = gch_ctx_with_cancel(gch_ctx_background());
  p->child = gch_ctx_with_timeout_cause(p->parent, 0, TOO_SLOW);
  gch_ctx_cancel_cause(p->parent, FINISHED_EARLY);
  return p->child;
}

static const gch_ctx *timeout_cause_stacked_canceled(struct pile *p) {
  p->parent = gch_ctx_with_cancel(gch_ctx_background());
  p->child =
      gch_ctx_with_timeout_cause(p->parent, VERY_LONG_DURATION, TOO_SLOW);
  gch_ctx_cancel_cause(p->parent, FINISHED_EARLY);
  return p->child;
}

static const gch_ctx *parents_deadline_earlier(struct pile *p) {
  p->parent = gch_ctx_with_timeout(gch_ctx_background(), SHORT_DURATION);
  p->child =
      gch_ctx_with_timeout_cause(p->parent, VERY_LONG_DURATION, TOO_SLOW);
  await_done(p->child);
  return p->child;
}

static const struct {
  const char *name;
  const gch_ctx *(*make)(struct pile *p);
  int err, cause;
} causes[] = {
    {"Background", background, 0, 0},
    {"TODO", todo, 0, 0},
    {"WithCancel", with_cancel, ECANCELED, ECANCELED},
    {"WithCancelCause", cancel_cause, ECANCELED, PARENT_CAUSE},
    {"WithCancelCause nil", cancel_cause_nil, ECANCELED, ECANCELED},
    {"parent cause before child", parent_cause_before_child, ECANCELED,
     PARENT_CAUSE},
    {"parent cause after child", parent_cause_after_child, ECANCELED,
     CHILD_CAUSE},
    {"parent cause before nil", parent_cause_before_nil, ECANCELED,
     PARENT_CAUSE},
    {"parent cause after nil", parent_cause_after_nil, ECANCELED, ECANCELED},
    {"child cause after nil", child_cause_after_nil, ECANCELED, ECANCELED},
    {"child cause before nil", child_cause_before_nil, ECANCELED, CHILD_CAUSE},
    {"WithTimeout", timeout, ETIMEDOUT, ETIMEDOUT},
    {"WithTimeout canceled", timeout_canceled, ECANCELED, ECANCELED},
    {"WithTimeoutCause", timeout_cause, ETIMEDOUT, TOO_SLOW},
    {"WithTimeoutCause nil", timeout_cause_nil, ETIMEDOUT, ETIMEDOUT},
    {"WithTimeoutCause canceled", timeout_cause_canceled, ECANCELED, ECANCELED},
    {"WithTimeoutCause fired", timeout_cause_fired, ETIMEDOUT, TOO_SLOW},
    {"WithTimeoutCause stacked", timeout_cause_stacked, ETIMEDOUT, TOO_SLOW},
    {"WithTimeoutCause stacked canceled", timeout_cause_stacked_canceled,
     ECANCELED, FINISHED_EARLY},
    {"parent's deadline earlier", parents_deadline_earlier, ETIMEDOUT,
     ETIMEDOUT},
};
enum { CAUSES = sizeof causes / sizeof *causes };

START_TEST(TestCause) {
  struct pile p = {NULL, NULL};
  const gch_ctx *ctx = causes[_i].make(&p);
  ck_assert_ptr_nonnull(ctx);
  ck_assert_msg(gch_ctx_err(ctx) == causes[_i].err, "%s: err is %d",
                causes[_i].name, gch_ctx_err(ctx));
  ck_assert_msg(gch_ctx_cause(ctx) == causes[_i].cause, "%s: cause is %d",
                causes[_i].name, gch_ctx_cause(ctx));
  gch_ctx_end(p.child);
  gch_ctx_end(p.parent);
}
END_TEST

static void cancel_for_parent_cause(void *ctx) {
  gch_ctx_cancel_cause(ctx, PARENT_CAUSE);
}

/* Polls, rather than waits for done, for how the cause is published. */
START_TEST(TestCauseRace) {
  for (int i = 0; i < scaled(20); i++) {
    GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
    gch_wg wg = GCH_WG_INIT;
    int cause;
    ck_assert_int_eq(gch_wg_go(&wg, cancel_for_parent_cause, ctx), 0);
    while ((cause = gch_ctx_cause(ctx)) == 0)
      gch_yield();
    ck_assert_int_eq(cause, PARENT_CAUSE);
    gch_wg_wait(&wg);
  }
}
END_TEST

/* Go's issue 75533: a context that has an error has its done closed. */
START_TEST(Issue75533) {
  for (int i = 0; i < scaled(20); i++) {
    GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
    gch_wg wg = GCH_WG_INIT;
    ck_assert_int_eq(gch_wg_go(&wg, cancel_for_parent_cause, ctx), 0);
    while (gch_ctx_err(ctx) == 0)
      gch_yield();
    ck_assert(is_done(ctx));
    gch_wg_wait(&wg);
  }
}
END_TEST

/* The other way round: who sees done closed sees the error. */
START_TEST(Issue75533_err_once_done_is_closed) {
  for (int i = 0; i < scaled(20); i++) {
    GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
    gch_wg wg = GCH_WG_INIT;
    ck_assert_int_eq(gch_wg_go(&wg, cancel_for_parent_cause, ctx), 0);
    while (!is_done(ctx))
      gch_yield();
    ck_assert_int_eq(gch_ctx_err(ctx), ECANCELED);
    ck_assert_int_eq(gch_ctx_cause(ctx), PARENT_CAUSE);
    gch_wg_wait(&wg);
  }
}
END_TEST

static const char key[] = "key";

START_TEST(TestWithoutCancel) {
  GCH_CTX_UNREF_AUTO const gch_ctx *valued =
      gch_ctx_with_value(gch_ctx_background(), key, "value");
  GCH_CTX_AUTO gch_ctx *timed = gch_ctx_with_timeout(valued, GCH_HOUR);
  GCH_CTX_UNREF_AUTO const gch_ctx *ctx = gch_ctx_without_cancel(timed);
  int64_t deadline = 42;

  ck_assert(!gch_ctx_deadline(ctx, &deadline));
  ck_assert_int_eq(deadline, 42);
  ck_assert_ptr_null(gch_ctx_done(ctx));
  check_open(ctx);
  ck_assert_pstr_eq(gch_ctx_value(ctx, key), "value");
}
END_TEST

START_TEST(TestWithoutCancel_canceled) {
  GCH_CTX_AUTO gch_ctx *parent = gch_ctx_with_cancel(gch_ctx_background());
  GCH_CTX_UNREF_AUTO const gch_ctx *ctx = gch_ctx_without_cancel(parent);
  gch_ctx_cancel_cause(parent, FINISHED_EARLY);
  check_open(ctx);
}
END_TEST

START_TEST(TestWithoutCancel_timeout) {
  GCH_CTX_AUTO gch_ctx *parent =
      gch_ctx_with_timeout_cause(gch_ctx_background(), 0, TOO_SLOW);
  GCH_CTX_UNREF_AUTO const gch_ctx *ctx = gch_ctx_without_cancel(parent);
  check_open(ctx);
}
END_TEST

START_TEST(TestWithoutCancel_child_is_out_of_reach) {
  GCH_CTX_AUTO gch_ctx *parent = gch_ctx_with_cancel(gch_ctx_background());
  GCH_CTX_UNREF_AUTO const gch_ctx *ctx = gch_ctx_without_cancel(parent);
  GCH_CTX_AUTO gch_ctx *child = gch_ctx_with_cancel(ctx);
  gch_ctx_cancel(parent);
  check_open(child);
  gch_ctx_cancel_cause(child, CHILD_CAUSE);
  check_done(child, ECANCELED);
  ck_assert_int_eq(gch_ctx_cause(child), CHILD_CAUSE);
}
END_TEST

START_TEST(TestWithoutCancel_string) {
  GCH_CTX_AUTO gch_ctx *parent = gch_ctx_with_cancel(gch_ctx_background());
  GCH_CTX_UNREF_AUTO const gch_ctx *ctx = gch_ctx_without_cancel(parent);
  check_string(ctx, "context.Background.WithCancel.WithoutCancel");
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("golang/context_cause");
  TCase *t = test_case(s, "cause");
  tcase_add_loop_test(t, TestCause, 0, CAUSES);
  tcase_add_test(t, TestCauseRace);
  tcase_add_test(t, Issue75533);
  tcase_add_test(t, Issue75533_err_once_done_is_closed);
  t = test_case(s, "without cancel");
  tcase_add_test(t, TestWithoutCancel);
  tcase_add_test(t, TestWithoutCancel_canceled);
  tcase_add_test(t, TestWithoutCancel_timeout);
  tcase_add_test(t, TestWithoutCancel_child_is_out_of_reach);
  tcase_add_test(t, TestWithoutCancel_string);
  return s;
}
