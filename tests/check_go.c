/* SPDX-License-Identifier: BSD-3-Clause */
/* Tasks: how they start, what they are given, and what is known of them. */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "tasks.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* What a task sees of itself. */
struct report {
  int plain, seen;
  pthread_t thread;
  char name[16];
  size_t stack, tasks;
  gch_chan *end;
};

static size_t stack_size(void) {
  pthread_attr_t attr;
  void *addr;
  size_t size = 0;
  if (pthread_getattr_np(pthread_self(), &attr) != 0)
    return 0;
  pthread_attr_getstack(&attr, &addr, &size);
  pthread_attr_destroy(&attr);
  return size;
}

static void report(void *arg) {
  struct report *r = arg;
  r->seen = r->plain;
  r->thread = pthread_self();
  r->stack = stack_size();
  r->tasks = gch_num_tasks();
  pthread_getname_np(pthread_self(), r->name, sizeof r->name);
  gch_close(r->end);
}

static struct report run_with(const gch_go_opts *opts) {
  struct report r = {.plain = 42, .end = gch_make(0, 0)};
  ck_assert_int_eq(gch_go_with(opts, report, &r), 0);
  gch_recv(r.end, NULL);
  await_no_tasks();
  gch_unref(r.end);
  return r;
}

/* go */

START_TEST(go_runs_its_function_elsewhere) {
  struct report r = {.plain = 42, .end = gch_make(0, 0)};
  ck_assert_int_eq(gch_go(report, &r), 0);
  gch_recv(r.end, NULL);
  ck_assert_int_eq(r.seen, 42);
  ck_assert(!pthread_equal(r.thread, pthread_self()));
  await_no_tasks();
  gch_unref(r.end);
}
END_TEST

static void add_one(void *n) {
  atomic_fetch_add((atomic_int *)n, 1);
}

START_TEST(many_tasks_run_each_once) {
  atomic_int n = 0;
  int many = scaled(500);
  for (int i = 0; i < many; i++)
    ck_assert_int_eq(gch_go(add_one, &n), 0);
  await_no_tasks();
  ck_assert_int_eq(n, many);
}
END_TEST

START_TEST(a_null_function_is_einval) {
  int v = 0;
  ck_assert_int_eq(gch_go(NULL, NULL), EINVAL);
  ck_assert_int_eq(gch_go_copy(NULL, &v, sizeof v), EINVAL);
  ck_assert_int_eq(gch_go_with(NULL, NULL, NULL), EINVAL);
  ck_assert_int_eq(gch_run(NULL, NULL), EINVAL);
  ck_assert_uint_eq(gch_num_tasks(), 0);
}
END_TEST

static void go_null(void *arg) {
  gch_go(NULL, arg);
}

START_TEST(a_null_function_is_a_panic_in_strict_mode) {
  expect_panic_strict(go_null, NULL, "go of nil func value");
}
END_TEST

START_TEST(errno_is_left_alone) {
  atomic_int n = 0;
  errno = ENOENT;
  gch_go(add_one, &n);
  gch_go(NULL, NULL);
  gch_yield();
  gch_maxprocs(0);
  ck_assert_int_eq(errno, ENOENT);
  await_no_tasks();
}
END_TEST

/* go_copy */

struct copied {
  char text[100];
  gch_chan *checks; /* of bool: copied, aligned, on the task's stack */
};

static bool on_own_stack(const void *p) {
  uintptr_t a = (uintptr_t)p, b = (uintptr_t)__builtin_frame_address(0);
  return (a > b ? a - b : b - a) < stack_size();
}

static void check_copy(void *arg) {
  struct copied *c = arg;
  bool checks[3] = {strcmp(c->text, "as it was") == 0,
                    (uintptr_t)c % _Alignof(max_align_t) == 0, on_own_stack(c)};
  for (int i = 0; i < 3; i++)
    gch_send(c->checks, &checks[i]);
}

START_TEST(go_copy_gives_a_copy_on_the_tasks_own_stack) {
  struct copied c = {"as it was", gch_make_of(bool, 0)};
  gch_chan *checks = c.checks;
  ck_assert_int_eq(gch_go_copy(check_copy, &c, sizeof c), 0);
  memset(&c, 0, sizeof c);
  for (int i = 0; i < 3; i++) {
    bool ok = false;
    gch_recv(checks, &ok);
    ck_assert_msg(ok, "check %d", i);
  }
  await_no_tasks();
  gch_unref(checks);
}
END_TEST

enum { LARGE = 1000000 };

struct large {
  gch_chan *sum; /* of int */
  unsigned char bytes[LARGE];
};

static void sum_up(void *arg) {
  struct large *l = arg;
  int sum = 0;
  for (int i = 0; i < LARGE; i++)
    sum += l->bytes[i];
  gch_send(l->sum, &sum);
}

START_TEST(go_copy_takes_more_than_a_stack_usually_holds) {
  struct large *l = malloc(sizeof *l);
  gch_chan *c = gch_make_of(int, 0);
  int sum = 0;
  l->sum = c;
  memset(l->bytes, 1, sizeof l->bytes);
  ck_assert_int_eq(gch_go_copy(sum_up, l, sizeof *l), 0);
  free(l);
  gch_recv(c, &sum);
  ck_assert_int_eq(sum, LARGE);
  await_no_tasks();
  gch_unref(c);
}
END_TEST

static atomic_int starts;

static void count_start(void *arg) {
  (void)arg;
  atomic_fetch_add(&starts, 1);
}

START_TEST(go_copy_of_nothing_runs) {
  atomic_store(&starts, 0);
  ck_assert_int_eq(gch_go_copy(count_start, NULL, 0), 0);
  await_count(&starts, 1);
  await_no_tasks();
}
END_TEST

START_TEST(go_copy_of_null_is_einval) {
  ck_assert_int_eq(gch_go_copy(count_start, NULL, 1), EINVAL);
}
END_TEST

START_TEST(go_copy_of_too_much_is_enomem) {
  ck_assert_int_eq(gch_go_copy(count_start, "", SIZE_MAX), ENOMEM);
  ck_assert_int_eq(gch_go_copy(count_start, "", SIZE_MAX / 2), ENOMEM);
  ck_assert_uint_eq(gch_num_tasks(), 0);
}
END_TEST

/* go_with */

START_TEST(go_with_null_options_means_the_defaults) {
  ck_assert_int_eq(run_with(NULL).seen, 42);
}
END_TEST

START_TEST(a_thread_shows_its_name) {
  gch_go_opts opts = {.name = "walker", .thread = true};
  ck_assert_str_eq(run_with(&opts).name, "walker");
}
END_TEST

START_TEST(a_long_name_is_cut) {
  gch_go_opts opts = {.name = "a name of more than fifteen bytes",
                      .thread = true};
  ck_assert_str_eq(run_with(&opts).name, "a name of more ");
}
END_TEST

START_TEST(the_name_is_copied) {
  char name[] = "walker";
  gch_go_opts opts = {.name = name, .thread = true};
  struct report r = {.plain = 42, .end = gch_make(0, 0)};
  gch_go_with(&opts, report, &r);
  memset(name, 'x', sizeof name - 1);
  opts.name = NULL;
  gch_recv(r.end, NULL);
  ck_assert_str_eq(r.name, "walker");
  await_no_tasks();
  gch_unref(r.end);
}
END_TEST

START_TEST(a_threads_stack_has_the_size_asked_for) {
  gch_go_opts opts = {.stack_size = 3 << 20, .thread = true};
  ck_assert_uint_ge(run_with(&opts).stack, 3 << 20);
}
END_TEST

START_TEST(a_stack_size_too_small_is_rounded_up) {
  gch_go_opts opts = {.stack_size = 1};
  ck_assert_int_eq(run_with(&opts).seen, 42);
}
END_TEST

START_TEST(a_stack_size_that_cannot_be_is_enomem) {
  gch_go_opts opts = {.stack_size = SIZE_MAX};
  ck_assert_int_eq(gch_go_with(&opts, count_start, NULL), ENOMEM);
  opts.stack_size = SIZE_MAX / 2;
  ck_assert_int_eq(gch_go_with(&opts, count_start, NULL), ENOMEM);
  ck_assert_uint_eq(gch_num_tasks(), 0);
}
END_TEST

START_TEST(go_with_thread_gives_a_thread_of_its_own) {
  gch_go_opts opts = {.thread = true};
  ck_assert(!pthread_equal(run_with(&opts).thread, pthread_self()));
}
END_TEST

/* run */

struct main_task {
  atomic_int left;
  gch_chan *c;
};

static void stay(void *arg) {
  struct main_task *m = arg;
  gch_recv(m->c, NULL);
  atomic_fetch_add(&m->left, 1);
}

static int leave_one(void *arg) {
  struct main_task *m = arg;
  gch_go(stay, m);
  return 42;
}

START_TEST(run_gives_the_result_and_tasks_go_on) {
  struct main_task m = {0, gch_make(0, 0)};
  ck_assert_int_eq(gch_run(leave_one, &m), 42);
  await_waiting(m.c, 0, 1);
  ck_assert_int_eq(m.left, 0);
  gch_send(m.c, NULL);
  await_count(&m.left, 1);
  await_no_tasks();
  gch_unref(m.c);
}
END_TEST

/* yield, num_tasks */

START_TEST(yield_returns) {
  for (int i = 0; i < 5; i++)
    gch_yield();
}
END_TEST

static void receive(void *c) {
  gch_recv(c, NULL);
}

START_TEST(num_tasks_counts_tasks_not_threads) {
  gch_chan *c = gch_make(0, 0);
  ck_assert_uint_eq(gch_num_tasks(), 0);
  test_thread *t = thread_start(receive, c);
  gch_go(receive, c);
  gch_go(receive, c);
  ck_assert_uint_eq(gch_num_tasks(), 2);
  await_waiting(c, 0, 3);
  gch_close(c);
  thread_join(t);
  await_no_tasks();
  gch_unref(c);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("go");
  TCase *t = test_case(s, "go");
  tcase_add_test(t, go_runs_its_function_elsewhere);
  tcase_add_test(t, many_tasks_run_each_once);
  tcase_add_test(t, a_null_function_is_einval);
  tcase_add_test(t, a_null_function_is_a_panic_in_strict_mode);
  tcase_add_test(t, errno_is_left_alone);
  tcase_add_test(t, yield_returns);
  tcase_add_test(t, num_tasks_counts_tasks_not_threads);
  tcase_add_test(t, run_gives_the_result_and_tasks_go_on);
  t = test_case(s, "copy");
  tcase_add_test(t, go_copy_gives_a_copy_on_the_tasks_own_stack);
  tcase_add_test(t, go_copy_takes_more_than_a_stack_usually_holds);
  tcase_add_test(t, go_copy_of_nothing_runs);
  tcase_add_test(t, go_copy_of_null_is_einval);
  tcase_add_test(t, go_copy_of_too_much_is_enomem);
  t = test_case(s, "with");
  tcase_add_test(t, go_with_null_options_means_the_defaults);
  tcase_add_test(t, a_thread_shows_its_name);
  tcase_add_test(t, a_long_name_is_cut);
  tcase_add_test(t, the_name_is_copied);
  tcase_add_test(t, a_threads_stack_has_the_size_asked_for);
  tcase_add_test(t, a_stack_size_too_small_is_rounded_up);
  tcase_add_test(t, a_stack_size_that_cannot_be_is_enomem);
  tcase_add_test(t, go_with_thread_gives_a_thread_of_its_own);
  return s;
}
