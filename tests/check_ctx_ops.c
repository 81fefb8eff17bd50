/* SPDX-License-Identifier: BSD-3-Clause */
/* Sends and receives that end with a context. */
#include "ctx_facts.h"

struct op {
  gch_ctx *ctx;
  gch_chan *c;
  int value, result;
};

static void send_op(void *arg) {
  struct op *o = arg;
  o->result = gch_send_ctx(o->ctx, o->c, &o->value);
}

static void recv_op(void *arg) {
  struct op *o = arg;
  o->result = gch_recv_ctx(o->ctx, o->c, &o->value);
}

/* The operation itself */

START_TEST(a_value_goes_through) {
  gch_ctx *ctx = new_ctx();
  gch_chan *c = gch_make_of(int, 1);
  int v = 0;
  ck_assert_int_eq(gch_send_ctx(ctx, c, &(int){42}), 0);
  ck_assert_int_eq(gch_recv_ctx(ctx, c, &v), 0);
  ck_assert_int_eq(v, 42);
  gch_unref(c);
  gch_ctx_end(ctx);
}
END_TEST

START_TEST(a_blocked_send_meets_its_receiver) {
  struct op o = {new_ctx(), gch_make_of(int, 0), 42, -1};
  test_thread *t = thread_start(send_op, &o);
  int v = 0;
  await_waiting(o.c, 1, 0);
  gch_recv(o.c, &v);
  thread_join(t);
  ck_assert_int_eq(o.result, 0);
  ck_assert_int_eq(v, 42);
  gch_unref(o.c);
  gch_ctx_end(o.ctx);
}
END_TEST

START_TEST(a_blocked_receive_meets_its_sender) {
  struct op o = {new_ctx(), gch_make_of(int, 0), 0, -1};
  test_thread *t = thread_start(recv_op, &o);
  await_waiting(o.c, 0, 1);
  gch_send(o.c, &(int){42});
  thread_join(t);
  ck_assert_int_eq(o.result, 0);
  ck_assert_int_eq(o.value, 42);
  gch_unref(o.c);
  gch_ctx_end(o.ctx);
}
END_TEST

START_TEST(a_context_that_is_never_done_will_do) {
  gch_chan *c = gch_make_of(int, 1);
  int v = 0;
  ck_assert_int_eq(gch_send_ctx(gch_ctx_background(), c, &(int){42}), 0);
  ck_assert_int_eq(gch_recv_ctx(gch_ctx_todo(), c, &v), 0);
  ck_assert_int_eq(v, 42);
  gch_unref(c);
}
END_TEST

START_TEST(a_receive_may_discard) {
  gch_ctx *ctx = new_ctx();
  gch_chan *c = gch_make_of(int, 1);
  gch_send(c, &(int){42});
  ck_assert_int_eq(gch_recv_ctx(ctx, c, NULL), 0);
  ck_assert_uint_eq(gch_len(c), 0);
  gch_unref(c);
  gch_ctx_end(ctx);
}
END_TEST

/* What the channel refuses */

START_TEST(a_closed_channel_gives_epipe_and_zeroes) {
  gch_ctx *ctx = new_ctx();
  gch_chan *c = gch_make_of(int, 0);
  int v = 42;
  gch_close(c);
  ck_assert_int_eq(gch_send_ctx(ctx, c, &v), EPIPE);
  ck_assert_int_eq(gch_recv_ctx(ctx, c, &v), EPIPE);
  ck_assert_int_eq(v, 0);
  gch_unref(c);
  gch_ctx_end(ctx);
}
END_TEST

START_TEST(a_close_wakes_a_blocked_send) {
  struct op o = {new_ctx(), gch_make_of(int, 0), 42, -1};
  test_thread *t = thread_start(send_op, &o);
  await_waiting(o.c, 1, 0);
  gch_close(o.c);
  thread_join(t);
  ck_assert_int_eq(o.result, EPIPE);
  gch_unref(o.c);
  gch_ctx_end(o.ctx);
}
END_TEST

START_TEST(a_close_wakes_a_blocked_receive) {
  struct op o = {new_ctx(), gch_make_of(int, 0), 42, -1};
  test_thread *t = thread_start(recv_op, &o);
  await_waiting(o.c, 0, 1);
  gch_close(o.c);
  thread_join(t);
  ck_assert_int_eq(o.result, EPIPE);
  ck_assert_int_eq(o.value, 0);
  gch_unref(o.c);
  gch_ctx_end(o.ctx);
}
END_TEST

START_TEST(a_send_to_a_receive_only_channel_is_eperm) {
  gch_ctx *ctx = new_ctx(), *other = new_ctx();
  ck_assert_int_eq(gch_send_ctx(ctx, gch_ctx_done(other), NULL), EPERM);
  gch_ctx_end(other);
  gch_ctx_end(ctx);
}
END_TEST

START_TEST(a_null_element_is_einval) {
  gch_ctx *ctx = new_ctx();
  gch_chan *c = gch_make_of(int, 1);
  ck_assert_int_eq(gch_send_ctx(ctx, c, NULL), EINVAL);
  ck_assert_uint_eq(gch_len(c), 0);
  gch_unref(c);
  gch_ctx_end(ctx);
}
END_TEST

static void send_on_closed(void *arg) {
  struct op *o = arg;
  gch_send_ctx(o->ctx, o->c, &o->value);
}

START_TEST(a_send_on_a_closed_channel_is_a_panic_in_strict_mode) {
  struct op o = {new_ctx(), gch_make_of(int, 0), 42, 0};
  gch_close(o.c);
  expect_panic_strict(send_on_closed, &o, "send on closed channel");
  gch_unref(o.c);
  gch_ctx_end(o.ctx);
}
END_TEST

/* A context that is done */

START_TEST(a_done_context_wins_and_nothing_is_sent) {
  gch_ctx *ctx = done_ctx();
  gch_chan *c = gch_make_of(int, 1);
  for (int i = 0; i < 100; i++)
    ck_assert_int_eq(gch_send_ctx(ctx, c, &(int){42}), ECANCELED);
  ck_assert_uint_eq(gch_len(c), 0);
  gch_unref(c);
  gch_ctx_unref(ctx);
}
END_TEST

START_TEST(a_done_context_wins_and_nothing_is_taken) {
  gch_ctx *ctx = done_ctx();
  gch_chan *c = gch_make_of(int, 1);
  int v = 7;
  gch_send(c, &(int){42});
  for (int i = 0; i < 100; i++)
    ck_assert_int_eq(gch_recv_ctx(ctx, c, &v), ECANCELED);
  ck_assert_int_eq(v, 7);
  ck_assert_uint_eq(gch_len(c), 1);
  gch_unref(c);
  gch_ctx_unref(ctx);
}
END_TEST

START_TEST(a_done_context_wins_over_a_closed_channel) {
  gch_ctx *ctx = done_ctx();
  gch_chan *c = gch_make_of(int, 1);
  int v = 7;
  gch_close(c);
  ck_assert_int_eq(gch_send_ctx(ctx, c, &v), ECANCELED);
  ck_assert_int_eq(gch_recv_ctx(ctx, c, &v), ECANCELED);
  ck_assert_int_eq(v, 7);
  gch_unref(c);
  gch_ctx_unref(ctx);
}
END_TEST

START_TEST(a_passed_deadline_gives_etimedout) {
  gch_ctx *ctx = gch_ctx_with_timeout(gch_ctx_background(), 0);
  gch_chan *c = gch_make_of(int, 1);
  ck_assert_int_eq(gch_send_ctx(ctx, c, &(int){42}), ETIMEDOUT);
  ck_assert_int_eq(gch_recv_ctx(ctx, c, NULL), ETIMEDOUT);
  ck_assert_int_eq(gch_sleep_ctx(ctx, GCH_HOUR), ETIMEDOUT);
  gch_unref(c);
  gch_ctx_unref(ctx);
}
END_TEST

START_TEST(a_cancel_wakes_a_blocked_send_and_nothing_is_sent) {
  struct op o = {new_ctx(), gch_make_of(int, 0), 42, -1};
  test_thread *t = thread_start(send_op, &o);
  await_waiting(o.c, 1, 0);
  gch_ctx_cancel(o.ctx);
  thread_join(t);
  ck_assert_int_eq(o.result, ECANCELED);
  ck_assert_int_eq(gch_try_recv(o.c, NULL), EAGAIN);
  await_waiting(o.c, 0, 0);
  gch_unref(o.c);
  gch_ctx_unref(o.ctx);
}
END_TEST

START_TEST(a_cancel_wakes_a_blocked_receive_and_nothing_is_taken) {
  struct op o = {new_ctx(), gch_make_of(int, 0), 7, -1};
  test_thread *t = thread_start(recv_op, &o);
  await_waiting(o.c, 0, 1);
  gch_ctx_cancel_cause(o.ctx, EIO);
  thread_join(t);
  ck_assert_int_eq(o.result, ECANCELED);
  ck_assert_int_eq(o.value, 7);
  ck_assert_int_eq(gch_try_send(o.c, &o.value), EAGAIN);
  gch_unref(o.c);
  gch_ctx_unref(o.ctx);
}
END_TEST

START_TEST(a_deadline_ends_a_blocked_operation_not_before) {
  int64_t deadline = gch_now() + GCH_MILLISECOND;
  gch_ctx *ctx = gch_ctx_with_deadline(gch_ctx_background(), deadline);
  gch_chan *c = gch_make_of(int, 0);
  int v = 7;
  ck_assert_int_eq(gch_recv_ctx(ctx, c, &v), ETIMEDOUT);
  ck_assert_int_eq(gch_send_ctx(ctx, c, &v), ETIMEDOUT);
  ck_assert_int_ge(gch_now(), deadline);
  ck_assert_int_eq(v, 7);
  gch_unref(c);
  gch_ctx_unref(ctx);
}
END_TEST

START_TEST(on_a_null_channel_the_context_ends_the_wait) {
  gch_ctx *ctx = gch_ctx_with_timeout(gch_ctx_background(), GCH_MILLISECOND);
  int v = 7;
  ck_assert_int_eq(gch_send_ctx(ctx, NULL, &v), ETIMEDOUT);
  ck_assert_int_eq(gch_recv_ctx(ctx, NULL, &v), ETIMEDOUT);
  ck_assert_int_eq(v, 7);
  gch_ctx_unref(ctx);
}
END_TEST

static gch_chan *self_done(void *self, const gch_ctx *parent) {
  (void)parent;
  return ((struct op *)self)->c;
}

static int no_err(void *self, const gch_ctx *parent) {
  (void)self;
  (void)parent;
  return 0;
}

START_TEST(a_custom_context_closed_without_err_gives_ecanceled) {
  const gch_ctx_ops ops = {.done = self_done, .err = no_err};
  struct op o = {.c = gch_make(0, 0)};
  const gch_ctx *ctx = gch_ctx_custom(gch_ctx_background(), &ops, &o);
  gch_chan *c = gch_make_of(int, 1);
  ck_assert_int_eq(gch_send_ctx(ctx, c, &(int){42}), 0);
  gch_close(o.c);
  ck_assert_int_eq(gch_recv_ctx(ctx, c, NULL), ECANCELED);
  ck_assert_int_eq(gch_sleep_ctx(ctx, GCH_HOUR), ECANCELED);
  gch_unref(c);
  gch_ctx_unref(ctx);
  gch_unref(o.c);
}
END_TEST

static void cancel(void *ctx) {
  gch_ctx_cancel(ctx);
}

START_TEST(a_send_that_races_a_cancel_sends_or_says_that_it_did_not) {
  for (int i = 0; i < scaled(200); i++) {
    gch_ctx *ctx = new_ctx();
    gch_chan *c = gch_make_of(int, 1);
    test_thread *t = thread_start(cancel, ctx);
    int err = gch_send_ctx(ctx, c, &i);
    ck_assert(err == 0 || err == ECANCELED);
    ck_assert_uint_eq(gch_len(c), err == 0);
    thread_join(t);
    gch_unref(c);
    gch_ctx_unref(ctx);
  }
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("ctx_ops");
  TCase *t = test_case(s, "operation");
  tcase_add_test(t, a_value_goes_through);
  tcase_add_test(t, a_blocked_send_meets_its_receiver);
  tcase_add_test(t, a_blocked_receive_meets_its_sender);
  tcase_add_test(t, a_context_that_is_never_done_will_do);
  tcase_add_test(t, a_receive_may_discard);
  tcase_add_test(t, a_closed_channel_gives_epipe_and_zeroes);
  tcase_add_test(t, a_close_wakes_a_blocked_send);
  tcase_add_test(t, a_close_wakes_a_blocked_receive);
  tcase_add_test(t, a_send_to_a_receive_only_channel_is_eperm);
  tcase_add_test(t, a_null_element_is_einval);
  tcase_add_test(t, a_send_on_a_closed_channel_is_a_panic_in_strict_mode);
  t = test_case(s, "done");
  tcase_add_test(t, a_done_context_wins_and_nothing_is_sent);
  tcase_add_test(t, a_done_context_wins_and_nothing_is_taken);
  tcase_add_test(t, a_done_context_wins_over_a_closed_channel);
  tcase_add_test(t, a_passed_deadline_gives_etimedout);
  tcase_add_test(t, a_cancel_wakes_a_blocked_send_and_nothing_is_sent);
  tcase_add_test(t, a_cancel_wakes_a_blocked_receive_and_nothing_is_taken);
  tcase_add_test(t, a_deadline_ends_a_blocked_operation_not_before);
  tcase_add_test(t, on_a_null_channel_the_context_ends_the_wait);
  tcase_add_test(t, a_custom_context_closed_without_err_gives_ecanceled);
  tcase_add_test(t, a_send_that_races_a_cancel_sends_or_says_that_it_did_not);
  return s;
}
