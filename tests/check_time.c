/* SPDX-License-Identifier: BSD-3-Clause */
/* The clock, sleep and after. */
#include "timer_facts.h"

/* Time */

START_TEST(the_units_are_nanoseconds) {
  ck_assert_int_eq(GCH_NANOSECOND, 1);
  ck_assert_int_eq(GCH_MICROSECOND, 1000);
  ck_assert_int_eq(GCH_MILLISECOND, 1000000);
  ck_assert_int_eq(GCH_SECOND, 1000000000);
  ck_assert_int_eq(GCH_MINUTE, 60 * GCH_SECOND);
  ck_assert_int_eq(GCH_HOUR, 60 * GCH_MINUTE);
  ck_assert_int_eq(GCH_FOREVER, INT64_MAX);
}
END_TEST

START_TEST(now_never_goes_back) {
  int64_t last = gch_now();
  ck_assert_int_gt(last, 0);
  for (int i = 0; i < 10000; i++) {
    int64_t now = gch_now();
    ck_assert(now >= last);
    last = now;
  }
}
END_TEST

START_TEST(sleep_takes_its_time_at_least) {
  int64_t start = gch_now();
  gch_sleep(2 * MS);
  ck_assert_int_ge(gch_now(), start + 2 * MS);
}
END_TEST

START_TEST(sleep_of_nothing_or_less_returns) {
  gch_sleep(0);
  gch_sleep(-1);
  gch_sleep(INT64_MIN);
}
END_TEST

/* after */

START_TEST(after_gives_the_time_at_which_it_fired) {
  int64_t start = gch_now();
  gch_chan *c = gch_after(2 * MS);
  int64_t when = receive(c);
  ck_assert_int_ge(when, start + 2 * MS);
  ck_assert_int_le(when, gch_now());
  gch_unref(c);
}
END_TEST

START_TEST(after_fires_once) {
  gch_chan *c = gch_after(0);
  receive(c);
  let_pass(1 * MS);
  expect_empty(c);
  gch_unref(c);
}
END_TEST

START_TEST(after_a_time_in_the_past_fires_at_once) {
  gch_chan *c = gch_after(INT64_MIN);
  ck_assert_int_le(receive(c), gch_now());
  gch_unref(c);
}
END_TEST

START_TEST(after_forever_never_fires) {
  gch_chan *c = gch_after(GCH_FOREVER);
  let_pass(1 * MS);
  expect_empty(c);
  gch_unref(c);
}
END_TEST

START_TEST(unref_ends_the_timer_of_after) {
  for (int i = 0; i < scaled(200); i++)
    gch_unref(gch_after(i % 20 * GCH_MICROSECOND));
  let_pass(1 * MS);
}
END_TEST

START_TEST(afters_fire_in_the_order_of_their_times) {
  enum { N = 10 };
  gch_chan *c[N];
  int64_t earliest[N], latest[N], fired[N];
  for (int i = 0; i < N; i++) {
    int64_t ns = (i * 7 % N) * 100 * GCH_MICROSECOND;
    earliest[i] = gch_now() + ns;
    c[i] = gch_after(ns);
    latest[i] = gch_now() + ns;
  }
  for (int i = 0; i < N; i++) {
    fired[i] = receive(c[i]);
    gch_unref(c[i]);
  }
  for (int i = 0; i < N; i++)
    for (int k = 0; k < N; k++)
      ck_assert(latest[i] >= earliest[k] || fired[i] <= fired[k]);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("time");
  TCase *t = test_case(s, "time");
  tcase_add_test(t, the_units_are_nanoseconds);
  tcase_add_test(t, now_never_goes_back);
  tcase_add_test(t, sleep_takes_its_time_at_least);
  tcase_add_test(t, sleep_of_nothing_or_less_returns);
  t = test_case(s, "after");
  tcase_add_test(t, after_gives_the_time_at_which_it_fired);
  tcase_add_test(t, after_fires_once);
  tcase_add_test(t, after_a_time_in_the_past_fires_at_once);
  tcase_add_test(t, after_forever_never_fires);
  tcase_add_test(t, unref_ends_the_timer_of_after);
  tcase_add_test(t, afters_fire_in_the_order_of_their_times);
  return s;
}
