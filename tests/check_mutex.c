/* SPDX-License-Identifier: BSD-3-Clause */
/* Mutexes. */
#include "sync_facts.h"

static bool is_locked(gch_mutex *m) {
  if (gch_mutex_try_lock(m) != 0)
    return true;
  gch_mutex_unlock(m);
  return false;
}

/* Locking */

START_TEST(zero_bytes_are_a_mutex) {
  gch_mutex m;
  memset(&m, 0, sizeof m);
  gch_mutex_lock(&m);
  ck_assert(is_locked(&m));
  gch_mutex_unlock(&m);
  ck_assert(!is_locked(&m));
}
END_TEST

START_TEST(init_is_all_zero_bytes) {
  gch_mutex m = GCH_MUTEX_INIT, zero;
  memset(&zero, 0, sizeof zero);
  ck_assert_mem_eq(&m, &zero, sizeof m);
}
END_TEST

START_TEST(try_lock_of_a_locked_mutex_is_EAGAIN) {
  gch_mutex m = GCH_MUTEX_INIT;
  ck_assert_int_eq(gch_mutex_try_lock(&m), 0);
  ck_assert_int_eq(gch_mutex_try_lock(&m), EAGAIN);
  gch_mutex_unlock(&m);
  ck_assert_int_eq(gch_mutex_try_lock(&m), 0);
  gch_mutex_unlock(&m);
}
END_TEST

struct locker {
  gch_mutex m;
  gch_chan *c;
  int64_t deadline;
  int err, plain;
  atomic_int locked;
};

static void lock_and_count(void *arg) {
  struct locker *l = arg;
  gch_mutex_lock(&l->m);
  atomic_fetch_add(&l->locked, 1);
  gch_mutex_unlock(&l->m);
}

START_TEST(lock_waits_for_the_unlock) {
  struct locker l = {.m = GCH_MUTEX_INIT};
  gch_mutex_lock(&l.m);
  test_thread *t = thread_start(lock_and_count, &l);
  await_asleep(gch_mutex_waiting(&l.m), 1);
  let_others_run();
  ck_assert_int_eq(l.locked, 0);
  gch_mutex_unlock(&l.m);
  thread_join(t);
  ck_assert_int_eq(l.locked, 1);
}
END_TEST

START_TEST(all_who_wait_get_it) {
  enum { MANY = 8 };
  struct locker l = {.m = GCH_MUTEX_INIT};
  gch_wg wg = GCH_WG_INIT;
  gch_mutex_lock(&l.m);
  for (int i = 0; i < MANY; i++)
    ck_assert_int_eq(gch_wg_go(&wg, lock_and_count, &l), 0);
  await_asleep(gch_mutex_waiting(&l.m), MANY);
  gch_mutex_unlock(&l.m);
  gch_wg_wait(&wg);
  ck_assert_uint_eq(gch_mutex_waiting(&l.m), 0);
  ck_assert_int_eq(l.locked, MANY);
  ck_assert(!is_locked(&l.m));
  await_no_tasks();
}
END_TEST

static void unlock_it(void *m) {
  gch_mutex_unlock(m);
}

START_TEST(another_may_unlock_what_one_has_locked) {
  gch_mutex m = GCH_MUTEX_INIT;
  gch_mutex_lock(&m);
  thread_join(thread_start(unlock_it, &m));
  ck_assert(!is_locked(&m));
}
END_TEST

static void hold_over_a_receive(void *arg) {
  struct locker *l = arg;
  gch_mutex_lock(&l->m);
  gch_recv(l->c, NULL);
  l->plain = 1;
  gch_mutex_unlock(&l->m);
}

START_TEST(it_may_be_held_across_a_blocking_call) {
  struct locker l = {.m = GCH_MUTEX_INIT, .c = gch_make(0, 0)};
  gch_wg wg = GCH_WG_INIT;
  ck_assert_int_eq(gch_wg_go(&wg, hold_over_a_receive, &l), 0);
  await_waiting(l.c, 0, 1);
  ck_assert(is_locked(&l.m));
  gch_send(l.c, NULL);
  gch_mutex_lock(&l.m);
  ck_assert_int_eq(l.plain, 1);
  gch_mutex_unlock(&l.m);
  gch_wg_wait(&wg);
  await_no_tasks();
  gch_unref(l.c);
}
END_TEST

static void count_plainly(void *arg) {
  struct locker *l = arg;
  for (int i = 0; i < scaled(2000); i++) {
    gch_mutex_lock(&l->m);
    l->plain++;
    gch_mutex_unlock(&l->m);
  }
}

START_TEST(one_at_a_time_has_it) {
  enum { MANY = 4 };
  struct locker l = {.m = GCH_MUTEX_INIT};
  gch_wg wg = GCH_WG_INIT;
  for (int i = 0; i < MANY; i++)
    ck_assert_int_eq(gch_wg_go(&wg, count_plainly, &l), 0);
  gch_wg_wait(&wg);
  ck_assert_int_eq(l.plain, MANY * scaled(2000));
  await_no_tasks();
}
END_TEST

/* Unlocking */

static void unlock_unlocked(void *arg) {
  gch_mutex m = GCH_MUTEX_INIT;
  (void)arg;
  gch_mutex_unlock(&m);
}

static void unlock_twice(void *arg) {
  gch_mutex m = GCH_MUTEX_INIT;
  (void)arg;
  gch_mutex_lock(&m);
  gch_mutex_unlock(&m);
  gch_mutex_unlock(&m);
}

START_TEST(unlock_of_an_unlocked_mutex_is_a_panic) {
  expect_panic(unlock_unlocked, NULL, "sync: unlock of unlocked mutex");
  expect_panic(unlock_twice, NULL, "sync: unlock of unlocked mutex");
}
END_TEST

/* lock_until */

START_TEST(lock_until_a_passed_deadline_takes_what_is_free) {
  gch_mutex m = GCH_MUTEX_INIT;
  ck_assert_int_eq(gch_mutex_lock_until(&m, 0), 0);
  gch_mutex_unlock(&m);
  ck_assert_int_eq(gch_mutex_lock_until(&m, INT64_MIN), 0);
  gch_mutex_unlock(&m);
}
END_TEST

START_TEST(lock_until_a_passed_deadline_only_looks) {
  gch_mutex m = GCH_MUTEX_INIT;
  gch_mutex_lock(&m);
  ck_assert_int_eq(gch_mutex_lock_until(&m, 0), ETIMEDOUT);
  ck_assert_int_eq(gch_mutex_lock_until(&m, INT64_MIN), ETIMEDOUT);
  gch_mutex_unlock(&m);
  ck_assert(!is_locked(&m));
}
END_TEST

START_TEST(lock_until_times_out_not_before_its_deadline) {
  gch_mutex m = GCH_MUTEX_INIT;
  int64_t deadline = shortly();
  gch_mutex_lock(&m);
  ck_assert_int_eq(gch_mutex_lock_until(&m, deadline), ETIMEDOUT);
  ck_assert_int_ge(gch_now(), deadline);
  gch_mutex_unlock(&m);
}
END_TEST

static void lock_until_and_hold(void *arg) {
  struct locker *l = arg;
  l->err = gch_mutex_lock_until(&l->m, l->deadline);
  if (l->err == 0)
    gch_mutex_unlock(&l->m);
}

START_TEST(lock_until_ends_with_the_unlock) {
  struct locker l = {.m = GCH_MUTEX_INIT, .deadline = GCH_FOREVER, .err = -1};
  gch_mutex_lock(&l.m);
  test_thread *t = thread_start(lock_until_and_hold, &l);
  await_asleep(gch_mutex_waiting(&l.m), 1);
  gch_mutex_unlock(&l.m);
  thread_join(t);
  ck_assert_int_eq(l.err, 0);
}
END_TEST

START_TEST(who_timed_out_leaves_the_others_in_line) {
  struct locker l = {.m = GCH_MUTEX_INIT};
  gch_mutex_lock(&l.m);
  test_thread *t = thread_start(lock_and_count, &l);
  await_asleep(gch_mutex_waiting(&l.m), 1);
  for (int i = 0; i < 10; i++)
    ck_assert_int_eq(gch_mutex_lock_until(&l.m, 0), ETIMEDOUT);
  gch_mutex_unlock(&l.m);
  thread_join(t);
  ck_assert_int_eq(l.locked, 1);
}
END_TEST

START_TEST(a_mutex_whose_only_waiter_timed_out_unlocks) {
  gch_mutex m = GCH_MUTEX_INIT;
  gch_mutex_lock(&m);
  ck_assert_int_eq(gch_mutex_lock_until(&m, shortly()), ETIMEDOUT);
  gch_mutex_unlock(&m);
  gch_mutex_lock(&m);
  gch_mutex_unlock(&m);
}
END_TEST

/* A timeout may race the unlock that takes the waiter off: then it has the
   mutex or passes it on, and who waits behind it is not forgotten. */
START_TEST(a_timeout_may_race_the_unlock) {
  for (int i = 0; i < scaled(300); i++) {
    struct locker l = {.m = GCH_MUTEX_INIT};
    gch_mutex_lock(&l.m);
    l.deadline = gch_now() + i % 60 * GCH_MICROSECOND;
    test_thread *a = thread_start(lock_until_and_hold, &l);
    test_thread *b = thread_start(lock_and_count, &l);
    while (gch_now() < l.deadline)
      ;
    gch_mutex_unlock(&l.m);
    thread_join(a);
    thread_join(b);
    ck_assert_int_eq(l.locked, 1);
    ck_assert(!is_locked(&l.m));
  }
}
END_TEST

/* Memory */

struct last {
  gch_mutex m;
  int users;
};

static void lock_and_free_as_last(void *arg) {
  struct last *l = arg;
  gch_mutex_lock(&l->m);
  bool is_last = ++l->users == 2;
  gch_mutex_unlock(&l->m);
  if (is_last) {
    memset(l, 0xff, sizeof *l);
    free(l);
  }
}

START_TEST(the_last_to_lock_may_free_it_at_once) {
  for (int i = 0; i < scaled(500); i++) {
    struct last *l = calloc(1, sizeof *l);
    test_thread *a = thread_start(lock_and_free_as_last, l);
    test_thread *b = thread_start(lock_and_free_as_last, l);
    thread_join(a);
    thread_join(b);
  }
}
END_TEST

START_TEST(errno_is_left_alone) {
  gch_mutex m = GCH_MUTEX_INIT;
  errno = ENOENT;
  gch_mutex_lock(&m);
  gch_mutex_try_lock(&m);
  gch_mutex_lock_until(&m, shortly());
  gch_mutex_unlock(&m);
  ck_assert_int_eq(errno, ENOENT);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("mutex");
  TCase *t = test_case(s, "lock");
  tcase_add_test(t, zero_bytes_are_a_mutex);
  tcase_add_test(t, init_is_all_zero_bytes);
  tcase_add_test(t, try_lock_of_a_locked_mutex_is_EAGAIN);
  tcase_add_test(t, lock_waits_for_the_unlock);
  tcase_add_test(t, all_who_wait_get_it);
  tcase_add_test(t, another_may_unlock_what_one_has_locked);
  tcase_add_test(t, it_may_be_held_across_a_blocking_call);
  tcase_add_test(t, one_at_a_time_has_it);
  t = test_case(s, "unlock");
  tcase_add_test(t, unlock_of_an_unlocked_mutex_is_a_panic);
  t = test_case(s, "until");
  tcase_add_test(t, lock_until_a_passed_deadline_takes_what_is_free);
  tcase_add_test(t, lock_until_a_passed_deadline_only_looks);
  tcase_add_test(t, lock_until_times_out_not_before_its_deadline);
  tcase_add_test(t, lock_until_ends_with_the_unlock);
  tcase_add_test(t, who_timed_out_leaves_the_others_in_line);
  tcase_add_test(t, a_mutex_whose_only_waiter_timed_out_unlocks);
  tcase_add_test(t, a_timeout_may_race_the_unlock);
  t = test_case(s, "memory");
  tcase_add_test(t, the_last_to_lock_may_free_it_at_once);
  tcase_add_test(t, errno_is_left_alone);
  return s;
}
