/* SPDX-License-Identifier: BSD-3-Clause */
/* Timers and tickers: stop, reset and free against the firing. */
#include "timers.h"

/* One owner, who is the only receiver. Each start ends in one of two ways: the
   value is received, or a stop, reset or free says that it was in time. What
   is received is from after the last start. */
struct owned {
  int64_t end;
  _Atomic uint64_t starts, ends;
};

static bool receive_tick(gch_timer *t, int64_t not_before, uint32_t *random) {
  int64_t when = -1;
  int err = pick(random, 2) == 0 ? gch_try_recv(gch_timer_chan(t), &when)
                                 : gch_recv_until(gch_timer_chan(t), &when,
                                                  soon(random, MOMENT));
  require(err != 0 || when >= not_before);
  return err == 0;
}

static void own_one(struct owned *o, uint32_t *random) {
  uint64_t starts = 1, ends = 0;
  int64_t ns = pick(random, MOMENT), not_before = gch_now() + ns;
  gch_timer *t = gch_timer_new(ns);
  require(t != NULL);
  for (int i = 0; i < 50; i++) {
    if (pick(random, 2) == 0) {
      ends += receive_tick(t, not_before, random);
    } else if (pick(random, 2) == 0) {
      ends += gch_timer_stop(t);
      require(gch_try_recv(gch_timer_chan(t), NULL) == EAGAIN);
    } else {
      ns = pick(random, MOMENT);
      not_before = gch_now() + ns;
      ends += gch_timer_reset(t, ns);
      starts++;
    }
  }
  ends += gch_timer_free(t);
  atomic_fetch_add(&o->starts, starts);
  atomic_fetch_add(&o->ends, ends);
}

static void own_timers(void *shared, int id) {
  struct owned *o = shared;
  uint32_t random = stress_seed(id);
  while (gch_now() < o->end)
    own_one(o, &random);
}

START_TEST(nothing_stale_comes_after_a_stop_or_reset) {
  struct owned o = {.end = stress_end(TIMER_TESTS)};
  struct crew crew;
  crew_start(&crew, 6, own_timers, &o);
  crew_join(&crew);
  ck_assert_uint_eq(atomic_load(&o.starts), atomic_load(&o.ends));
}
END_TEST

/* One owner; others receive, parked or not, each with a reference. */
enum { RECEIVERS = 3, STARTS = 20 };

static struct {
  gch_timer *timer;
  gch_chan *chan, *stop;
  uint64_t starts, stopped;
  _Atomic uint64_t received;
  uint32_t random;
} shared_timer;

static void make_shared(void *unused) {
  (void)unused;
  if (shared_timer.random == 0)
    shared_timer.random = stress_seed(0);
  shared_timer.timer = gch_timer_new(pick(&shared_timer.random, MOMENT));
  shared_timer.stop = gch_make(0, 0);
  require(shared_timer.timer && shared_timer.stop);
  shared_timer.chan = gch_timer_chan(shared_timer.timer);
  for (int i = 0; i < RECEIVERS; i++)
    gch_ref(shared_timer.chan);
  shared_timer.starts = 1;
  shared_timer.stopped = 0;
  atomic_store(&shared_timer.received, 0);
}

static void start_and_stop(uint32_t *random) {
  gch_timer *t = shared_timer.timer;
  for (int i = 0; i < STARTS; i++) {
    dawdle(random, 4000);
    if (pick(random, 3) == 0) {
      shared_timer.stopped += gch_timer_stop(t);
    } else {
      shared_timer.stopped += gch_timer_reset(t, pick(random, MOMENT));
      shared_timer.starts++;
    }
  }
  shared_timer.stopped += gch_timer_free(t);
  gch_close(shared_timer.stop);
}

static void receive_shared(void) {
  gch_chan *c = shared_timer.chan;
  int64_t when;
  while (gch_select(GCH_RECV(shared_timer.stop, NULL), GCH_RECV(c, &when)) == 1)
    atomic_fetch_add(&shared_timer.received, 1);
  gch_unref(c);
}

static void own_or_receive(void *unused, int id) {
  uint32_t random = stress_seed(id);
  (void)unused;
  if (id == RECEIVERS)
    start_and_stop(&random);
  else
    receive_shared();
}

static void check_shared(void *unused) {
  (void)unused;
  require(shared_timer.starts ==
          shared_timer.stopped + atomic_load(&shared_timer.received));
  gch_unref(shared_timer.stop);
}

START_TEST(each_start_is_received_once_or_stopped) {
  struct rounds r = {.prepare = make_shared,
                     .act = own_or_receive,
                     .check = check_shared,
                     .end = stress_end(TIMER_TESTS)};
  rounds_run(&r, RECEIVERS + 1);
}
END_TEST

/* The same with a function for a receiver. */
static void end_run(void *arg) {
  gch_wg_done(arg);
}

static void own_funcs(void *shared, int id) {
  int64_t end = *(int64_t *)shared;
  uint32_t random = stress_seed(id);
  gch_wg runs = GCH_WG_INIT;
  while (gch_now() < end) {
    gch_wg_add(&runs, 1);
    gch_timer *t = gch_timer_func(pick(&random, MOMENT), end_run, &runs);
    require(t != NULL);
    for (uint32_t i = pick(&random, 6); i > 0; i--) {
      dawdle(&random, 2000);
      gch_wg_add(&runs, 1);
      if (gch_timer_reset(t, pick(&random, MOMENT)))
        gch_wg_done(&runs);
      if (pick(&random, 4) == 0 && gch_timer_stop(t))
        gch_wg_done(&runs);
    }
    if (gch_timer_free(t))
      gch_wg_done(&runs);
  }
  gch_wg_wait(&runs);
}

START_TEST(each_start_of_a_func_runs_or_is_stopped) {
  int64_t end = stress_end(TIMER_TESTS);
  struct crew crew;
  crew_start(&crew, 4, own_funcs, &end);
  crew_join(&crew);
}
END_TEST

/* Many timers in one queue, of which each fires, and none early. */
enum { QUEUED = 40 };

static void restart_some(gch_timer **t, int64_t *not_before, uint32_t *random) {
  for (int i = 0; i < QUEUED; i++) {
    uint32_t k = pick(random, QUEUED);
    int64_t ns = pick(random, 40 * MOMENT);
    not_before[k] = gch_now() + ns;
    gch_timer_reset(t[k], ns);
  }
}

static void own_many(void *shared, int id) {
  int64_t end = *(int64_t *)shared, not_before[QUEUED];
  gch_timer *t[QUEUED];
  uint32_t random = stress_seed(id);
  for (int i = 0; i < QUEUED; i++)
    require((t[i] = gch_timer_new(GCH_HOUR)) != NULL);
  while (gch_now() < end) {
    for (int i = 0; i < QUEUED; i++) {
      not_before[i] = gch_now();
      gch_timer_reset(t[i], 0);
    }
    restart_some(t, not_before, &random);
    restart_some(t, not_before, &random);
    for (int i = 0; i < QUEUED; i++) {
      int64_t when;
      require(gch_recv(gch_timer_chan(t[i]), &when) == 0);
      require(when >= not_before[i] && when <= gch_now());
    }
  }
  for (int i = 0; i < QUEUED; i++)
    gch_timer_free(t[i]);
}

START_TEST(of_many_timers_each_fires) {
  int64_t end = stress_end(TIMER_TESTS);
  struct crew crew;
  crew_start(&crew, 4, own_many, &end);
  crew_join(&crew);
}
END_TEST

/* gch_after: received, or dropped at any moment. Tickers: reset, stopped and
   freed at any moment. */
static void after_once(uint32_t *random) {
  int64_t ns = pick(random, MOMENT), not_before = gch_now() + ns, when;
  gch_chan *c = gch_after(ns);
  require(c != NULL);
  if (pick(random, 2) == 0)
    require(gch_recv(c, &when) == 0 && when >= not_before);
  else
    dawdle(random, 8000);
  gch_unref(c);
}

static void tick_some(uint32_t *random) {
  gch_ticker *t = gch_ticker_new(1 + pick(random, MOMENT));
  gch_chan *c = gch_ref(gch_ticker_chan(t));
  int64_t last = 0, when;
  for (int i = 0; i < 10; i++) {
    if (pick(random, 8) == 0)
      require(gch_ticker_reset(t, 1 + pick(random, MOMENT)) == 0);
    require(gch_recv(c, &when) == 0 && when > last);
    last = when;
    dawdle(random, 1000);
  }
  gch_ticker_stop(t);
  require(gch_try_recv(c, &when) == EAGAIN);
  gch_ticker_free(t);
  require(gch_try_recv(c, &when) == EAGAIN);
  gch_unref(c);
}

static void after_and_tick(void *shared, int id) {
  int64_t end = *(int64_t *)shared;
  uint32_t random = stress_seed(id);
  while (gch_now() < end)
    if (id % 2 == 0)
      after_once(&random);
    else
      tick_some(&random);
}

START_TEST(afters_and_tickers_go_at_any_moment) {
  int64_t end = stress_end(TIMER_TESTS);
  struct crew crew;
  crew_start(&crew, 6, after_and_tick, &end);
  crew_join(&crew);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("stress/timers");
  TCase *t = test_case(s, "timers");
  tcase_add_test(t, nothing_stale_comes_after_a_stop_or_reset);
  tcase_add_test(t, each_start_is_received_once_or_stopped);
  tcase_add_test(t, each_start_of_a_func_runs_or_is_stopped);
  tcase_add_test(t, of_many_timers_each_fires);
  tcase_add_test(t, afters_and_tickers_go_at_any_moment);
  add_group_tests(test_case(s, "groups"));
  return s;
}
