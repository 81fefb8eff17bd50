/* SPDX-License-Identifier: BSD-3-Clause */
/* Deadlines: gch_in, and what strict mode says to one that can be none. */
#include "harness.h"

START_TEST(in_gives_the_deadline_from_now) {
  int64_t before = gch_now(), in = gch_in(GCH_SECOND), after = gch_now();
  ck_assert(in >= before + GCH_SECOND && in <= after + GCH_SECOND);
  ck_assert(gch_in(0) >= after);
  int64_t past = gch_in(-GCH_SECOND);
  ck_assert(past <= gch_now() - GCH_SECOND);
}
END_TEST

START_TEST(in_saturates) {
  ck_assert_int_eq(gch_in(GCH_FOREVER), GCH_FOREVER);
  ck_assert_int_eq(gch_in(GCH_FOREVER - 1), GCH_FOREVER);
  ck_assert_int_lt(gch_in(INT64_MIN), 0);
}
END_TEST

/* Every function that takes a deadline; whether it waits, and whether it need
   not. */

static gch_chan *chan;
static gch_mutex mutex = GCH_MUTEX_INIT;
static gch_rwmutex rwmutex = GCH_RWMUTEX_INIT;
static gch_cond cond = GCH_COND_INIT;
static gch_wg wg = GCH_WG_INIT;

static void send_until(int64_t deadline) {
  gch_send_until(chan, &deadline, deadline);
}

static void recv_until(int64_t deadline) {
  gch_recv_until(chan, NULL, deadline);
}

static void nil_until(int64_t deadline) {
  gch_recv_until(NULL, NULL, deadline);
}

static void select_until(int64_t deadline) {
  gch_select(GCH_UNTIL(deadline), GCH_RECV(chan, NULL));
}

static void select_ordered_until(int64_t deadline) {
  gch_select_ordered(GCH_UNTIL(deadline), GCH_DEFAULT);
}

static void select_cases_until(int64_t deadline) {
  gch_case c = gch_case_until(deadline);
  gch_select_cases(&c, 1);
}

static void ctx_with_deadline(int64_t deadline) {
  gch_ctx_end(gch_ctx_with_deadline(gch_ctx_background(), deadline));
}

static void ctx_with_deadline_cause(int64_t deadline) {
  gch_ctx_end(gch_ctx_with_deadline_cause(gch_ctx_background(), deadline, EIO));
}

static void wg_wait_until(int64_t deadline) {
  gch_wg_wait_until(&wg, deadline);
}

static void wg_wait_until_done(int64_t deadline) {
  gch_wg none = GCH_WG_INIT;
  gch_wg_wait_until(&none, deadline);
}

static void mutex_lock_until(int64_t deadline) {
  if (gch_mutex_lock_until(&mutex, deadline) == 0)
    gch_mutex_unlock(&mutex);
}

static void rwmutex_lock_until(int64_t deadline) {
  if (gch_rwmutex_lock_until(&rwmutex, deadline) == 0)
    gch_rwmutex_unlock(&rwmutex);
}

static void rwmutex_rlock_until(int64_t deadline) {
  if (gch_rwmutex_rlock_until(&rwmutex, deadline) == 0)
    gch_rwmutex_runlock(&rwmutex);
}

static void cond_wait_until(int64_t deadline) {
  gch_mutex_lock(&mutex);
  gch_cond_wait_until(&cond, &mutex, deadline);
  gch_mutex_unlock(&mutex);
}

static void (*const takers[])(int64_t deadline) = {send_until,
                                                   recv_until,
                                                   nil_until,
                                                   select_until,
                                                   select_ordered_until,
                                                   select_cases_until,
                                                   ctx_with_deadline,
                                                   ctx_with_deadline_cause,
                                                   wg_wait_until,
                                                   wg_wait_until_done,
                                                   mutex_lock_until,
                                                   rwmutex_lock_until,
                                                   rwmutex_rlock_until,
                                                   cond_wait_until};
enum { TAKERS = sizeof takers / sizeof *takers };

static void setup(void) {
  chan = gch_make_of(int64_t, 1);
  wg = (gch_wg)GCH_WG_INIT;
  gch_wg_add(&wg, 1);
}

static void teardown(void) {
  gch_set_strict(false);
  gch_unref(chan);
}

static void pass_a_nanosecond(void *taker) {
  (*(void (**)(int64_t))taker)(1);
}

START_TEST(a_duration_in_place_of_a_deadline_panics_in_strict_mode) {
  void (*taker)(int64_t) = takers[_i];
  expect_panic_strict(pass_a_nanosecond, &taker,
                      "gulch: deadline 1 lies before the start of the process;"
                      " gch_in(ns) is the one ns from now");
}
END_TEST

START_TEST(without_strict_mode_it_is_a_deadline_that_has_passed) {
  takers[_i](1);
  takers[_i](5 * GCH_SECOND);
}
END_TEST

START_TEST(a_deadline_that_may_be_one_is_taken) {
  gch_set_strict(true);
  takers[_i](0);
  takers[_i](-1);
  takers[_i](INT64_MIN);
  takers[_i](gch_now());
  takers[_i](gch_in(GCH_MICROSECOND));
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("deadline");
  TCase *t = test_case(s, "in");
  tcase_add_test(t, in_gives_the_deadline_from_now);
  tcase_add_test(t, in_saturates);
  t = test_case(s, "strict");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_loop_test(
      t, a_duration_in_place_of_a_deadline_panics_in_strict_mode, 0, TAKERS);
  tcase_add_loop_test(t, without_strict_mode_it_is_a_deadline_that_has_passed,
                      0, TAKERS);
  tcase_add_loop_test(t, a_deadline_that_may_be_one_is_taken, 0, TAKERS);
  return s;
}
