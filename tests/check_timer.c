/* SPDX-License-Identifier: BSD-3-Clause */
/* Timers with a channel. */
#include "timer_facts.h"

/* The channel of a timer */

START_TEST(a_timers_channel_looks_unbuffered) {
  gch_timer *t = gch_timer_new(0);
  let_pass(1 * MS);
  ck_assert_uint_eq(gch_len(gch_timer_chan(t)), 0);
  ck_assert_uint_eq(gch_cap(gch_timer_chan(t)), 0);
  receive(gch_timer_chan(t));
  gch_timer_free(t);
}
END_TEST

START_TEST(a_timers_channel_is_receive_only) {
  gch_timer *t = gch_timer_new(GCH_HOUR);
  gch_chan *c = gch_timer_chan(t);
  int64_t v = 0;
  int err = 0;
  ck_assert_int_eq(gch_send(c, &v), EPERM);
  ck_assert_int_eq(gch_try_send(c, &v), EPERM);
  ck_assert_int_eq(gch_send_until(c, &v, GCH_FOREVER), EPERM);
  ck_assert_int_eq(gch_select(GCH_SEND_ERR(c, &v, &err)), 0);
  ck_assert_int_eq(err, EPERM);
  ck_assert_int_eq(gch_close(c), EPERM);
  expect_empty(c);
  gch_timer_free(t);
}
END_TEST

START_TEST(a_timers_channel_is_the_same_each_time) {
  gch_timer *t = gch_timer_new(GCH_HOUR);
  ck_assert_ptr_eq(gch_timer_chan(t), gch_timer_chan(t));
  gch_timer_free(t);
}
END_TEST

START_TEST(a_timers_channel_outlives_it_by_ref) {
  gch_timer *t = gch_timer_new(GCH_HOUR);
  gch_chan *c = gch_ref(gch_timer_chan(t));
  ck_assert(gch_timer_free(t));
  expect_empty(c);
  gch_unref(c);
}
END_TEST

static void unref_chan(void *t) {
  gch_unref(gch_timer_chan(t));
}

START_TEST(unref_of_a_timers_borrowed_channel_is_a_panic) {
  gch_timer *t = gch_timer_new(GCH_HOUR);
  expect_panic(unref_chan, t, "gulch: unref of a borrowed channel");
  gch_timer_free(t);
}
END_TEST

/* new, stop, reset, free */

START_TEST(a_timer_fires_once_not_before_its_time) {
  int64_t start = gch_now();
  gch_timer *t = gch_timer_new(2 * MS);
  int64_t when = receive(gch_timer_chan(t));
  ck_assert_int_ge(when, start + 2 * MS);
  let_pass(1 * MS);
  expect_empty(gch_timer_chan(t));
  gch_timer_free(t);
}
END_TEST

START_TEST(a_timer_of_zero_fires) {
  gch_timer *t = gch_timer_new(0);
  receive(gch_timer_chan(t));
  gch_timer_free(t);
}
END_TEST

START_TEST(stop_of_a_running_timer_is_true) {
  gch_timer *t = gch_timer_new(GCH_HOUR);
  ck_assert(gch_timer_stop(t));
  gch_timer_free(t);
}
END_TEST

START_TEST(stop_of_a_stopped_timer_is_false) {
  gch_timer *t = gch_timer_new(GCH_HOUR);
  gch_timer_stop(t);
  ck_assert(!gch_timer_stop(t));
  gch_timer_free(t);
}
END_TEST

START_TEST(stop_after_the_value_was_received_is_false) {
  gch_timer *t = gch_timer_new(0);
  receive(gch_timer_chan(t));
  ck_assert(!gch_timer_stop(t));
  gch_timer_free(t);
}
END_TEST

START_TEST(stop_of_a_timer_whose_value_nobody_received_is_true) {
  gch_timer *t = gch_timer_new(0);
  let_pass(1 * MS);
  ck_assert(gch_timer_stop(t));
  expect_empty(gch_timer_chan(t));
  gch_timer_free(t);
}
END_TEST

START_TEST(a_stopped_timer_does_not_fire) {
  gch_timer *t = gch_timer_new(1 * MS);
  gch_timer_stop(t);
  let_pass(2 * MS);
  expect_empty(gch_timer_chan(t));
  gch_timer_free(t);
}
END_TEST

START_TEST(reset_of_a_running_timer_is_true) {
  gch_timer *t = gch_timer_new(GCH_HOUR);
  ck_assert(gch_timer_reset(t, GCH_HOUR));
  gch_timer_free(t);
}
END_TEST

START_TEST(reset_of_a_stopped_timer_is_false_and_starts_it) {
  gch_timer *t = gch_timer_new(GCH_HOUR);
  gch_timer_stop(t);
  ck_assert(!gch_timer_reset(t, 0));
  receive(gch_timer_chan(t));
  gch_timer_free(t);
}
END_TEST

START_TEST(reset_of_a_spent_timer_is_false_and_starts_it) {
  gch_timer *t = gch_timer_new(0);
  receive(gch_timer_chan(t));
  int64_t start = gch_now();
  ck_assert(!gch_timer_reset(t, 1 * MS));
  ck_assert_int_ge(receive(gch_timer_chan(t)), start + 1 * MS);
  gch_timer_free(t);
}
END_TEST

START_TEST(reset_throws_away_a_value_that_nobody_received) {
  gch_timer *t = gch_timer_new(0);
  let_pass(1 * MS);
  ck_assert(gch_timer_reset(t, GCH_HOUR));
  expect_empty(gch_timer_chan(t));
  gch_timer_free(t);
}
END_TEST

START_TEST(reset_to_earlier_fires_earlier) {
  gch_timer *t = gch_timer_new(GCH_HOUR);
  gch_timer_reset(t, 1 * MS);
  receive(gch_timer_chan(t));
  gch_timer_free(t);
}
END_TEST

START_TEST(reset_to_later_fires_later) {
  gch_timer *t = gch_timer_new(GCH_HOUR);
  int64_t start = gch_now();
  gch_timer_reset(t, 1 * MS);
  gch_timer_reset(t, 3 * MS);
  ck_assert_int_ge(receive(gch_timer_chan(t)), start + 3 * MS);
  gch_timer_free(t);
}
END_TEST

START_TEST(no_stale_value_after_a_stop_that_raced_the_firing) {
  gch_timer *t = gch_timer_new(GCH_HOUR);
  for (int i = 0; i < scaled(1000); i++) {
    gch_timer_reset(t, i % 40 * GCH_MICROSECOND / 2);
    gch_timer_stop(t);
    expect_empty(gch_timer_chan(t));
  }
  gch_timer_free(t);
}
END_TEST

START_TEST(no_stale_value_after_a_reset_that_raced_the_firing) {
  gch_timer *t = gch_timer_new(GCH_HOUR);
  for (int i = 0; i < scaled(1000); i++) {
    gch_timer_reset(t, i % 40 * GCH_MICROSECOND / 2);
    gch_timer_reset(t, GCH_HOUR);
    expect_empty(gch_timer_chan(t));
  }
  gch_timer_free(t);
}
END_TEST

START_TEST(free_answers_as_stop_does) {
  gch_timer *t = gch_timer_new(GCH_HOUR);
  ck_assert(gch_timer_free(t));
  t = gch_timer_new(0);
  receive(gch_timer_chan(t));
  ck_assert(!gch_timer_free(t));
}
END_TEST

START_TEST(stop_and_free_accept_null) {
  ck_assert(!gch_timer_stop(NULL));
  ck_assert(!gch_timer_free(NULL));
}
END_TEST

struct receiver {
  gch_chan *c;
  int result;
};

static void receive_one(void *arg) {
  struct receiver *r = arg;
  r->result = gch_recv(r->c, NULL);
}

START_TEST(a_timer_wakes_a_parked_receiver) {
  gch_timer *t = gch_timer_new(GCH_HOUR);
  struct receiver r = {gch_timer_chan(t), -1};
  test_thread *thread = thread_start(receive_one, &r);
  await_waiting(r.c, 0, 1);
  gch_timer_reset(t, 0);
  thread_join(thread);
  ck_assert_int_eq(r.result, 0);
  gch_timer_free(t);
}
END_TEST

START_TEST(many_timers_share_one_thread) {
  enum { MANY = 1000 };
  gch_timer *t[MANY];
  int before = thread_count();
  for (int i = 0; i < MANY; i++)
    t[i] = gch_timer_new(i % 2 ? GCH_HOUR + i : i * GCH_MICROSECOND);
  ck_assert_int_le(thread_count(), before + 1);
  for (int i = 0; i < MANY; i++) {
    if (i % 2 == 0)
      receive(gch_timer_chan(t[i]));
    gch_timer_free(t[i]);
  }
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("timer");
  TCase *t = test_case(s, "channel");
  tcase_add_test(t, a_timers_channel_looks_unbuffered);
  tcase_add_test(t, a_timers_channel_is_receive_only);
  tcase_add_test(t, a_timers_channel_is_the_same_each_time);
  tcase_add_test(t, a_timers_channel_outlives_it_by_ref);
  tcase_add_test(t, unref_of_a_timers_borrowed_channel_is_a_panic);
  t = test_case(s, "timer");
  tcase_add_test(t, a_timer_fires_once_not_before_its_time);
  tcase_add_test(t, a_timer_of_zero_fires);
  tcase_add_test(t, stop_of_a_running_timer_is_true);
  tcase_add_test(t, stop_of_a_stopped_timer_is_false);
  tcase_add_test(t, stop_after_the_value_was_received_is_false);
  tcase_add_test(t, stop_of_a_timer_whose_value_nobody_received_is_true);
  tcase_add_test(t, a_stopped_timer_does_not_fire);
  tcase_add_test(t, reset_of_a_running_timer_is_true);
  tcase_add_test(t, reset_of_a_stopped_timer_is_false_and_starts_it);
  tcase_add_test(t, reset_of_a_spent_timer_is_false_and_starts_it);
  tcase_add_test(t, reset_throws_away_a_value_that_nobody_received);
  tcase_add_test(t, reset_to_earlier_fires_earlier);
  tcase_add_test(t, reset_to_later_fires_later);
  tcase_add_test(t, no_stale_value_after_a_stop_that_raced_the_firing);
  tcase_add_test(t, no_stale_value_after_a_reset_that_raced_the_firing);
  tcase_add_test(t, free_answers_as_stop_does);
  tcase_add_test(t, stop_and_free_accept_null);
  tcase_add_test(t, a_timer_wakes_a_parked_receiver);
  tcase_add_test(t, many_timers_share_one_thread);
  return s;
}
