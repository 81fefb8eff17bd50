/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's time/sleep_test.go: sleep, After, AfterFunc. Stop and reset are in
   sleep_timer_test.c. */
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "harness.h"

struct sleeper {
  pthread_t id;
  _Atomic int started, over;
  int64_t start, end;
};

static void sleep_5ms(void *arg) {
  struct sleeper *s = arg;
  s->id = pthread_self();
  s->started = 1;
  s->start = gch_now();
  gch_sleep(5 * GCH_MILLISECOND);
  s->end = gch_now();
  s->over = 1;
}

static void ignore(int sig) {
  (void)sig;
}

/* While the thread sleeps, signals interrupt its system calls. */
START_TEST(TestSleep) {
  struct sleeper s;
  struct sigaction catch, old;

  memset(&s, 0, sizeof s);
  memset(&catch, 0, sizeof catch);
  catch.sa_handler = ignore;
  ck_assert_int_eq(sigaction(SIGUSR1, &catch, &old), 0);
  test_thread *t = thread_start_as(false, sleep_5ms, &s);
  await_count(&s.started, 1);
  while (s.over == 0) {
    ck_assert_int_eq(pthread_kill(s.id, SIGUSR1), 0);
    gch_yield();
  }
  thread_join(t);
  ck_assert_int_ge(s.end - s.start, 5 * GCH_MILLISECOND);
  sigaction(SIGUSR1, &old, NULL);
}
END_TEST

START_TEST(TestSleep_not_at_all) {
  gch_sleep(0);
  gch_sleep(-1);
  gch_sleep(INT64_MIN);
}
END_TEST

START_TEST(TestSleepZeroDeadlock) {
  for (int i = 0; i < 100; i++) {
    gch_sleep(0);
    GCH_AUTO gch_chan *tmp = gch_make(0, 1);
    ck_assert_int_eq(gch_send(tmp, NULL), 0);
    ck_assert_int_eq(gch_recv(tmp, NULL), 0);
  }
}
END_TEST

/* Ten functions, each of which starts the timer of the next and then blocks
   until the last has run: so each runs in a task of its own. */
enum { CHAIN = 10 };
struct chain {
  int left;
  gch_timer *timers[CHAIN + 1];
  gch_chan *last_ran;
  gch_wg wg;
};

static void run_link(void *arg) {
  struct chain *c = arg;
  gch_wg *wg = &c->wg;
  if (c->left > 0) {
    int i = --c->left;
    c->timers[i] = gch_timer_func(0, run_link, c);
    gch_recv(c->last_ran, NULL);
  } else {
    gch_close(c->last_ran);
  }
  gch_wg_done(wg);
}

START_TEST(TestAfterFunc) {
  struct chain c = {.left = CHAIN, .last_ran = gch_make(0, 0)};
  gch_wg_add(&c.wg, CHAIN + 1);
  c.timers[CHAIN] = gch_timer_func(0, run_link, &c);
  gch_wg_wait(&c.wg);
  for (int i = 0; i <= CHAIN; i++)
    ck_assert(!gch_timer_free(c.timers[i]));
  gch_unref(c.last_ran);
}
END_TEST

/* A timer whose function resets it. */
struct rearm {
  gch_timer *t;
  int left;
  gch_chan *over;
};

static void run_and_rearm(void *arg) {
  struct rearm *r = arg;
  GCH_AUTO gch_chan *over = gch_ref(r->over);
  if (--r->left > 0)
    gch_timer_reset(r->t, 0);
  else
    gch_close(over);
}

START_TEST(TestAfterFunc_resets_itself) {
  struct rearm r = {NULL, 10, gch_make(0, 0)};
  r.t = gch_timer_func(GCH_HOUR, run_and_rearm, &r);
  ck_assert_ptr_nonnull(r.t);
  ck_assert(gch_timer_reset(r.t, 0));
  ck_assert_int_eq(gch_recv(r.over, NULL), EPIPE);
  ck_assert_int_eq(r.left, 0);
  gch_timer_free(r.t);
  gch_unref(r.over);
}
END_TEST

struct stopper {
  _Atomic int stop;
  gch_timer *t;
};

static void stop_now(void *arg) {
  struct stopper *s = arg;
  s->stop = 1;
}

static void receive_all(void *c) {
  while (gch_recv(c, NULL) == 0)
    ;
}

/* A sender and a receiver that never rest leave room for the function. */
START_TEST(TestAfterFuncStarvation) {
  struct stopper s = {0, NULL};
  GCH_AUTO gch_chan *c = gch_make(0, 1);
  gch_wg wg = GCH_WG_INIT;

  ck_assert_int_eq(gch_wg_go(&wg, receive_all, c), 0);
  s.t = gch_timer_func(GCH_MILLISECOND, stop_now, &s);
  while (!s.stop)
    ck_assert_int_eq(gch_send(c, NULL), 0);
  ck_assert_int_eq(gch_close(c), 0);
  gch_wg_wait(&wg);
  ck_assert(!gch_timer_free(s.t));
}
END_TEST

START_TEST(TestAfterStress) {
  gch_ticker *ticker = gch_ticker_new(1);
  for (int i = 0; i < 100; i++) {
    gch_sleep(GCH_NANOSECOND);
    ck_assert_int_eq(gch_recv(gch_ticker_chan(ticker), NULL), 0);
  }
  gch_ticker_free(ticker);
}
END_TEST

static void receive_100(void *c) {
  for (int i = 0; i < 100; i++)
    gch_recv(c, NULL);
}

START_TEST(TestTickerConcurrentStress) {
  gch_ticker *ticker = gch_ticker_new(1);
  gch_wg wg = GCH_WG_INIT;
  for (int i = 0; i < 5; i++)
    ck_assert_int_eq(gch_wg_go(&wg, receive_100, gch_ticker_chan(ticker)), 0);
  gch_wg_wait(&wg);
  gch_ticker_free(ticker);
}
END_TEST

START_TEST(TestAfter) {
  const int64_t delay = 2 * GCH_MILLISECOND;
  int64_t start = gch_now(), end = 0;
  GCH_AUTO gch_chan *c = gch_after(delay);
  ck_assert_int_eq(gch_recv(c, &end), 0);
  ck_assert_int_ge(gch_now() - start, delay);
  ck_assert_int_ge(end, start + delay);
  ck_assert_int_le(end, gch_now());
}
END_TEST

START_TEST(TestAfterTick) {
  int64_t start = gch_now();
  for (int i = 0; i < 10; i++) {
    GCH_AUTO gch_chan *c = gch_after(GCH_MILLISECOND);
    ck_assert_int_eq(gch_recv(c, NULL), 0);
  }
  ck_assert_int_ge(gch_now() - start, 10 * GCH_MILLISECOND);
}
END_TEST

/* The value is the time at which the timer fired, whenever it is received:
   here not after another one that fired later. */
START_TEST(TestAfterTimes) {
  int64_t first = 0, second = 0;
  GCH_AUTO gch_chan *a = gch_after(GCH_MILLISECOND);
  GCH_AUTO gch_chan *b = gch_after(2 * GCH_MILLISECOND);
  ck_assert_int_eq(gch_recv(b, &second), 0);
  gch_sleep(GCH_MILLISECOND);
  ck_assert_int_eq(gch_recv(a, &first), 0);
  ck_assert_int_le(first, second);
}
END_TEST

static const int slots[] = {5, 3, 6, 6, 6, 1, 1, 2, 7, 9, 4, 8, 0};
enum { SLOTS = sizeof slots / sizeof *slots };

/* The timer was started in [from, to], so fires not before from + its slot. */
struct queued {
  gch_chan *c;
  int64_t delay, from, to, fired;
};

static void await_queued(void *arg) {
  struct queued *q = arg;
  gch_recv(q->c, &q->fired);
}

/* Whether a was due before b, whatever happened while they were started. */
static bool surely_before(const struct queued *a, const struct queued *b) {
  return a->to + a->delay < b->from + b->delay;
}

START_TEST(TestAfterQueuing) {
  struct queued q[SLOTS];
  gch_wg wg = GCH_WG_INIT;

  for (int i = 0; i < SLOTS; i++) {
    q[i].delay = slots[i] * GCH_MILLISECOND;
    q[i].from = gch_now();
    q[i].c = gch_after(q[i].delay);
    q[i].to = gch_now();
    ck_assert_int_eq(gch_wg_go(&wg, await_queued, &q[i]), 0);
  }
  gch_wg_wait(&wg);
  for (int i = 0; i < SLOTS; i++) {
    ck_assert_int_ge(q[i].fired, q[i].from + q[i].delay);
    for (int j = 0; j < SLOTS; j++)
      if (surely_before(&q[i], &q[j]))
        ck_assert_int_le(q[i].fired, q[j].fired);
    gch_unref(q[i].c);
  }
}
END_TEST

static void sleep_for_ever(void *ctx) {
  gch_sleep_ctx(ctx, GCH_FOREVER);
}

/* The longest sleep neither ends nor hinders others. */
START_TEST(TestOverflowSleep) {
  GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  GCH_AUTO gch_chan *big = gch_after(GCH_FOREVER);
  GCH_AUTO gch_chan *small = gch_after(2 * GCH_MILLISECOND);
  gch_wg wg = GCH_WG_INIT;

  ck_assert_int_eq(gch_wg_go(&wg, sleep_for_ever, ctx), 0);
  ck_assert_int_eq(gch_select(GCH_RECV(big, NULL), GCH_RECV(small, NULL)), 1);
  ck_assert_int_eq(gch_wg_wait_until(&wg, gch_now()), ETIMEDOUT);
  gch_ctx_cancel(ctx);
  gch_wg_wait(&wg);
}
END_TEST

START_TEST(TestOverflowSleep_negative) {
  GCH_AUTO gch_chan *c = gch_after(INT64_MIN);
  ck_assert_int_eq(gch_recv(c, NULL), 0);
}
END_TEST

static void add_sleep(Suite *s) {
  TCase *t = test_case(s, "sleep");
  tcase_add_test(t, TestSleep);
  tcase_add_test(t, TestSleep_not_at_all);
  tcase_add_test(t, TestSleepZeroDeadlock);
  tcase_add_test(t, TestOverflowSleep);
  tcase_add_test(t, TestOverflowSleep_negative);
}

static void add_after(Suite *s) {
  TCase *t = test_case(s, "after");
  tcase_add_test(t, TestAfterFunc);
  tcase_add_test(t, TestAfterFunc_resets_itself);
  tcase_add_test(t, TestAfterFuncStarvation);
  tcase_add_test(t, TestAfterStress);
  tcase_add_test(t, TestTickerConcurrentStress);
  tcase_add_test(t, TestAfter);
  tcase_add_test(t, TestAfterTick);
  tcase_add_test(t, TestAfterTimes);
  tcase_add_test(t, TestAfterQueuing);
}

Suite *test_suite(void) {
  Suite *s = suite_create("golang/sleep");
  add_sleep(s);
  add_after(s);
  return s;
}
