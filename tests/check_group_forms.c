/* SPDX-License-Identifier: BSD-3-Clause */
/* Wait groups and error groups whose functions get a copy of their argument, or
   a task with options. */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "tasks.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <string.h>

/* Sizes of what is copied: none, a byte, a word, more. */
static const size_t sizes[] = {0, 1, 4, sizeof(void *), 9, 16, 100, 5000};
enum { SIZES = sizeof sizes / sizeof *sizes };

static unsigned char pattern(size_t i) {
  return (unsigned char)(i * 7 + 1);
}

/* What a function found; one looks at a time. */
static struct {
  size_t size;
  atomic_int looks, right;
} seen;

static void look_at_copy(void *arg) {
  const unsigned char *bytes = arg;
  bool right = (uintptr_t)arg % alignof(max_align_t) == 0;
  for (size_t i = 0; i < seen.size; i++)
    right = right && bytes[i] == pattern(i);
  atomic_fetch_add(&seen.right, right);
  atomic_fetch_add(&seen.looks, 1);
}

static int look_and_give_5(const gch_ctx *ctx, void *arg) {
  (void)ctx;
  look_at_copy(arg);
  return 5;
}

static void expect_looks(int n) {
  ck_assert_int_eq(seen.looks, n);
  ck_assert_int_eq(seen.right, n);
}

static unsigned char *fill(size_t size) {
  static unsigned char bytes[5000];
  seen.size = size;
  for (size_t i = 0; i < size; i++)
    bytes[i] = pattern(i);
  return bytes;
}

START_TEST(wg_go_copy_gives_a_copy) {
  gch_wg wg = GCH_WG_INIT;
  unsigned char *bytes = fill(sizes[_i]);
  for (int i = 0; i < 3; i++)
    ck_assert_int_eq(gch_wg_go_copy(&wg, look_at_copy, bytes, sizes[_i]), 0);
  memset(bytes, 0xff, sizes[_i]); /* the copies were made by then */
  gch_wg_wait(&wg);
  expect_looks(3);
  await_no_tasks();
}
END_TEST

START_TEST(errgroup_go_copy_gives_a_copy) {
  gch_errgroup *g = gch_errgroup_new();
  unsigned char *bytes = fill(sizes[_i]);
  for (int i = 0; i < 3; i++)
    ck_assert_int_eq(gch_errgroup_go_copy(g, look_and_give_5, bytes, sizes[_i]),
                     0);
  memset(bytes, 0xff, sizes[_i]);
  ck_assert_int_eq(gch_errgroup_wait(g), 5);
  expect_looks(3);
  gch_errgroup_free(g);
  await_no_tasks();
}
END_TEST

START_TEST(nothing_of_size_zero_is_copied) {
  gch_wg wg = GCH_WG_INIT;
  gch_errgroup *g = gch_errgroup_new();
  fill(0);
  ck_assert_int_eq(gch_wg_go_copy(&wg, look_at_copy, NULL, 0), 0);
  gch_wg_wait(&wg);
  ck_assert_int_eq(gch_errgroup_go_copy(g, look_and_give_5, NULL, 0), 0);
  gch_errgroup_free(g);
  expect_looks(2);
  await_no_tasks();
}
END_TEST

/* Options */

struct report {
  char name[16]; /* of the thread */
  pthread_t thread;
  int with_ctx;
};

/* Touches more stack than there is by default. */
__attribute__((noinline)) static void use_stack(void) {
  volatile char frame[4 << 20];
  for (size_t i = 0; i < sizeof frame; i += 4096)
    frame[i] = 1;
}

static void report(void *arg) {
  struct report *r = arg;
  use_stack();
  r->thread = pthread_self();
  pthread_getname_np(pthread_self(), r->name, sizeof r->name);
}

static int report_too(const gch_ctx *ctx, void *arg) {
  report(arg);
  ((struct report *)arg)->with_ctx = ctx != gch_ctx_background();
  return 6;
}

static const gch_go_opts large = {.name = "large", .stack_size = 8 << 20};
static const gch_go_opts thread = {
    .name = "of its own", .stack_size = 8 << 20, .thread = true};

START_TEST(wg_go_with_does_as_the_options_say) {
  gch_wg wg = GCH_WG_INIT;
  struct report a = {{0}, 0, 0}, b = {{0}, 0, 0};
  ck_assert_int_eq(gch_wg_go_with(&wg, &large, report, &a), 0);
  ck_assert_int_eq(gch_wg_go_with(&wg, &thread, report, &b), 0);
  gch_wg_wait(&wg);
  ck_assert_str_ne(a.name, "of its own");
  ck_assert_str_eq(b.name, "of its own");
  await_no_tasks();
}
END_TEST

START_TEST(errgroup_go_with_does_as_the_options_say) {
  gch_errgroup *g = gch_errgroup_with_ctx(gch_ctx_background());
  struct report a = {{0}, 0, 0}, b = {{0}, 0, 0};
  ck_assert_int_eq(gch_errgroup_go_with(g, &large, report_too, &a), 0);
  ck_assert_int_eq(gch_errgroup_go_with(g, &thread, report_too, &b), 0);
  ck_assert_int_eq(gch_errgroup_wait(g), 6);
  ck_assert_str_ne(a.name, "of its own");
  ck_assert_str_eq(b.name, "of its own");
  ck_assert(a.with_ctx && b.with_ctx);
  gch_errgroup_free(g);
  await_no_tasks();
}
END_TEST

static void count(void *n) {
  atomic_fetch_add((atomic_int *)n, 1);
}

static int count_too(const gch_ctx *ctx, void *n) {
  (void)ctx;
  count(n);
  return 0;
}

START_TEST(without_options_it_is_a_plain_go) {
  gch_wg wg = GCH_WG_INIT;
  gch_errgroup *g = gch_errgroup_new();
  atomic_int n = 0;
  gch_go_opts none = {0};
  ck_assert_int_eq(gch_wg_go_with(&wg, NULL, count, &n), 0);
  ck_assert_int_eq(gch_wg_go_with(&wg, &none, count, &n), 0);
  gch_wg_wait(&wg);
  ck_assert_int_eq(gch_errgroup_go_with(g, NULL, count_too, &n), 0);
  ck_assert_int_eq(gch_errgroup_go_with(g, &none, count_too, &n), 0);
  gch_errgroup_free(g);
  ck_assert_int_eq(n, 4);
  await_no_tasks();
}
END_TEST

/* What can't be started */

static bool is_idle(gch_wg *wg) {
  return gch_wg_wait_until(wg, 0) == 0;
}

START_TEST(a_bad_argument_is_einval_and_counts_nothing) {
  gch_wg wg = GCH_WG_INIT;
  gch_errgroup *g = gch_errgroup_new();
  int v = 0;
  ck_assert_int_eq(gch_wg_go_copy(&wg, NULL, &v, sizeof v), EINVAL);
  ck_assert_int_eq(gch_wg_go_copy(&wg, count, NULL, 1), EINVAL);
  ck_assert_int_eq(gch_wg_go_with(&wg, NULL, NULL, &v), EINVAL);
  ck_assert(is_idle(&wg));
  gch_errgroup_set_limit(g, 0); /* who waits for a place waits for ever */
  ck_assert_int_eq(gch_errgroup_go_copy(g, NULL, &v, sizeof v), EINVAL);
  ck_assert_int_eq(gch_errgroup_go_copy(g, count_too, NULL, 1), EINVAL);
  ck_assert_int_eq(gch_errgroup_go_with(g, NULL, NULL, &v), EINVAL);
  ck_assert_int_eq(gch_errgroup_set_limit(g, 1), 0);
  gch_errgroup_free(g);
}
END_TEST

static void go_with_null(void *wg) {
  gch_wg_go_with(wg, NULL, NULL, NULL);
}

START_TEST(a_null_function_is_a_panic_in_strict_mode) {
  gch_wg wg = GCH_WG_INIT;
  expect_panic_strict(go_with_null, &wg, "go of nil func value");
}
END_TEST

/* More than there is of anything. */
enum { ENDLESS_SHIFT = sizeof(size_t) * 8 - 3 };
#define ENDLESS ((size_t)1 << ENDLESS_SHIFT)

START_TEST(wg_enomem_leaves_the_count_as_it_was) {
  gch_wg wg = GCH_WG_INIT;
  atomic_int n = 0;
  for (int i = 0; i < 2; i++) {
    gch_go_opts o = {.stack_size = ENDLESS, .thread = i};
    ck_assert_int_eq(gch_wg_go_with(&wg, &o, count, &n), ENOMEM);
    ck_assert(is_idle(&wg));
  }
  ck_assert_int_eq(gch_wg_go_copy(&wg, count, &n, ENDLESS), ENOMEM);
  ck_assert(is_idle(&wg));
  ck_assert_int_eq(n, 0);
}
END_TEST

START_TEST(errgroup_enomem_gives_the_place_back) {
  gch_errgroup *g = gch_errgroup_with_ctx(gch_ctx_background());
  atomic_int n = 0;
  gch_errgroup_set_limit(g, 1);
  for (int i = 0; i < 2; i++) {
    gch_go_opts o = {.stack_size = ENDLESS, .thread = i};
    ck_assert_int_eq(gch_errgroup_go_with(g, &o, count_too, &n), ENOMEM);
  }
  ck_assert_int_eq(gch_errgroup_go_copy(g, count_too, &n, ENDLESS), ENOMEM);
  ck_assert_int_eq(gch_ctx_err(gch_errgroup_ctx(g)), 0);
  ck_assert_int_eq(gch_errgroup_try_go(g, count_too, &n), 0);
  ck_assert_int_eq(gch_errgroup_wait(g), 0);
  ck_assert_int_eq(n, 1);
  gch_errgroup_free(g);
  await_no_tasks();
}
END_TEST

/* The limit */

struct held {
  gch_chan *entered, *leave;
};

static int hold(const gch_ctx *ctx, void *arg) {
  struct held *h = arg;
  (void)ctx;
  gch_send(h->entered, NULL);
  gch_recv(h->leave, NULL);
  return 0;
}

struct third {
  gch_errgroup *g;
  struct held *h;
  bool copy;
  atomic_int started;
};

static void start_third(void *arg) {
  struct third *t = arg;
  if (t->copy)
    gch_errgroup_go_copy(t->g, hold, t->h, sizeof *t->h);
  else
    gch_errgroup_go_with(t->g, &thread, hold, t->h);
  atomic_store(&t->started, 1);
}

START_TEST(at_the_limit_they_wait) {
  struct held h = {gch_make(0, 0), gch_make(0, 0)};
  struct third t = {.g = gch_errgroup_new(), .h = &h, .copy = _i};
  gch_errgroup_set_limit(t.g, 2);
  gch_errgroup_go_copy(t.g, hold, &h, sizeof h);
  gch_errgroup_go_with(t.g, &large, hold, &h);
  gch_recv(h.entered, NULL);
  gch_recv(h.entered, NULL);
  test_thread *starter = thread_start(start_third, &t);
  for (int i = 0; i < 5; i++)
    gch_yield();
  ck_assert_int_eq(t.started, 0);
  gch_send(h.leave, NULL);
  thread_join(starter);
  gch_recv(h.entered, NULL);
  gch_close(h.leave);
  gch_errgroup_free(t.g);
  await_no_tasks();
  gch_unref(h.entered);
  gch_unref(h.leave);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("group_forms");
  TCase *t = test_case(s, "copy");
  tcase_add_loop_test(t, wg_go_copy_gives_a_copy, 0, SIZES);
  tcase_add_loop_test(t, errgroup_go_copy_gives_a_copy, 0, SIZES);
  tcase_add_test(t, nothing_of_size_zero_is_copied);
  t = test_case(s, "with");
  tcase_add_test(t, wg_go_with_does_as_the_options_say);
  tcase_add_test(t, errgroup_go_with_does_as_the_options_say);
  tcase_add_test(t, without_options_it_is_a_plain_go);
  t = test_case(s, "fails");
  tcase_add_test(t, a_bad_argument_is_einval_and_counts_nothing);
  tcase_add_test(t, a_null_function_is_a_panic_in_strict_mode);
  tcase_add_test(t, wg_enomem_leaves_the_count_as_it_was);
  tcase_add_test(t, errgroup_enomem_gives_the_place_back);
  t = test_case(s, "limit");
  tcase_add_loop_test(t, at_the_limit_they_wait, 0, 2);
  return s;
}
