/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's time/tick_test.go, as of Go 1.23. */
#include "harness.h"

/* The i-th tick of a ticker that was started after start is not before
   start + i periods. */
static void check_ticks(gch_ticker *t, int64_t start, int64_t period) {
  for (int i = 1; i <= 5; i++) {
    int64_t when = 0;
    ck_assert_int_eq(gch_recv(gch_ticker_chan(t), &when), 0);
    ck_assert_int_ge(when, start + i * period);
    ck_assert_int_ge(gch_now(), when);
  }
}

START_TEST(TestTicker) {
  const int64_t delta = GCH_MILLISECOND;
  int64_t start = gch_now();
  gch_ticker *t = gch_ticker_new(delta);

  check_ticks(t, start, delta);
  start = gch_now();
  ck_assert_int_eq(gch_ticker_reset(t, 2 * delta), 0);
  check_ticks(t, start, 2 * delta);
  gch_ticker_stop(t);
  gch_sleep(2 * delta);
  ck_assert_int_eq(gch_try_recv(gch_ticker_chan(t), NULL), EAGAIN);
  gch_ticker_free(t);
}
END_TEST

/* While nobody receives one tick waits, and the others are lost. Those that
   come while this receives (one for each period that passes, and one that
   began before) are not held against it. */
START_TEST(TestTicker_at_most_one_tick_waits) {
  gch_ticker *t = gch_ticker_new(GCH_MILLISECOND);
  gch_sleep(15 * GCH_MILLISECOND);
  int64_t start = gch_now(), ticks = 0;
  while (gch_try_recv(gch_ticker_chan(t), NULL) == 0)
    ticks++;
  int64_t meanwhile = (gch_now() - start) / GCH_MILLISECOND + 2;
  ck_assert_int_le(ticks, 1 + meanwhile);
  gch_ticker_free(t);
}
END_TEST

START_TEST(TestTeardown) {
  for (int i = 0; i < 3; i++) {
    gch_ticker *t = gch_ticker_new(GCH_MILLISECOND);
    ck_assert_int_eq(gch_recv(gch_ticker_chan(t), NULL), 0);
    gch_ticker_stop(t);
    gch_ticker_free(t);
  }
}
END_TEST

START_TEST(TestNewTickerLtZeroDuration) {
  for (int64_t ns = -1; ns <= 0; ns++) {
    errno = 0;
    const gch_ticker *t = gch_ticker_new(ns);
    int error = errno;
    ck_assert_ptr_null(t);
    ck_assert_int_eq(error, EINVAL);
  }
}
END_TEST

static void new_ticker_lt_zero(void *arg) {
  (void)arg;
  gch_ticker_new(-1);
}

START_TEST(TestNewTickerLtZeroDuration_strict) {
  expect_panic_strict(new_ticker_lt_zero, NULL,
                      "non-positive interval for NewTicker");
}
END_TEST

START_TEST(TestTickerResetLtZeroDuration) {
  gch_ticker *t = gch_ticker_new(GCH_SECOND);
  ck_assert_int_eq(gch_ticker_reset(t, 0), EINVAL);
  ck_assert_int_eq(gch_ticker_reset(t, -1), EINVAL);
  gch_ticker_free(t);
}
END_TEST

static void reset_to_zero(void *arg) {
  gch_ticker *t = gch_ticker_new(GCH_SECOND);
  (void)arg;
  gch_ticker_reset(t, 0);
}

START_TEST(TestTickerResetLtZeroDuration_strict) {
  expect_panic_strict(reset_to_zero, NULL,
                      "non-positive interval for Ticker.Reset");
}
END_TEST

START_TEST(TestOverflowPeriodRuntimeTimer) {
  gch_ticker *t = gch_ticker_new(INT64_MAX);
  GCH_AUTO gch_chan *c = gch_after(GCH_MILLISECOND);
  ck_assert_int_eq(
      gch_select(GCH_RECV(gch_ticker_chan(t), NULL), GCH_RECV(c, NULL)), 1);
  gch_ticker_free(t);
}
END_TEST

/* Many timers that fire at once do not lose those of a long loop. */
START_TEST(TestLongAdjustTimers) {
  enum { MANY = 2000 };
  static gch_chan *many[MANY];
  gch_timer *hour = gch_timer_new(GCH_HOUR);

  for (int i = 0; i < MANY; i++)
    many[i] = gch_after(10 * GCH_MICROSECOND);
  for (int i = 0; i < scaled(100); i++) {
    GCH_AUTO gch_chan *soon = gch_after(GCH_MICROSECOND);
    GCH_AUTO gch_chan *late = gch_after(GCH_HOUR);
    ck_assert_int_eq(gch_select(GCH_RECV(late, NULL), GCH_RECV(soon, NULL)), 1);
  }
  for (int i = 0; i < MANY; i++) {
    ck_assert_int_eq(gch_recv(many[i], NULL), 0);
    gch_unref(many[i]);
  }
  ck_assert(gch_timer_free(hour));
}
END_TEST

/* What is given up before it fires is gone at once: the leak sanitizer and
   the address sanitizer would see the rest. */
START_TEST(TestTimerGC) {
  for (int i = 0; i < scaled(100); i++) {
    gch_unref(gch_after(GCH_HOUR));
    ck_assert(gch_timer_free(gch_timer_new(GCH_HOUR)));
    gch_ticker_free(gch_ticker_new(GCH_HOUR));
    gch_unref(gch_after(1));
    gch_timer_free(gch_timer_new(1));
    gch_ticker_free(gch_ticker_new(1));
  }
}
END_TEST

/* The first tick, which waits while others are lost, has the time at which it
   fired. */
START_TEST(TestTickTimes) {
  int64_t tick = 0, after = 0;
  gch_ticker *t = gch_ticker_new(GCH_MILLISECOND);
  GCH_AUTO gch_chan *c = gch_after(2 * GCH_MILLISECOND);
  ck_assert_int_eq(gch_recv(c, &after), 0);
  gch_sleep(3 * GCH_MILLISECOND);
  ck_assert_int_eq(gch_recv(gch_ticker_chan(t), &tick), 0);
  ck_assert_int_le(tick, after);
  gch_ticker_free(t);
}
END_TEST

/* TestChan: a timer and a ticker alike. */

struct timer {
  gch_timer *timer;
  gch_ticker *ticker; /* the one or the other */
  gch_chan *c;
};

static struct timer new_timer(int kind) {
  struct timer t = {NULL, NULL, NULL};
  if (kind == 0) {
    t.timer = gch_timer_new(10000 * GCH_SECOND);
    t.c = gch_timer_chan(t.timer);
  } else {
    t.ticker = gch_ticker_new(10000 * GCH_SECOND);
    t.c = gch_ticker_chan(t.ticker);
  }
  return t;
}

static void stop(struct timer *t) {
  if (t->ticker != NULL)
    gch_ticker_stop(t->ticker);
  else
    gch_timer_stop(t->timer);
}

static void reset(struct timer *t, int64_t ns) {
  if (t->ticker != NULL)
    ck_assert_int_eq(gch_ticker_reset(t->ticker, ns), 0);
  else
    gch_timer_reset(t->timer, ns);
}

static void free_timer(struct timer *t) {
  gch_ticker_free(t->ticker);
  gch_timer_free(t->timer);
}

#define no_tick(t) ck_assert_int_eq(gch_try_recv((t)->c, NULL), EAGAIN)
#define assert_tick(t) ck_assert_int_eq(gch_recv((t)->c, NULL), 0)

/* Returns when a timer that was reset to 1 ns must have fired. */
static void let_it_fire(void) {
  GCH_AUTO gch_chan *c = gch_after(GCH_MILLISECOND);
  ck_assert_int_eq(gch_recv(c, NULL), 0);
}

START_TEST(TestChan_stop_and_reset_of_an_idle_timer) {
  struct timer t = new_timer(_i);
  stop(&t);
  no_tick(&t);
  reset(&t, 10000 * GCH_SECOND);
  no_tick(&t);
  reset(&t, 1);
  assert_tick(&t);
  free_timer(&t);
}
END_TEST

START_TEST(TestChan_len_and_cap_are_zero) {
  struct timer t = new_timer(_i);
  reset(&t, 1);
  let_it_fire();
  ck_assert_uint_eq(gch_len(t.c), 0);
  ck_assert_uint_eq(gch_cap(t.c), 0);
  assert_tick(&t);
  free_timer(&t);
}
END_TEST

START_TEST(TestChan_no_stale_tick_after_stop) {
  struct timer t = new_timer(_i);
  reset(&t, 1);
  let_it_fire();
  stop(&t);
  no_tick(&t);
  free_timer(&t);
}
END_TEST

START_TEST(TestChan_no_stale_tick_after_reset) {
  struct timer t = new_timer(_i);
  reset(&t, 1);
  let_it_fire();
  reset(&t, GCH_HOUR);
  no_tick(&t);
  free_timer(&t);
}
END_TEST

START_TEST(TestChan_pending_counts_as_not_yet_fired) {
  gch_timer *t = gch_timer_new(1);
  let_it_fire();
  ck_assert(gch_timer_stop(t));
  ck_assert(!gch_timer_reset(t, 1));
  let_it_fire();
  ck_assert(gch_timer_reset(t, 1));
  ck_assert_int_eq(gch_recv(gch_timer_chan(t), NULL), 0);
  ck_assert(!gch_timer_reset(t, GCH_HOUR));
  ck_assert_int_eq(gch_try_recv(gch_timer_chan(t), NULL), EAGAIN);
  ck_assert(gch_timer_free(t));
}
END_TEST

struct receiver {
  gch_chan *c, *stop;
  _Atomic int got;
};

static void receive_or_stop(void *arg) {
  struct receiver *r = arg;
  if (gch_select(GCH_RECV(r->c, NULL), GCH_RECV(r->stop, NULL)) == 0)
    r->got++;
}

static void receive_plainly(void *arg) {
  struct receiver *r = arg;
  if (gch_recv(r->c, NULL) == 0)
    r->got++;
}

START_TEST(TestChan_reset_under_a_blocked_receiver) {
  struct timer t = new_timer(_i);
  struct receiver r = {t.c, NULL, 0};
  gch_wg wg = GCH_WG_INIT;

  ck_assert_int_eq(gch_wg_go(&wg, receive_plainly, &r), 0);
  await_waiting(t.c, 0, 1);
  reset(&t, 20000 * GCH_SECOND);
  await_waiting(t.c, 0, 1);
  reset(&t, 1);
  gch_wg_wait(&wg);
  ck_assert_int_eq(r.got, 1);
  free_timer(&t);
}
END_TEST

/* Of two selects that wait a timer serves one. (A ticker may tick again
   before its stop.) */
START_TEST(TestChan_two_selects) {
  struct timer t = new_timer(_i);
  GCH_AUTO gch_chan *stop_chan = gch_make(0, 0);
  struct receiver r = {t.c, stop_chan, 0};
  gch_wg wg = GCH_WG_INIT;

  for (int i = 0; i < 2; i++)
    ck_assert_int_eq(gch_wg_go(&wg, receive_or_stop, &r), 0);
  await_waiting(t.c, 0, 2);
  reset(&t, GCH_MILLISECOND);
  await_count(&r.got, 1);
  stop(&t);
  ck_assert_int_eq(gch_close(stop_chan), 0);
  gch_wg_wait(&wg);
  if (t.timer != NULL)
    ck_assert_int_eq(r.got, 1);
  no_tick(&t);
  free_timer(&t);
}
END_TEST

START_TEST(TestChan_selects_on_a_stopped_timer) {
  struct timer t = new_timer(_i);
  GCH_AUTO gch_chan *stop_chan = gch_make(0, 0);
  struct receiver r = {t.c, stop_chan, 0};
  gch_wg wg = GCH_WG_INIT;

  stop(&t);
  for (int i = 0; i < 2; i++)
    ck_assert_int_eq(gch_wg_go(&wg, receive_or_stop, &r), 0);
  await_waiting(t.c, 0, 2);
  ck_assert_int_eq(gch_close(stop_chan), 0);
  gch_wg_wait(&wg);
  ck_assert_int_eq(r.got, 0);
  free_timer(&t);
}
END_TEST

static void add_ticker(Suite *s) {
  TCase *t = test_case(s, "ticker");
  tcase_add_test(t, TestTicker);
  tcase_add_test(t, TestTicker_at_most_one_tick_waits);
  tcase_add_test(t, TestTeardown);
  tcase_add_test(t, TestNewTickerLtZeroDuration);
  tcase_add_test(t, TestNewTickerLtZeroDuration_strict);
  tcase_add_test(t, TestTickerResetLtZeroDuration);
  tcase_add_test(t, TestTickerResetLtZeroDuration_strict);
  tcase_add_test(t, TestOverflowPeriodRuntimeTimer);
  tcase_add_test(t, TestLongAdjustTimers);
  tcase_add_test(t, TestTimerGC);
  tcase_add_test(t, TestTickTimes);
}

static void add_chan(Suite *s) {
  TCase *t = test_case(s, "timer channels");
  tcase_add_loop_test(t, TestChan_stop_and_reset_of_an_idle_timer, 0, 2);
  tcase_add_loop_test(t, TestChan_len_and_cap_are_zero, 0, 2);
  tcase_add_loop_test(t, TestChan_no_stale_tick_after_stop, 0, 2);
  tcase_add_loop_test(t, TestChan_no_stale_tick_after_reset, 0, 2);
  tcase_add_test(t, TestChan_pending_counts_as_not_yet_fired);
  tcase_add_loop_test(t, TestChan_reset_under_a_blocked_receiver, 0, 2);
  tcase_add_loop_test(t, TestChan_two_selects, 0, 2);
  tcase_add_loop_test(t, TestChan_selects_on_a_stopped_timer, 0, 2);
}

Suite *test_suite(void) {
  Suite *s = suite_create("golang/tick");
  add_ticker(s);
  add_chan(s);
  return s;
}
