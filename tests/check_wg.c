/* SPDX-License-Identifier: BSD-3-Clause */
/* Wait groups. */
#include "tasks.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define MS GCH_MILLISECOND

static bool is_zero(gch_wg *wg) {
  return gch_wg_wait_until(wg, 0) == 0;
}

static void done(void *wg) {
  gch_wg_done(wg);
}

/* Counting */

START_TEST(wait_at_zero_returns) {
  gch_wg wg = GCH_WG_INIT;
  gch_wg_wait(&wg);
  ck_assert_int_eq(gch_wg_wait_until(&wg, 0), 0);
}
END_TEST

START_TEST(zero_bytes_are_a_wait_group) {
  gch_wg wg;
  memset(&wg, 0, sizeof wg);
  gch_wg_add(&wg, 1);
  gch_wg_done(&wg);
  gch_wg_wait(&wg);
}
END_TEST

START_TEST(the_count_is_the_sum_of_what_was_added) {
  gch_wg wg = GCH_WG_INIT;
  gch_wg_add(&wg, 3);
  gch_wg_add(&wg, 2);
  gch_wg_add(&wg, 0);
  gch_wg_add(&wg, -4);
  ck_assert(!is_zero(&wg));
  gch_wg_done(&wg);
  ck_assert(is_zero(&wg));
}
END_TEST

static void go_below_zero(void *arg) {
  (void)arg;
  gch_wg wg = GCH_WG_INIT;
  gch_wg_done(&wg);
}

static void add_below_zero(void *arg) {
  (void)arg;
  gch_wg wg = GCH_WG_INIT;
  gch_wg_add(&wg, 3);
  gch_wg_add(&wg, -4);
}

START_TEST(a_negative_count_is_a_panic) {
  expect_panic(go_below_zero, NULL, "sync: negative WaitGroup counter");
  expect_panic(add_below_zero, NULL, "sync: negative WaitGroup counter");
}
END_TEST

/* Waiting */

struct work {
  gch_wg *wg;
  int plain;
  atomic_int released;
};

static void wait_and_count(void *arg) {
  struct work *w = arg;
  gch_wg_wait(w->wg);
  atomic_fetch_add(&w->released, 1);
}

START_TEST(wait_releases_nobody_before_the_count_is_zero) {
  gch_wg wg = GCH_WG_INIT;
  struct work w = {.wg = &wg};
  gch_wg_add(&wg, 2);
  test_thread *t = thread_start(wait_and_count, &w);
  gch_wg_done(&wg);
  for (int i = 0; i < 5; i++)
    gch_yield();
  ck_assert_int_eq(w.released, 0);
  gch_wg_done(&wg);
  thread_join(t);
  ck_assert_int_eq(w.released, 1);
}
END_TEST

START_TEST(all_who_wait_are_released) {
  enum { MANY = 8 };
  gch_wg wg = GCH_WG_INIT;
  struct work w = {.wg = &wg};
  test_thread *t[MANY];
  gch_wg_add(&wg, 1);
  for (int i = 0; i < MANY; i++)
    t[i] = thread_start(wait_and_count, &w);
  for (int i = 0; i < 5; i++)
    gch_yield();
  gch_wg_done(&wg);
  for (int i = 0; i < MANY; i++)
    thread_join(t[i]);
  ck_assert_int_eq(w.released, MANY);
}
END_TEST

static void work_and_done(void *arg) {
  struct work *w = arg;
  w->plain = 42;
  gch_wg_done(w->wg);
}

START_TEST(what_was_before_done_is_seen_after_wait) {
  enum { MANY = 4 };
  gch_wg wg = GCH_WG_INIT;
  struct work w[MANY];
  test_thread *t[MANY];
  gch_wg_add(&wg, MANY);
  for (int i = 0; i < MANY; i++) {
    w[i].wg = &wg;
    w[i].plain = 0;
    t[i] = thread_start(work_and_done, &w[i]);
  }
  gch_wg_wait(&wg);
  for (int i = 0; i < MANY; i++)
    ck_assert_int_eq(w[i].plain, 42);
  for (int i = 0; i < MANY; i++)
    thread_join(t[i]);
}
END_TEST

struct rounds {
  gch_wg wg;
  atomic_int sum;
};

static void add_one(void *arg) {
  struct rounds *r = arg;
  atomic_fetch_add(&r->sum, 1);
}

START_TEST(a_wait_group_may_be_used_again) {
  enum { ROUNDS = 8, WORKERS = 16 };
  struct rounds r = {.wg = GCH_WG_INIT};
  for (int round = 1; round <= ROUNDS; round++) {
    for (int i = 0; i < WORKERS; i++)
      ck_assert_int_eq(gch_wg_go(&r.wg, add_one, &r), 0);
    gch_wg_wait(&r.wg);
    ck_assert_int_eq(r.sum, round * WORKERS);
  }
  await_no_tasks();
}
END_TEST

/* wait_until */

START_TEST(wait_until_a_passed_deadline_only_looks) {
  gch_wg wg = GCH_WG_INIT;
  gch_wg_add(&wg, 1);
  ck_assert_int_eq(gch_wg_wait_until(&wg, 0), ETIMEDOUT);
  ck_assert_int_eq(gch_wg_wait_until(&wg, INT64_MIN), ETIMEDOUT);
  gch_wg_done(&wg);
  ck_assert_int_eq(gch_wg_wait_until(&wg, INT64_MIN), 0);
}
END_TEST

START_TEST(wait_until_times_out_not_before_its_deadline) {
  gch_wg wg = GCH_WG_INIT;
  int64_t deadline = gch_now() + 2 * MS;
  gch_wg_add(&wg, 1);
  ck_assert_int_eq(gch_wg_wait_until(&wg, deadline), ETIMEDOUT);
  ck_assert_int_ge(gch_now(), deadline);
  gch_wg_done(&wg);
}
END_TEST

START_TEST(wait_until_forever_ends_with_the_count) {
  gch_wg wg = GCH_WG_INIT;
  gch_wg_add(&wg, 1);
  test_thread *t = thread_start(done, &wg);
  ck_assert_int_eq(gch_wg_wait_until(&wg, GCH_FOREVER), 0);
  thread_join(t);
}
END_TEST

START_TEST(a_wait_that_timed_out_leaves_others_waiting) {
  gch_wg wg = GCH_WG_INIT;
  struct work w = {.wg = &wg};
  gch_wg_add(&wg, 1);
  test_thread *t = thread_start(wait_and_count, &w);
  for (int i = 0; i < 10; i++)
    gch_wg_wait_until(&wg, gch_now() + GCH_MICROSECOND);
  ck_assert_int_eq(w.released, 0);
  gch_wg_done(&wg);
  thread_join(t);
  ck_assert_int_eq(w.released, 1);
}
END_TEST

START_TEST(a_timeout_may_race_the_last_done) {
  for (int i = 0; i < scaled(200); i++) {
    gch_wg *wg = calloc(1, sizeof *wg);
    gch_wg_add(wg, 1);
    test_thread *t = thread_start(done, wg);
    int64_t deadline = gch_now() + i % 50 * GCH_MICROSECOND;
    if (gch_wg_wait_until(wg, deadline) == ETIMEDOUT)
      gch_wg_wait(wg);
    free(wg);
    thread_join(t);
  }
}
END_TEST

/* Memory */

START_TEST(the_memory_may_go_when_wait_returns) {
  for (int i = 0; i < scaled(300); i++) {
    gch_wg *wg = malloc(sizeof *wg);
    *wg = (gch_wg)GCH_WG_INIT;
    gch_wg_add(wg, 2);
    test_thread *a = thread_start(done, wg);
    test_thread *b = thread_start(done, wg);
    gch_wg_wait(wg);
    memset(wg, 0xff, sizeof *wg);
    free(wg);
    thread_join(a);
    thread_join(b);
  }
}
END_TEST

static void finish_all(void *arg) {
  gch_chan *wgs = arg;
  gch_wg *wg;
  while (gch_recv(wgs, &wg) == 0)
    gch_wg_done(wg);
}

START_TEST(the_memory_may_go_though_wait_came_late) {
  gch_chan *wgs = gch_make_of(gch_wg *, 0);
  test_thread *t = thread_start(finish_all, wgs);
  for (int i = 0; i < scaled(2000); i++) {
    gch_wg *wg = malloc(sizeof *wg);
    *wg = (gch_wg)GCH_WG_INIT;
    gch_wg_add(wg, 1);
    gch_send(wgs, &wg);
    gch_wg_wait(wg);
    memset(wg, 0xff, sizeof *wg);
    free(wg);
  }
  gch_close(wgs);
  thread_join(t);
  gch_unref(wgs);
}
END_TEST

static void wait_on(void *wg) {
  gch_wg_wait(wg);
}

/* Whether somebody waits: a look inside, since the group can't be asked. */
static bool has_waiters(gch_wg *wg) {
  return (__atomic_load_n(&wg->state, __ATOMIC_ACQUIRE) & 1) != 0;
}

START_TEST(a_late_wait_may_free_what_an_early_one_is_leaving) {
  for (int i = 0; i < scaled(100); i++) {
    gch_wg *wg = calloc(1, sizeof *wg);
    gch_wg_add(wg, 1);
    test_thread *early = thread_start(wait_on, wg);
    while (!has_waiters(wg))
      gch_sleep(10 * GCH_MICROSECOND);
    test_thread *last = thread_start(done, wg);
    while (!is_zero(wg))
      ;
    memset(wg, 0xff, sizeof *wg);
    free(wg);
    thread_join(last);
    thread_join(early);
  }
}
END_TEST

/* go */

START_TEST(go_adds_runs_and_is_done) {
  struct rounds r = {.wg = GCH_WG_INIT};
  for (int i = 0; i < 10; i++)
    ck_assert_int_eq(gch_wg_go(&r.wg, add_one, &r), 0);
  gch_wg_wait(&r.wg);
  ck_assert_int_eq(r.sum, 10);
  await_no_tasks();
}
END_TEST

struct held {
  gch_wg wg;
  gch_chan *c;
};

static void block(void *arg) {
  gch_recv(((struct held *)arg)->c, NULL);
}

START_TEST(go_counts_until_its_function_returns) {
  struct held h = {GCH_WG_INIT, gch_make(0, 0)};
  gch_wg_go(&h.wg, block, &h);
  ck_assert(!is_zero(&h.wg));
  gch_send(h.c, NULL);
  gch_wg_wait(&h.wg);
  await_no_tasks();
  gch_unref(h.c);
}
END_TEST

static void go_on(void *arg) {
  struct rounds *r = arg;
  if (atomic_fetch_add(&r->sum, 1) < 9)
    gch_wg_go(&r->wg, go_on, r);
}

START_TEST(what_runs_in_a_group_may_add_to_it) {
  struct rounds r = {.wg = GCH_WG_INIT};
  gch_wg_go(&r.wg, go_on, &r);
  gch_wg_wait(&r.wg);
  ck_assert_int_eq(r.sum, 10);
  await_no_tasks();
}
END_TEST

START_TEST(go_of_a_null_function_is_einval_and_leaves_the_count) {
  gch_wg wg = GCH_WG_INIT;
  ck_assert_int_eq(gch_wg_go(&wg, NULL, NULL), EINVAL);
  ck_assert(is_zero(&wg));
}
END_TEST

START_TEST(errno_is_left_alone) {
  struct rounds r = {.wg = GCH_WG_INIT};
  errno = ENOENT;
  gch_wg_go(&r.wg, add_one, &r);
  gch_wg_go(&r.wg, NULL, NULL);
  gch_wg_wait_until(&r.wg, 0);
  gch_wg_wait(&r.wg);
  ck_assert_int_eq(errno, ENOENT);
  await_no_tasks();
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("wg");
  TCase *t = test_case(s, "count");
  tcase_add_test(t, wait_at_zero_returns);
  tcase_add_test(t, zero_bytes_are_a_wait_group);
  tcase_add_test(t, the_count_is_the_sum_of_what_was_added);
  tcase_add_test(t, a_negative_count_is_a_panic);
  t = test_case(s, "wait");
  tcase_add_test(t, wait_releases_nobody_before_the_count_is_zero);
  tcase_add_test(t, all_who_wait_are_released);
  tcase_add_test(t, what_was_before_done_is_seen_after_wait);
  tcase_add_test(t, a_wait_group_may_be_used_again);
  t = test_case(s, "until");
  tcase_add_test(t, wait_until_a_passed_deadline_only_looks);
  tcase_add_test(t, wait_until_times_out_not_before_its_deadline);
  tcase_add_test(t, wait_until_forever_ends_with_the_count);
  tcase_add_test(t, a_wait_that_timed_out_leaves_others_waiting);
  tcase_add_test(t, a_timeout_may_race_the_last_done);
  t = test_case(s, "memory");
  tcase_add_test(t, the_memory_may_go_when_wait_returns);
  tcase_add_test(t, the_memory_may_go_though_wait_came_late);
  tcase_add_test(t, a_late_wait_may_free_what_an_early_one_is_leaving);
  t = test_case(s, "go");
  tcase_add_test(t, go_adds_runs_and_is_done);
  tcase_add_test(t, go_counts_until_its_function_returns);
  tcase_add_test(t, what_runs_in_a_group_may_add_to_it);
  tcase_add_test(t, go_of_a_null_function_is_einval_and_leaves_the_count);
  add_thread_test(t, errno_is_left_alone); /* by name */
  return s;
}
