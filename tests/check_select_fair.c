/* SPDX-License-Identifier: BSD-3-Clause */
/* Select: the choice is uniform, the default is honest, crowds are no
   burden, and what cannot become ready blocks for ever. */
#define _GNU_SOURCE
#include "chan_forms.h"
#include "fork_alone.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* Uniform choice */

enum { MOST = 8 };

/* That each of n equally likely outcomes of so many trials came about as often
   as that; by chance this fails less than once in 10^12 runs (eight standard
   deviations). */
static void expect_uniform(const int *counts, int n, int trials) {
  double p = 1.0 / n;
  double variance = trials * p * (1 - p);
  for (int i = 0; i < n; i++) {
    double off = counts[i] - trials * p;
    ck_assert_msg(off * off <= 64 * variance, "case %d fired %d times of %d", i,
                  counts[i], trials);
  }
}

/* Selects among the cases, all ready, as often as needed; afterwards again
   undoes what case i did. */
static void expect_fair(gch_case *cases, int n, void (*again)(int i)) {
  const int trials = 2000 * n;
  int counts[MOST] = {0};
  for (int i = 0; i < trials; i++) {
    int fired = gch_select_cases(cases, (size_t)n);
    counts[fired]++;
    again(fired);
  }
  expect_uniform(counts, n, trials);
}

static gch_chan *fair[MOST];

static void make_fair(int n, size_t cap, int values) {
  for (int i = 0; i < n; i++) {
    fair[i] = gch_make_of(int, cap);
    for (int k = 0; k < values; k++)
      put_int(fair[i], k);
  }
}

static void unref_fair(int n) {
  for (int i = 0; i < n; i++)
    gch_unref(fair[i]);
}

static void put_again(int i) {
  put_int(fair[i], 0);
}

static void take_again(int i) {
  take_int(fair[i]);
}

static void nothing_again(int i) {
  (void)i;
}

START_TEST(the_choice_among_ready_receives_is_uniform) {
  gch_case cases[MOST];
  make_fair(_i, 1, 1);
  for (int i = 0; i < _i; i++)
    cases[i] = GCH_RECV(fair[i], NULL);
  expect_fair(cases, _i, put_again);
  unref_fair(_i);
}
END_TEST

START_TEST(the_choice_among_ready_sends_is_uniform) {
  gch_case cases[MOST];
  int v = 1;
  make_fair(_i, 1, 0);
  for (int i = 0; i < _i; i++)
    cases[i] = GCH_SEND(fair[i], &v);
  expect_fair(cases, _i, take_again);
  unref_fair(_i);
}
END_TEST

START_TEST(the_choice_among_closed_channels_is_uniform) {
  gch_case cases[MOST];
  int v = 1, err;
  make_fair(_i, 0, 0);
  for (int i = 0; i < _i; i++) {
    gch_close(fair[i]);
    cases[i] = i % 2 ? GCH_SEND_ERR(fair[i], &v, &err) : GCH_RECV(fair[i], &v);
  }
  expect_fair(cases, _i, nothing_again);
  unref_fair(_i);
}
END_TEST

START_TEST(cases_that_are_not_ready_do_not_bend_the_choice) {
  const int trials = 6000;
  int counts[4] = {0};
  make_fair(6, 1, 0);
  put_again(2);
  put_again(5);
  for (int i = 0; i < trials; i++) {
    int fired = gch_select(GCH_RECV(fair[0], NULL), GCH_RECV(fair[1], NULL),
                           GCH_RECV(fair[2], NULL), GCH_RECV(NULL, NULL),
                           GCH_RECV(fair[4], NULL), GCH_RECV(fair[5], NULL),
                           GCH_DEFAULT, GCH_UNTIL(0));
    ck_assert(fired == 2 || fired == 5);
    counts[fired == 5]++;
    put_again(fired);
  }
  expect_uniform(counts, 2, trials);
  unref_fair(6);
}
END_TEST

static void put_third_again(int i) {
  put_int(fair[i == 2], 0);
}

START_TEST(the_choice_is_per_case_not_per_channel) {
  make_fair(2, 1, 1);
  gch_case cases[] = {GCH_RECV(fair[0], NULL), GCH_RECV(fair[0], NULL),
                      GCH_RECV(fair[1], NULL)};
  expect_fair(cases, 3, put_third_again);
  unref_fair(2);
}
END_TEST

static void undo_in_half_full(int i) {
  if (i == 0)
    take_int(fair[0]);
  else
    put_int(fair[0], 0);
}

START_TEST(both_sides_of_a_half_full_channel_are_as_likely) {
  int v = 0;
  make_fair(1, 2, 1);
  gch_case cases[] = {GCH_SEND(fair[0], &v), GCH_RECV(fair[0], &v)};
  expect_fair(cases, 2, undo_in_half_full);
  unref_fair(1);
}
END_TEST

/* The default is never taken while one of two channels is ready throughout:
   first a is; then b is, too; only then a is no longer. */

struct honest {
  gch_chan *a, *b, *start, *end;
  bool closes;
};

static void move_readiness(void *arg) {
  struct honest *h = arg;
  while (gch_recv(h->start, NULL) == 0) {
    int v = 1;
    if (h->closes)
      gch_close(h->b);
    else
      gch_send(h->b, &v);
    gch_try_recv(h->a, NULL);
    gch_send(h->end, NULL);
  }
}

static void honest_init(struct honest *h, bool closes) {
  h->a = gch_make_of(int, 1);
  h->b = closes ? NULL : gch_make_of(int, 1);
  h->start = gch_make(0, 0);
  h->end = gch_make(0, 0);
  h->closes = closes;
}

static void honest_round(struct honest *h, bool ordered) {
  if (h->closes)
    h->b = gch_make_of(int, 1);
  put_int(h->a, 1);
  gch_send(h->start, NULL);
  gch_case cases[] = {GCH_RECV(h->a, NULL), GCH_RECV(h->b, NULL), GCH_DEFAULT};
  int fired =
      ordered ? gch_select_cases_ordered(cases, 3) : gch_select_cases(cases, 3);
  ck_assert_int_ne(fired, 2);
  gch_recv(h->end, NULL);
  gch_try_recv(h->a, NULL);
  if (h->closes)
    gch_unref(h->b);
  else
    gch_try_recv(h->b, NULL);
}

static void honest_run(bool closes, bool ordered) {
  struct honest h;
  honest_init(&h, closes);
  test_thread *t = thread_start(move_readiness, &h);
  for (int i = scaled(1000); i > 0; i--)
    honest_round(&h, ordered);
  gch_close(h.start);
  thread_join(t);
  gch_unref(h.a);
  if (!closes)
    gch_unref(h.b);
  gch_unref(h.start);
  gch_unref(h.end);
}

START_TEST(default_is_not_taken_while_something_is_ready_throughout) {
  honest_run(_i & 1, _i & 2);
}
END_TEST

/* There and back: at each instant one of the two has a value, but for what the
   select took, and puts back. */

static void move_to_and_fro(void *arg) {
  struct honest *h = arg;
  gch_chan *from = h->a, *to = h->b;
  while (gch_try_recv(h->end, NULL) == EAGAIN) {
    gch_send(to, &(int){1});
    gch_recv(from, NULL);
    gch_chan *c = from;
    from = to;
    to = c;
  }
}

START_TEST(default_is_not_taken_while_readiness_moves_to_and_fro) {
  struct honest h;
  int v;
  honest_init(&h, false);
  put_int(h.a, 1);
  test_thread *t = thread_start(move_to_and_fro, &h);
  for (int i = scaled(20000); i > 0; i--) {
    int fired = gch_select(GCH_RECV(h.a, &v), GCH_RECV(h.b, &v), GCH_DEFAULT);
    ck_assert_int_ne(fired, 2);
    gch_send(fired == 0 ? h.a : h.b, &v);
  }
  gch_close(h.end);
  thread_join(t);
  gch_unref(h.a);
  gch_unref(h.b);
  gch_unref(h.start);
  gch_unref(h.end);
}
END_TEST

/* Crowds */

enum { CROWD = 65536 };

static void crowd_main(void *arg) {
  gch_chan *c = arg;
  gch_case *cases = calloc(CROWD, sizeof *cases);
  ck_assert_ptr_nonnull(cases);
  for (int i = 0; i < CROWD; i++)
    cases[i] = GCH_RECV(c, NULL);
  gch_select_cases(cases, CROWD);
  free(cases);
}

static void await_receivers(const gch_chan *c, size_t n) {
  await_waiting(c, 0, n);
}

/* Were leaving linear, this would take minutes. */
START_TEST(leaving_a_crowded_queue_is_cheap) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  test_thread *t = thread_start(crowd_main, c);
  await_receivers(c, CROWD);
  for (int i = scaled(20000); i > 0; i--)
    ck_assert_int_eq(gch_select(GCH_UNTIL(1), GCH_RECV(c, NULL)), 0);
  for (int i = scaled(20000); i > 0; i--)
    ck_assert_int_eq(gch_recv_until(c, NULL, 1), ETIMEDOUT);
  put_int(c, 1);
  thread_join(t);
  await_receivers(c, 0);
}
END_TEST

START_TEST(a_crowd_of_cases_is_woken_by_close) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  test_thread *t = thread_start(crowd_main, c);
  await_receivers(c, CROWD);
  gch_close(c);
  thread_join(t);
  await_receivers(c, 0);
}
END_TEST

/* For ever: the alarm ends the child, and nothing else does. */

static void no_cases(void) {
  gch_select_cases(NULL, 0);
}

static void no_cases_ordered(void) {
  gch_select_cases_ordered(NULL, 0);
}

static void nil_cases(void) {
  int v = 1;
  gch_select(GCH_RECV(NULL, &v), GCH_SEND(NULL, &v));
}

static void nil_cases_ordered(void) {
  int v = 1;
  gch_select_ordered(GCH_RECV(NULL, &v), GCH_SEND(NULL, &v));
}

static void until_forever(void) {
  gch_select(GCH_UNTIL(GCH_FOREVER));
}

static void timeout_forever(void) {
  gch_select(GCH_TIMEOUT(GCH_FOREVER));
}

static void with_itself(void) {
  gch_chan *c = gch_make_of(int, 0);
  int v = 1;
  gch_select(GCH_RECV(c, &v), GCH_SEND(c, &v), GCH_RECV(c, &v));
}

static void (*const endless[])(void) = {
    no_cases,      no_cases_ordered, nil_cases,  nil_cases_ordered,
    until_forever, timeout_forever,  with_itself};
enum { ENDLESS = sizeof endless / sizeof *endless };

START_TEST(it_blocks_for_ever) {
  const struct itimerval soon = {.it_value = {0, 10000}};
  int status;
  pid_t pid = fork_alone();
  ck_assert_int_ge(pid, 0);
  if (pid == 0) {
    signal(SIGALRM, SIG_DFL);
    setitimer(ITIMER_REAL, &soon, NULL);
    endless[_i]();
    _exit(0);
  }
  while (waitpid(pid, &status, 0) < 0)
    ck_assert_int_eq(errno, EINTR);
  ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM,
                "it ended: status %#x", (unsigned)status);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("select_fair");
  TCase *t = test_case(s, "uniform");
  tcase_add_loop_test(t, the_choice_among_ready_receives_is_uniform, 2,
                      MOST + 1);
  tcase_add_loop_test(t, the_choice_among_ready_sends_is_uniform, 2, MOST + 1);
  tcase_add_loop_test(t, the_choice_among_closed_channels_is_uniform, 2,
                      MOST + 1);
  tcase_add_test(t, cases_that_are_not_ready_do_not_bend_the_choice);
  tcase_add_test(t, the_choice_is_per_case_not_per_channel);
  tcase_add_test(t, both_sides_of_a_half_full_channel_are_as_likely);
  t = test_case(s, "default");
  tcase_add_loop_test(
      t, default_is_not_taken_while_something_is_ready_throughout, 0, 4);
  tcase_add_test(t, default_is_not_taken_while_readiness_moves_to_and_fro);
  t = test_case(s, "crowds");
  tcase_add_test(t, leaving_a_crowded_queue_is_cheap);
  tcase_add_test(t, a_crowd_of_cases_is_woken_by_close);
  t = fork_case(s, "for ever");
  tcase_add_loop_test(t, it_blocks_for_ever, 0, ENDLESS);
  return s;
}
