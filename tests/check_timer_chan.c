/* SPDX-License-Identifier: BSD-3-Clause */
/* The channels of timers: who asks finds what is due, whoever else was slow. */
#include "harness.h"

#define MS GCH_MILLISECOND

static void let_pass(int64_t ns) {
  gch_chan *c = gch_after(ns);
  ck_assert_int_eq(gch_recv(c, NULL), 0);
  gch_unref(c);
}

/* Ready at once. So often that the library's thread would miss it once. */
enum { OFTEN = 200 };

START_TEST(what_is_due_is_there_for_a_try) {
  for (int i = 0; i < OFTEN; i++) {
    gch_timer *t = gch_timer_new(0);
    ck_assert_int_eq(gch_try_recv(gch_timer_chan(t), NULL), 0);
    ck_assert_int_eq(gch_try_recv(gch_timer_chan(t), NULL), EAGAIN);
    gch_timer_free(t);
  }
}
END_TEST

START_TEST(what_is_due_goes_before_the_default) {
  for (int i = 0; i < OFTEN; i++) {
    gch_timer *t = gch_timer_new(0);
    gch_chan *c = gch_timer_chan(t);
    ck_assert_int_eq(gch_select(GCH_RECV(c, NULL), GCH_DEFAULT), 0);
    ck_assert_int_eq(gch_select(GCH_RECV(c, NULL), GCH_DEFAULT), 1);
    gch_timer_reset(t, 0);
    ck_assert_int_eq(gch_select_ordered(GCH_RECV(c, NULL), GCH_DEFAULT), 0);
    gch_timer_free(t);
  }
}
END_TEST

START_TEST(what_is_due_goes_before_a_passed_deadline) {
  for (int i = 0; i < OFTEN; i++) {
    gch_timer *t = gch_timer_new(0);
    ck_assert_int_eq(gch_recv_until(gch_timer_chan(t), NULL, 0), 0);
    gch_timer_free(t);
  }
}
END_TEST

START_TEST(of_two_that_are_due_a_select_takes_either) {
  enum { ROUNDS = 400 };
  int first = 0;
  for (int i = 0; i < ROUNDS; i++) {
    gch_chan *a = gch_after(0), *b = gch_after(0);
    first += gch_select(GCH_RECV(a, NULL), GCH_RECV(b, NULL)) == 0;
    gch_unref(a);
    gch_unref(b);
  }
  /* Ten standard deviations. */
  ck_assert_int_ge(first, ROUNDS / 2 - 100);
  ck_assert_int_le(first, ROUNDS / 2 + 100);
}
END_TEST

START_TEST(many_are_received_by_one_call) {
  int64_t when[3] = {0};
  size_t n = 0;
  gch_timer *t = gch_timer_new(0);
  ck_assert_int_eq(gch_recv_many(gch_timer_chan(t), when, 3, &n), 0);
  ck_assert_uint_eq(n, 1);
  gch_timer_free(t);
}
END_TEST

/* The value */

START_TEST(the_value_is_the_time_at_which_it_was_due) {
  int64_t before = gch_now();
  gch_timer *t = gch_timer_new(1 * MS);
  int64_t after = gch_now(), when = 0;
  let_pass(3 * MS);
  ck_assert_int_eq(gch_recv(gch_timer_chan(t), &when), 0);
  ck_assert_int_ge(when, before + 1 * MS);
  ck_assert_int_le(when, after + 1 * MS);
  gch_timer_free(t);
}
END_TEST

START_TEST(a_timer_of_less_than_nothing_is_due_now) {
  int64_t before = gch_now(), when = 0;
  gch_timer *t = gch_timer_new(INT64_MIN);
  ck_assert_int_eq(gch_try_recv(gch_timer_chan(t), &when), 0);
  ck_assert_int_ge(when, before);
  ck_assert_int_le(when, gch_now());
  gch_timer_free(t);
}
END_TEST

START_TEST(a_timer_that_never_fires_can_be_stopped) {
  gch_timer *t = gch_timer_new(GCH_FOREVER);
  ck_assert_int_eq(gch_try_recv(gch_timer_chan(t), NULL), EAGAIN);
  ck_assert(gch_timer_stop(t));
  ck_assert(!gch_timer_free(t));
}
END_TEST

/* The first tick that nobody read waits; those after it are lost. */
START_TEST(a_late_reader_finds_the_first_tick) {
  int64_t before = gch_now();
  gch_ticker *t = gch_ticker_new(1 * MS);
  int64_t after = gch_now(), first = 0, second = 0;
  let_pass(5 * MS);
  int64_t back = gch_now();
  ck_assert_int_eq(gch_recv(gch_ticker_chan(t), &first), 0);
  ck_assert_int_ge(first, before + 1 * MS);
  ck_assert_int_le(first, after + 1 * MS);
  ck_assert_int_eq(gch_recv(gch_ticker_chan(t), &second), 0);
  ck_assert_int_gt(second, back);
  ck_assert_int_eq((second - first) % MS, 0);
  gch_ticker_free(t);
}
END_TEST

/* Others who are parked */

struct receiver {
  gch_chan *c, *never;
  int result;
};

static void receive(void *arg) {
  struct receiver *r = arg;
  r->result = gch_recv(r->c, NULL);
}

static void receive_by_select(void *arg) {
  struct receiver *r = arg;
  r->result = gch_select(GCH_RECV(r->c, NULL), GCH_RECV(r->never, NULL));
}

static int try_plain(gch_chan *c) {
  return gch_try_recv(c, NULL);
}

static int try_select(gch_chan *c) {
  return gch_select(GCH_RECV(c, NULL), GCH_DEFAULT) == 0 ? 0 : EAGAIN;
}

static int try_ordered(gch_chan *c) {
  return gch_select_ordered(GCH_RECV(c, NULL), GCH_DEFAULT) == 0 ? 0 : EAGAIN;
}

static int try_late(gch_chan *c) {
  return gch_recv_until(c, NULL, 0) == 0 ? 0 : EAGAIN;
}

START_TEST(who_asks_does_not_overtake_who_is_parked) {
  static int (*const tries[])(gch_chan *) = {try_plain, try_select, try_ordered,
                                             try_late};
  gch_timer *t = gch_timer_new(GCH_HOUR);
  for (int i = 0; i < OFTEN; i++) {
    struct receiver r = {gch_timer_chan(t), NULL, -1};
    test_thread *thread = thread_start(i & 4 ? receive_by_select : receive, &r);
    await_waiting(r.c, 0, 1);
    gch_timer_reset(t, 0);
    ck_assert_int_eq(tries[i % 4](r.c), EAGAIN);
    thread_join(thread);
    ck_assert_int_eq(r.result, 0);
  }
  gch_timer_free(t);
}
END_TEST

START_TEST(each_who_is_parked_gets_a_tick) {
  enum { CROWD = 5 };
  test_thread *thread[CROWD];
  struct receiver r[CROWD];
  gch_ticker *t = gch_ticker_new(GCH_HOUR);
  for (int i = 0; i < CROWD; i++) {
    r[i] = (struct receiver){gch_ticker_chan(t), NULL, -1};
    thread[i] = thread_start(i % 2 ? receive_by_select : receive, &r[i]);
    await_waiting(r[i].c, 0, (size_t)i + 1);
  }
  gch_ticker_reset(t, 1 * GCH_MICROSECOND);
  for (int i = 0; i < CROWD; i++) {
    thread_join(thread[i]);
    ck_assert_int_eq(r[i].result, 0);
  }
  gch_ticker_free(t);
}
END_TEST

START_TEST(who_gives_up_leaves_the_value_to_the_next) {
  for (int i = 0; i < OFTEN; i++) {
    gch_timer *t = gch_timer_new(i % 20 * GCH_MICROSECOND);
    gch_chan *c = gch_timer_chan(t);
    int err = gch_recv_until(c, NULL, gch_in(i % 30 * GCH_MICROSECOND));
    ck_assert(err == 0 || err == ETIMEDOUT);
    if (err)
      ck_assert_int_eq(gch_recv(c, NULL), 0);
    gch_timer_free(t);
  }
}
END_TEST

/* However late who is to wake it: the timer was first. */
static void wait_a_little_longer(void *arg) {
  struct receiver *r = arg;
  for (int i = 0; i < 20 && r->result == 0; i++) {
    gch_timer *t = gch_timer_new(1 * MS);
    gch_chan *c = gch_timer_chan(t);
    int64_t deadline = gch_in(1 * MS + 20 * GCH_MICROSECOND);
    r->result = i % 2 ? gch_recv_until(c, NULL, deadline)
                      : gch_select(GCH_RECV(c, NULL), GCH_UNTIL(deadline));
    gch_timer_free(t);
  }
}

START_TEST(a_timer_goes_before_a_later_deadline) {
  enum { CROWD = 20 };
  test_thread *thread[CROWD];
  struct receiver r[CROWD] = {{NULL, NULL, 0}};
  for (int i = 0; i < CROWD; i++)
    thread[i] = thread_start(wait_a_little_longer, &r[i]);
  for (int i = 0; i < CROWD; i++) {
    thread_join(thread[i]);
    ck_assert_int_eq(r[i].result, 0);
  }
}
END_TEST

START_TEST(a_select_is_woken_by_the_earliest_of_many_timers) {
  enum { MANY = 8 };
  gch_timer *t[MANY];
  gch_case cases[MANY];
  for (int i = 0; i < MANY; i++)
    t[i] = gch_timer_new(GCH_HOUR);
  for (int i = 0; i < MANY; i++) {
    for (int j = 0; j < MANY; j++)
      cases[j] = GCH_RECV(gch_timer_chan(t[j]), NULL);
    gch_timer_reset(t[i], 1 * MS);
    ck_assert_int_eq(gch_select_cases(cases, MANY), i);
  }
  for (int i = 0; i < MANY; i++)
    ck_assert(!gch_timer_free(t[i]));
}
END_TEST

START_TEST(a_reset_reaches_who_is_parked) {
  gch_timer *t = gch_timer_new(GCH_HOUR);
  struct receiver r = {gch_timer_chan(t), NULL, -1};
  test_thread *thread = thread_start(receive, &r);
  await_waiting(r.c, 0, 1);
  ck_assert(gch_timer_stop(t));
  ck_assert(!gch_timer_reset(t, GCH_HOUR));
  ck_assert(gch_timer_reset(t, 2 * GCH_HOUR));
  ck_assert(gch_timer_reset(t, 1 * MS));
  thread_join(thread);
  ck_assert_int_eq(r.result, 0);
  gch_timer_free(t);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("timer_chan");
  TCase *t = test_case(s, "due");
  tcase_add_test(t, what_is_due_is_there_for_a_try);
  tcase_add_test(t, what_is_due_goes_before_the_default);
  tcase_add_test(t, what_is_due_goes_before_a_passed_deadline);
  tcase_add_test(t, of_two_that_are_due_a_select_takes_either);
  tcase_add_test(t, many_are_received_by_one_call);
  t = test_case(s, "value");
  tcase_add_test(t, the_value_is_the_time_at_which_it_was_due);
  tcase_add_test(t, a_timer_of_less_than_nothing_is_due_now);
  tcase_add_test(t, a_timer_that_never_fires_can_be_stopped);
  tcase_add_test(t, a_late_reader_finds_the_first_tick);
  t = test_case(s, "parked");
  tcase_add_test(t, who_asks_does_not_overtake_who_is_parked);
  tcase_add_test(t, each_who_is_parked_gets_a_tick);
  tcase_add_test(t, who_gives_up_leaves_the_value_to_the_next);
  tcase_add_test(t, a_timer_goes_before_a_later_deadline);
  tcase_add_test(t, a_select_is_woken_by_the_earliest_of_many_timers);
  tcase_add_test(t, a_reset_reaches_who_is_parked);
  return s;
}
