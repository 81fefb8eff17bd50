/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's os/signal/signal_test.go: NotifyContext. */
#include "context_checks.h"
#include "signal_checks.h"

static gch_ctx *notify_ctx(const gch_ctx *parent, int sig) {
  gch_ctx *ctx = gch_signal_notify_ctx(parent, &sig, 1);
  ck_assert_ptr_nonnull(ctx);
  return ctx;
}

/* The first signal cancels. The others find that it still listens: they do
   not end the process. */
static void interrupt(int times) {
  int sig = SIGINT;
  gch_ctx *ctx = gch_signal_notify_ctx(gch_ctx_background(), &sig, 1);
  require(ctx != NULL && gch_ctx_err(ctx) == 0);
  for (int i = 0; i < times; i++)
    raise_here(SIGINT);
  require(gch_recv(gch_ctx_done(ctx), NULL) == EPIPE);
  require(gch_ctx_err(ctx) == ECANCELED);
  for (int i = 0; i < times; i++)
    raise_here(SIGINT);
  gch_ctx_end(ctx);
}

static void interrupt_once(void) {
  interrupt(1);
}

static void interrupt_multiple(void) {
  interrupt(10);
}

static void interrupt_after_end(void) {
  interrupt(1);
  raise_here(SIGINT);
}

START_TEST(TestNotifyContextNotifications_once) {
  check_child(interrupt_once, 0);
}
END_TEST

START_TEST(TestNotifyContextNotifications_multiple) {
  check_child(interrupt_multiple, 0);
}
END_TEST

START_TEST(TestNotifyContextNotifications_after_end) {
  set_disposition(SIGINT, SIG_DFL);
  check_child(interrupt_after_end, SIGINT);
}
END_TEST

START_TEST(TestNotifyContextStop) {
  set_disposition(SIGHUP, SIG_IGN);
  GCH_CTX_AUTO gch_ctx *parent = gch_ctx_with_cancel(gch_ctx_background());
  GCH_CTX_AUTO gch_ctx *c = notify_ctx(parent, SIGHUP);

  ck_assert(disposition(SIGHUP) != SIG_IGN);
  check_open(c);
  gch_ctx_cancel(c);
  check_done(c, ECANCELED);
  ck_assert(disposition(SIGHUP) == SIG_IGN);
  check_open(parent);
  set_disposition(SIGHUP, SIG_DFL);
}
END_TEST

START_TEST(TestNotifyContextCancelParent) {
  GCH_CTX_AUTO gch_ctx *parent = gch_ctx_with_cancel(gch_ctx_background());
  GCH_CTX_AUTO gch_ctx *c = notify_ctx(parent, SIGINT);
  gch_ctx_cancel_cause(parent, PARENT_CAUSE);
  check_done(c, ECANCELED);
  ck_assert_int_eq(gch_ctx_cause(c), PARENT_CAUSE);
}
END_TEST

START_TEST(TestNotifyContextPrematureCancelParent) {
  GCH_CTX_AUTO gch_ctx *parent = gch_ctx_with_cancel(gch_ctx_background());
  gch_ctx_cancel(parent);
  GCH_CTX_AUTO gch_ctx *c = notify_ctx(parent, SIGINT);
  check_done(c, ECANCELED);
}
END_TEST

static void cancel_it(void *ctx) {
  gch_ctx_cancel(ctx);
}

START_TEST(TestNotifyContextSimultaneousStop) {
  set_disposition(SIGINT, SIG_DFL);
  GCH_CTX_AUTO gch_ctx *c = notify_ctx(gch_ctx_background(), SIGINT);
  gch_wg wg = GCH_WG_INIT;
  for (int i = 0; i < 10; i++)
    ck_assert_int_eq(gch_wg_go(&wg, cancel_it, c), 0);
  gch_wg_wait(&wg);
  check_done(c, ECANCELED);
  ck_assert(disposition(SIGINT) == SIG_DFL);
}
END_TEST

START_TEST(TestNotifyContextStringer) {
  GCH_CTX_AUTO gch_ctx *parent = gch_ctx_with_cancel(gch_ctx_background());
  GCH_CTX_AUTO gch_ctx *c = notify_ctx(parent, SIGHUP);
  check_string(c, "context.Background.WithCancel.NotifyContext");
}
END_TEST

Suite *test_suite(void) {
  Suite *s = fork_suite("golang/signal_ctx");
  TCase *t = test_case(s, "notify context");
  tcase_add_test(t, TestNotifyContextNotifications_once);
  tcase_add_test(t, TestNotifyContextNotifications_multiple);
  tcase_add_test(t, TestNotifyContextNotifications_after_end);
  tcase_add_test(t, TestNotifyContextStop);
  tcase_add_test(t, TestNotifyContextCancelParent);
  tcase_add_test(t, TestNotifyContextPrematureCancelParent);
  tcase_add_test(t, TestNotifyContextSimultaneousStop);
  tcase_add_test(t, TestNotifyContextStringer);
  return s;
}
