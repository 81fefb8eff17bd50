/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's golang.org/x/sync/errgroup/errgroup_test.go. */
#include "context_checks.h"

enum { ERR1 = EDOM, ERR2 = ERANGE, DOOM = ENOSPC };

/* What the tasks of a group return, in the order in which they start; -1
   ends the list. want is what wait gives. */
struct group_case {
  int errs[4], want;
};

static int return_it(const gch_ctx *ctx, void *arg) {
  (void)ctx;
  return *(const int *)arg;
}

static int fail_with_ctx_err(const gch_ctx *ctx, void *arg) {
  (void)arg;
  return gch_ctx_err(ctx) != 0 ? gch_ctx_err(ctx) : DOOM;
}

static const struct group_case zero_cases[] = {
    {{-1}, 0},
    {{0, -1}, 0},
    {{ERR1, -1}, ERR1},
    {{ERR1, 0, -1}, ERR1},
    {{ERR1, 0, ERR2, -1}, ERR1},
};

/* Waits after each task: the first error stays. */
START_TEST(TestZeroGroup) {
  gch_errgroup *g = gch_errgroup_new();
  int errs[4], first = 0;

  memcpy(errs, zero_cases[_i].errs, sizeof errs);
  for (int *err = errs; *err >= 0; err++) {
    ck_assert_int_eq(gch_errgroup_go(g, return_it, err), 0);
    if (first == 0)
      first = *err;
    ck_assert_int_eq(gch_errgroup_wait(g), first);
  }
  ck_assert_int_eq(gch_errgroup_wait(g), zero_cases[_i].want);
  gch_errgroup_free(g);
}
END_TEST

START_TEST(TestZeroGroup_has_the_background_context) {
  gch_errgroup *g = gch_errgroup_new();
  ck_assert_ptr_eq(gch_errgroup_ctx(g), gch_ctx_background());
  ck_assert_int_eq(gch_errgroup_go(g, fail_with_ctx_err, NULL), 0);
  ck_assert_int_eq(gch_errgroup_wait(g), DOOM);
  gch_errgroup_free(g);
}
END_TEST

static const struct group_case ctx_cases[] = {
    {{-1}, 0},
    {{0, -1}, 0},
    {{DOOM, -1}, DOOM},
    {{DOOM, 0, -1}, DOOM},
};

START_TEST(TestWithContext) {
  gch_errgroup *g = gch_errgroup_with_ctx(gch_ctx_background());
  int errs[4];

  memcpy(errs, ctx_cases[_i].errs, sizeof errs);
  for (int *err = errs; *err >= 0; err++)
    ck_assert_int_eq(gch_errgroup_go(g, return_it, err), 0);
  ck_assert_int_eq(gch_errgroup_wait(g), ctx_cases[_i].want);
  check_done(gch_errgroup_ctx(g), ECANCELED);
  gch_errgroup_free(g);
}
END_TEST

static int wait_for_ctx(const gch_ctx *ctx, void *arg) {
  (void)arg;
  gch_recv(gch_ctx_done(ctx), NULL);
  return ERR2;
}

/* The second task ends because the first one's error cancelled the context;
   its own error is not the first. */
START_TEST(TestWithContext_first_error_cancels_the_others) {
  gch_errgroup *g = gch_errgroup_with_ctx(gch_ctx_background());
  int err = ERR1;
  ck_assert_int_eq(gch_errgroup_go(g, wait_for_ctx, NULL), 0);
  check_open(gch_errgroup_ctx(g));
  ck_assert_int_eq(gch_errgroup_go(g, return_it, &err), 0);
  ck_assert_int_eq(gch_errgroup_wait(g), ERR1);
  gch_errgroup_free(g);
}
END_TEST

START_TEST(TestCancelCause) {
  gch_errgroup *g = gch_errgroup_with_ctx(gch_ctx_background());
  int errs[4], want = ctx_cases[_i].want;

  memcpy(errs, ctx_cases[_i].errs, sizeof errs);
  for (int *err = errs; *err >= 0; err++)
    ck_assert_int_eq(gch_errgroup_try_go(g, return_it, err), 0);
  ck_assert_int_eq(gch_errgroup_wait(g), want);
  ck_assert_int_eq(gch_ctx_cause(gch_errgroup_ctx(g)),
                   want == 0 ? ECANCELED : want);
  gch_errgroup_free(g);
}
END_TEST

static int send_one(const gch_ctx *ctx, void *c) {
  (void)ctx;
  gch_send(c, NULL);
  return 0;
}

/* Ends the n tasks of g, each of which sends one. */
static void drain(gch_errgroup *g, gch_chan *c, int n) {
  for (int i = 0; i < n; i++)
    ck_assert_int_eq(gch_recv(c, NULL), 0);
  ck_assert_int_eq(gch_errgroup_wait(g), 0);
}

START_TEST(TestTryGo) {
  gch_errgroup *g = gch_errgroup_new();
  GCH_AUTO gch_chan *c = gch_make(0, 0);
  int n = 42;

  ck_assert_int_eq(gch_errgroup_set_limit(g, n), 0);
  for (int i = 0; i < n; i++)
    ck_assert_int_eq(gch_errgroup_try_go(g, send_one, c), 0);
  ck_assert_int_eq(gch_errgroup_try_go(g, send_one, c), EAGAIN);
  drain(g, c, n);
  ck_assert_int_eq(gch_errgroup_try_go(g, send_one, c), 0);
  drain(g, c, 1);
  gch_errgroup_free(g);
}
END_TEST

START_TEST(TestTryGo_switch_limit) {
  gch_errgroup *g = gch_errgroup_new();
  GCH_AUTO gch_chan *c = gch_make(0, 0);

  ck_assert_int_eq(gch_errgroup_set_limit(g, 2), 0);
  ck_assert_int_eq(gch_errgroup_try_go(g, send_one, c), 0);
  ck_assert_int_eq(gch_errgroup_set_limit(g, 1), EBUSY);
  drain(g, c, 1);
  ck_assert_int_eq(gch_errgroup_set_limit(g, 1), 0);
  ck_assert_int_eq(gch_errgroup_try_go(g, send_one, c), 0);
  ck_assert_int_eq(gch_errgroup_try_go(g, send_one, c), EAGAIN);
  drain(g, c, 1);
  gch_errgroup_free(g);
}
END_TEST

START_TEST(TestTryGo_block_all_calls) {
  gch_errgroup *g = gch_errgroup_new();
  ck_assert_int_eq(gch_errgroup_set_limit(g, 0), 0);
  for (int i = 0; i < 1 << 10; i++)
    ck_assert_int_eq(gch_errgroup_try_go(g, send_one, NULL), EAGAIN);
  ck_assert_int_eq(gch_errgroup_wait(g), 0);
  gch_errgroup_free(g);
}
END_TEST

START_TEST(TestTryGo_negative_limit_is_none) {
  gch_errgroup *g = gch_errgroup_new();
  GCH_AUTO gch_chan *c = gch_make(0, 0);
  ck_assert_int_eq(gch_errgroup_set_limit(g, 1), 0);
  ck_assert_int_eq(gch_errgroup_set_limit(g, -1), 0);
  for (int i = 0; i < 3; i++)
    ck_assert_int_eq(gch_errgroup_try_go(g, send_one, c), 0);
  drain(g, c, 3);
  gch_errgroup_free(g);
}
END_TEST

enum { LIMIT = 10 };

static int count_active(const gch_ctx *ctx, void *arg) {
  _Atomic int *active = arg;
  (void)ctx;
  if (++*active > LIMIT)
    return DOOM;
  gch_yield(); /* so that others may come in */
  --*active;
  return 0;
}

START_TEST(TestGoLimit) {
  gch_errgroup *g = gch_errgroup_new();
  _Atomic int active = 0;

  ck_assert_int_eq(gch_errgroup_set_limit(g, LIMIT), 0);
  for (int i = 0; i < scaled(1025); i++)
    ck_assert_int_eq(gch_errgroup_go(g, count_active, &active), 0);
  ck_assert_int_eq(gch_errgroup_wait(g), 0);
  ck_assert_int_eq(active, 0);
  gch_errgroup_free(g);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("golang/errgroup");
  TCase *t = test_case(s, "errors");
  tcase_add_loop_test(t, TestZeroGroup, 0, 5);
  tcase_add_test(t, TestZeroGroup_has_the_background_context);
  tcase_add_loop_test(t, TestWithContext, 0, 4);
  tcase_add_test(t, TestWithContext_first_error_cancels_the_others);
  tcase_add_loop_test(t, TestCancelCause, 0, 4);
  t = test_case(s, "limit");
  tcase_add_test(t, TestTryGo);
  tcase_add_test(t, TestTryGo_switch_limit);
  tcase_add_test(t, TestTryGo_block_all_calls);
  tcase_add_test(t, TestTryGo_negative_limit_is_none);
  tcase_add_test(t, TestGoLimit);
  return s;
}
