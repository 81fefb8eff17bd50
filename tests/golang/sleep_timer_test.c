/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's time/sleep_test.go: timers that are stopped, reset, and raced. */
#include "harness.h"

static void count_call(void *count) {
  ++*(_Atomic int *)count;
}

/* Stop of a timer is true while its value has not been received, so even if
   it came late; and then nothing is received. */
START_TEST(TestAfterStop) {
  gch_timer *t0 = gch_timer_new(GCH_MILLISECOND);
  GCH_AUTO gch_chan *c2 = gch_after(3 * GCH_MILLISECOND);

  ck_assert(gch_timer_stop(t0));
  ck_assert_int_eq(gch_recv(c2, NULL), 0);
  ck_assert_int_eq(gch_try_recv(gch_timer_chan(t0), NULL), EAGAIN);
  ck_assert(!gch_timer_stop(t0));
  ck_assert(!gch_timer_free(t0));
}
END_TEST

/* Of a function's timer it is true if the function has not been started. */
START_TEST(TestAfterStop_func) {
  _Atomic int calls = 0;
  gch_timer *t1 = gch_timer_func(2 * GCH_MILLISECOND, count_call, &calls);
  GCH_AUTO gch_chan *c2 = gch_after(3 * GCH_MILLISECOND);

  int want = gch_timer_stop(t1) ? 0 : 1;
  ck_assert_int_eq(gch_recv(c2, NULL), 0);
  await_count(&calls, want);
  ck_assert_int_eq(calls, want);
  ck_assert(!gch_timer_stop(t1));
  ck_assert(!gch_timer_free(t1));
}
END_TEST

enum { STOPPERS = 10, TIMERS = 10 };
struct stop_stress {
  _Atomic int calls, stopped;
};

static void start_and_stop(void *arg) {
  struct stop_stress *s = arg;
  gch_timer *t[TIMERS];
  for (int i = 0; i < TIMERS; i++)
    t[i] = gch_timer_func(i * 200 * GCH_MICROSECOND, count_call, &s->calls);
  gch_sleep(GCH_MILLISECOND);
  for (int i = 0; i < TIMERS; i++)
    s->stopped += gch_timer_free(t[i]);
}

/* Each function runs, or its stop was true: never both, never neither. */
START_TEST(TestTimerStopStress) {
  struct stop_stress s = {0, 0};
  gch_wg wg = GCH_WG_INIT;
  for (int i = 0; i < STOPPERS; i++)
    ck_assert_int_eq(gch_wg_go(&wg, start_and_stop, &s), 0);
  gch_wg_wait(&wg);
  await_count(&s.calls, STOPPERS * TIMERS - s.stopped);
  ck_assert_int_eq(s.calls, STOPPERS * TIMERS - s.stopped);
}
END_TEST

START_TEST(TestReset) {
  gch_timer *t = gch_timer_new(GCH_HOUR);
  gch_chan *c = gch_timer_chan(t);

  ck_assert(gch_timer_reset(t, 2 * GCH_HOUR));
  ck_assert_int_eq(gch_try_recv(c, NULL), EAGAIN);
  int64_t start = gch_now(), fired = 0;
  ck_assert(gch_timer_reset(t, GCH_MILLISECOND));
  ck_assert_int_eq(gch_recv(c, &fired), 0);
  ck_assert_int_ge(fired, start + GCH_MILLISECOND);
  ck_assert(!gch_timer_reset(t, GCH_HOUR));
  ck_assert_int_eq(gch_try_recv(c, NULL), EAGAIN);
  ck_assert(gch_timer_free(t));
}
END_TEST

/* Go panics for a timer that was never made. */
START_TEST(TestZeroTimerStopPanics) {
  ck_assert(!gch_timer_stop(NULL));
  ck_assert(!gch_timer_free(NULL));
}
END_TEST

START_TEST(TestZeroTimer) {
  for (int i = 0; i < scaled(300); i++) {
    gch_timer *t = gch_timer_new(0);
    ck_assert_int_eq(gch_recv(gch_timer_chan(t), NULL), 0);
    gch_timer_free(t);
  }
}
END_TEST

/* A function's timer with a channel of its own to tell. */
static void tell(void *c) {
  gch_try_send(c, NULL);
  gch_unref(c);
}

static gch_timer *telling_timer(int64_t ns, gch_chan *c) {
  gch_timer *t = gch_timer_func(ns, tell, gch_ref(c));
  ck_assert_ptr_nonnull(t);
  return t;
}

START_TEST(TestZeroTimer_func) {
  GCH_AUTO gch_chan *c = gch_make(0, 1);
  for (int i = 0; i < scaled(100); i++) {
    gch_timer *t = telling_timer(0, c);
    ck_assert_int_eq(gch_recv(c, NULL), 0);
    ck_assert(!gch_timer_free(t));
  }
}
END_TEST

START_TEST(TestZeroTimer_cache) {
  gch_timer *t = gch_timer_new(GCH_HOUR);
  for (int i = 0; i < scaled(300); i++) {
    gch_timer_reset(t, 0);
    ck_assert_int_eq(gch_recv(gch_timer_chan(t), NULL), 0);
  }
  ck_assert(!gch_timer_free(t));
}
END_TEST

/* Moved from an hour to the past, again and again, a timer still fires. */
START_TEST(TestTimerModifiedEarlier) {
  for (int i = 0; i < scaled(100); i++) {
    gch_timer *t = gch_timer_new(GCH_HOUR);
    for (int j = 0; j < 10; j++) {
      ck_assert(gch_timer_stop(t));
      ck_assert(!gch_timer_reset(t, INT64_MIN));
    }
    ck_assert_int_eq(gch_recv(gch_timer_chan(t), NULL), 0);
    gch_timer_free(t);
  }
}
END_TEST

/* A stop that was too late: the function has run, or is about to. */
START_TEST(TestTimerModifiedEarlier_func) {
  GCH_AUTO gch_chan *c = gch_make(0, 1);
  for (int i = 0; i < scaled(20); i++) {
    gch_timer *t = telling_timer(GCH_HOUR, c);
    for (int j = 0; j < 10; j++) {
      if (!gch_timer_stop(t)) {
        ck_assert_int_eq(gch_recv(c, NULL), 0);
        gch_ref(c);
      }
      ck_assert(!gch_timer_reset(t, INT64_MIN));
    }
    ck_assert_int_eq(gch_recv(c, NULL), 0);
    ck_assert(!gch_timer_free(t));
  }
}
END_TEST

/* One step of a timer's life; what it is in step i of TestAdjustTimers. */
static void adjust(gch_timer **t, int step) {
  gch_chan *c = *t == NULL ? NULL : gch_timer_chan(*t);
  switch (step) {
  case 0:
    *t = gch_timer_new(0);
    ck_assert_ptr_nonnull(*t);
    break;
  case 1:
  case 9:
    ck_assert_int_eq(gch_recv(c, NULL), 0);
    break;
  case 2:
  case 4:
  case 6:
    ck_assert(!gch_timer_reset(*t, step * GCH_MINUTE));
    break;
  case 3:
  case 5:
  case 7:
    ck_assert(gch_timer_stop(*t));
    break;
  case 8:
    ck_assert(!gch_timer_reset(*t, 0));
    break;
  }
}

enum { ADJUSTED = 100, STEPS = 10 };

/* A hundred timers go through their steps, each in order, in a random one
   among them. */
START_TEST(TestAdjustTimers) {
  gch_timer *timers[ADJUSTED] = {NULL};
  int step[ADJUSTED] = {0}, live[ADJUSTED];
  uint32_t n = ADJUSTED, random = (uint32_t)gch_now() | 1;

  for (int i = 0; i < ADJUSTED; i++)
    live[i] = i;
  while (n > 0) {
    uint32_t pick = test_random(&random) % n;
    int i = live[pick];
    adjust(&timers[i], step[i]++);
    if (step[i] == STEPS)
      live[pick] = live[--n];
  }
  for (int i = 0; i < ADJUSTED; i++)
    ck_assert(!gch_timer_free(timers[i]));
}
END_TEST

static bool stop_it(gch_timer *t) {
  return gch_timer_stop(t);
}

static bool reset_it(gch_timer *t) {
  return gch_timer_reset(t, GCH_HOUR);
}

struct result_race {
  bool (*stop)(gch_timer *t);
  _Atomic int wrong;
};

/* Two timers fire at about the same time. What is not received from the
   other one counts as stopped, and is received no more. */
static void race_two_timers(void *arg) {
  struct result_race *r = arg;
  for (int i = 0; i < 10; i++) {
    gch_timer *t[] = {gch_timer_new(GCH_MILLISECOND / 2),
                      gch_timer_new(GCH_MILLISECOND / 2)};
    int first = gch_select(GCH_RECV(gch_timer_chan(t[0]), NULL),
                           GCH_RECV(gch_timer_chan(t[1]), NULL));
    gch_timer *other = t[1 - first];
    r->wrong += !r->stop(other);
    r->wrong += gch_try_recv(gch_timer_chan(other), NULL) != EAGAIN;
    gch_timer_free(t[0]);
    gch_timer_free(t[1]);
  }
}

static void check_results(bool (*stop)(gch_timer *t)) {
  struct result_race r = {stop, 0};
  gch_wg wg = GCH_WG_INIT;
  for (int i = 0; i < 8; i++)
    ck_assert_int_eq(gch_wg_go(&wg, race_two_timers, &r), 0);
  gch_wg_wait(&wg);
  ck_assert_int_eq(r.wrong, 0);
}

START_TEST(TestStopResult) {
  check_results(stop_it);
}
END_TEST

START_TEST(TestResetResult) {
  check_results(reset_it);
}
END_TEST

static void receive_ticks(void *c) {
  for (int n = scaled(200); n > 0; n--)
    gch_select(GCH_RECV(c, NULL), GCH_TIMEOUT(GCH_MILLISECOND));
}

START_TEST(TestMultiWakeupTicker) {
  gch_ticker *t = gch_ticker_new(GCH_MICROSECOND);
  gch_wg wg = GCH_WG_INIT;
  for (int i = 0; i < 4; i++)
    ck_assert_int_eq(gch_wg_go(&wg, receive_ticks, gch_ticker_chan(t)), 0);
  gch_wg_wait(&wg);
  gch_ticker_free(t);
}
END_TEST

static void receive_and_reset(void *t) {
  for (int n = scaled(500); n > 0; n--) {
    gch_try_recv(gch_timer_chan(t), NULL);
    gch_timer_reset(t, GCH_NANOSECOND);
  }
}

START_TEST(TestMultiWakeupTimer) {
  gch_timer *t = gch_timer_new(GCH_NANOSECOND);
  gch_wg wg = GCH_WG_INIT;
  for (int i = 0; i < 4; i++)
    ck_assert_int_eq(gch_wg_go(&wg, receive_and_reset, t), 0);
  gch_wg_wait(&wg);
  gch_timer_free(t);
}
END_TEST

static void add_stop(Suite *s) {
  TCase *t = test_case(s, "stop and reset");
  tcase_add_test(t, TestAfterStop);
  tcase_add_test(t, TestAfterStop_func);
  tcase_add_test(t, TestTimerStopStress);
  tcase_add_test(t, TestReset);
  tcase_add_test(t, TestZeroTimerStopPanics);
  tcase_add_test(t, TestStopResult);
  tcase_add_test(t, TestResetResult);
}

static void add_adjust(Suite *s) {
  TCase *t = test_case(s, "moved timers");
  tcase_add_test(t, TestZeroTimer);
  tcase_add_test(t, TestZeroTimer_func);
  tcase_add_test(t, TestZeroTimer_cache);
  tcase_add_test(t, TestTimerModifiedEarlier);
  tcase_add_test(t, TestTimerModifiedEarlier_func);
  tcase_add_test(t, TestAdjustTimers);
  tcase_add_test(t, TestMultiWakeupTicker);
  tcase_add_test(t, TestMultiWakeupTimer);
}

Suite *test_suite(void) {
  Suite *s = suite_create("golang/sleep_timer");
  add_stop(s);
  add_adjust(s);
  return s;
}
