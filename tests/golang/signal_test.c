/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's os/signal/signal_test.go: Notify, Stop, Reset. NotifyContext is in
   signal_ctx_test.c. */
#include "signal_checks.h"

static void check_next(gch_chan *c, int want) {
  int sig = 0;
  ck_assert_int_eq(gch_recv(c, &sig), 0);
  ck_assert_int_eq(sig, want);
}

static gch_chan *notified(size_t cap, int sig) {
  gch_chan *c = gch_make_of(int, cap);
  ck_assert_ptr_nonnull(c);
  ck_assert_int_eq(gch_signal_notify(c, &sig, 1), 0);
  return c;
}

/* c has room for one and is not read, which does not hold up c1. The signals
   that were too many for it are lost. */
START_TEST(TestSignal) {
  GCH_AUTO gch_chan *c = notified(1, SIGHUP);
  GCH_AUTO gch_chan *c1 = gch_make_of(int, 10);

  raise_here(SIGHUP);
  check_next(c, SIGHUP);
  ck_assert_int_eq(gch_signal_notify(c1, NULL, 0), 0);
  raise_here(SIGWINCH);
  check_next(c1, SIGWINCH);
  for (int i = 0; i < 2; i++) {
    raise_here(SIGHUP);
    check_next(c1, SIGHUP);
  }
  raise_here(SIGWINCH); /* so that c too has seen the second */
  check_next(c1, SIGWINCH);
  check_next(c, SIGHUP);
  ck_assert_int_eq(gch_try_recv(c, NULL), EAGAIN);
  gch_signal_stop(c);
  gch_signal_stop(c1);
}
END_TEST

static void receive_all(void *c) {
  int sig;
  while (gch_recv(c, &sig) == 0)
    ck_assert_int_eq(sig, SIGUSR1);
}

/* The channel is closed after stop: a signal that still came would be sent on
   a closed channel. */
START_TEST(TestStress) {
  set_disposition(SIGUSR1, SIG_IGN);
  GCH_AUTO gch_chan *c = notified(1, SIGUSR1);
  gch_wg wg = GCH_WG_INIT;

  ck_assert_int_eq(gch_wg_go(&wg, receive_all, c), 0);
  for (int i = 0; i < scaled(1000); i++)
    raise_here(SIGUSR1);
  gch_signal_stop(c);
  ck_assert_int_eq(gch_close(c), 0);
  gch_wg_wait(&wg);
}
END_TEST

START_TEST(TestReset) {
  set_disposition(SIGWINCH, SIG_DFL);
  set_disposition(SIGHUP, SIG_DFL);
  GCH_AUTO gch_chan *c1 = notified(1, SIGWINCH);
  GCH_AUTO gch_chan *c2 = notified(1, SIGHUP);
  const int both[] = {SIGWINCH, SIGHUP};

  raise_here(SIGWINCH);
  check_next(c1, SIGWINCH);
  raise_here(SIGHUP);
  check_next(c2, SIGHUP);
  gch_signal_reset(both, 2);
  ck_assert(disposition(SIGWINCH) == SIG_DFL);
  ck_assert(disposition(SIGHUP) == SIG_DFL);
  raise_here(SIGWINCH);
  ck_assert_int_eq(gch_try_recv(c1, NULL), EAGAIN);
  ck_assert_int_eq(gch_try_recv(c2, NULL), EAGAIN);
}
END_TEST

START_TEST(TestReset_all) {
  set_disposition(SIGWINCH, SIG_DFL);
  set_disposition(SIGHUP, SIG_DFL);
  GCH_AUTO gch_chan *c1 = notified(1, SIGWINCH);
  GCH_AUTO gch_chan *c2 = notified(1, SIGHUP);
  gch_signal_reset(NULL, 0);
  ck_assert(disposition(SIGWINCH) == SIG_DFL);
  ck_assert(disposition(SIGHUP) == SIG_DFL);
}
END_TEST

static _Atomic int own_calls;

static void own_handler(int sig) {
  (void)sig;
  own_calls++;
}

static const int stopped_signals[] = {SIGWINCH, SIGHUP, SIGUSR1};

/* After stop the signal is again for the handler that was there before. */
START_TEST(TestStop) {
  int sig = stopped_signals[_i];
  own_calls = 0;
  set_disposition(sig, own_handler);
  GCH_AUTO gch_chan *c = notified(1, sig);

  raise_here(sig);
  check_next(c, sig);
  ck_assert_int_eq(own_calls, 0);
  gch_signal_stop(c);
  raise_here(sig);
  await_count(&own_calls, 1); /* in whichever thread */
  ck_assert_int_eq(own_calls, 1);
  ck_assert_int_eq(gch_try_recv(c, NULL), EAGAIN);
  set_disposition(sig, SIG_DFL);
}
END_TEST

/* A hang-up before anybody listens, while, or after. */
static void hang_up_before(void) {
  raise_here(SIGHUP);
}

static void hang_up_while(void) {
  int sig = SIGHUP;
  gch_chan *c = gch_make_of(int, 1);
  require(gch_signal_notify(c, &sig, 1) == 0);
  raise_here(SIGHUP);
  require(gch_recv(c, &sig) == 0 && sig == SIGHUP);
  gch_signal_stop(c);
  gch_unref(c);
}

static void hang_up_after(void) {
  hang_up_while();
  raise_here(SIGHUP);
}

/* What nohup does is that a program starts with the signal ignored. */
static const struct {
  void (*fn)(void);
  void (*start)(int);
  int killed_by;
} nohup[] = {
    {hang_up_before, SIG_DFL, SIGHUP}, {hang_up_before, SIG_IGN, 0},
    {hang_up_while, SIG_DFL, 0},       {hang_up_while, SIG_IGN, 0},
    {hang_up_after, SIG_DFL, SIGHUP},  {hang_up_after, SIG_IGN, 0},
};

START_TEST(TestNohup) {
  set_disposition(SIGHUP, nohup[_i].start);
  check_child(nohup[_i].fn, nohup[_i].killed_by);
  set_disposition(SIGHUP, SIG_DFL);
}
END_TEST

START_TEST(TestSIGCONT) {
  GCH_AUTO gch_chan *c = notified(1, SIGCONT);
  raise_here(SIGCONT);
  check_next(c, SIGCONT);
  gch_signal_stop(c);
}
END_TEST

struct stopper {
  gch_chan *c;
  _Atomic int started;
};

static void stop_it(void *arg) {
  struct stopper *s = arg;
  s->started = 1;
  gch_signal_stop(s->c);
}

/* Each signal is received, or ends the process: a lost one leaves it waiting,
   until the alarm. Every second one is sent when the stop is just about to
   come. */
static void race_stop(void) {
  for (int i = 0; i < 10; i++) {
    int sig = SIGINT;
    struct stopper s = {gch_make_of(int, 1), 0};
    gch_wg wg = GCH_WG_INIT;
    require(gch_signal_notify(s.c, &sig, 1) == 0);
    require(gch_wg_go(&wg, stop_it, &s) == 0);
    if (i % 2 == 1)
      await_count(&s.started, 1);
    raise_here(SIGINT);
    require(gch_recv(s.c, &sig) == 0 && sig == SIGINT);
    gch_wg_wait(&wg);
    gch_unref(s.c);
  }
}

START_TEST(TestAtomicStop) {
  set_disposition(SIGINT, SIG_DFL);
  for (int i = 0; i < scaled(20); i++) {
    int status = status_of_child(race_stop);
    ck_assert_msg(status == 0 ||
                      (WIFSIGNALED(status) && WTERMSIG(status) == SIGINT),
                  "round %d: status %#x", i, (unsigned)status);
  }
}
END_TEST

struct shower {
  gch_chan *c;
  _Atomic int stop;
};

static void send_signals(void *arg) {
  struct shower *s = arg;
  while (!s->stop) {
    kill(getpid(), SIGUSR1);
    gch_yield();
  }
}

/* Asks for the time again and again in a shower of signals. One that was
   caught when stop came may be raised again later: it stays ignored. */
START_TEST(TestTime) {
  set_disposition(SIGUSR1, SIG_IGN);
  struct shower s = {notified(1, SIGUSR1), 0};
  gch_wg wg = GCH_WG_INIT;
  int64_t last = gch_now();

  ck_assert_int_eq(gch_wg_go(&wg, receive_all, s.c), 0);
  ck_assert_int_eq(gch_wg_go(&wg, send_signals, &s), 0);
  for (int i = 0; i < scaled(20000); i++) {
    int64_t now = gch_now();
    ck_assert_int_ge(now, last);
    last = now;
  }
  s.stop = 1;
  gch_signal_stop(s.c);
  ck_assert_int_eq(gch_close(s.c), 0);
  gch_wg_wait(&wg);
  gch_unref(s.c);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = fork_suite("golang/signal");
  TCase *t = test_case(s, "signal");
  tcase_add_test(t, TestSignal);
  tcase_add_test(t, TestStress);
  tcase_add_test(t, TestReset);
  tcase_add_test(t, TestReset_all);
  tcase_add_loop_test(t, TestStop, 0, 3);
  tcase_add_loop_test(t, TestNohup, 0, 6);
  tcase_add_test(t, TestSIGCONT);
  if (!LOSES_SIGNALS)
    tcase_add_test(t, TestAtomicStop);
  tcase_add_test(t, TestTime);
  return s;
}
