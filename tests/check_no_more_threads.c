/* SPDX-License-Identifier: BSD-3-Clause */
/* Tasks wait, and no more threads can be started: this program's pthread_create
   fails when it has made so many. */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "ends.h"
#include "tasks.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>

static atomic_int left = 1000; /* threads that may be made */

typedef int create_fn(pthread_t *, const pthread_attr_t *, void *(*)(void *),
                      void *);

/* The sanitizers', where they are linked into the program itself. */
__attribute__((weak)) create_fn __interceptor_pthread_create;

int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                   void *(*start)(void *), void *arg) {
  if (atomic_fetch_sub(&left, 1) <= 0)
    return EAGAIN;
  create_fn *next = __interceptor_pthread_create;
  if (!next) {
    void *found = dlsym(RTLD_NEXT, "pthread_create");
    memcpy(&next, &found, sizeof next);
  }
  return next(thread, attr, start, arg);
}

enum { READERS = 6 };
static int fds[2];
static atomic_int reading, written;

static void read_one(void *arg) {
  char c;
  (void)arg;
  atomic_fetch_add(&reading, 1);
  if (read(fds[0], &c, 1) != 1)
    abort();
}

static void write_all(void *arg) {
  (void)arg;
  atomic_fetch_add(&written, 1);
  for (int i = 0; i < READERS; i++)
    if (write(fds[1], "x", 1) != 1)
      abort();
}

/* Readers that keep all the workers that there can be and, last, who is to
   write. One thread is the library's own. */
static void start_all(int workers) {
  if (pipe(fds) != 0)
    abort();
  atomic_store(&left, 1 + workers);
  gch_maxprocs(2);
  for (int i = 0; i < READERS; i++)
    gch_go(read_one, NULL);
  await_count(&reading, workers);
  gch_go(write_all, NULL);
}

static void *be_busy(void *unused) {
  for (;;)
    atomic_load(&written);
  return unused;
}

static int wait_for_ever(void *busy) {
  pthread_t thread;
  if (busy && pthread_create(&thread, NULL, be_busy, NULL) != 0)
    return 1;
  start_all(3);
  gch_recv(NULL, NULL);
  return 0;
}

START_TEST(a_standstill_ends_the_program_within_ten_seconds_and_says_why) {
  int64_t start = gch_now();
  struct ending e = ending_of(wait_for_ever, _i ? &_i : NULL);
  int64_t took = gch_now() - start;
  ck_assert_msg(WIFEXITED(e.status) && WEXITSTATUS(e.status) == 2, "%#x: %s",
                (unsigned)e.status, e.text);
  ck_assert_ptr_nonnull(strstr(
      e.text, "fatal error: tasks wait, and no thread can be started"));
  ck_assert_ptr_nonnull(strstr(e.text, "ulimit -u"));
  ck_assert_ptr_nonnull(strstr(e.text, "pids.max"));
  ck_assert_int_ge(took, 9 * GCH_SECOND);
}
END_TEST

/* Three seconds pass in which nothing moves. */
START_TEST(they_go_on_when_a_thread_can_be_started_again) {
  start_all(3);
  gch_sleep(3 * GCH_SECOND);
  ck_assert_int_eq(written, 0);
  atomic_store(&left, 100);
  await_count(&written, 1);
  await_no_tasks();
}
END_TEST

START_TEST(they_go_on_when_one_of_the_threads_comes_back) {
  start_all(3);
  gch_sleep(GCH_SECOND / 10);
  ck_assert_int_eq(written, 0);
  ck_assert_int_eq(write(fds[1], "xxxx", 4), 4); /* two readers are left */
  await_count(&written, 1);
  await_no_tasks();
}
END_TEST

static atomic_int computing;

static void compute(void *end) {
  atomic_fetch_add(&computing, 1);
  while (gch_now() < *(int64_t *)end)
    continue;
}

static void count(void *counter) {
  atomic_fetch_add((atomic_int *)counter, 1);
}

static int compute_for_long(void *arg) {
  static atomic_int counted;
  static int64_t end;
  (void)arg;
  end = gch_now() + 12 * GCH_SECOND;
  atomic_store(&left, 2);
  gch_maxprocs(1);
  gch_go(compute, &end);
  await_count(&computing, 1);
  gch_go(count, &counted);
  await_count(&counted, 1);
  return gch_now() >= end ? 0 : 1; /* there was no other worker */
}

START_TEST(a_task_that_computes_for_longer_is_let_alone) {
  expect_exit(compute_for_long, NULL, 0);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("no_more_threads");
  TCase *t = test_case(s, "no_more_threads");
  tcase_add_test(t, they_go_on_when_a_thread_can_be_started_again);
  tcase_add_test(t, they_go_on_when_one_of_the_threads_comes_back);
  tcase_add_loop_test(
      t, a_standstill_ends_the_program_within_ten_seconds_and_says_why, 0, 2);
  tcase_add_test(t, a_task_that_computes_for_longer_is_let_alone);
  return s;
}
