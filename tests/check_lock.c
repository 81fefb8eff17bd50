/* SPDX-License-Identifier: BSD-3-Clause */
/* The small lock: whom a release wakes, and what neighbours see of it. With its
   source, whose system calls are counted here. */
#define TEST_AS_IS
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "harness.h"

#define gch__futex_wait futex_wait
#define gch__futex_wake futex_wake
#define gch__futex_forked futex_forked
#include "park/futex.c"
#undef gch__futex_wait
#undef gch__futex_wake

static int counted_wait(_Atomic uint32_t *word, uint32_t expected,
                        int64_t deadline);
static void counted_wake(_Atomic uint32_t *word);

#define gch__futex_wait counted_wait
#define gch__futex_wake counted_wake
#define gch__lock_sleepers own_lock_sleepers
#define gch__lock_await own_lock_await
#define gch__lock_slow own_lock_slow
#define gch__lock_wake own_lock_wake
#define gch__lock_give_way own_lock_give_way
#define gch__lock_forked own_lock_forked
#define gch__lock_begin own_lock_begin
#define gch__lock_naps own_lock_naps
#define gch__lock_nap_begins own_lock_nap_begins
#define gch__lock_nap_ends own_lock_nap_ends
#define gch__begin own_begin
void gch__begin(void);
#include "park/lock.c"

#include <pthread.h>

void gch__begin(void) {
  gch__fence_begin();
  gch__lock_begin();
}

/* Calls for sleepers, and not for a bucket's own lock. */
static atomic_int waits, wakes;

static bool is_in_a_bucket(const void *word) {
  return (uintptr_t)word - (uintptr_t)buckets < sizeof buckets;
}

static int counted_wait(_Atomic uint32_t *word, uint32_t expected,
                        int64_t deadline) {
  if (!is_in_a_bucket(word))
    atomic_fetch_add(&waits, 1);
  return futex_wait(word, expected, deadline);
}

static void counted_wake(_Atomic uint32_t *word) {
  if (!is_in_a_bucket(word))
    atomic_fetch_add(&wakes, 1);
  futex_wake(word);
}

enum { LOCKS = 4096, SLEEPERS = 8, ROUNDS = 1000 };
static struct gch_lock locks[LOCKS];
static pthread_t threads[SLEEPERS];

static void *lock_once(void *lock) {
  gch__lock(lock);
  gch__unlock(lock);
  return lock;
}

/* Of the threads from the i-th on, n sleep on l, which the caller has. */
static void have_asleep(struct gch_lock *l, int i, int n) {
  int before = atomic_load(&waits);
  for (int end = i + n; i < end; i++)
    ck_assert_int_eq(pthread_create(&threads[i], NULL, lock_once, l), 0);
  while (atomic_load(&waits) < before + n)
    sched_yield();
}

static void join(int n) {
  for (int i = 0; i < n; i++)
    ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
}

static bool nothing_is_wanted(void) {
  for (int i = 0; i < BUCKETS; i++)
    if (buckets[i].n != 0 || buckets[i].wanted != NONE || buckets[i].first)
      return false;
  return atomic_load(&gch__lock_sleepers) < GCH_LOCK_WANTED;
}

START_TEST(a_wake_is_for_one_who_sleeps) {
  struct gch_lock *l = &locks[0];
  gch__lock(l);
  have_asleep(l, 0, SLEEPERS);
  for (int i = 0; i < ROUNDS; i++) {
    gch__unlock(l);
    gch__lock(l);
  }
  gch__unlock(l);
  join(SLEEPERS);
  ck_assert_int_le(wakes, waits);
  ck_assert(nothing_is_wanted());
}
END_TEST

static struct gch_lock *neighbour_of(struct gch_lock *l) {
  struct gch_lock *other = locks;
  while (other == l || bucket_of(other) != bucket_of(l))
    other++;
  return other;
}

START_TEST(neighbours_of_locks_slept_on_make_no_system_call) {
  struct gch_lock *a = &locks[LOCKS / 2], *b = neighbour_of(a);
  gch__lock(a);
  gch__lock(b);
  have_asleep(a, 0, 1);
  have_asleep(b, 1, _i);
  for (int i = 0; i < LOCKS; i++)
    if (&locks[i] != a && &locks[i] != b)
      lock_once(&locks[i]);
  ck_assert_int_eq(wakes, 0);
  gch__unlock(b);
  gch__unlock(a);
  join(1 + _i);
  ck_assert(nothing_is_wanted());
}
END_TEST

/* Of two locks in one bucket. */
static struct gch_lock *pair[2];
static long sums[2];

static void *count(void *which) {
  size_t i = (uintptr_t)which % 2;
  for (int n = scaled(20000); n > 0; n--) {
    gch__lock(pair[i]);
    long sum = sums[i];
    if (n % 64 == 0)
      sched_yield();
    sums[i] = sum + 1;
    gch__unlock(pair[i]);
  }
  return NULL;
}

START_TEST(one_has_it_at_a_time_and_all_get_it) {
  pair[0] = &locks[0];
  pair[1] = neighbour_of(pair[0]);
  for (uintptr_t i = 0; i < SLEEPERS; i++)
    ck_assert_int_eq(pthread_create(&threads[i], NULL, count, (void *)i), 0);
  join(SLEEPERS);
  ck_assert_int_eq(sums[0], SLEEPERS / 2 * scaled(20000));
  ck_assert_int_eq(sums[1], SLEEPERS / 2 * scaled(20000));
  ck_assert(nothing_is_wanted());
}
END_TEST

START_TEST(after_a_fork_nobody_sleeps) {
  gch__lock(&locks[0]);
  have_asleep(&locks[0], 0, SLEEPERS);
  gch__lock_forked();
  ck_assert(nothing_is_wanted());
  gch__unlock(&locks[0]);
  ck_assert_int_eq(wakes, 0);
  _exit(0); /* with those who sleep for ever */
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("lock");
  TCase *t = test_case(s, "sleepers");
  tcase_add_test(t, a_wake_is_for_one_who_sleeps);
  tcase_add_loop_test(t, neighbours_of_locks_slept_on_make_no_system_call, 0,
                      2);
  tcase_add_test(t, one_has_it_at_a_time_and_all_get_it);
  tcase_add_test(t, after_a_fork_nobody_sleeps);
  return s;
}
