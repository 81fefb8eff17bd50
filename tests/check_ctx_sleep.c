/* SPDX-License-Identifier: BSD-3-Clause */
/* Sleeps that end with a context. */
#include "ctx_facts.h"

struct op {
  gch_ctx *ctx;
  int result;
};

static void sleep_op(void *arg) {
  struct op *o = arg;
  o->result = gch_sleep_ctx(o->ctx, GCH_HOUR);
}

START_TEST(sleep_takes_its_time_at_least) {
  gch_ctx *ctx = new_ctx();
  int64_t start = gch_now();
  ck_assert_int_eq(gch_sleep_ctx(ctx, GCH_MILLISECOND), 0);
  ck_assert_int_ge(gch_now(), start + GCH_MILLISECOND);
  start = gch_now();
  ck_assert_int_eq(gch_sleep_ctx(gch_ctx_background(), GCH_MILLISECOND), 0);
  ck_assert_int_ge(gch_now(), start + GCH_MILLISECOND);
  gch_ctx_end(ctx);
}
END_TEST

START_TEST(sleep_of_nothing_or_less_returns) {
  gch_ctx *ctx = new_ctx();
  ck_assert_int_eq(gch_sleep_ctx(ctx, 0), 0);
  ck_assert_int_eq(gch_sleep_ctx(ctx, -1), 0);
  ck_assert_int_eq(gch_sleep_ctx(ctx, INT64_MIN), 0);
  gch_ctx_end(ctx);
}
END_TEST

START_TEST(a_done_context_wins_over_a_sleep_of_nothing) {
  gch_ctx *ctx = done_ctx();
  ck_assert_int_eq(gch_sleep_ctx(ctx, 0), ECANCELED);
  gch_ctx_unref(ctx);
}
END_TEST

START_TEST(a_cancel_ends_a_sleep) {
  struct op o = {.ctx = new_ctx(), .result = -1};
  test_thread *t = thread_start(sleep_op, &o);
  await_waiting(gch_ctx_done(o.ctx), 0, 1);
  gch_ctx_cancel(o.ctx);
  thread_join(t);
  ck_assert_int_eq(o.result, ECANCELED);
  gch_ctx_unref(o.ctx);
}
END_TEST

START_TEST(a_deadline_ends_an_endless_sleep) {
  gch_ctx *ctx = gch_ctx_with_timeout(gch_ctx_background(), GCH_MILLISECOND);
  ck_assert_int_eq(gch_sleep_ctx(ctx, GCH_FOREVER), ETIMEDOUT);
  gch_ctx_unref(ctx);
}
END_TEST

START_TEST(operations_leave_errno_alone) {
  gch_ctx *ctx = done_ctx(), *live = new_ctx();
  errno = ENOENT;
  gch_send_ctx(ctx, NULL, NULL);
  gch_recv_ctx(ctx, NULL, NULL);
  gch_sleep_ctx(ctx, 1);
  gch_sleep_ctx(live, GCH_MICROSECOND);
  ck_assert_int_eq(errno, ENOENT);
  gch_ctx_end(live);
  gch_ctx_unref(ctx);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("ctx_sleep");
  TCase *t = test_case(s, "sleep");
  tcase_add_test(t, sleep_takes_its_time_at_least);
  tcase_add_test(t, sleep_of_nothing_or_less_returns);
  tcase_add_test(t, a_done_context_wins_over_a_sleep_of_nothing);
  tcase_add_test(t, a_cancel_ends_a_sleep);
  tcase_add_test(t, a_deadline_ends_an_endless_sleep);
  tcase_add_test(t, operations_leave_errno_alone);
  return s;
}
