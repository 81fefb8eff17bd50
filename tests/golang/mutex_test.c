/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's sync/mutex_test.go. */
#include "tasks.h"

enum { CROWD = 10 };

struct hammer {
  gch_mutex m;
  int loops;
  gch_chan *done;
};

/* Every third time only a try. */
static void hammer(void *arg) {
  struct hammer *h = arg;
  GCH_AUTO gch_chan *done = gch_ref(h->done);
  for (int i = 0; i < h->loops; i++) {
    if (i % 3 != 0)
      gch_mutex_lock(&h->m);
    else if (gch_mutex_try_lock(&h->m) != 0)
      continue;
    gch_mutex_unlock(&h->m);
  }
  gch_send(done, NULL);
}

START_TEST(TestMutex_try) {
  gch_mutex m = GCH_MUTEX_INIT;
  gch_mutex_lock(&m);
  ck_assert_int_eq(gch_mutex_try_lock(&m), EAGAIN);
  gch_mutex_unlock(&m);
  ck_assert_int_eq(gch_mutex_try_lock(&m), 0);
  gch_mutex_unlock(&m);
}
END_TEST

START_TEST(TestMutex) {
  struct hammer h = {GCH_MUTEX_INIT, scaled(1000), gch_make(0, 0)};
  for (int i = 0; i < CROWD; i++)
    ck_assert_int_eq(gch_go(hammer, &h), 0);
  for (int i = 0; i < CROWD; i++)
    ck_assert_int_eq(gch_recv(h.done, NULL), 0);
  ck_assert_int_eq(gch_mutex_try_lock(&h.m), 0);
  gch_unref(h.done);
}
END_TEST

/* Misuse: what is called, a letter a call. */
static void misuse_mutex(void *calls) {
  gch_mutex m = GCH_MUTEX_INIT;
  for (const char *call = calls; *call; call++)
    *call == 'L' ? gch_mutex_lock(&m) : gch_mutex_unlock(&m);
}

static void misuse_rwmutex(void *calls) {
  gch_rwmutex rw = GCH_RWMUTEX_INIT;
  for (const char *call = calls; *call; call++)
    switch (*call) {
    case 'L':
      gch_rwmutex_lock(&rw);
      break;
    case 'U':
      gch_rwmutex_unlock(&rw);
      break;
    case 'l':
      gch_rwmutex_rlock(&rw);
      break;
    case 'u':
      gch_rwmutex_runlock(&rw);
      break;
    }
}

static void expect_mutex_panic(const char *calls) {
  expect_panic(misuse_mutex, (void *)(uintptr_t)calls,
               "sync: unlock of unlocked mutex");
}

static void expect_rwmutex_panic(const char *calls, const char *words) {
  expect_panic(misuse_rwmutex, (void *)(uintptr_t)calls, words);
}

START_TEST(TestMutexMisuse_Mutex) {
  expect_mutex_panic("U");
  expect_mutex_panic("LUU");
}
END_TEST

START_TEST(TestMutexMisuse_RWMutex_Unlock) {
  const char *words = "sync: Unlock of unlocked RWMutex";
  expect_rwmutex_panic("U", words);
  expect_rwmutex_panic("lU", words);
  expect_rwmutex_panic("LUU", words);
}
END_TEST

START_TEST(TestMutexMisuse_RWMutex_RUnlock) {
  const char *words = "sync: RUnlock of unlocked RWMutex";
  expect_rwmutex_panic("u", words);
  expect_rwmutex_panic("Lu", words);
  expect_rwmutex_panic("luu", words);
}
END_TEST

struct fairness {
  gch_mutex m;
  gch_chan *stop, *done;
};

static void hog(void *arg) {
  struct fairness *f = arg;
  do {
    gch_mutex_lock(&f->m);
    gch_sleep(100 * GCH_MICROSECOND);
    gch_mutex_unlock(&f->m);
  } while (gch_try_recv(f->stop, NULL) == EAGAIN);
}

static void lock_now_and_then(void *arg) {
  struct fairness *f = arg;
  for (int i = 0; i < 10; i++) {
    gch_sleep(100 * GCH_MICROSECOND);
    gch_mutex_lock(&f->m);
    gch_mutex_unlock(&f->m);
  }
  gch_send(f->done, NULL);
}

START_TEST(TestMutexFairness) {
  struct fairness f = {GCH_MUTEX_INIT, gch_make(0, 0), gch_make(0, 1)};
  ck_assert_int_eq(gch_go(hog, &f), 0);
  ck_assert_int_eq(gch_go(lock_now_and_then, &f), 0);
  gch_recv(f.done, NULL);
  gch_close(f.stop);
  await_no_tasks();
  gch_unref(f.stop);
  gch_unref(f.done);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("golang/mutex");
  TCase *t = test_case(s, "mutex");
  tcase_add_test(t, TestMutex_try);
  tcase_add_test(t, TestMutex);
  tcase_add_test(t, TestMutexMisuse_Mutex);
  tcase_add_test(t, TestMutexMisuse_RWMutex_Unlock);
  tcase_add_test(t, TestMutexMisuse_RWMutex_RUnlock);
  tcase_add_test(t, TestMutexFairness);
  return s;
}
