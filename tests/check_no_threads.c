/* SPDX-License-Identifier: BSD-3-Clause */
/* What happens when no thread can be started: this program's pthread_create
   fails while no_threads is set. What is started fails with ENOMEM, the counts
   as they were; what was registered before still runs. */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "ctx_facts.h"
#include "tasks.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static atomic_bool no_threads;

typedef int create_fn(pthread_t *, const pthread_attr_t *, void *(*)(void *),
                      void *);

/* The sanitizers', where they are linked into the program itself. */
__attribute__((weak)) create_fn __interceptor_pthread_create;

int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                   void *(*start)(void *), void *arg) {
  if (atomic_load(&no_threads))
    return EAGAIN;
  create_fn *next = __interceptor_pthread_create;
  if (!next) {
    void *found = dlsym(RTLD_NEXT, "pthread_create");
    memcpy(&next, &found, sizeof next);
  }
  return next(thread, attr, start, arg);
}

static atomic_int runs;

static void count(void *arg) {
  (void)arg;
  atomic_fetch_add(&runs, 1);
}

static int count_int(const gch_ctx *ctx, void *arg) {
  (void)ctx;
  count(arg);
  return 0;
}

static void forbid(void) {
  atomic_store(&runs, 0);
  atomic_store(&no_threads, true);
}

static void allow(void) {
  atomic_store(&no_threads, false);
}

/* What needs a thread and has none */

START_TEST(go_is_enomem) {
  int v = 0;
  forbid();
  ck_assert_int_eq(gch_go(count, NULL), ENOMEM);
  ck_assert_int_eq(gch_go_copy(count, &v, sizeof v), ENOMEM);
  ck_assert_int_eq(gch_go_with(NULL, count, NULL), ENOMEM);
  ck_assert_int_eq(gch_go_with(&(gch_go_opts){.thread = true}, count, NULL),
                   ENOMEM);
  allow();
  ck_assert_uint_eq(gch_num_tasks(), 0);
  ck_assert_int_eq(runs, 0);
}
END_TEST

START_TEST(go_leaves_errno_alone) {
  forbid();
  errno = ENOENT;
  gch_go(count, NULL);
  ck_assert_int_eq(errno, ENOENT);
  allow();
}
END_TEST

START_TEST(wg_go_is_enomem_and_the_count_as_it_was) {
  gch_wg wg = GCH_WG_INIT;
  forbid();
  ck_assert_int_eq(gch_wg_go(&wg, count, NULL), ENOMEM);
  ck_assert_int_eq(gch_wg_wait_until(&wg, 0), 0);
  gch_wg_add(&wg, 1);
  ck_assert_int_eq(gch_wg_go(&wg, count, NULL), ENOMEM);
  ck_assert_int_eq(gch_wg_wait_until(&wg, 0), ETIMEDOUT);
  gch_wg_done(&wg);
  gch_wg_wait(&wg);
  allow();
  ck_assert_int_eq(runs, 0);
}
END_TEST

START_TEST(errgroup_go_is_enomem_and_the_group_as_it_was) {
  gch_errgroup *g = gch_errgroup_with_ctx(gch_ctx_background());
  forbid();
  ck_assert_int_eq(gch_errgroup_go(g, count_int, NULL), ENOMEM);
  ck_assert_int_eq(gch_errgroup_try_go(g, count_int, NULL), ENOMEM);
  allow();
  expect_not_done(gch_errgroup_ctx(g));
  ck_assert_int_eq(gch_errgroup_set_limit(g, 1), 0); /* none is running */
  ck_assert_int_eq(gch_errgroup_wait(g), 0);
  ck_assert_int_eq(runs, 0);
  gch_errgroup_free(g);
}
END_TEST

START_TEST(errgroup_go_that_failed_keeps_no_place) {
  gch_errgroup *g = gch_errgroup_new();
  gch_errgroup_set_limit(g, 1);
  forbid();
  ck_assert_int_eq(gch_errgroup_go(g, count_int, NULL), ENOMEM);
  ck_assert_int_eq(gch_errgroup_try_go(g, count_int, NULL), ENOMEM);
  allow();
  ck_assert_int_eq(gch_errgroup_try_go(g, count_int, NULL), 0);
  gch_errgroup_wait(g);
  ck_assert_int_eq(runs, 1);
  gch_errgroup_free(g);
  await_no_tasks();
}
END_TEST

/* No spare thread, while one task keeps the only worker */

struct reader {
  int fds[2];
  atomic_int inside;
};

static void stay_in_read(void *arg) {
  struct reader *r = arg;
  char c;
  atomic_fetch_add(&r->inside, 1);
  ck_assert_int_eq(read(r->fds[0], &c, 1), 0);
}

static void keep_the_worker(struct reader *r) {
  gch_maxprocs(1);
  ck_assert_int_eq(pipe(r->fds), 0);
  ck_assert_int_eq(gch_go(stay_in_read, r), 0);
  await_count(&r->inside, 1);
  forbid();
}

static void let_the_worker_go(struct reader *r) {
  close(r->fds[1]);
  await_no_tasks();
  close(r->fds[0]);
}

START_TEST(tasks_wait_for_a_worker_where_there_is_no_spare_thread) {
  struct reader r = {.inside = 0};
  keep_the_worker(&r);
  ck_assert_int_eq(gch_go(count, NULL), 0);
  gch_sleep(20 * GCH_MILLISECOND);
  ck_assert_int_eq(runs, 0);
  let_the_worker_go(&r);
  ck_assert_int_eq(runs, 1);
  allow();
}
END_TEST

START_TEST(tasks_run_when_a_spare_thread_can_be_started_again) {
  struct reader r = {.inside = 0};
  keep_the_worker(&r);
  ck_assert_int_eq(gch_go(count, NULL), 0);
  gch_sleep(20 * GCH_MILLISECOND);
  allow();
  ck_assert_int_eq(gch_go(count, NULL), 0);
  await_count(&runs, 2);
  let_the_worker_go(&r);
}
END_TEST

/* In a process in which nothing has needed the library's own thread yet. */
START_TEST(what_needs_the_librarys_thread_is_enomem) {
  const gch_ctx *bg = gch_ctx_background();
  gch_ctx *parent = gch_ctx_with_cancel(bg);
  gch_chan *c = gch_make_of(int, 1);
  forbid();
  expect_null(gch_timer_new(0), ENOMEM);
  expect_null(gch_timer_func(0, count, NULL), ENOMEM);
  expect_null(gch_after(0), ENOMEM);
  expect_null(gch_ticker_new(1), ENOMEM);
  expect_null(gch_ctx_with_timeout(parent, GCH_HOUR), ENOMEM);
  expect_null(gch_ctx_after_func(parent, count, NULL), ENOMEM);
  expect_null(gch_signal_notify_ctx(parent, &(int){SIGUSR1}, 1), ENOMEM);
  ck_assert_int_eq(gch_signal_notify(c, &(int){SIGUSR1}, 1), ENOMEM);
  allow();
  expect_not_done(parent);
  gch_ctx_end(parent);
  gch_unref(c);
  ck_assert_int_eq(runs, 0);
}
END_TEST

START_TEST(it_works_when_threads_are_back) {
  forbid();
  expect_null(gch_after(0), ENOMEM);
  allow();
  gch_chan *c = gch_after(0);
  ck_assert_int_eq(gch_recv(c, NULL), 0);
  gch_unref(c);
}
END_TEST

/* What was registered before */

START_TEST(a_timer_fires) {
  gch_timer *t = gch_timer_new(GCH_MILLISECOND);
  forbid();
  ck_assert_int_eq(gch_recv(gch_timer_chan(t), NULL), 0);
  allow();
  gch_timer_free(t);
}
END_TEST

START_TEST(a_timer_func_runs) {
  gch_timer *t = gch_timer_func(GCH_HOUR, count, NULL);
  forbid();
  gch_timer_reset(t, 0);
  await_count(&runs, 1);
  gch_timer_reset(t, 0);
  await_count(&runs, 2);
  allow();
  gch_timer_free(t);
}
END_TEST

START_TEST(many_timer_funcs_run_each_once) {
  enum { MANY = 100 };
  gch_timer *t[MANY];
  for (int i = 0; i < MANY; i++)
    t[i] = gch_timer_func(GCH_HOUR, count, NULL);
  forbid();
  for (int i = 0; i < MANY; i++)
    gch_timer_reset(t[i], 0);
  await_count(&runs, MANY);
  allow();
  for (int i = 0; i < MANY; i++)
    gch_timer_free(t[i]);
  ck_assert_int_eq(runs, MANY);
}
END_TEST

static void receive(void *c) {
  gch_recv(c, NULL);
  count(NULL);
}

/* While one function keeps the library's thread, the others wait for it. */
START_TEST(a_function_that_blocks_delays_others_and_loses_none) {
  gch_chan *c = gch_make(0, 0);
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  gch_after_func *a = gch_ctx_after_func(ctx, receive, c);
  gch_after_func *b = gch_ctx_after_func(ctx, receive, c);
  forbid();
  gch_ctx_cancel(ctx);
  await_waiting(c, 0, 1);
  gch_send(c, NULL);
  gch_send(c, NULL);
  await_count(&runs, 2);
  allow();
  gch_after_func_release(b);
  gch_after_func_release(a);
  gch_ctx_unref(ctx);
  gch_unref(c);
}
END_TEST

START_TEST(an_after_func_runs) {
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  gch_after_func *a = gch_ctx_after_func(ctx, count, NULL);
  forbid();
  gch_ctx_cancel(ctx);
  await_count(&runs, 1);
  allow();
  ck_assert(!gch_after_func_stop(a));
  gch_ctx_unref(ctx);
}
END_TEST

START_TEST(an_after_func_on_a_done_context_runs) {
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  gch_ctx_cancel(ctx);
  gch_unref(gch_after(GCH_HOUR)); /* the library's thread is there */
  forbid();
  gch_after_func *a = gch_ctx_after_func(ctx, count, NULL);
  ck_assert_ptr_nonnull(a);
  await_count(&runs, 1);
  allow();
  ck_assert(!gch_after_func_stop(a));
  gch_ctx_unref(ctx);
}
END_TEST

START_TEST(a_deadline_and_its_after_func_come) {
  gch_unref(gch_after(GCH_HOUR)); /* the library's thread is there */
  forbid();
  gch_ctx *ctx = gch_ctx_with_timeout(gch_ctx_background(), GCH_MILLISECOND);
  gch_after_func *a = gch_ctx_after_func(ctx, count, NULL);
  await_count(&runs, 1);
  allow();
  ck_assert_int_eq(gch_ctx_err(ctx), ETIMEDOUT);
  gch_after_func_release(a);
  gch_ctx_unref(ctx);
}
END_TEST

static gch_chan *inner_done(void *inner, const gch_ctx *parent) {
  (void)parent;
  return gch_ctx_done(inner);
}

static int inner_err(void *inner, const gch_ctx *parent) {
  (void)parent;
  return gch_ctx_err(inner);
}

START_TEST(a_deadline_reaches_what_is_behind_a_custom_context) {
  static const gch_ctx_ops ops = {.done = inner_done, .err = inner_err};
  const gch_ctx *bg = gch_ctx_background();
  gch_unref(gch_after(GCH_HOUR)); /* the library's thread is there */
  forbid();
  gch_ctx *inner = gch_ctx_with_timeout(bg, 20 * GCH_MILLISECOND);
  const gch_ctx *custom = gch_ctx_custom(bg, &ops, inner);
  gch_ctx *child = gch_ctx_with_cancel(custom);
  gch_recv(gch_ctx_done(child), NULL);
  allow();
  ck_assert_int_eq(gch_ctx_err(child), ETIMEDOUT);
  gch_ctx_end(child);
  gch_ctx_unref(custom);
  gch_ctx_end(inner);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("no_threads");
  TCase *t = test_case(s, "first");
  tcase_add_test(t, what_needs_the_librarys_thread_is_enomem);
  tcase_add_test(t, it_works_when_threads_are_back);
  t = test_case(s, "start");
  tcase_add_test(t, go_is_enomem);
  tcase_add_test(t, go_leaves_errno_alone);
  tcase_add_test(t, wg_go_is_enomem_and_the_count_as_it_was);
  tcase_add_test(t, errgroup_go_is_enomem_and_the_group_as_it_was);
  tcase_add_test(t, errgroup_go_that_failed_keeps_no_place);
  tcase_add_test(t, tasks_wait_for_a_worker_where_there_is_no_spare_thread);
  tcase_add_test(t, tasks_run_when_a_spare_thread_can_be_started_again);
  t = test_case(s, "registered");
  tcase_add_test(t, a_timer_fires);
  tcase_add_test(t, a_timer_func_runs);
  tcase_add_test(t, many_timer_funcs_run_each_once);
  tcase_add_test(t, a_function_that_blocks_delays_others_and_loses_none);
  tcase_add_test(t, an_after_func_runs);
  tcase_add_test(t, an_after_func_on_a_done_context_runs);
  tcase_add_test(t, a_deadline_and_its_after_func_come);
  tcase_add_test(t, a_deadline_reaches_what_is_behind_a_custom_context);
  return s;
}
