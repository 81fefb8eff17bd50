/* SPDX-License-Identifier: BSD-3-Clause */
/* Tasks beside each other: errno, time, processors. */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "crowd.h"

#include <sys/resource.h>
#include <time.h>

#define MS GCH_MILLISECOND

/* errno: in functions of their own, since compilers remember its address. */

__attribute__((noinline)) static void set_errno(int err) {
  __asm__ volatile("" ::: "memory");
  errno = err;
}

__attribute__((noinline)) static int get_errno(void) {
  __asm__ volatile("" ::: "memory");
  return errno;
}

struct keeper {
  gch_chan *c;
  int err;
};

static void keep_errno(void *arg) {
  struct keeper *k = arg;
  set_errno(k->err);
  for (int i = 0; i < 200; i++) {
    if (k->err % 2)
      gch_send(k->c, NULL);
    else
      gch_recv(k->c, NULL);
    ck_assert_int_eq(get_errno(), k->err);
    gch_yield();
    ck_assert_int_eq(get_errno(), k->err);
    gch_recv_until(NULL, NULL, gch_now() + 1000);
    ck_assert_int_eq(get_errno(), k->err);
  }
}

START_TEST(each_task_keeps_its_errno) {
  enum { TASKS = 8 };
  gch_chan *c = gch_make(0, 0);
  struct keeper k[TASKS];
  for (int i = 0; i < TASKS; i++) {
    k[i] = (struct keeper){c, 100 + i};
    ck_assert_int_eq(gch_go(keep_errno, &k[i]), 0);
  }
  await_no_tasks();
  gch_unref(c);
}
END_TEST

static void leave_errno(void *err) {
  *(int *)err = get_errno();
  set_errno(ENOENT);
}

START_TEST(a_task_begins_with_errno_zero) {
  for (int i = 0; i < 20; i++) {
    int err = -1;
    gch_go(leave_errno, &err);
    await_no_tasks();
    ck_assert_int_eq(err, 0);
  }
}
END_TEST

/* Time */

static int sleep_in_task(void *arg) {
  (void)arg;
  int64_t before = gch_now();
  gch_sleep(2 * MS);
  ck_assert_int_ge(gch_now() - before, 2 * MS);
  return 0;
}

START_TEST(a_task_sleeps_no_less_than_asked) {
  gch_run(sleep_in_task, NULL);
}
END_TEST

static void sleep_long(void *asleep) {
  atomic_fetch_add((atomic_int *)asleep, 1);
  gch_sleep(50 * MS);
}

START_TEST(a_thousand_tasks_sleep_on_a_few_threads) {
  atomic_int asleep = 0;
  int many = scaled(1000);
  for (int i = 0; i < many; i++)
    ck_assert_int_eq(gch_go(sleep_long, &asleep), 0);
  await_count(&asleep, many);
  ck_assert_int_lt(thread_count(), 50);
  await_no_tasks();
}
END_TEST

/* Each form with a deadline: what it says, and never before its time. */
static int let_deadlines_pass(void *arg) {
  (void)arg;
  gch_chan *full = gch_make(0, 0);
  gch_wg wg = GCH_WG_INIT;
  int64_t at = gch_now() + 2 * MS;
  gch_wg_add(&wg, 1);
  ck_assert_int_eq(gch_recv_until(full, NULL, at), ETIMEDOUT);
  ck_assert_int_ge(gch_now(), at);
  ck_assert_int_eq(gch_send_until(full, NULL, at += 2 * MS), ETIMEDOUT);
  ck_assert_int_ge(gch_now(), at);
  ck_assert_int_eq(gch_wg_wait_until(&wg, at += 2 * MS), ETIMEDOUT);
  ck_assert_int_ge(gch_now(), at);
  ck_assert_int_eq(gch_select(GCH_RECV(full, NULL), GCH_UNTIL(at += 2 * MS)),
                   1);
  ck_assert_int_ge(gch_now(), at);
  gch_wg_done(&wg);
  gch_unref(full);
  return 0;
}

START_TEST(deadlines_pass_in_a_task) {
  gch_run(let_deadlines_pass, NULL);
}
END_TEST

static void receive_in_time(void *arg) {
  gch_chan *c = arg;
  int v = 0;
  ck_assert_int_eq(gch_recv_until(c, &v, gch_now() + GCH_HOUR), 0);
  ck_assert_int_eq(v, 42);
  ck_assert_int_eq(gch_select(GCH_RECV(c, &v), GCH_UNTIL(gch_now() + GCH_HOUR)),
                   0);
  ck_assert_int_eq(v, 43);
}

START_TEST(what_comes_before_a_deadline_wakes_a_task) {
  gch_chan *c = gch_make_of(int, 0);
  gch_go(receive_in_time, c);
  for (int v = 42; v <= 43; v++) {
    await_waiting(c, 0, 1);
    gch_send(c, &v);
  }
  await_no_tasks();
  gch_unref(c);
}
END_TEST

static void sleep_until_cancelled(void *arg) {
  ck_assert_int_eq(gch_sleep_ctx(arg, GCH_HOUR), ECANCELED);
}

START_TEST(a_cancel_ends_the_sleep_of_tasks) {
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  for (int i = 0; i < 10; i++)
    gch_go(sleep_until_cancelled, ctx);
  await_waiting(gch_ctx_done(ctx), 0, 10);
  gch_ctx_cancel(ctx);
  await_no_tasks();
  gch_ctx_unref(ctx);
}
END_TEST

/* Processors */

START_TEST(maxprocs_may_change_while_tasks_run) {
  atomic_bool over = false;
  gch_wg wg = GCH_WG_INIT;
  struct pair *pairs[10];
  for (int i = 0; i < 10; i++)
    pairs[i] = pair_start(&wg, 0, &over);
  for (int i = 0; i < scaled(200); i++)
    gch_maxprocs(i % 7 + 1);
  gch_maxprocs(1);
  atomic_store(&over, true);
  gch_wg_wait(&wg);
  for (int i = 0; i < 10; i++)
    pair_free(pairs[i]);
  await_no_tasks();
}
END_TEST

static void change_maxprocs(void *arg) {
  (void)arg;
  for (int i = 0; i < 50; i++) {
    gch_maxprocs(i % 4 + 1);
    gch_yield();
  }
}

START_TEST(tasks_may_change_maxprocs) {
  for (int i = 0; i < 10; i++)
    gch_go(change_maxprocs, NULL);
  pairs_run(10, 50);
  await_no_tasks();
}
END_TEST

/* Counting */

static void receive(void *c) {
  gch_recv(c, NULL);
}

START_TEST(num_tasks_counts_those_that_are_parked) {
  gch_chan *c = gch_make(0, 0);
  size_t many = (size_t)scaled(1000);
  for (size_t i = 0; i < many; i++)
    gch_go(receive, c);
  ck_assert_uint_eq(gch_num_tasks(), many);
  await_waiting(c, 0, many);
  ck_assert_uint_eq(gch_num_tasks(), many);
  gch_close(c);
  await_no_tasks();
  gch_unref(c);
}
END_TEST

static int ask_num_tasks(void *arg) {
  (void)arg;
  return (int)gch_num_tasks();
}

START_TEST(num_tasks_counts_the_one_that_asks) {
  ck_assert_int_eq(gch_run(ask_num_tasks, NULL), 1);
  await_no_tasks();
}
END_TEST

static int run_another(void *arg) {
  (void)arg;
  return gch_run(ask_num_tasks, NULL) + 40;
}

START_TEST(run_may_be_called_in_a_task) {
  ck_assert_int_eq(gch_run(run_another, NULL), 42);
  await_no_tasks();
}
END_TEST

/* Idleness */

static int64_t cpu_time(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * GCH_SECOND + t.tv_nsec;
}

static long switches(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return u.ru_nvcsw;
}

START_TEST(while_all_tasks_are_parked_no_thread_runs) {
  gch_chan *c = gch_make(0, 0);
  for (int i = 0; i < 100; i++)
    gch_go(receive, c);
  await_waiting(c, 0, 100);
  gch_sleep(300 * MS); /* workers and monitor see that there is nothing */
  int64_t cpu = cpu_time();
  long before = switches();
  gch_sleep(500 * MS);
  ck_assert_int_lt(switches() - before, 50);
  ck_assert_int_lt(cpu_time() - cpu, 100 * MS);
  gch_close(c);
  await_no_tasks();
  gch_unref(c);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("task");
  TCase *t = test_case(s, "errno");
  tcase_add_test(t, each_task_keeps_its_errno);
  tcase_add_test(t, a_task_begins_with_errno_zero);
  t = test_case(s, "time");
  tcase_add_test(t, a_task_sleeps_no_less_than_asked);
  tcase_add_test(t, a_thousand_tasks_sleep_on_a_few_threads);
  tcase_add_test(t, deadlines_pass_in_a_task);
  tcase_add_test(t, what_comes_before_a_deadline_wakes_a_task);
  tcase_add_test(t, a_cancel_ends_the_sleep_of_tasks);
  t = test_case(s, "processors");
  tcase_add_test(t, maxprocs_may_change_while_tasks_run);
  tcase_add_test(t, tasks_may_change_maxprocs);
  tcase_add_test(t, num_tasks_counts_those_that_are_parked);
  tcase_add_test(t, num_tasks_counts_the_one_that_asks);
  tcase_add_test(t, run_may_be_called_in_a_task);
  if (!THREAD_SANITIZED)
    tcase_add_test(t, while_all_tasks_are_parked_no_thread_runs);
  return s;
}
