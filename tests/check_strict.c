/* SPDX-License-Identifier: BSD-3-Clause */
/* Strict mode: where Go panics gulch does, with Go's words; and what it
   spares. */
#define _GNU_SOURCE
#include "chan_forms.h"
#include "tasks.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLOSED "send on closed channel"

/* What panics */

static const form plain_sends[] = {
    send_plain,  send_until_late, send_until_forever, send_in_background,
    send_in_ctx, send_try,        send_until_past};
enum { BLOCKING_SENDS = 5, PLAIN_SENDS = 7 };

struct attempt {
  gch_chan *c;
  form send;
};

static void send_one(void *arg) {
  struct attempt *a = arg;
  int v = 1;
  a->send(a->c, &v);
}

START_TEST(a_send_on_a_closed_channel_panics) {
  for (size_t cap = 0; cap < 2; cap++) {
    GCH_AUTO gch_chan *c = gch_make_of(int, cap);
    struct attempt a = {c, plain_sends[_i]};
    gch_close(c);
    expect_panic_strict(send_one, &a, CLOSED);
  }
}
END_TEST

static void close_when_somebody_sends(void *c) {
  await_waiting(c, 1, 0);
  gch_close(c);
}

static void send_until_closed(void *arg) {
  struct attempt *a = arg;
  thread_start(close_when_somebody_sends, a->c);
  send_one(a);
}

START_TEST(a_blocked_send_panics_when_its_channel_is_closed) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  struct attempt a = {c, plain_sends[_i]};
  expect_panic_strict(send_until_closed, &a, CLOSED);
}
END_TEST

static void send_in_task_until_closed(void *arg) {
  struct attempt *a = arg;
  gch_set_strict(false);
  gch_go(send_one, a);
  await_waiting(a->c, 1, 0);
  gch_set_strict(true);
  gch_close(a->c);
  await_no_tasks();
}

START_TEST(a_tasks_blocked_send_panics_when_its_channel_is_closed) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  struct attempt a = {c, plain_sends[_i]};
  expect_panic_strict(send_in_task_until_closed, &a, CLOSED);
}
END_TEST

static void close_it(void *c) {
  gch_close(c);
}

START_TEST(a_second_close_panics) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  gch_close(c);
  expect_panic_strict(close_it, c, "close of closed channel");
}
END_TEST

START_TEST(close_of_null_panics) {
  expect_panic_strict(close_it, NULL, "close of nil channel");
}
END_TEST

static void make_too_large(void *arg) {
  (void)arg;
  gch_make(8, SIZE_MAX);
}

static void make_too_large_an_element(void *arg) {
  (void)arg;
  gch_make(SIZE_MAX, 1);
}

START_TEST(a_size_out_of_range_panics) {
  const char *words = "makechan: size out of range";
  expect_panic_strict(make_too_large, NULL, words);
  expect_panic_strict(make_too_large_an_element, NULL, words);
}
END_TEST

/* What it spares. In this process: a panic would end it. */

static void strict(void) {
  gch_set_strict(true);
}

static void lax(void) {
  gch_set_strict(false);
}

START_TEST(a_receive_is_spared) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  int v;
  gch_close(c);
  for (int i = 0; i < FORMS; i++)
    ck_assert_int_eq(recvs[i](c, &v), EPIPE);
  ck_assert_int_eq(gch_select(GCH_RECV(c, &v)), 0);
}
END_TEST

static const form err_sends[] = {send_by_select,         send_by_wide_select,
                                 send_by_ordered_select, send_or_default,
                                 send_first_or_default,  send_or_past};

START_TEST(an_arm_that_asked_for_its_error_is_spared) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  int v = 1;
  gch_close(c);
  for (int i = 0; i < 6; i++)
    ck_assert_int_eq(err_sends[i](c, &v), EPIPE);
}
END_TEST

START_TEST(a_blocked_arm_that_asked_for_its_error_is_spared) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  struct party p[3];
  for (int i = 0; i < 3; i++)
    party_start_int(&p[i], err_sends[i], c, 1);
  await_waiting(c, 3, 0);
  ck_assert_int_eq(gch_close(c), 0);
  for (int i = 0; i < 3; i++)
    ck_assert_int_eq(party_end(&p[i]), EPIPE);
}
END_TEST

START_TEST(a_send_to_a_receive_only_channel_is_still_EPERM) {
  GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < FORMS; i++)
      ck_assert_int_eq(sends[i](gch_ctx_done(ctx), NULL), EPERM);
    ck_assert_int_eq(gch_close(gch_ctx_done(ctx)), EPERM);
    gch_ctx_cancel(ctx);
  }
}
END_TEST

START_TEST(errors_that_go_does_not_know_are_still_errors) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  int v = 1;
  ck_assert_int_eq(gch_send(c, NULL), EINVAL);
  ck_assert_int_eq(gch_try_send(c, &v), EAGAIN);
  ck_assert_int_eq(gch_try_send(NULL, &v), EAGAIN);
  ck_assert_int_eq(gch_send_until(c, &v, 0), ETIMEDOUT);
  ck_assert_int_eq(gch_send_until(NULL, &v, 0), ETIMEDOUT);
  ck_assert_int_eq(gch_set_drop(NULL, free), EINVAL);
}
END_TEST

START_TEST(a_cancelled_context_spares_a_send_on_a_closed_channel) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  int v = 1;
  gch_close(c);
  gch_ctx_cancel(ctx);
  ck_assert_int_eq(gch_send_ctx(ctx, c, &v), ECANCELED);
}
END_TEST

START_TEST(gulchs_own_send_of_a_signal_is_spared) {
  GCH_AUTO gch_chan *closed = gch_make_of(int, 1);
  GCH_AUTO gch_chan *open = gch_make_of(int, 1);
  const int sig = SIGUSR1;
  int got = 0;
  ck_assert_int_eq(gch_signal_notify(closed, &sig, 1), 0);
  ck_assert_int_eq(gch_signal_notify(open, &sig, 1), 0);
  gch_close(closed);
  raise(sig);
  ck_assert_int_eq(gch_recv(open, &got), 0);
  ck_assert_int_eq(got, sig);
  gch_signal_stop(closed); /* after which nothing is on its way to it */
  gch_signal_stop(open);
}
END_TEST

/* Turning it on */

START_TEST(it_can_be_turned_off) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  gch_close(c);
  gch_set_strict(false);
  ck_assert_int_eq(gch_close(c), EPIPE);
}
END_TEST

#define CHILD "GULCH_TEST_CLOSES_TWICE"

/* As the child of the test below. */
static void close_twice(void) {
  const struct rlimit none = {0, 0};
  gch_chan *c = gch_make_of(int, 0);
  setrlimit(RLIMIT_CORE, &none);
  gch_close(c);
  int err = gch_close(c);
  gch_unref(c);
  _exit(err == EPIPE ? 0 : 1);
}

/* The status of this program, run to close a channel twice. */
static int status_with(const char *value) {
  int status;
  pid_t pid = fork_alone();
  ck_assert_int_ge(pid, 0);
  if (pid == 0) {
    setenv(CHILD, "1", 1);
    if (value)
      setenv("GULCH_STRICT", value, 1);
    else
      unsetenv("GULCH_STRICT");
    if (!freopen("/dev/null", "w", stderr))
      _exit(3);
    run_program_again();
    _exit(2);
  }
  while (waitpid(pid, &status, 0) < 0)
    ck_assert_int_eq(errno, EINTR);
  return status;
}

START_TEST(the_environment_can_turn_it_on) {
  int on = status_with("1");
  int off = status_with(NULL);
  ck_assert(WIFSIGNALED(on) && WTERMSIG(on) == SIGABRT);
  ck_assert(WIFEXITED(off) && WEXITSTATUS(off) == 0);
}
END_TEST

Suite *test_suite(void) {
  if (getenv(CHILD))
    close_twice();
  Suite *s = suite_create("strict");
  TCase *t = test_case(s, "panics");
  tcase_add_loop_test(t, a_send_on_a_closed_channel_panics, 0, PLAIN_SENDS);
  tcase_add_loop_test(t, a_blocked_send_panics_when_its_channel_is_closed, 0,
                      BLOCKING_SENDS);
  tcase_add_loop_test(
      t, a_tasks_blocked_send_panics_when_its_channel_is_closed, 0,
                      BLOCKING_SENDS);
  tcase_add_test(t, a_second_close_panics);
  tcase_add_test(t, close_of_null_panics);
  tcase_add_test(t, a_size_out_of_range_panics);
  t = test_case(s, "spared");
  tcase_add_checked_fixture(t, strict, lax);
  tcase_add_test(t, a_receive_is_spared);
  tcase_add_test(t, an_arm_that_asked_for_its_error_is_spared);
  tcase_add_test(t, a_blocked_arm_that_asked_for_its_error_is_spared);
  tcase_add_test(t, a_send_to_a_receive_only_channel_is_still_EPERM);
  tcase_add_test(t, errors_that_go_does_not_know_are_still_errors);
  tcase_add_test(t, a_cancelled_context_spares_a_send_on_a_closed_channel);
  tcase_add_test(t, gulchs_own_send_of_a_signal_is_spared);
  tcase_add_test(t, it_can_be_turned_off);
  t = test_case(s, "environment");
  tcase_add_test(t, the_environment_can_turn_it_on);
  return s;
}
