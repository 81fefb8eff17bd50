/* SPDX-License-Identifier: BSD-3-Clause */
/* gch_key: when a task's values are dropped. */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "crowd.h"
#include "key_facts.h"

#include <pthread.h>

static void set_three(void *arg) {
  gch_key **keys = arg;
  for (int i = 0; i < 4; i++)
    gch_key_set(keys[i], &values[i]);
  gch_key_set(keys[3], NULL);
}

static void mark_dropped(void *value) {
  *(int *)value += 1;
}

START_TEST(each_value_left_is_dropped_once) {
  gch_key *keys[4];
  for (int i = 0; i < 4; i++) {
    keys[i] = new_key(i == 2 ? NULL : mark_dropped);
    values[i] = 0;
  }
  in_way(_i, set_three, keys);
  for (int i = 0; i < 4; i++) {
    ck_assert_int_eq(values[i], i < 2);
    gch_key_free(keys[i]);
  }
}
END_TEST

static gch_key *again;
static int rounds;

static void set_again(void *value) {
  if (rounds++ == 0)
    ck_assert_ptr_null(gch_key_get(again));
  gch_key_set(again, value);
}

static void set_first(void *key) {
  gch_key_set(key, &values[1]);
}

START_TEST(what_a_drop_sets_is_dropped_four_times_round) {
  rounds = 0;
  again = new_key(set_again);
  in_way(_i, set_first, again);
  ck_assert_int_ge(rounds, 4);
  gch_key_free(again);
}
END_TEST

static void block_and_count(void *value) {
  gch_sleep(GCH_MILLISECOND);
  pairs_run(3, 5);
  gch_yield();
  count_drop(value);
}

START_TEST(a_drop_may_block) {
  gch_key *key = new_key(block_and_count);
  atomic_store(&drops, 0);
  in_way(_i, set_first, key);
  ck_assert_int_eq(drops, 1);
  gch_key_free(key);
}
END_TEST

static int set_in_main_task(void *key) {
  gch_key_set(key, &values[0]);
  return 7;
}

static int set_in_group(const gch_ctx *ctx, void *key) {
  (void)ctx;
  gch_key_set(key, &values[0]);
  return 0;
}

START_TEST(who_waits_for_a_task_waits_for_its_drops) {
  gch_key *key = new_key(block_and_count);
  gch_wg wg = GCH_WG_INIT;
  gch_errgroup *g = gch_errgroup_new();
  atomic_store(&drops, 0);
  gch_wg_go(&wg, set_first, key);
  gch_wg_wait(&wg);
  ck_assert_int_eq(drops, 1);
  ck_assert_int_eq(gch_run(set_in_main_task, key), 7);
  ck_assert_int_eq(drops, 2);
  gch_errgroup_go(g, set_in_group, key);
  gch_errgroup_wait(g);
  ck_assert_int_eq(drops, 3);
  gch_wg_go_with(&wg, &(gch_go_opts){.thread = true}, set_first, key);
  gch_wg_wait(&wg);
  ck_assert_int_eq(drops, 4);
  gch_errgroup_free(g);
  gch_key_free(key);
}
END_TEST

static gch_chan *dropped;

static void tell_of_drop(void *value) {
  gch_send(dropped, &(int){value == &values[1]});
}

/* A custom context's err is user code that runs after a task's function. */

static gch_key *late;
static _Atomic(void *) found;

static int set_late(void *ctx, const gch_ctx *parent) {
  (void)parent;
  gch_key_set(late, &values[1]);
  return gch_ctx_err(ctx);
}

static gch_chan *done_of(void *ctx, const gch_ctx *parent) {
  (void)parent;
  return gch_ctx_done(ctx);
}

static int return_5(const gch_ctx *ctx, void *arg) {
  (void)ctx, (void)arg;
  return 5;
}

static void find_late(void *arg) {
  (void)arg;
  atomic_store(&found, gch_key_get(late));
}

START_TEST(what_a_custom_context_sets_in_a_groups_task_is_dropped) {
  static const gch_ctx_ops ops = {.err = set_late, .done = done_of};
  gch_wg wg = GCH_WG_INIT;
  gch_maxprocs(1);
  late = new_key(count_drop);
  gch_errgroup *g = gch_errgroup_with_ctx(gch_ctx_background());
  const gch_ctx *mine = gch_ctx_custom(
      gch_ctx_background(), &ops, gch_ctx_with_cancel(gch_errgroup_ctx(g)));
  gch_ctx *below = gch_ctx_with_cancel(mine);
  ck_assert_int_eq(gch_errgroup_go(g, return_5, NULL), 0);
  ck_assert_int_eq(gch_errgroup_wait(g), 5);
  for (int i = 0; i < 3; i++) {
    ck_assert_int_eq(gch_wg_go(&wg, find_late, NULL), 0);
    gch_wg_wait(&wg);
    ck_assert_ptr_null(atomic_load(&found));
  }
  ck_assert_int_eq(drops, 1);
  gch_key_free(late);
  gch_ctx_unref(below);
  gch_ctx_unref(mine);
  gch_errgroup_free(g);
}
END_TEST

START_TEST(what_a_timer_starts_drops_too) {
  gch_key *key = new_key(tell_of_drop);
  int it = 0;
  dropped = gch_make_of(int, 0);
  gch_timer *t = gch_timer_func(GCH_MILLISECOND, set_first, key);
  ck_assert_int_eq(gch_recv(dropped, &it), 0);
  ck_assert_int_eq(it, 1);
  await_no_tasks();
  gch_timer_free(t);
  gch_unref(dropped);
  gch_key_free(key);
}
END_TEST

static void set_and_leave(void *key) {
  gch_key_set(key, &values[0]);
  pthread_exit(NULL);
}

START_TEST(pthread_exit_drops_too) {
  gch_key *key = new_key(count_drop);
  gch_go_opts thread = {.thread = true};
  atomic_store(&drops, 0);
  for (int i = 0; i < 10; i++)
    gch_go(set_and_leave, key);
  await_count(&drops, 10);
  gch_go_with(&thread, set_and_leave, key);
  await_count(&drops, 11);
  await_no_tasks();
  gch_key_free(key);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("key_drop");
  TCase *t = test_case(s, "drops");
  add_in_each_way(t, each_value_left_is_dropped_once);
  add_in_each_way(t, what_a_drop_sets_is_dropped_four_times_round);
  add_in_each_way(t, a_drop_may_block);
  tcase_add_test(t, who_waits_for_a_task_waits_for_its_drops);
  tcase_add_test(t, what_a_timer_starts_drops_too);
  tcase_add_test(t, what_a_custom_context_sets_in_a_groups_task_is_dropped);
  if (!THREAD_SANITIZED)
    tcase_add_test(t, pthread_exit_drops_too);
  return s;
}
