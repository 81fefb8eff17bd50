/* SPDX-License-Identifier: BSD-3-Clause */
/* gch_key: values of a task's own, and when they are dropped. */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "crowd.h"
#include "fork_life.h"

#include <pthread.h>

static int values[8]; /* things to point to */
static atomic_int drops;

static void count_drop(void *value) {
  (void)value;
  atomic_fetch_add(&drops, 1);
}

static gch_key *new_key(void (*drop)(void *)) {
  gch_key *key = gch_key_new(drop);
  ck_assert_ptr_nonnull(key);
  return key;
}

/* Whether each of the facts below holds is found in the way _i: in a plain
   thread, a task, and a task that is a thread. */

struct in_way {
  void (*fn)(void *);
  void *arg;
  gch_chan *over;
};

static void call_and_tell(void *arg) {
  struct in_way *w = arg;
  w->fn(w->arg);
  gch_close(w->over);
}

static void in_way(int way, void (*fn)(void *), void *arg) {
  struct in_way w = {fn, arg, gch_make(0, 0)};
  gch_go_opts opts = {.thread = way == 2};
  if (way == 0) {
    test_thread *t = thread_start(fn, arg);
    thread_join(t);
  } else {
    ck_assert_int_eq(gch_go_with(&opts, call_and_tell, &w), 0);
    gch_recv(w.over, NULL);
    await_no_tasks();
  }
  gch_unref(w.over);
}

#define add_in_each_way(t, test) tcase_add_loop_test(t, test, 0, 3)

/* Values */

static void set_and_get(void *arg) {
  gch_key *key = arg;
  ck_assert_ptr_null(gch_key_get(key));
  ck_assert_int_eq(gch_key_set(key, &values[1]), 0);
  ck_assert_ptr_eq(gch_key_get(key), &values[1]);
  ck_assert_int_eq(gch_key_set(key, &values[2]), 0);
  ck_assert_ptr_eq(gch_key_get(key), &values[2]);
  ck_assert_int_eq(gch_key_set(key, NULL), 0);
  ck_assert_ptr_null(gch_key_get(key));
}

START_TEST(what_is_set_is_got) {
  gch_key *key = new_key(NULL);
  in_way(_i, set_and_get, key);
  gch_key_free(key);
}
END_TEST

static void use_null(void *unused) {
  (void)unused;
  ck_assert_int_eq(gch_key_set(NULL, &values[0]), EINVAL);
  ck_assert_ptr_null(gch_key_get(NULL));
  gch_key_free(NULL);
}

START_TEST(a_null_key_is_einval_and_may_be_freed) {
  in_way(_i, use_null, NULL);
}
END_TEST

enum { MANY_KEYS = 5000 };

static void set_many(void *arg) {
  gch_key **keys = arg;
  for (int i = 0; i < MANY_KEYS; i++)
    ck_assert_int_eq(gch_key_set(keys[i], &keys[i]), 0);
  for (int i = 0; i < MANY_KEYS; i++)
    ck_assert_ptr_eq(gch_key_get(keys[i]), &keys[i]);
}

START_TEST(there_may_be_thousands_of_keys) {
  static gch_key *keys[MANY_KEYS];
  atomic_store(&drops, 0);
  for (int i = 0; i < MANY_KEYS; i++)
    keys[i] = new_key(count_drop);
  in_way(_i, set_many, keys);
  ck_assert_int_eq(drops, MANY_KEYS);
  for (int i = 0; i < MANY_KEYS; i++)
    gch_key_free(keys[i]);
}
END_TEST

struct own {
  gch_key *key;
};

/* Parks in between, so that it goes on in another thread. */
static void keep_own(void *arg) {
  struct own *o = arg;
  ck_assert_ptr_null(gch_key_get(o->key));
  gch_key_set(o->key, &arg);
  for (int i = 0; i < 20; i++) {
    gch_yield();
    gch_sleep(50 * GCH_MICROSECOND);
    ck_assert_ptr_eq(gch_key_get(o->key), &arg);
  }
}

START_TEST(each_task_has_its_own_wherever_it_goes_on) {
  struct own o = {.key = new_key(NULL)};
  gch_wg wg = GCH_WG_INIT;
  gch_key_set(o.key, &values[0]);
  for (int i = 0; i < scaled(200); i++)
    gch_wg_go(&wg, keep_own, &o);
  gch_wg_wait(&wg);
  ck_assert_ptr_eq(gch_key_get(o.key), &values[0]);
  gch_key_set(o.key, NULL);
  gch_key_free(o.key);
}
END_TEST

/* On the stack, and in the record, that the last one had. */
static void find_nothing(void *arg) {
  struct own *o = arg;
  ck_assert_ptr_null(gch_key_get(o->key));
  gch_key_set(o->key, &values[3]);
}

START_TEST(a_new_task_has_none) {
  struct own o = {.key = new_key(NULL)};
  gch_wg wg = GCH_WG_INIT;
  for (int i = 0; i < 300; i++)
    gch_wg_go(&wg, find_nothing, &o);
  gch_wg_wait(&wg);
  gch_key_free(o.key);
}
END_TEST

/* Freed keys */

static void reuse_key(void *arg) {
  (void)arg;
  for (int i = 0; i < 100; i++) {
    gch_key *key = new_key(count_drop);
    ck_assert_ptr_null(gch_key_get(key));
    ck_assert_int_eq(gch_key_set(key, &values[0]), 0);
    gch_key_free(key);
  }
}

START_TEST(a_new_key_shows_no_value_of_one_that_was_freed) {
  atomic_store(&drops, 0);
  in_way(_i, reuse_key, NULL);
  ck_assert_int_eq(drops, 0);
}
END_TEST

static void free_twice(void *key) {
  gch_key_free(key);
  gch_key_free(key);
}

START_TEST(a_key_can_be_made_when_there_are_pthread_keys_again) {
  pthread_key_t last, next;
  ck_assert_int_eq(pthread_key_create(&last, NULL), 0);
  while (pthread_key_create(&next, NULL) == 0)
    last = next;
  errno = 0;
  ck_assert_ptr_null(gch_key_new(NULL));
  ck_assert_int_eq(errno, ENOMEM);
  pthread_key_delete(last);
  gch_key_free(new_key(NULL));
}
END_TEST

START_TEST(a_second_free_is_a_panic) {
  gch_key *key = new_key(NULL);
  expect_panic(free_twice, key, "gulch: free of a key that was freed before");
  gch_key_free(key);
}
END_TEST

/* Drops */

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
  gch_sleep(MS);
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
  const gch_ctx *mine =
      gch_ctx_custom(gch_ctx_background(), &ops,
                     gch_ctx_with_cancel(gch_errgroup_ctx(g)));
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
  gch_timer *t = gch_timer_func(MS, set_first, key);
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

/* Fork */

static int find_own(gch_key *key, void *value) {
  require(gch_key_get(key) == value);
  gch_key *fresh = gch_key_new(NULL);
  require(fresh && !gch_key_get(fresh));
  require(gch_key_set(fresh, &values[1]) == 0);
  gch_key_free(fresh);
  return OK;
}

static int fork_and_find(void *arg) {
  gch_key *key = arg;
  gch_key_set(key, &values[4]);
  pid_t pid = fork_with_parent();
  if (pid == 0)
    _exit(find_own(key, &values[4]));
  return status_of(pid);
}

START_TEST(who_forks_has_its_values_in_the_child) {
  gch_key *key = new_key(NULL);
  ck_assert_int_eq(fork_and_find(key), OK);
  gch_key_set(key, NULL);
  if (!THREAD_SANITIZED)
    ck_assert_int_eq(gch_run(fork_and_find, key), OK);
  gch_key_free(key);
}
END_TEST

static void make_keys(void *arg) {
  const atomic_bool *over = arg;
  while (!atomic_load(over)) {
    gch_key *a = gch_key_new(NULL), *b = gch_key_new(count_drop);
    gch_key_set(b, &values[0]);
    gch_key_free(a);
    gch_key_free(b);
  }
}

START_TEST(a_fork_may_come_while_keys_are_made_and_freed) {
  atomic_bool over = false;
  test_thread *t = thread_start(make_keys, &over);
  for (int i = 0; i < scaled(50); i++) {
    pid_t pid = fork_with_parent();
    if (pid == 0) {
      gch_key *key = gch_key_new(NULL);
      _exit(key ? find_own(key, NULL) : WRONG);
    }
    ck_assert_int_eq(status_of(pid), OK);
  }
  atomic_store(&over, true);
  thread_join(t);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = fork_suite("key");
  TCase *t = test_case(s, "values");
  add_in_each_way(t, what_is_set_is_got);
  add_in_each_way(t, a_null_key_is_einval_and_may_be_freed);
  add_in_each_way(t, there_may_be_thousands_of_keys);
  tcase_add_test(t, each_task_has_its_own_wherever_it_goes_on);
  tcase_add_test(t, a_new_task_has_none);
  add_in_each_way(t, a_new_key_shows_no_value_of_one_that_was_freed);
  if (!SANITIZED)
    tcase_add_test(t, a_key_can_be_made_when_there_are_pthread_keys_again);
  tcase_add_test(t, a_second_free_is_a_panic);
  TCase *drop = test_case(s, "drops");
  add_in_each_way(drop, each_value_left_is_dropped_once);
  add_in_each_way(drop, what_a_drop_sets_is_dropped_four_times_round);
  add_in_each_way(drop, a_drop_may_block);
  tcase_add_test(drop, who_waits_for_a_task_waits_for_its_drops);
  tcase_add_test(drop, what_a_timer_starts_drops_too);
  tcase_add_test(drop, what_a_custom_context_sets_in_a_groups_task_is_dropped);
  if (!THREAD_SANITIZED)
    tcase_add_test(drop, pthread_exit_drops_too);
  TCase *forks = test_case(s, "fork");
  tcase_add_test(forks, who_forks_has_its_values_in_the_child);
  if (!SANITIZED)
    tcase_add_test(forks, a_fork_may_come_while_keys_are_made_and_freed);
  return s;
}
