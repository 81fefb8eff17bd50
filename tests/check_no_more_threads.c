/* SPDX-License-Identifier: BSD-3-Clause */
/* Tasks wait, and no more threads can be started: this program's pthread_create
   fails when it has made so many. What takes some ten seconds by the library's
   own limit is started ahead. */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "ahead.h"
#include "ends.h"
#include "tasks.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <time.h>

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

/* Uses a quarter of a processor, where an eighth counts as computing: waits
   when it has had more than that since start. */
static void compute_some(int64_t start) {
  struct timespec used, pause = {0, 10 * GCH_MILLISECOND};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  if (used.tv_sec * GCH_SECOND + used.tv_nsec > (gch_now() - start) / 4)
    nanosleep(&pause, NULL);
}

static void *be_busy(void *unused) {
  for (int64_t start = gch_now();;)
    compute_some(start);
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

struct standstill {
  struct ending e;
  int64_t took;
};

static void see_standstill(void *busy, void *ending) {
  struct standstill *s = ending;
  int64_t start = gch_now();
  s->e = ending_of(wait_for_ever, busy);
  s->took = gch_now() - start;
}

/* Whether a thread is busy meanwhile. */
static int standstills[2];

START_TEST(a_standstill_ends_the_program_within_ten_seconds_and_says_why) {
  static struct standstill s;
  read_ahead(standstills[_i], &s, sizeof s);
  ck_assert_msg(WIFEXITED(s.e.status) && WEXITSTATUS(s.e.status) == 2,
                "%#x: %s", (unsigned)s.e.status, s.e.text);
  ck_assert_ptr_nonnull(strstr(
      s.e.text, "fatal error: tasks wait, and no thread can be started"));
  ck_assert_ptr_nonnull(strstr(s.e.text, "ulimit -u"));
  ck_assert_ptr_nonnull(strstr(s.e.text, "pids.max"));
  ck_assert_int_ge(s.took, 9 * GCH_SECOND);
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
  int64_t start = gch_now();
  atomic_fetch_add(&computing, 1);
  while (gch_now() < *(int64_t *)end)
    compute_some(start);
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

static void see_computing(void *unused, void *ending) {
  *(struct ending *)ending = ending_of(compute_for_long, unused);
}

static int computing_long;

START_TEST(a_task_that_computes_for_longer_is_let_alone) {
  static struct ending e;
  read_ahead(computing_long, &e, sizeof e);
  ck_assert_msg(WIFEXITED(e.status) && WEXITSTATUS(e.status) == 0, "%#x: %s",
                (unsigned)e.status, e.text);
}
END_TEST

/* Beside a process that computes, on its processor, and is more important. */
static int compute_starved(void *arg) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET((size_t)sched_getcpu(), &one);
  if (sched_setaffinity(0, sizeof one, &one) != 0)
    return 1;
  pid_t other = fork();
  if (other == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (volatile int i = 0;;)
      i = !i;
  }
  setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + 10);
  int end = compute_for_long(arg);
  kill(other, SIGKILL);
  return end;
}

static void see_starved(void *unused, void *ending) {
  *(struct ending *)ending = ending_of(compute_starved, unused);
}

static int starved;

/* That costs a processor meanwhile. */
static bool may_take_long(void) {
  return scaled(10) >= 10;
}

START_TEST(a_task_that_gets_little_of_a_processor_is_let_alone) {
  static struct ending e;
  read_ahead(starved, &e, sizeof e);
  ck_assert_msg(WIFEXITED(e.status) && WEXITSTATUS(e.status) == 0, "%#x: %s",
                (unsigned)e.status, e.text);
}
END_TEST

static void start_all_ahead(void) {
  static int busy;
  standstills[0] = start_ahead(see_standstill, NULL, sizeof(struct standstill));
  standstills[1] =
      start_ahead(see_standstill, &busy, sizeof(struct standstill));
  computing_long = start_ahead(see_computing, NULL, sizeof(struct ending));
  if (may_take_long())
    starved = start_ahead(see_starved, NULL, sizeof(struct ending));
}

Suite *test_suite(void) {
  start_all_ahead();
  Suite *s = suite_create("no_more_threads");
  TCase *t = test_case(s, "no_more_threads");
  tcase_add_test(t, they_go_on_when_a_thread_can_be_started_again);
  tcase_add_test(t, they_go_on_when_one_of_the_threads_comes_back);
  tcase_add_loop_test(
      t, a_standstill_ends_the_program_within_ten_seconds_and_says_why, 0, 2);
  tcase_add_test(t, a_task_that_computes_for_longer_is_let_alone);
  if (may_take_long())
    tcase_add_test(t, a_task_that_gets_little_of_a_processor_is_let_alone);
  return s;
}
