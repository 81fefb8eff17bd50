/* SPDX-License-Identifier: BSD-3-Clause */
/* Contexts that a signal cancels. */
#include "ctx_facts.h"

#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

static const gch_ctx *bg(void) {
  return gch_ctx_background();
}

static gch_ctx *listen_to(int sig) {
  gch_ctx *ctx = gch_signal_notify_ctx(bg(), &sig, 1);
  ck_assert_ptr_nonnull(ctx);
  return ctx;
}

/* Whether sig has the disposition that these tests give it. */
static bool is_ignored(int sig) {
  struct sigaction now;
  ck_assert_int_eq(sigaction(sig, NULL, &now), 0);
  return now.sa_handler == SIG_IGN;
}

START_TEST(a_signal_cancels_it) {
  gch_ctx *ctx = listen_to(SIGUSR1);
  expect_not_done(ctx);
  kill(getpid(), SIGUSR1);
  gch_recv(gch_ctx_done(ctx), NULL);
  ck_assert_int_eq(gch_ctx_err(ctx), ECANCELED);
  gch_ctx_end(ctx);
}
END_TEST

START_TEST(each_of_its_signals_cancels_it) {
  const int sigs[] = {SIGUSR1, SIGUSR2};
  for (int i = 0; i < 2; i++) {
    gch_ctx *ctx = gch_signal_notify_ctx(bg(), sigs, 2);
    kill(getpid(), sigs[i]);
    gch_recv(gch_ctx_done(ctx), NULL);
    gch_ctx_end(ctx);
  }
}
END_TEST

START_TEST(no_signals_named_is_every_signal) {
  gch_ctx *ctx = gch_signal_notify_ctx(bg(), NULL, 0);
  kill(getpid(), SIGTERM);
  gch_recv(gch_ctx_done(ctx), NULL);
  gch_ctx_end(ctx);
}
END_TEST

START_TEST(a_signal_ends_its_children) {
  gch_ctx *ctx = listen_to(SIGUSR1);
  gch_ctx *child = gch_ctx_with_cancel(ctx);
  kill(getpid(), SIGUSR1);
  gch_recv(gch_ctx_done(child), NULL);
  expect_done(ctx, ECANCELED, gch_ctx_cause(child));
  gch_ctx_unref(child);
  gch_ctx_end(ctx);
}
END_TEST

START_TEST(several_contexts_may_listen_to_one_signal) {
  gch_ctx *a = listen_to(SIGUSR1), *b = listen_to(SIGUSR1);
  gch_chan *c = gch_make_of(int, 1);
  ck_assert_int_eq(gch_signal_notify(c, &(int){SIGUSR1}, 1), 0);
  kill(getpid(), SIGUSR1);
  gch_recv(gch_ctx_done(a), NULL);
  gch_recv(gch_ctx_done(b), NULL);
  ck_assert_int_eq(gch_recv(c, NULL), 0);
  gch_signal_stop(c);
  gch_unref(c);
  gch_ctx_end(b);
  gch_ctx_end(a);
}
END_TEST

START_TEST(its_parent_ends_it) {
  static int key, value;
  gch_ctx *top = gch_ctx_with_cancel(bg());
  const gch_ctx *parent = gch_ctx_with_value(top, &key, &value);
  gch_ctx *ctx = gch_signal_notify_ctx(parent, &(int){SIGUSR1}, 1);
  ck_assert_ptr_eq(gch_ctx_value(ctx, &key), &value);
  gch_ctx_cancel_cause(top, EIO);
  expect_done(ctx, ECANCELED, EIO);
  gch_ctx_end(ctx);
  gch_ctx_unref(parent);
  gch_ctx_unref(top);
}
END_TEST

START_TEST(under_a_done_parent_it_is_born_done) {
  gch_ctx *parent = gch_ctx_with_cancel(bg());
  gch_ctx_cancel_cause(parent, EIO);
  gch_ctx *ctx = gch_signal_notify_ctx(parent, &(int){SIGUSR1}, 1);
  expect_done(ctx, ECANCELED, EIO);
  gch_ctx_end(ctx);
  gch_ctx_unref(parent);
}
END_TEST

START_TEST(its_holder_may_cancel_it) {
  gch_ctx *ctx = listen_to(SIGUSR1);
  gch_ctx_cancel_cause(ctx, EIO);
  expect_done(ctx, ECANCELED, EIO);
  gch_ctx_unref(ctx);
}
END_TEST

/* How long it listens */

START_TEST(a_cancel_brings_the_disposition_back) {
  signal(SIGUSR1, SIG_IGN);
  gch_ctx *ctx = listen_to(SIGUSR1);
  ck_assert(!is_ignored(SIGUSR1));
  gch_ctx_cancel(ctx);
  ck_assert(is_ignored(SIGUSR1));
  gch_ctx_unref(ctx);
}
END_TEST

START_TEST(end_brings_the_disposition_back) {
  signal(SIGUSR1, SIG_IGN);
  gch_ctx_end(listen_to(SIGUSR1));
  ck_assert(is_ignored(SIGUSR1));
}
END_TEST

START_TEST(the_last_unref_brings_the_disposition_back) {
  signal(SIGUSR1, SIG_IGN);
  gch_ctx_unref(listen_to(SIGUSR1));
  ck_assert(is_ignored(SIGUSR1));
}
END_TEST

START_TEST(it_listens_on_after_the_signal_until_it_is_ended) {
  signal(SIGUSR1, SIG_IGN);
  gch_ctx *ctx = listen_to(SIGUSR1);
  for (int i = 0; i < 3; i++) {
    kill(getpid(), SIGUSR1);
    gch_recv(gch_ctx_done(ctx), NULL);
    ck_assert(!is_ignored(SIGUSR1));
  }
  gch_ctx_end(ctx);
  ck_assert(is_ignored(SIGUSR1));
}
END_TEST

START_TEST(it_listens_on_after_its_parent_ended_it) {
  signal(SIGUSR1, SIG_IGN);
  gch_ctx *parent = gch_ctx_with_cancel(bg());
  gch_ctx *ctx = gch_signal_notify_ctx(parent, &(int){SIGUSR1}, 1);
  gch_ctx_cancel(parent);
  ck_assert(!is_ignored(SIGUSR1));
  gch_ctx_end(ctx);
  ck_assert(is_ignored(SIGUSR1));
  gch_ctx_unref(parent);
}
END_TEST

START_TEST(a_signal_may_race_the_end) {
  signal(SIGUSR1, SIG_IGN);
  for (int i = 0; i < scaled(100); i++) {
    gch_ctx *ctx = listen_to(SIGUSR1);
    kill(getpid(), SIGUSR1);
    gch_ctx_end(ctx);
  }
}
END_TEST

/* Bad arguments */

START_TEST(a_null_parent_is_einval) {
  expect_null(gch_signal_notify_ctx(NULL, &(int){SIGUSR1}, 1), EINVAL);
}
END_TEST

static void with_null_parent(void *arg) {
  gch_signal_notify_ctx(arg, &(int){SIGUSR1}, 1);
}

START_TEST(a_null_parent_is_a_panic_in_strict_mode) {
  expect_panic_strict(with_null_parent, NULL,
                      "cannot create context from nil parent");
}
END_TEST

START_TEST(a_signal_that_cannot_be_caught_is_einval) {
  const int sigs[] = {SIGUSR1, SIGKILL};
  signal(SIGUSR1, SIG_IGN);
  expect_null(gch_signal_notify_ctx(bg(), sigs, 2), EINVAL);
  ck_assert(is_ignored(SIGUSR1));
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("signal_ctx");
  TCase *t = test_case(s, "cancel");
  tcase_add_test(t, a_signal_cancels_it);
  tcase_add_test(t, each_of_its_signals_cancels_it);
  tcase_add_test(t, no_signals_named_is_every_signal);
  tcase_add_test(t, a_signal_ends_its_children);
  tcase_add_test(t, several_contexts_may_listen_to_one_signal);
  tcase_add_test(t, its_parent_ends_it);
  tcase_add_test(t, under_a_done_parent_it_is_born_done);
  tcase_add_test(t, its_holder_may_cancel_it);
  t = test_case(s, "listen");
  tcase_add_test(t, a_cancel_brings_the_disposition_back);
  tcase_add_test(t, end_brings_the_disposition_back);
  tcase_add_test(t, the_last_unref_brings_the_disposition_back);
  tcase_add_test(t, it_listens_on_after_the_signal_until_it_is_ended);
  tcase_add_test(t, it_listens_on_after_its_parent_ended_it);
  tcase_add_test(t, a_signal_may_race_the_end);
  t = test_case(s, "bad");
  tcase_add_test(t, a_null_parent_is_einval);
  tcase_add_test(t, a_null_parent_is_a_panic_in_strict_mode);
  tcase_add_test(t, a_signal_that_cannot_be_caught_is_einval);
  return s;
}
