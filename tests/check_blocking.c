/* SPDX-License-Identifier: BSD-3-Clause */
/* gch_blocking: a call during which the worker's other tasks go on at once. */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "crowd.h"
#include "fork_life.h"

#include <pthread.h>
#include <semaphore.h>

static void add_one(void *n) {
  atomic_fetch_add((atomic_int *)n, 1);
}

static int block_in_null(void *arg) {
  return gch_blocking(NULL, arg);
}

START_TEST(a_null_function_is_einval) {
  ck_assert_int_eq(gch_blocking(NULL, NULL), EINVAL);
  ck_assert_int_eq(gch_run(block_in_null, NULL), EINVAL);
}
END_TEST

START_TEST(a_plain_thread_just_calls_it) {
  atomic_int n = 0;
  ck_assert_int_eq(gch_blocking(add_one, &n), 0);
  ck_assert_int_eq(n, 1);
}
END_TEST

struct seen {
  pthread_t outside, inside;
};

static void note_thread(void *arg) {
  ((struct seen *)arg)->inside = pthread_self();
}

static int note_both_threads(void *arg) {
  struct seen *s = arg;
  s->outside = pthread_self();
  return gch_blocking(note_thread, s);
}

START_TEST(it_is_called_here) {
  struct seen s;
  ck_assert_int_eq(gch_run(note_both_threads, &s), 0);
  ck_assert(pthread_equal(s.outside, s.inside));
}
END_TEST

static void set_errno(void *unused) {
  (void)unused;
  errno = ENOTTY;
}

__attribute__((noinline)) static int errno_now(void) {
  return errno;
}

static int errno_of_fn(void *arg) {
  errno = 0;
  gch_blocking(set_errno, arg);
  return errno_now();
}

START_TEST(errno_is_what_the_function_leaves) {
  ck_assert_int_eq(gch_run(errno_of_fn, NULL), ENOTTY);
}
END_TEST

/* Others go on */

static void post(void *sem) {
  sem_post(sem);
}

static void await_post(void *sem) {
  while (sem_wait(sem) != 0)
    continue;
}

enum { ROUNDS = 40 };

/* The other task waits in this one's worker's queue, and there is no other
   proc. */
static int wait_for_others(void *arg) {
  sem_t sem;
  (void)arg;
  sem_init(&sem, 0, 0);
  for (int i = 0; i < ROUNDS; i++) {
    gch_yield(); /* whoever goes on has a proc */
    gch_go(post, &sem);
    gch_blocking(await_post, &sem);
  }
  sem_destroy(&sem);
  return 0;
}

/* The monitor would need 2 ms or more a round. Once in many times a busy
   machine lets it be as fast as it is. */
START_TEST(others_go_on_without_the_monitor) {
  int64_t best = GCH_HOUR;
  gch_maxprocs(1);
  for (int i = 0; i < 20 && best > ROUNDS * MS; i++) {
    int64_t start = gch_now();
    gch_run(wait_for_others, NULL);
    best = gch_now() - start < best ? gch_now() - start : best;
  }
  ck_assert_int_lt(best, ROUNDS * MS);
}
END_TEST

static void block_often(void *n) {
  for (int i = 0; i < 200; i++) {
    gch_blocking(add_one, n);
    if (i % 16 == 0)
      gch_yield();
  }
}

START_TEST(many_tasks_may_be_in_it_at_once) {
  atomic_int n = 0;
  int many = scaled(50);
  gch_wg wg = GCH_WG_INIT;
  for (int i = 0; i < many; i++)
    gch_wg_go(&wg, block_often, &n);
  pairs_run(20, 50);
  gch_wg_wait(&wg);
  ck_assert_int_eq(n, many * 200);
  await_no_tasks();
}
END_TEST

/* What the function may do */

static void use_gulch(void *arg) {
  gch_sleep(MS);
  pairs_run(5, 20);
  gch_yield();
  gch_blocking(add_one, arg);
}

static void block_in_gulch(void *n) {
  gch_blocking(use_gulch, n);
  gch_sleep(MS);
  pairs_run(5, 20);
}

START_TEST(the_function_may_block_in_gulch_and_be_nested) {
  atomic_int n = 0;
  gch_wg wg = GCH_WG_INIT;
  for (int procs = 1; procs <= 2; procs++) {
    gch_maxprocs(procs);
    for (int i = 0; i < 10; i++)
      gch_wg_go(&wg, block_in_gulch, &n);
    gch_wg_wait(&wg);
  }
  ck_assert_int_eq(n, 20);
  await_no_tasks();
}
END_TEST

static void end_thread(void *n) {
  add_one(n);
  pthread_exit(NULL);
}

static void block_in_pthread_exit(void *n) {
  gch_blocking(end_thread, n);
}

START_TEST(the_function_may_end_its_thread) {
  atomic_int n = 0;
  for (int i = 0; i < 20; i++)
    gch_go(block_in_pthread_exit, &n);
  await_no_tasks();
  ck_assert_int_eq(n, 20);
  pairs_run(10, 20);
}
END_TEST

static void fork_here(void *pid) {
  *(pid_t *)pid = fork_with_parent();
}

static int fork_in_blocking(void *arg) {
  pid_t pid = -1;
  (void)arg;
  gch_blocking(fork_here, &pid);
  if (pid == 0) {
    gch_sleep(MS);
    pairs_run(5, 20);
    while (gch_num_tasks() > 1) /* a task that is done is a task for a moment */
      gch_sleep(MS);
    _exit(gch_num_tasks() == 1 ? OK : WRONG);
  }
  return status_of(pid);
}

START_TEST(the_function_may_fork) {
  for (int i = 0; i < 5; i++)
    ck_assert_int_eq(gch_run(fork_in_blocking, NULL), OK);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = fork_suite("blocking");
  TCase *t = test_case(s, "call");
  tcase_add_test(t, a_null_function_is_einval);
  tcase_add_test(t, a_plain_thread_just_calls_it);
  tcase_add_test(t, it_is_called_here);
  tcase_add_test(t, errno_is_what_the_function_leaves);
  TCase *others = test_case(s, "others");
  tcase_add_test(others, others_go_on_without_the_monitor);
  tcase_add_test(others, many_tasks_may_be_in_it_at_once);
  TCase *may = test_case(s, "may");
  tcase_add_test(may, the_function_may_block_in_gulch_and_be_nested);
  if (!THREAD_SANITIZED) {
    tcase_add_test(may, the_function_may_end_its_thread);
    tcase_add_test(may, the_function_may_fork);
  }
  return s;
}
