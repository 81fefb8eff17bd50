/* SPDX-License-Identifier: BSD-3-Clause */
/* Signals against notify, stop and reset. A signal that a thread raises itself
   has been handled when raise returns, so they can be counted exactly. */
#define _GNU_SOURCE
#include "signals.h"

#include <signal.h>

static const int usr1 = SIGUSR1;

/* What came under the old disposition. */
static _Atomic int old_count;

static void count_old(int sig) {
  (void)sig;
  atomic_fetch_add(&old_count, 1);
}

void install_old(int sig) {
  struct sigaction sa = {.sa_handler = count_old, .sa_flags = SA_RESTART};
  require(sigaction(sig, &sa, NULL) == 0);
}

/* One raises, one comes and goes as a listener: each signal is received, or
   was left to the old handler. One at a time, since the kernel melts equal
   signals into one. */
static struct {
  gch_chan *chan;
  _Atomic int received;
  atomic_bool over;
  int64_t end;
} lone;

static int counted(void) {
  return atomic_load(&lone.received) + atomic_load(&old_count);
}

static void raise_one_by_one(void) {
  for (int raised = 1; gch_now() < lone.end; raised++) {
    require(raise(SIGUSR1) == 0);
    for (int looks = 0; counted() < raised; looks++)
      stand_by(looks);
    require(counted() == raised);
  }
  atomic_store(&lone.over, true);
}

static void come_and_go(uint32_t *random) {
  while (!atomic_load(&lone.over)) {
    require(gch_signal_notify(lone.chan, &usr1, 1) == 0);
    dawdle(random, 4000);
    if (pick(random, 4) == 0)
      gch_signal_reset(&usr1, 1);
    else
      gch_signal_stop(lone.chan);
    dawdle(random, 1000);
  }
  gch_signal_stop(lone.chan);
  gch_close(lone.chan);
}

static void lone_main(void *unused, int id) {
  uint32_t random = stress_seed(id);
  int sig;
  (void)unused;
  if (id == 0)
    raise_one_by_one();
  else if (id == 1)
    come_and_go(&random);
  else
    while (gch_recv(lone.chan, &sig) == 0) {
      require(sig == SIGUSR1);
      atomic_fetch_add(&lone.received, 1);
    }
}

START_TEST(a_signal_is_received_or_goes_to_the_old_handler) {
  struct crew crew;
  install_old(SIGUSR1);
  lone.chan = gch_make_of(int, 16);
  lone.end = stress_end(SIGNAL_TESTS);
  crew_start(&crew, 3, lone_main, NULL);
  crew_join(&crew);
  gch_unref(lone.chan);
}
END_TEST

/* Several raise; one listens all the while and gets all, whoever else comes and
   goes, drains or does not. */
enum { RAISERS = 3, OTHERS = 3, BEHIND = 1000 };

static struct {
  gch_chan *steady;
  _Atomic int raised, received, raising;
  int64_t end;
} crowd;

static void raise_many(void) {
  while (gch_now() < crowd.end) {
    atomic_fetch_add(&crowd.raised, 1);
    require(raise(SIGUSR1) == 0);
    for (int looks = 0;
         atomic_load(&crowd.raised) - atomic_load(&crowd.received) > BEHIND;
         looks++)
      stand_by(looks);
  }
  atomic_fetch_sub(&crowd.raising, 1);
}

static void receive_steadily(void) {
  int sig;
  while (atomic_load(&crowd.raising) > 0 ||
         atomic_load(&crowd.received) < atomic_load(&crowd.raised))
    if (gch_recv_until(crowd.steady, &sig, gch_now() + GCH_MILLISECOND) == 0)
      atomic_fetch_add(&crowd.received, 1);
}

static void come_full_and_go(uint32_t *random) {
  while (atomic_load(&crowd.raising) > 0) {
    gch_chan *c = gch_make_of(int, pick(random, 3));
    require(c && gch_signal_notify(c, &usr1, 1) == 0);
    dawdle(random, 2000);
    if (pick(random, 2) == 0)
      gch_close(c);
    dawdle(random, 2000);
    gch_signal_stop(c);
    size_t len = gch_len(c);
    dawdle(random, 2000);
    require(gch_len(c) == len); /* after stop nothing arrives */
    gch_unref(c);
  }
}

static void crowd_main(void *unused, int id) {
  uint32_t random = stress_seed(id);
  (void)unused;
  if (id < RAISERS)
    raise_many();
  else if (id == RAISERS)
    receive_steadily();
  else
    come_full_and_go(&random);
}

START_TEST(a_steady_listener_gets_every_signal) {
  struct crew crew;
  install_old(SIGUSR1);
  crowd.steady = gch_make_of(int, BEHIND + RAISERS);
  crowd.end = stress_end(SIGNAL_TESTS);
  atomic_store(&crowd.raising, RAISERS);
  require(gch_signal_notify(crowd.steady, &usr1, 1) == 0);
  crew_start(&crew, RAISERS + 1 + OTHERS, crowd_main, NULL);
  crew_join(&crew);
  gch_signal_stop(crowd.steady);
  ck_assert_int_eq(atomic_load(&crowd.raised), atomic_load(&crowd.received));
  ck_assert_int_eq(atomic_load(&old_count), 0);
  ck_assert_uint_eq(gch_len(crowd.steady), 0);
  gch_unref(crowd.steady);
}
END_TEST

/* A context ends by a signal, by its holder, or by its parent; who waits for it
   wakes. */
static struct { gch_ctx *parent, *ctx; } ended;

static void make_ended(void *unused) {
  (void)unused;
  ended.parent = gch_ctx_with_cancel(gch_ctx_background());
  ended.ctx = gch_signal_notify_ctx(ended.parent, &usr1, 1);
  require(ended.ctx != NULL);
  for (int i = 0; i < 2; i++)
    gch_ctx_ref(ended.ctx);
}

static void end_somehow(void *unused, int id) {
  uint32_t random = stress_seed(id);
  (void)unused;
  dawdle(&random, 1000);
  if (id == 0) {
    require(raise(SIGUSR1) == 0);
    gch_ctx_unref(ended.ctx);
  } else if (id == 1) {
    require(gch_recv(gch_ctx_done(ended.ctx), NULL) == EPIPE);
    require(gch_ctx_err(ended.ctx) == ECANCELED);
    gch_ctx_unref(ended.ctx);
  } else if (pick(&random, 2) == 0) {
    gch_ctx_end(ended.ctx);
    gch_ctx_unref(ended.parent);
  } else {
    gch_ctx_end(ended.parent);
    gch_ctx_unref(ended.ctx);
  }
}

START_TEST(a_signal_races_the_end_of_its_context) {
  struct rounds r = {.prepare = make_ended,
                     .act = end_somehow,
                     .end = stress_end(SIGNAL_TESTS)};
  install_old(SIGUSR1);
  rounds_run(&r, 3);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("stress/signals");
  TCase *t = test_case(s, "signals");
  tcase_add_test(t, a_signal_is_received_or_goes_to_the_old_handler);
  tcase_add_test(t, a_steady_listener_gets_every_signal);
  tcase_add_test(t, a_signal_races_the_end_of_its_context);
  add_fork_tests(test_case(s, "forks"));
  return s;
}
