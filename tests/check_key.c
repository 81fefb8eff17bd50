/* SPDX-License-Identifier: BSD-3-Clause */
/* gch_key: values of a task's own. */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "fork_life.h"
#include "key_facts.h"

#include <pthread.h>

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
  TCase *forks = test_case(s, "fork");
  tcase_add_test(forks, who_forks_has_its_values_in_the_child);
  if (!SANITIZED)
    tcase_add_test(forks, a_fork_may_come_while_keys_are_made_and_freed);
  return s;
}
