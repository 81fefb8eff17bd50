/* SPDX-License-Identifier: BSD-3-Clause */
/* Tickers. */
#include "timer_facts.h"

#define US GCH_MICROSECOND

START_TEST(a_ticker_ticks_again_and_again_not_before_its_times) {
  int64_t start = gch_now();
  gch_ticker *t = gch_ticker_new(1 * MS);
  for (int i = 1; i <= 5; i++)
    ck_assert_int_ge(receive(gch_ticker_chan(t)), start + i * MS);
  gch_ticker_free(t);
}
END_TEST

START_TEST(a_tick_is_the_time_at_which_it_came) {
  gch_ticker *t = gch_ticker_new(200 * US);
  int64_t last = 0;
  for (int i = 0; i < 5; i++) {
    int64_t when = receive(gch_ticker_chan(t));
    ck_assert_int_gt(when, last);
    ck_assert_int_le(when, gch_now());
    last = when;
  }
  gch_ticker_free(t);
}
END_TEST

START_TEST(a_slow_reader_finds_one_tick_waiting) {
  gch_ticker *t = gch_ticker_new(200 * US);
  let_pass(4 * MS); /* twenty ticks */
  int64_t start = gch_now();
  int ticks = 0;
  while (gch_try_recv(gch_ticker_chan(t), NULL) == 0)
    ticks++;
  /* One was waiting, one may have been late, others came since. */
  ck_assert_int_le(ticks, 3 + (gch_now() - start) / (200 * US));
  gch_ticker_free(t);
}
END_TEST

START_TEST(a_tickers_channel_looks_unbuffered) {
  gch_ticker *t = gch_ticker_new(100 * US);
  let_pass(1 * MS);
  ck_assert_uint_eq(gch_len(gch_ticker_chan(t)), 0);
  ck_assert_uint_eq(gch_cap(gch_ticker_chan(t)), 0);
  gch_ticker_free(t);
}
END_TEST

START_TEST(a_tickers_channel_is_receive_only) {
  gch_ticker *t = gch_ticker_new(GCH_HOUR);
  int64_t v = 0;
  ck_assert_int_eq(gch_send(gch_ticker_chan(t), &v), EPERM);
  ck_assert_int_eq(gch_try_send(gch_ticker_chan(t), &v), EPERM);
  ck_assert_int_eq(gch_close(gch_ticker_chan(t)), EPERM);
  gch_ticker_free(t);
}
END_TEST

START_TEST(a_tickers_channel_is_the_same_each_time) {
  gch_ticker *t = gch_ticker_new(GCH_HOUR);
  ck_assert_ptr_eq(gch_ticker_chan(t), gch_ticker_chan(t));
  gch_ticker_free(t);
}
END_TEST

START_TEST(a_tickers_channel_outlives_it_by_ref) {
  gch_ticker *t = gch_ticker_new(100 * US);
  gch_chan *c = gch_ref(gch_ticker_chan(t));
  receive(c);
  gch_ticker_free(t);
  expect_empty(c);
  gch_unref(c);
}
END_TEST

/* stop */

START_TEST(nothing_is_received_after_stop) {
  gch_ticker *t = gch_ticker_new(100 * US);
  let_pass(1 * MS);
  gch_ticker_stop(t);
  expect_empty(gch_ticker_chan(t));
  let_pass(1 * MS);
  expect_empty(gch_ticker_chan(t));
  gch_ticker_free(t);
}
END_TEST

START_TEST(nothing_is_received_after_a_stop_that_raced_a_tick) {
  for (int i = 0; i < scaled(300); i++) {
    gch_ticker *t = gch_ticker_new(i % 20 * US + 1);
    gch_ticker_stop(t);
    expect_empty(gch_ticker_chan(t));
    gch_ticker_free(t);
  }
}
END_TEST

START_TEST(stop_does_not_close_the_channel) {
  gch_ticker *t = gch_ticker_new(1 * MS);
  gch_ticker_stop(t);
  ck_assert_int_eq(gch_recv_until(gch_ticker_chan(t), NULL, 0), ETIMEDOUT);
  gch_ticker_free(t);
}
END_TEST

START_TEST(stop_twice_is_once) {
  gch_ticker *t = gch_ticker_new(1 * MS);
  gch_ticker_stop(t);
  gch_ticker_stop(t);
  expect_empty(gch_ticker_chan(t));
  gch_ticker_free(t);
}
END_TEST

START_TEST(stop_and_free_accept_null) {
  gch_ticker_stop(NULL);
  gch_ticker_free(NULL);
}
END_TEST

/* reset */

START_TEST(reset_starts_a_stopped_ticker) {
  gch_ticker *t = gch_ticker_new(GCH_HOUR);
  gch_ticker_stop(t);
  int64_t start = gch_now();
  ck_assert_int_eq(gch_ticker_reset(t, 1 * MS), 0);
  ck_assert_int_ge(receive(gch_ticker_chan(t)), start + 1 * MS);
  ck_assert_int_ge(receive(gch_ticker_chan(t)), start + 2 * MS);
  gch_ticker_free(t);
}
END_TEST

START_TEST(reset_changes_the_period_from_now_on) {
  gch_ticker *t = gch_ticker_new(100 * US);
  receive(gch_ticker_chan(t));
  int64_t start = gch_now();
  gch_ticker_reset(t, 2 * MS);
  ck_assert_int_ge(receive(gch_ticker_chan(t)), start + 2 * MS);
  ck_assert_int_ge(receive(gch_ticker_chan(t)), start + 4 * MS);
  gch_ticker_free(t);
}
END_TEST

START_TEST(reset_throws_a_waiting_tick_away) {
  gch_ticker *t = gch_ticker_new(100 * US);
  for (int i = 0; i < scaled(100); i++) {
    gch_ticker_reset(t, i % 20 * US + 1);
    gch_ticker_reset(t, GCH_HOUR);
    expect_empty(gch_ticker_chan(t));
  }
  gch_ticker_free(t);
}
END_TEST

/* Bad periods */

START_TEST(a_period_that_is_not_positive_is_einval) {
  const int64_t bad[] = {0, -1, INT64_MIN};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    errno = 0;
    ck_assert_ptr_null(gch_ticker_new(bad[i]));
    ck_assert_int_eq(errno, EINVAL);
  }
}
END_TEST

START_TEST(a_reset_that_is_not_positive_is_einval_and_changes_nothing) {
  gch_ticker *t = gch_ticker_new(1 * MS);
  ck_assert_int_eq(gch_ticker_reset(t, 0), EINVAL);
  ck_assert_int_eq(gch_ticker_reset(t, -1), EINVAL);
  receive(gch_ticker_chan(t));
  gch_ticker_free(t);
}
END_TEST

static void new_of_zero(void *arg) {
  (void)arg;
  gch_ticker_new(0);
}

static void reset_to_zero(void *t) {
  gch_ticker_reset(t, 0);
}

START_TEST(bad_periods_are_panics_in_strict_mode) {
  gch_ticker *t = gch_ticker_new(GCH_HOUR);
  expect_panic_strict(new_of_zero, NULL, "non-positive interval for NewTicker");
  expect_panic_strict(reset_to_zero, t,
                      "non-positive interval for Ticker.Reset");
  gch_ticker_free(t);
}
END_TEST

START_TEST(a_period_without_end_never_ticks) {
  gch_ticker *t = gch_ticker_new(GCH_FOREVER);
  let_pass(1 * MS);
  expect_empty(gch_ticker_chan(t));
  gch_ticker_free(t);
}
END_TEST

START_TEST(tickers_share_one_thread) {
  enum { MANY = 50 };
  gch_ticker *t[MANY];
  int before = thread_count();
  for (int i = 0; i < MANY; i++)
    t[i] = gch_ticker_new(1 * MS + i * US);
  ck_assert_int_le(thread_count(), before + 1);
  for (int i = 0; i < MANY; i++) {
    receive(gch_ticker_chan(t[i]));
    gch_ticker_free(t[i]);
  }
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("ticker");
  TCase *t = test_case(s, "tick");
  tcase_add_test(t, a_ticker_ticks_again_and_again_not_before_its_times);
  tcase_add_test(t, a_tick_is_the_time_at_which_it_came);
  tcase_add_test(t, a_slow_reader_finds_one_tick_waiting);
  tcase_add_test(t, a_tickers_channel_looks_unbuffered);
  tcase_add_test(t, a_tickers_channel_is_receive_only);
  tcase_add_test(t, a_tickers_channel_is_the_same_each_time);
  tcase_add_test(t, a_tickers_channel_outlives_it_by_ref);
  tcase_add_test(t, tickers_share_one_thread);
  t = test_case(s, "stop");
  tcase_add_test(t, nothing_is_received_after_stop);
  tcase_add_test(t, nothing_is_received_after_a_stop_that_raced_a_tick);
  tcase_add_test(t, stop_does_not_close_the_channel);
  tcase_add_test(t, stop_twice_is_once);
  tcase_add_test(t, stop_and_free_accept_null);
  t = test_case(s, "reset");
  tcase_add_test(t, reset_starts_a_stopped_ticker);
  tcase_add_test(t, reset_changes_the_period_from_now_on);
  tcase_add_test(t, reset_throws_a_waiting_tick_away);
  t = test_case(s, "bad");
  tcase_add_test(t, a_period_that_is_not_positive_is_einval);
  tcase_add_test(t, a_reset_that_is_not_positive_is_einval_and_changes_nothing);
  tcase_add_test(t, bad_periods_are_panics_in_strict_mode);
  tcase_add_test(t, a_period_without_end_never_ticks);
  return s;
}
