/* SPDX-License-Identifier: BSD-3-Clause */
/* Signals on channels. Dispositions are in check_signal_restore.c. */
#include "harness.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

static void notify(gch_chan *c, int sig) {
  ck_assert_int_eq(gch_signal_notify(c, &sig, 1), 0);
}

static void send_signal(int sig) {
  ck_assert_int_eq(kill(getpid(), sig), 0);
}

static int receive(gch_chan *c) {
  int sig = 0;
  ck_assert_int_eq(gch_recv(c, &sig), 0);
  return sig;
}

static void expect_empty(gch_chan *c) {
  ck_assert_int_eq(gch_try_recv(c, NULL), EAGAIN);
}

static void end(gch_chan *c) {
  gch_signal_stop(c);
  gch_unref(c);
}

/* Who receives what */

START_TEST(a_signal_arrives_as_its_number) {
  gch_chan *c = gch_make_of(int, 1);
  notify(c, SIGUSR1);
  send_signal(SIGUSR1);
  ck_assert_int_eq(receive(c), SIGUSR1);
  end(c);
}
END_TEST

START_TEST(one_channel_may_listen_to_several) {
  gch_chan *c = gch_make_of(int, 1);
  const int sigs[] = {SIGUSR1, SIGUSR2, SIGHUP};
  ck_assert_int_eq(gch_signal_notify(c, sigs, 3), 0);
  for (int i = 0; i < 3; i++) {
    send_signal(sigs[i]);
    ck_assert_int_eq(receive(c), sigs[i]);
  }
  end(c);
}
END_TEST

START_TEST(a_second_notify_adds_to_the_first) {
  gch_chan *c = gch_make_of(int, 1);
  notify(c, SIGUSR1);
  notify(c, SIGUSR2);
  send_signal(SIGUSR1);
  ck_assert_int_eq(receive(c), SIGUSR1);
  send_signal(SIGUSR2);
  ck_assert_int_eq(receive(c), SIGUSR2);
  end(c);
}
END_TEST

START_TEST(asking_twice_for_a_signal_gives_it_once) {
  gch_chan *c = gch_make_of(int, 4);
  const int twice[] = {SIGUSR1, SIGUSR1};
  gch_signal_notify(c, twice, 2);
  notify(c, SIGUSR1);
  send_signal(SIGUSR1);
  ck_assert_int_eq(receive(c), SIGUSR1);
  gch_signal_stop(c);
  expect_empty(c);
  gch_unref(c);
}
END_TEST

START_TEST(several_channels_may_listen_to_one) {
  gch_chan *c[3];
  for (int i = 0; i < 3; i++) {
    c[i] = gch_make_of(int, 1);
    notify(c[i], SIGUSR1);
  }
  send_signal(SIGUSR1);
  for (int i = 0; i < 3; i++) {
    ck_assert_int_eq(receive(c[i]), SIGUSR1);
    end(c[i]);
  }
}
END_TEST

START_TEST(other_signals_do_not_arrive) {
  gch_chan *a = gch_make_of(int, 4), *b = gch_make_of(int, 4);
  notify(a, SIGUSR1);
  notify(b, SIGUSR2);
  send_signal(SIGUSR2);
  ck_assert_int_eq(receive(b), SIGUSR2);
  gch_signal_stop(a);
  expect_empty(a);
  gch_unref(a);
  end(b);
}
END_TEST

struct waiter {
  gch_chan *c;
  int sig;
};

static void wait_for_signal(void *arg) {
  struct waiter *w = arg;
  gch_recv(w->c, &w->sig);
}

START_TEST(a_signal_wakes_a_parked_receiver) {
  struct waiter w = {gch_make_of(int, 0), 0};
  notify(w.c, SIGUSR1);
  test_thread *t = thread_start(wait_for_signal, &w);
  await_waiting(w.c, 0, 1);
  send_signal(SIGUSR1);
  thread_join(t);
  ck_assert_int_eq(w.sig, SIGUSR1);
  end(w.c);
}
END_TEST

START_TEST(each_of_many_signals_is_delivered) {
  enum { MANY = 100 };
  gch_chan *c = gch_make_of(int, MANY);
  notify(c, SIGUSR1);
  for (int i = 0; i < MANY; i++)
    raise(SIGUSR1);
  for (int i = 0; i < MANY; i++)
    ck_assert_int_eq(receive(c), SIGUSR1);
  gch_signal_stop(c);
  expect_empty(c);
  gch_unref(c);
}
END_TEST

/* Who loses what */

START_TEST(a_full_channel_loses_the_signal_and_holds_nobody_up) {
  gch_chan *full = gch_make_of(int, 1), *c = gch_make_of(int, 1);
  notify(full, SIGUSR1);
  notify(c, SIGUSR1);
  for (int i = 0; i < 3; i++) {
    send_signal(SIGUSR1);
    ck_assert_int_eq(receive(c), SIGUSR1);
  }
  gch_signal_stop(full);
  ck_assert_uint_eq(gch_len(full), 1);
  gch_unref(full);
  end(c);
}
END_TEST

START_TEST(a_closed_channel_loses_the_signal_and_holds_nobody_up) {
  gch_chan *closed = gch_make_of(int, 1), *c = gch_make_of(int, 1);
  notify(closed, SIGUSR1);
  notify(c, SIGUSR1);
  gch_close(closed);
  send_signal(SIGUSR1);
  ck_assert_int_eq(receive(c), SIGUSR1);
  ck_assert_int_eq(gch_try_recv(closed, NULL), EPIPE);
  end(closed);
  end(c);
}
END_TEST

START_TEST(a_closed_channel_is_no_panic_in_strict_mode) {
  gch_chan *closed = gch_make_of(int, 1), *c = gch_make_of(int, 1);
  notify(closed, SIGUSR1);
  notify(c, SIGUSR1);
  gch_close(closed);
  gch_set_strict(true);
  send_signal(SIGUSR1);
  ck_assert_int_eq(receive(c), SIGUSR1);
  gch_set_strict(false);
  end(closed);
  end(c);
}
END_TEST

/* stop and reset */

START_TEST(nothing_arrives_after_stop) {
  gch_chan *a = gch_make_of(int, 4), *b = gch_make_of(int, 4);
  notify(a, SIGUSR1);
  notify(b, SIGUSR1);
  gch_signal_stop(a);
  send_signal(SIGUSR1);
  ck_assert_int_eq(receive(b), SIGUSR1);
  expect_empty(a);
  gch_unref(a);
  end(b);
}
END_TEST

START_TEST(what_was_sent_before_stop_has_arrived_by_then) {
  gch_chan *c = gch_make_of(int, 1);
  for (int i = 0; i < scaled(100); i++) {
    notify(c, SIGUSR1);
    raise(SIGUSR1);
    gch_signal_stop(c);
    ck_assert_int_eq(gch_try_recv(c, NULL), 0);
    expect_empty(c);
  }
  gch_unref(c);
}
END_TEST

START_TEST(stop_of_what_does_not_listen_does_nothing) {
  gch_chan *c = gch_make_of(int, 1);
  gch_signal_stop(c);
  gch_signal_stop(NULL);
  gch_unref(c);
}
END_TEST

START_TEST(after_stop_a_channel_may_listen_again) {
  gch_chan *c = gch_make_of(int, 1);
  notify(c, SIGUSR1);
  gch_signal_stop(c);
  notify(c, SIGUSR2);
  send_signal(SIGUSR2);
  ck_assert_int_eq(receive(c), SIGUSR2);
  end(c);
}
END_TEST

START_TEST(reset_ends_listening_to_its_signals_only) {
  gch_chan *c = gch_make_of(int, 4);
  const int both[] = {SIGUSR1, SIGUSR2}, one = SIGUSR1;
  signal(SIGUSR1, SIG_IGN);
  gch_signal_notify(c, both, 2);
  gch_signal_reset(&one, 1);
  send_signal(SIGUSR1);
  send_signal(SIGUSR2);
  ck_assert_int_eq(receive(c), SIGUSR2);
  gch_signal_stop(c);
  expect_empty(c);
  gch_unref(c);
  signal(SIGUSR1, SIG_DFL);
}
END_TEST

static atomic_int drops;

static void count_drop(void *sig) {
  (void)sig;
  atomic_fetch_add(&drops, 1);
}

/* A channel that gulch alone holds, with a signal in it. */
static void leave_one(int sig) {
  gch_chan *c = gch_make_of(int, 1);
  atomic_store(&drops, 0);
  gch_set_drop(c, count_drop);
  gch_send(c, &sig);
  notify(c, sig);
  gch_unref(c);
  ck_assert_int_eq(drops, 0);
}

START_TEST(notify_holds_the_channel_until_reset) {
  const int sig = SIGUSR1;
  leave_one(sig);
  gch_signal_reset(&sig, 1);
  await_count(&drops, 1);
}
END_TEST

START_TEST(reset_of_none_is_reset_of_all) {
  leave_one(SIGUSR1);
  gch_signal_reset(NULL, 0);
  await_count(&drops, 1);
}
END_TEST

START_TEST(stop_gives_the_reference_back) {
  gch_chan *c = gch_make_of(int, 1);
  atomic_store(&drops, 0);
  gch_set_drop(c, count_drop);
  notify(c, SIGUSR1);
  gch_signal_stop(c);
  gch_send(c, &(int){1});
  gch_unref(c);
  ck_assert_int_eq(drops, 1);
}
END_TEST

START_TEST(listening_costs_one_thread_at_most) {
  gch_chan *c[20];
  int before = thread_count();
  for (int i = 0; i < 20; i++) {
    c[i] = gch_make_of(int, 1);
    notify(c[i], SIGUSR1);
  }
  ck_assert_int_le(thread_count(), before + 1);
  for (int i = 0; i < 20; i++)
    end(c[i]);
}
END_TEST

/* Bad arguments */

START_TEST(a_signal_that_cannot_be_caught_is_einval) {
  gch_chan *c = gch_make_of(int, 1);
  const int bad[] = {0, -1, SIGKILL, SIGSTOP, 65, INT32_MAX, INT32_MIN};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    ck_assert_int_eq(gch_signal_notify(c, &bad[i], 1), EINVAL);
  gch_unref(c);
}
END_TEST

START_TEST(elements_that_are_not_int_are_einval) {
  const size_t sizes[] = {0, 1, sizeof(int) + 1, 2 * sizeof(int)};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    gch_chan *c = gch_make(sizes[i], 1);
    ck_assert_int_eq(gch_signal_notify(c, &(int){SIGUSR1}, 1), EINVAL);
    gch_unref(c);
  }
}
END_TEST

START_TEST(a_null_channel_is_einval) {
  ck_assert_int_eq(gch_signal_notify(NULL, &(int){SIGUSR1}, 1), EINVAL);
}
END_TEST

static void notify_null(void *arg) {
  gch_signal_notify(arg, &(int){SIGUSR1}, 1);
}

START_TEST(a_null_channel_is_a_panic_in_strict_mode) {
  expect_panic_strict(notify_null, NULL, "os/signal: Notify using nil channel");
}
END_TEST

START_TEST(a_receive_only_channel_is_eperm) {
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  gch_timer *t = gch_timer_new(GCH_HOUR);
  const int sig = SIGUSR1;
  ck_assert_int_eq(gch_signal_notify(gch_ctx_done(ctx), &sig, 1), EPERM);
  ck_assert_int_eq(gch_signal_notify(gch_timer_chan(t), &sig, 1), EPERM);
  gch_timer_free(t);
  gch_ctx_end(ctx);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("signal");
  TCase *t = test_case(s, "arrive");
  tcase_add_test(t, a_signal_arrives_as_its_number);
  tcase_add_test(t, one_channel_may_listen_to_several);
  tcase_add_test(t, a_second_notify_adds_to_the_first);
  tcase_add_test(t, asking_twice_for_a_signal_gives_it_once);
  tcase_add_test(t, several_channels_may_listen_to_one);
  tcase_add_test(t, other_signals_do_not_arrive);
  tcase_add_test(t, a_signal_wakes_a_parked_receiver);
  tcase_add_test(t, each_of_many_signals_is_delivered);
  tcase_add_test(t, listening_costs_one_thread_at_most);
  t = test_case(s, "lose");
  tcase_add_test(t, a_full_channel_loses_the_signal_and_holds_nobody_up);
  tcase_add_test(t, a_closed_channel_loses_the_signal_and_holds_nobody_up);
  tcase_add_test(t, a_closed_channel_is_no_panic_in_strict_mode);
  t = test_case(s, "stop");
  tcase_add_test(t, nothing_arrives_after_stop);
  tcase_add_test(t, what_was_sent_before_stop_has_arrived_by_then);
  tcase_add_test(t, stop_of_what_does_not_listen_does_nothing);
  tcase_add_test(t, after_stop_a_channel_may_listen_again);
  tcase_add_test(t, reset_ends_listening_to_its_signals_only);
  tcase_add_test(t, notify_holds_the_channel_until_reset);
  tcase_add_test(t, reset_of_none_is_reset_of_all);
  tcase_add_test(t, stop_gives_the_reference_back);
  t = test_case(s, "bad");
  tcase_add_test(t, a_signal_that_cannot_be_caught_is_einval);
  tcase_add_test(t, elements_that_are_not_int_are_einval);
  tcase_add_test(t, a_null_channel_is_einval);
  tcase_add_test(t, a_null_channel_is_a_panic_in_strict_mode);
  tcase_add_test(t, a_receive_only_channel_is_eperm);
  return s;
}
