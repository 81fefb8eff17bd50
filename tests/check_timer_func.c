/* SPDX-License-Identifier: BSD-3-Clause */
/* Timers that run a function. */
#include "tasks.h"

#include <pthread.h>
#include <stdatomic.h>

#define MS GCH_MILLISECOND

static void let_pass(int64_t ns) {
  gch_chan *c = gch_after(ns);
  gch_recv(c, NULL);
  gch_unref(c);
}

static atomic_int runs;

static void count(void *arg) {
  (void)arg;
  atomic_fetch_add(&runs, 1);
}

static void reset_runs(void) {
  atomic_store(&runs, 0);
}

struct look {
  gch_chan *seen; /* of int64_t */
  int64_t now;
  pthread_t thread;
};

static void look(void *arg) {
  struct look *l = arg;
  l->now = gch_now();
  l->thread = pthread_self();
  gch_send(l->seen, &l->now);
}

START_TEST(a_timer_func_runs_not_before_its_time) {
  struct look l = {.seen = gch_make_of(int64_t, 0)};
  int64_t start = gch_now(), now = 0;
  gch_timer *t = gch_timer_func(2 * MS, look, &l);
  gch_recv(l.seen, &now);
  ck_assert_int_ge(now, start + 2 * MS);
  gch_timer_free(t);
  await_no_tasks();
  gch_unref(l.seen);
}
END_TEST

static void block(void *c) {
  gch_recv(c, NULL);
  count(NULL);
}

START_TEST(a_timer_func_that_blocks_holds_no_timer_up) {
  gch_chan *c = gch_make(0, 0);
  reset_runs();
  gch_timer *t = gch_timer_func(0, block, c);
  await_waiting(c, 0, 1);
  let_pass(0);
  ck_assert_int_eq(runs, 0);
  gch_send(c, NULL);
  await_count(&runs, 1);
  gch_timer_free(t);
  gch_unref(c);
  await_no_tasks();
}
END_TEST

START_TEST(a_timer_func_runs_once) {
  reset_runs();
  gch_timer *t = gch_timer_func(0, count, NULL);
  await_count(&runs, 1);
  let_pass(1 * MS);
  await_no_tasks();
  ck_assert_int_eq(runs, 1);
  gch_timer_free(t);
}
END_TEST

START_TEST(a_timer_func_of_the_past_runs_at_once) {
  reset_runs();
  gch_timer *t = gch_timer_func(INT64_MIN, count, NULL);
  await_count(&runs, 1);
  gch_timer_free(t);
}
END_TEST

START_TEST(a_timer_func_has_no_channel) {
  gch_timer *t = gch_timer_func(GCH_HOUR, count, NULL);
  ck_assert_ptr_null(gch_timer_chan(t));
  gch_timer_free(t);
}
END_TEST

START_TEST(a_null_function_is_einval) {
  errno = 0;
  ck_assert_ptr_null(gch_timer_func(0, NULL, NULL));
  ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(stop_in_time_is_true_and_the_function_does_not_run) {
  reset_runs();
  gch_timer *t = gch_timer_func(GCH_HOUR, count, NULL);
  ck_assert(gch_timer_stop(t));
  ck_assert(!gch_timer_stop(t));
  gch_timer_free(t);
  let_pass(1 * MS);
  ck_assert_int_eq(runs, 0);
}
END_TEST

START_TEST(stop_of_a_running_function_is_false_and_does_not_wait) {
  gch_chan *c = gch_make(0, 0);
  gch_timer *t = gch_timer_func(0, block, c);
  await_waiting(c, 0, 1);
  ck_assert(!gch_timer_stop(t));
  gch_send(c, NULL);
  gch_timer_free(t);
  await_no_tasks();
  gch_unref(c);
}
END_TEST

START_TEST(free_of_a_running_function_is_false_and_does_not_wait) {
  gch_chan *c = gch_make(0, 0);
  gch_timer *t = gch_timer_func(0, block, c);
  await_waiting(c, 0, 1);
  ck_assert(!gch_timer_free(t));
  gch_send(c, NULL);
  await_no_tasks();
  gch_unref(c);
}
END_TEST

START_TEST(reset_runs_the_function_again) {
  reset_runs();
  gch_timer *t = gch_timer_func(0, count, NULL);
  await_count(&runs, 1);
  ck_assert(!gch_timer_reset(t, 0));
  await_count(&runs, 2);
  ck_assert(!gch_timer_reset(t, GCH_HOUR));
  ck_assert(gch_timer_reset(t, 0));
  await_count(&runs, 3);
  gch_timer_free(t);
}
END_TEST

START_TEST(two_runs_of_one_function_may_overlap) {
  gch_chan *c = gch_make(0, 0);
  gch_timer *t = gch_timer_func(0, block, c);
  await_waiting(c, 0, 1);
  gch_timer_reset(t, 0);
  await_waiting(c, 0, 2);
  gch_close(c);
  gch_timer_free(t);
  await_no_tasks();
  gch_unref(c);
}
END_TEST

START_TEST(exactly_one_of_stop_and_the_function_wins) {
  int rounds = scaled(300), stopped = 0;
  reset_runs();
  for (int i = 0; i < rounds; i++) {
    gch_timer *t = gch_timer_func(i % 60 * GCH_MICROSECOND, count, NULL);
    stopped += gch_timer_free(t);
  }
  await_count(&runs, rounds - stopped);
  await_no_tasks();
  ck_assert_int_eq(runs, rounds - stopped);
}
END_TEST

/* The function and its own timer */

struct own {
  gch_chan *timer; /* of gch_timer *: hands the timer to the function */
  gch_timer *t;
  int left;
  gch_chan *end;
};

static void run_again(void *arg) {
  struct own *o = arg;
  if (!o->t)
    gch_recv(o->timer, &o->t);
  if (--o->left > 0)
    gch_timer_reset(o->t, 0);
  else
    gch_close(o->end);
}

START_TEST(a_function_may_start_its_own_timer_again) {
  struct own o = {gch_make_of(gch_timer *, 0), NULL, 10, gch_make(0, 0)};
  gch_timer *t = gch_timer_func(0, run_again, &o);
  gch_send(o.timer, &t);
  gch_recv(o.end, NULL);
  gch_timer_free(t);
  await_no_tasks();
  ck_assert_int_eq(o.left, 0);
  gch_unref(o.timer);
  gch_unref(o.end);
}
END_TEST

static void free_own(void *arg) {
  struct own *o = arg;
  gch_recv(o->timer, &o->t);
  o->left = gch_timer_free(o->t);
  gch_close(o->end);
}

START_TEST(a_function_may_free_its_own_timer) {
  struct own o = {gch_make_of(gch_timer *, 0), NULL, -1, gch_make(0, 0)};
  gch_timer *t = gch_timer_func(0, free_own, &o);
  gch_send(o.timer, &t);
  gch_recv(o.end, NULL);
  await_no_tasks();
  ck_assert_int_eq(o.left, false);
  gch_unref(o.timer);
  gch_unref(o.end);
}
END_TEST

struct before {
  int plain, seen;
  gch_chan *end;
};

static void see(void *arg) {
  struct before *b = arg;
  b->seen = b->plain;
  gch_close(b->end);
}

START_TEST(the_function_sees_what_was_before_its_timer) {
  struct before b = {42, 0, gch_make(0, 0)};
  gch_timer *t = gch_timer_func(0, see, &b);
  gch_recv(b.end, NULL);
  ck_assert_int_eq(b.seen, 42);
  gch_timer_free(t);
  await_no_tasks();
  gch_unref(b.end);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("timer_func");
  TCase *t = test_case(s, "func");
  tcase_add_test(t, a_timer_func_runs_not_before_its_time);
  tcase_add_test(t, a_timer_func_that_blocks_holds_no_timer_up);
  tcase_add_test(t, a_timer_func_runs_once);
  tcase_add_test(t, a_timer_func_of_the_past_runs_at_once);
  tcase_add_test(t, a_timer_func_has_no_channel);
  tcase_add_test(t, a_null_function_is_einval);
  tcase_add_test(t, stop_in_time_is_true_and_the_function_does_not_run);
  tcase_add_test(t, stop_of_a_running_function_is_false_and_does_not_wait);
  tcase_add_test(t, free_of_a_running_function_is_false_and_does_not_wait);
  tcase_add_test(t, reset_runs_the_function_again);
  tcase_add_test(t, two_runs_of_one_function_may_overlap);
  tcase_add_test(t, exactly_one_of_stop_and_the_function_wins);
  t = test_case(s, "own");
  tcase_add_test(t, a_function_may_start_its_own_timer_again);
  tcase_add_test(t, a_function_may_free_its_own_timer);
  tcase_add_test(t, the_function_sees_what_was_before_its_timer);
  return s;
}
