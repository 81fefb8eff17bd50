/* SPDX-License-Identifier: BSD-3-Clause */
/* The limit of an error group. */
#include "tasks.h"

#include <stdatomic.h>

static int nothing(const gch_ctx *ctx, void *arg) {
  (void)ctx;
  (void)arg;
  return 0;
}

/* Runs until it is sent something. */
static int hold(const gch_ctx *ctx, void *c) {
  (void)ctx;
  gch_recv(c, NULL);
  return 0;
}

struct crowd {
  gch_errgroup *g;
  atomic_int now, most;
};

static int join_crowd(const gch_ctx *ctx, void *arg) {
  (void)ctx;
  struct crowd *c = arg;
  int now = atomic_fetch_add(&c->now, 1) + 1;
  int most = atomic_load(&c->most);
  while (most < now && !atomic_compare_exchange_weak(&c->most, &most, now))
    ;
  gch_yield();
  atomic_fetch_sub(&c->now, 1);
  return 0;
}

START_TEST(no_more_than_the_limit_run_at_once) {
  struct crowd c = {.g = gch_errgroup_new()};
  ck_assert_int_eq(gch_errgroup_set_limit(c.g, 3), 0);
  for (int i = 0; i < scaled(200); i++)
    ck_assert_int_eq(gch_errgroup_go(c.g, join_crowd, &c), 0);
  ck_assert_int_eq(gch_errgroup_wait(c.g), 0);
  ck_assert_int_ge(c.most, 1);
  ck_assert_int_le(c.most, 3);
  gch_errgroup_free(c.g);
  await_no_tasks();
}
END_TEST

START_TEST(as_many_as_the_limit_do_run_at_once) {
  enum { LIMIT = 5 };
  gch_errgroup *g = gch_errgroup_new();
  gch_chan *c = gch_make(0, 0);
  gch_errgroup_set_limit(g, LIMIT);
  for (int i = 0; i < LIMIT; i++)
    ck_assert_int_eq(gch_errgroup_go(g, hold, c), 0);
  await_waiting(c, 0, LIMIT);
  gch_close(c);
  gch_errgroup_free(g);
  await_no_tasks();
  gch_unref(c);
}
END_TEST

START_TEST(try_go_at_the_limit_is_eagain) {
  gch_errgroup *g = gch_errgroup_new();
  gch_chan *c = gch_make(0, 0);
  gch_errgroup_set_limit(g, 2);
  ck_assert_int_eq(gch_errgroup_try_go(g, hold, c), 0);
  ck_assert_int_eq(gch_errgroup_go(g, hold, c), 0);
  ck_assert_int_eq(gch_errgroup_try_go(g, hold, c), EAGAIN);
  gch_close(c);
  gch_errgroup_wait(g);
  ck_assert_int_eq(gch_errgroup_try_go(g, nothing, NULL), 0);
  gch_errgroup_free(g);
  await_no_tasks();
  gch_unref(c);
}
END_TEST

struct starter {
  gch_errgroup *g;
  gch_chan *c, *started;
};

static void start_one(void *arg) {
  struct starter *s = arg;
  gch_errgroup_go(s->g, hold, s->c);
  gch_close(s->started);
}

START_TEST(go_at_the_limit_waits_for_a_place) {
  struct starter s = {gch_errgroup_new(), gch_make(0, 0), gch_make(0, 0)};
  gch_errgroup_set_limit(s.g, 1);
  gch_errgroup_go(s.g, hold, s.c);
  await_waiting(s.c, 0, 1);
  test_thread *t = thread_start(start_one, &s);
  for (int i = 0; i < 5; i++)
    gch_yield();
  ck_assert_int_eq(gch_try_recv(s.started, NULL), EAGAIN);
  gch_send(s.c, NULL);
  gch_recv(s.started, NULL);
  gch_send(s.c, NULL);
  thread_join(t);
  gch_errgroup_free(s.g);
  await_no_tasks();
  gch_unref(s.started);
  gch_unref(s.c);
}
END_TEST

START_TEST(a_limit_of_zero_lets_none_start) {
  gch_errgroup *g = gch_errgroup_new();
  ck_assert_int_eq(gch_errgroup_set_limit(g, 0), 0);
  ck_assert_int_eq(gch_errgroup_try_go(g, nothing, NULL), EAGAIN);
  ck_assert_int_eq(gch_errgroup_wait(g), 0);
  gch_errgroup_free(g);
}
END_TEST

START_TEST(below_zero_is_no_limit) {
  enum { MANY = 10 };
  gch_errgroup *g = gch_errgroup_new();
  gch_chan *c = gch_make(0, 0);
  gch_errgroup_set_limit(g, 1);
  ck_assert_int_eq(gch_errgroup_set_limit(g, -1), 0);
  for (int i = 0; i < MANY; i++)
    ck_assert_int_eq(gch_errgroup_try_go(g, hold, c), 0);
  gch_close(c);
  gch_errgroup_free(g);
  await_no_tasks();
  gch_unref(c);
}
END_TEST

START_TEST(the_limit_is_busy_while_any_is_running) {
  gch_errgroup *g = gch_errgroup_new();
  gch_chan *c = gch_make(0, 0);
  gch_errgroup_set_limit(g, 1);
  gch_errgroup_go(g, hold, c);
  ck_assert_int_eq(gch_errgroup_set_limit(g, 2), EBUSY);
  ck_assert_int_eq(gch_errgroup_set_limit(g, -1), EBUSY);
  ck_assert_int_eq(gch_errgroup_try_go(g, nothing, NULL), EAGAIN);
  gch_close(c);
  gch_errgroup_wait(g);
  ck_assert_int_eq(gch_errgroup_set_limit(g, 2), 0);
  gch_errgroup_free(g);
  await_no_tasks();
  gch_unref(c);
}
END_TEST

/* In a process of its own, in which no task of another runs. */
static void change_limit(void *unused) {
  gch_errgroup *g = gch_errgroup_new();
  (void)unused;
  gch_errgroup_go(g, hold, gch_make(0, 0));
  gch_errgroup_set_limit(g, 2);
}

START_TEST(a_busy_limit_is_a_panic_in_strict_mode) {
  expect_panic_strict(change_limit, NULL,
                      "errgroup: modify limit while 1 goroutines in the "
                      "group are still active");
}
END_TEST

START_TEST(the_limit_may_change_as_soon_as_none_is_running) {
  for (int i = 0; i < scaled(50); i++) {
    gch_errgroup *g = gch_errgroup_new();
    gch_errgroup_set_limit(g, 1);
    gch_errgroup_go(g, nothing, NULL);
    while (gch_errgroup_set_limit(g, 1) == EBUSY)
      gch_yield();
    ck_assert_int_eq(gch_errgroup_go(g, nothing, NULL), 0);
    gch_errgroup_free(g);
  }
  await_no_tasks();
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("errgroup_limit");
  TCase *t = test_case(s, "limit");
  tcase_add_test(t, no_more_than_the_limit_run_at_once);
  tcase_add_test(t, as_many_as_the_limit_do_run_at_once);
  tcase_add_test(t, try_go_at_the_limit_is_eagain);
  tcase_add_test(t, go_at_the_limit_waits_for_a_place);
  tcase_add_test(t, a_limit_of_zero_lets_none_start);
  tcase_add_test(t, below_zero_is_no_limit);
  t = test_case(s, "change");
  tcase_add_test(t, the_limit_is_busy_while_any_is_running);
  tcase_add_test(t, a_busy_limit_is_a_panic_in_strict_mode);
  tcase_add_test(t, the_limit_may_change_as_soon_as_none_is_running);
  return s;
}
