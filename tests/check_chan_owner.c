/* SPDX-License-Identifier: BSD-3-Clause */
/* Whose a channel is: references, what belongs to a context or a timer and can
   only be received from, and what accepts NULL. */
#include "chan_forms.h"

#include <stdlib.h>

/* Receive-only channels of all kinds */

enum kind {
  DONE,
  DEADLINE_DONE,
  CANCELLED,
  TIMER,
  FIRED,
  TICKER,
  AFTER,
  KINDS
};

struct owned {
  gch_chan *c;
  gch_ctx *ctx;
  gch_timer *timer;
  gch_ticker *ticker;
};

static struct owned of_ctx(gch_ctx *ctx) {
  return (struct owned){.c = gch_ctx_done(ctx), .ctx = ctx};
}

static struct owned of_timer(int64_t ns) {
  gch_timer *t = gch_timer_new(ns);
  return (struct owned){.c = gch_timer_chan(t), .timer = t};
}

static struct owned of_ticker(void) {
  gch_ticker *t = gch_ticker_new(GCH_HOUR);
  return (struct owned){.c = gch_ticker_chan(t), .ticker = t};
}

static struct owned owned_make(int kind) {
  const gch_ctx *root = gch_ctx_background();
  switch (kind) {
  case DONE:
    return of_ctx(gch_ctx_with_cancel(root));
  case DEADLINE_DONE:
    return of_ctx(gch_ctx_with_timeout(root, GCH_HOUR));
  case CANCELLED:
    return of_ctx(gch_ctx_with_deadline(root, 0));
  case TIMER:
    return of_timer(GCH_HOUR);
  case FIRED:
    return of_timer(0);
  case TICKER:
    return of_ticker();
  default:
    return (struct owned){.c = gch_after(GCH_HOUR)};
  }
}

static void owned_free(struct owned *o) {
  if (!o->ctx && !o->timer && !o->ticker)
    gch_unref(o->c);
  gch_ctx_end(o->ctx);
  gch_timer_free(o->timer);
  gch_ticker_free(o->ticker);
}

START_TEST(every_send_on_a_receive_only_channel_is_EPERM) {
  struct owned o = owned_make(_i);
  int64_t v = 1;
  for (int i = 0; i < FORMS; i++)
    ck_assert_int_eq(sends[i](o.c, &v), EPERM);
  owned_free(&o);
}
END_TEST

START_TEST(a_send_arm_on_a_receive_only_channel_is_always_ready) {
  struct owned o = owned_make(_i);
  int64_t v = 1;
  int err = -1;
  ck_assert_int_eq(gch_select(GCH_UNTIL(0), GCH_SEND_ERR(o.c, &v, &err)), 1);
  ck_assert_int_eq(err, EPERM);
  owned_free(&o);
}
END_TEST

START_TEST(close_of_a_receive_only_channel_is_EPERM) {
  struct owned o = owned_make(_i);
  ck_assert_int_eq(gch_close(o.c), EPERM);
  ck_assert_int_eq(gch_close(o.c), EPERM);
  owned_free(&o);
}
END_TEST

START_TEST(a_receive_only_channel_takes_no_drop) {
  struct owned o = owned_make(_i);
  ck_assert_int_ne(gch_set_drop(o.c, free), 0);
  owned_free(&o);
}
END_TEST

static void send_plainly(void *arg) {
  struct owned o = owned_make(*(int *)arg);
  int64_t v = 1;
  gch_select(GCH_SEND(o.c, &v), GCH_DEFAULT);
}

START_TEST(a_send_arm_without_error_panics_on_a_receive_only_channel) {
  expect_panic(send_plainly, &_i, "send on receive-only channel");
}
END_TEST

/* References */

START_TEST(ref_returns_its_channel) {
  gch_chan *c = gch_make_of(int, 0);
  ck_assert_ptr_eq(gch_ref(c), c);
  gch_unref(c);
  gch_unref(c);
}
END_TEST

START_TEST(a_channel_lives_until_its_last_unref) {
  gch_chan *c = gch_make_of(int, 1);
  gch_ref(c);
  put_int(c, 3);
  gch_unref(c);
  ck_assert_int_eq(take_int(c), 3);
  gch_unref(c);
}
END_TEST

START_TEST(closing_is_not_freeing) {
  gch_chan *c = gch_make_of(int, 1);
  put_int(c, 3);
  gch_close(c);
  ck_assert_int_eq(take_int(c), 3);
  gch_unref(c);
}
END_TEST

START_TEST(a_channel_may_be_freed_with_values_in_it_and_open) {
  gch_chan *c = gch_make_of(int, 2);
  put_int(c, 3);
  gch_unref(c);
}
END_TEST

START_TEST(auto_gives_the_reference_back_at_the_end_of_the_scope) {
  gch_chan *c = gch_make_of(int, 0);
  {
    GCH_AUTO gch_chan *held = gch_ref(c);
    GCH_AUTO gch_chan *none = NULL;
    ck_assert_ptr_nonnull(held);
    ck_assert_ptr_null(none);
  }
  gch_unref(c); /* the last: LeakSanitizer would tell */
}
END_TEST

static void ref_and_unref(void *c) {
  for (int i = 0; i < 1000; i++)
    gch_unref(gch_ref(c));
}

START_TEST(references_are_counted_by_many_threads) {
  gch_chan *c = gch_make_of(int, 1);
  test_thread *other = thread_start(ref_and_unref, c);
  ref_and_unref(c);
  thread_join(other);
  put_int(c, 1);
  ck_assert_int_eq(take_int(c), 1);
  gch_unref(c);
}
END_TEST

START_TEST(a_done_channel_with_a_reference_outlives_its_context) {
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  gch_chan *done = gch_ref(gch_ctx_done(ctx));
  gch_ctx_end(ctx);
  ck_assert_int_eq(gch_recv(done, NULL), EPIPE);
  ck_assert_int_eq(gch_close(done), EPERM);
  gch_unref(done);
}
END_TEST

START_TEST(a_timers_channel_with_a_reference_outlives_its_timer) {
  gch_timer *t = gch_timer_new(GCH_HOUR);
  gch_chan *c = gch_ref(gch_timer_chan(t));
  gch_timer_free(t);
  ck_assert_int_eq(gch_try_recv(c, NULL), EAGAIN);
  gch_unref(c);
}
END_TEST

START_TEST(a_tickers_channel_with_a_reference_outlives_its_ticker) {
  gch_ticker *t = gch_ticker_new(GCH_HOUR);
  gch_chan *c = gch_ref(gch_ticker_chan(t));
  gch_ticker_free(t);
  ck_assert_int_eq(gch_try_recv(c, NULL), EAGAIN);
  gch_unref(c);
}
END_TEST

/* NULL */

START_TEST(ref_of_null_is_null) {
  ck_assert_ptr_null(gch_ref(NULL));
}
END_TEST

START_TEST(all_that_ends_something_accepts_null) {
  gch_unref(NULL);
  gch_ctx_unref(NULL);
  gch_ctx_cancel(NULL);
  gch_ctx_cancel_cause(NULL, EIO);
  gch_ctx_end(NULL);
  gch_after_func_stop(NULL);
  gch_after_func_release(NULL);
  gch_timer_stop(NULL);
  gch_timer_free(NULL);
  gch_ticker_stop(NULL);
  gch_ticker_free(NULL);
  gch_errgroup_free(NULL);
  gch_signal_stop(NULL);
  gch_key_free(NULL);
}
END_TEST

START_TEST(a_null_callback_is_EINVAL) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  ck_assert_int_eq(gch_set_drop(c, NULL), EINVAL);
  ck_assert_int_eq(gch_set_drop(NULL, NULL), EINVAL);
  ck_assert_int_eq(gch_set_drop(gch_ctx_done(ctx), NULL), EINVAL);
}
END_TEST

START_TEST(the_place_for_an_error_may_be_null) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  int v = 1;
  gch_close(c);
  ck_assert_int_eq(gch_select(GCH_RECV_ERR(c, &v, NULL)), 0);
  ck_assert_int_eq(gch_select(GCH_SEND_ERR(c, &v, NULL)), 0);
}
END_TEST

START_TEST(a_name_may_be_null_empty_or_long) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  char name[1000];
  memset(name, 'n', sizeof name - 1);
  name[sizeof name - 1] = '\0';
  gch_set_name(c, name);
  gch_set_name(c, "");
  gch_set_name(c, NULL);
  gch_set_name(NULL, "name");
}
END_TEST

START_TEST(a_name_is_copied) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  char *name = strdup("name");
  gch_set_name(c, name);
  free(name);
  gch_set_name(c, "other");
}
END_TEST

START_TEST(waiting_takes_null_for_each_argument) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  size_t senders = 9, receivers = 9;
  gch_waiting(c, NULL, NULL);
  gch_waiting(c, &senders, NULL);
  gch_waiting(c, NULL, &receivers);
  ck_assert_uint_eq(senders, 0);
  ck_assert_uint_eq(receivers, 0);
  senders = receivers = 9;
  gch_waiting(NULL, &senders, &receivers);
  ck_assert_uint_eq(senders, 0);
  ck_assert_uint_eq(receivers, 0);
}
END_TEST

/* errno */

START_TEST(no_form_touches_errno) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 1);
  struct owned o = owned_make(DONE);
  int64_t v = 1;
  errno = 12345;
  sends[_i](c, &v); /* 0 */
  if (_i >= BLOCKING_FORMS)
    sends[_i](c, &v); /* EAGAIN or ETIMEDOUT */
  recvs[_i](c, &v);   /* 0 */
  if (_i >= BLOCKING_FORMS)
    recvs[_i](c, &v);
  gch_close(c);
  sends[_i](c, &v);   /* EPIPE */
  recvs[_i](c, &v);   /* EPIPE */
  sends[_i](o.c, &v); /* EPERM */
  int err = errno;
  ck_assert_int_eq(err, 12345);
  owned_free(&o);
}
END_TEST

START_TEST(no_other_call_touches_errno) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 1);
  errno = 12345;
  gch_send(c, NULL);
  gch_set_drop(c, free);
  gch_set_drop(NULL, free);
  gch_set_name(c, "name");
  gch_len(c);
  gch_cap(c);
  gch_close(c);
  gch_close(c);
  gch_close(NULL);
  gch_waiting(c, NULL, NULL);
  gch_unref(gch_ref(c));
  int err = errno;
  ck_assert_int_eq(err, 12345);
}
END_TEST

START_TEST(a_timeout_that_sleeps_leaves_errno_alone) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  int v = 1;
  errno = 12345;
  int sent = gch_send_until(c, &v, gch_now() + GCH_MILLISECOND);
  int received = gch_recv_until(c, &v, gch_now() + GCH_MILLISECOND);
  int which = gch_select(GCH_RECV(c, &v), GCH_TIMEOUT(GCH_MILLISECOND));
  int err = errno;
  ck_assert_int_eq(err, 12345);
  ck_assert_int_eq(sent, ETIMEDOUT);
  ck_assert_int_eq(received, ETIMEDOUT);
  ck_assert_int_eq(which, 1);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("chan_owner");
  TCase *t = test_case(s, "receive-only");
  tcase_add_loop_test(t, every_send_on_a_receive_only_channel_is_EPERM, 0,
                      KINDS);
  tcase_add_loop_test(t, a_send_arm_on_a_receive_only_channel_is_always_ready,
                      0, KINDS);
  tcase_add_loop_test(t, close_of_a_receive_only_channel_is_EPERM, 0, KINDS);
  tcase_add_loop_test(t, a_receive_only_channel_takes_no_drop, 0, KINDS);
  tcase_add_loop_test(
      t, a_send_arm_without_error_panics_on_a_receive_only_channel, 0, KINDS);
  t = test_case(s, "references");
  tcase_add_test(t, ref_returns_its_channel);
  tcase_add_test(t, a_channel_lives_until_its_last_unref);
  tcase_add_test(t, closing_is_not_freeing);
  tcase_add_test(t, a_channel_may_be_freed_with_values_in_it_and_open);
  tcase_add_test(t, auto_gives_the_reference_back_at_the_end_of_the_scope);
  tcase_add_test(t, references_are_counted_by_many_threads);
  tcase_add_test(t, a_done_channel_with_a_reference_outlives_its_context);
  tcase_add_test(t, a_timers_channel_with_a_reference_outlives_its_timer);
  tcase_add_test(t, a_tickers_channel_with_a_reference_outlives_its_ticker);
  t = test_case(s, "NULL");
  tcase_add_test(t, ref_of_null_is_null);
  tcase_add_test(t, all_that_ends_something_accepts_null);
  tcase_add_test(t, a_null_callback_is_EINVAL);
  tcase_add_test(t, the_place_for_an_error_may_be_null);
  tcase_add_test(t, a_name_may_be_null_empty_or_long);
  tcase_add_test(t, a_name_is_copied);
  tcase_add_test(t, waiting_takes_null_for_each_argument);
  t = test_case(s, "errno");
  add_test_of_all(t, no_form_touches_errno);
  tcase_add_test(t, no_other_call_touches_errno);
  tcase_add_test(t, a_timeout_that_sleeps_leaves_errno_alone);
  return s;
}
