/* SPDX-License-Identifier: BSD-3-Clause */
/* Which signals are caught, from when to when, and that no signal is lost
   where the old disposition comes back. */
#include "harness.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void notify(gch_chan *c, int sig) {
  ck_assert_int_eq(gch_signal_notify(c, &sig, 1), 0);
}

static int receive(gch_chan *c) {
  int sig = 0;
  ck_assert_int_eq(gch_recv(c, &sig), 0);
  return sig;
}

static struct sigaction disposition(int sig) {
  struct sigaction now;
  memset(&now, 0, sizeof now);
  ck_assert_int_eq(sigaction(sig, NULL, &now), 0);
  return now;
}

/* The C library may add flags of its own. */
static bool same(const struct sigaction *a, const struct sigaction *b) {
  const int mask = SA_SIGINFO | SA_ONSTACK | SA_NOCLDSTOP | SA_RESTART;
  return a->sa_handler == b->sa_handler &&
         (a->sa_flags & mask) == (b->sa_flags & mask);
}

static atomic_int handled;

static void handler(int sig) {
  (void)sig;
  atomic_fetch_add(&handled, 1);
}

static void set_handler(int sig, void (*fn)(int)) {
  struct sigaction mine = {.sa_handler = fn, .sa_flags = SA_RESTART};
  atomic_store(&handled, 0);
  ck_assert_int_eq(sigaction(sig, &mine, NULL), 0);
}

/* The old disposition */

static void (*const dispositions[])(int) = {SIG_DFL, SIG_IGN, handler};
enum { DISPOSITIONS = 3 };

START_TEST(stop_brings_the_disposition_back) {
  gch_chan *c = gch_make_of(int, 1);
  set_handler(SIGUSR1, dispositions[_i]);
  struct sigaction before = disposition(SIGUSR1);
  notify(c, SIGUSR1);
  kill(getpid(), SIGUSR1);
  ck_assert_int_eq(receive(c), SIGUSR1);
  gch_signal_stop(c);
  struct sigaction after = disposition(SIGUSR1);
  ck_assert(same(&before, &after));
  ck_assert_int_eq(handled, 0);
  gch_unref(c);
}
END_TEST

START_TEST(reset_brings_the_disposition_back) {
  gch_chan *c = gch_make_of(int, 1);
  const int sig = SIGUSR1;
  set_handler(sig, dispositions[_i]);
  struct sigaction before = disposition(sig);
  notify(c, sig);
  gch_signal_reset(&sig, 1);
  struct sigaction after = disposition(sig);
  ck_assert(same(&before, &after));
  gch_unref(c);
}
END_TEST

START_TEST(after_stop_the_old_handler_runs) {
  gch_chan *c = gch_make_of(int, 1);
  set_handler(SIGUSR1, handler);
  notify(c, SIGUSR1);
  gch_signal_stop(c);
  raise(SIGUSR1);
  ck_assert_int_eq(handled, 1);
  gch_unref(c);
}
END_TEST

START_TEST(only_the_last_stop_brings_it_back) {
  gch_chan *a = gch_make_of(int, 1), *b = gch_make_of(int, 1);
  set_handler(SIGUSR1, handler);
  notify(a, SIGUSR1);
  notify(b, SIGUSR1);
  gch_signal_stop(a);
  raise(SIGUSR1);
  ck_assert_int_eq(receive(b), SIGUSR1);
  ck_assert_int_eq(handled, 0);
  gch_signal_stop(b);
  raise(SIGUSR1);
  ck_assert_int_eq(handled, 1);
  gch_unref(a);
  gch_unref(b);
}
END_TEST

START_TEST(stop_leaves_other_signals_caught) {
  gch_chan *a = gch_make_of(int, 1), *b = gch_make_of(int, 1);
  notify(a, SIGUSR1);
  notify(b, SIGUSR2);
  gch_signal_stop(a);
  kill(getpid(), SIGUSR2);
  ck_assert_int_eq(receive(b), SIGUSR2);
  gch_signal_stop(b);
  gch_unref(a);
  gch_unref(b);
}
END_TEST

START_TEST(a_refused_notify_catches_nothing) {
  gch_chan *c = gch_make_of(int, 1);
  const int sigs[] = {SIGUSR1, SIGKILL};
  set_handler(SIGUSR1, handler);
  ck_assert_int_eq(gch_signal_notify(c, sigs, 2), EINVAL);
  raise(SIGUSR1);
  ck_assert_int_eq(handled, 1);
  gch_unref(c);
}
END_TEST

/* Every signal */

static bool left_alone(int sig) {
  static const int never[] = {SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE,
                              SIGILL,  SIGTRAP, SIGSYS,  SIGABRT};
  for (size_t i = 0; i < sizeof never / sizeof *never; i++)
    if (sig == never[i])
      return true;
  return sig > SIGSYS && sig < SIGRTMIN; /* libc's own */
}

START_TEST(notify_of_none_is_every_signal_but_some) {
  gch_chan *c = gch_make_of(int, 1);
  struct sigaction before[65], during, after;
  for (int sig = 1; sig <= 64; sig++)
    if (sigaction(sig, NULL, &before[sig]) != 0)
      memset(&before[sig], 0, sizeof before[sig]);
  ck_assert_int_eq(gch_signal_notify(c, NULL, 0), 0);
  for (int sig = 1; sig <= 64; sig++)
    if (sigaction(sig, NULL, &during) == 0)
      ck_assert_msg(same(&before[sig], &during) == left_alone(sig), "signal %d",
                    sig);
  gch_signal_stop(c);
  for (int sig = 1; sig <= 64; sig++)
    if (sigaction(sig, NULL, &after) == 0)
      ck_assert_msg(same(&before[sig], &after), "signal %d", sig);
  gch_unref(c);
}
END_TEST

START_TEST(what_notify_of_none_catches_arrives) {
  gch_chan *c = gch_make_of(int, 1);
  const int some[] = {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGWINCH, SIGRTMAX};
  gch_signal_notify(c, NULL, 0);
  for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
    if (kill(getpid(), some[i]) == 0)
      ck_assert_int_eq(receive(c), some[i]);
    else /* it keeps some for itself */
      ck_assert_ptr_nonnull(getenv("GULCH_TEST_EMULATOR"));
  }
  gch_signal_stop(c);
  gch_unref(c);
}
END_TEST

/* Races */

enum { BURST = 500 };

static void raise_many(void *arg) {
  atomic_int *raised = arg;
  for (int i = 0; i < BURST; i++) {
    raise(SIGUSR1);
    atomic_fetch_add(raised, 1);
  }
}

START_TEST(a_signal_that_races_stop_is_delivered_or_handled_never_lost) {
  gch_chan *c = gch_make_of(int, BURST);
  atomic_int raised = 0;
  set_handler(SIGUSR1, handler);
  test_thread *t = thread_start(raise_many, &raised);
  while (atomic_load(&raised) < BURST) {
    notify(c, SIGUSR1);
    gch_signal_stop(c);
  }
  thread_join(t);
  while ((int)gch_len(c) + atomic_load(&handled) < BURST)
    gch_sleep(50 * GCH_MICROSECOND); /* some are raised again */
  ck_assert_int_eq((int)gch_len(c) + handled, BURST);
  gch_unref(c);
}
END_TEST

struct storm {
  pthread_t target;
  _Atomic bool over;
};

static void storm(void *arg) {
  struct storm *s = arg;
  while (!atomic_load(&s->over)) {
    pthread_kill(s->target, SIGUSR1);
    gch_yield();
  }
}

static void do_send(void *c) {
  gch_send(c, NULL);
}

static void done(void *wg) {
  gch_wg_done(wg);
}

START_TEST(signals_never_surface_as_eintr) {
  struct storm s = {.target = pthread_self()};
  gch_chan *c = gch_make(0, 0);
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  gch_wg wg = GCH_WG_INIT;
  struct sigaction mine = {.sa_handler = handler}; /* without SA_RESTART */
  sigaction(SIGUSR1, &mine, NULL);
  test_thread *storming = thread_start(storm, &s);
  int64_t start = gch_now();
  gch_sleep(GCH_MILLISECOND);
  ck_assert_int_ge(gch_now(), start + GCH_MILLISECOND);
  ck_assert_int_eq(gch_sleep_ctx(ctx, GCH_MILLISECOND), 0);
  ck_assert_int_ge(gch_now(), start + 2 * GCH_MILLISECOND);
  ck_assert_int_eq(gch_recv_until(c, NULL, gch_now() + GCH_MILLISECOND),
                   ETIMEDOUT);
  gch_wg_add(&wg, 1);
  ck_assert_int_eq(gch_wg_wait_until(&wg, gch_now() + GCH_MILLISECOND),
                   ETIMEDOUT);
  test_thread *sender = thread_start(do_send, c);
  ck_assert_int_eq(gch_recv(c, NULL), 0);
  test_thread *worker = thread_start(done, &wg);
  gch_wg_wait(&wg);
  atomic_store(&s.over, true);
  thread_join(storming);
  thread_join(sender);
  thread_join(worker);
  gch_ctx_end(ctx);
  gch_unref(c);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("signal_restore");
  TCase *t = test_case(s, "restore");
  tcase_add_loop_test(t, stop_brings_the_disposition_back, 0, DISPOSITIONS);
  tcase_add_loop_test(t, reset_brings_the_disposition_back, 0, DISPOSITIONS);
  tcase_add_test(t, after_stop_the_old_handler_runs);
  tcase_add_test(t, only_the_last_stop_brings_it_back);
  tcase_add_test(t, stop_leaves_other_signals_caught);
  tcase_add_test(t, a_refused_notify_catches_nothing);
  t = test_case(s, "all");
  tcase_add_test(t, notify_of_none_is_every_signal_but_some);
  tcase_add_test(t, what_notify_of_none_catches_arrives);
  t = test_case(s, "race");
  tcase_add_test(t,
                 a_signal_that_races_stop_is_delivered_or_handled_never_lost);
  tcase_add_test(t, signals_never_surface_as_eintr);
  return s;
}
