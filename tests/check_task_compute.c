/* SPDX-License-Identifier: BSD-3-Clause */
/* A task may compute for long: it keeps its thread, and the others go on. */
#define TEST_AS_IS
#include "crowd.h"

#include <pthread.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

/* Two that only compute */

struct together {
  atomic_int turns, threads_differ;
  pthread_t threads[2];
};

/* Each turn needs the other at once: nobody calls the library. */
static void take_turns(struct together *t, int id) {
  enum { TURNS = 10 };
  t->threads[id] = pthread_self();
  for (int i = id; i < TURNS; i += 2) {
    await_count(&t->turns, i);
    atomic_fetch_add(&t->turns, 1);
  }
  await_count(&t->turns, TURNS);
  if (!pthread_equal(t->threads[0], t->threads[1]))
    atomic_fetch_add(&t->threads_differ, 1);
}

static void compute_first(void *t) {
  take_turns(t, 0);
}

static void compute_second(void *t) {
  take_turns(t, 1);
}

static void expect_together(int procs) {
  struct together t = {0};
  gch_maxprocs(procs);
  ck_assert_int_eq(gch_go(compute_first, &t), 0);
  ck_assert_int_eq(gch_go(compute_second, &t), 0);
  await_no_tasks();
  ck_assert_int_eq(t.threads_differ, 2);
}

START_TEST(two_tasks_that_only_compute_use_two_threads_at_once) {
  expect_together(2);
}
END_TEST

START_TEST(a_task_that_computes_does_not_keep_another_out_for_good) {
  expect_together(1);
}
END_TEST

/* Slices, nanoseconds; 0: the kernel tells nothing (before Linux 6.12). */

#if defined(__linux__) && defined(SYS_sched_getattr)
static uint64_t my_slice(void) {
  struct {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
  } a = {.size = sizeof a};
  return syscall(SYS_sched_getattr, 0, &a, sizeof a, 0) == 0 ? a.runtime : 0;
}
#else
static uint64_t my_slice(void) {
  return 0;
}
#endif

/* Until the slices of its thread are others; or, where they never are, for a
   while. Then it parks, and so its worker comes back. */
static void compute_until_slow(void *arg) {
  uint64_t *slices = arg;
  int64_t end = gch_now() + GCH_SECOND;
  slices[0] = my_slice();
  while (my_slice() == slices[0] && gch_now() < end)
    continue;
  slices[1] = my_slice();
  gch_sleep(GCH_MILLISECOND);
  slices[2] = my_slice();
}

START_TEST(long_slices_are_for_as_long_as_a_task_computes) {
  uint64_t slices[3] = {0};
  gch_maxprocs(1);
  gch_go(compute_until_slow, slices);
  await_no_tasks();
  ck_assert_uint_ge(slices[1], slices[0]);
  ck_assert_uint_eq(slices[2], slices[0]);
}
END_TEST

/* What a task makes ready before it goes off to compute */

static atomic_int others;

static void count_other(void *arg) {
  (void)arg;
  atomic_fetch_add(&others, 1);
}

static void start_others_and_compute(void *arg) {
  (void)arg;
  for (int i = 0; i < 10; i++)
    gch_go(count_other, NULL);
  await_count(&others, 10);
}

START_TEST(tasks_started_by_one_that_then_computes_run_elsewhere) {
  for (int procs = 1; procs <= 2; procs++) {
    gch_maxprocs(procs);
    atomic_store(&others, 0);
    ck_assert_int_eq(gch_go(start_others_and_compute, NULL), 0);
    await_no_tasks();
  }
}
END_TEST

static void receive_and_count(void *c) {
  gch_recv(c, NULL);
  atomic_fetch_add(&others, 1);
}

static void wake_and_compute(void *c) {
  gch_send(c, NULL);
  await_count(&others, 1);
}

START_TEST(a_task_woken_by_one_that_then_computes_runs_elsewhere) {
  gch_chan *c = gch_make(0, 0);
  for (int procs = 1; procs <= 2; procs++) {
    gch_maxprocs(procs);
    atomic_store(&others, 0);
    gch_go(receive_and_count, c);
    await_waiting(c, 0, 1);
    gch_go(wake_and_compute, c);
    await_no_tasks();
  }
  gch_unref(c);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("task_compute");
  TCase *t = test_case(s, "computing");
  tcase_add_test(t, two_tasks_that_only_compute_use_two_threads_at_once);
  tcase_add_test(t, a_task_that_computes_does_not_keep_another_out_for_good);
  tcase_add_test(t, long_slices_are_for_as_long_as_a_task_computes);
  tcase_add_test(t, tasks_started_by_one_that_then_computes_run_elsewhere);
  tcase_add_test(t, a_task_woken_by_one_that_then_computes_runs_elsewhere);
  return s;
}
