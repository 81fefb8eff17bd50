/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's sync/rwmutex_test.go. */
#include "tasks.h"

#include <stdatomic.h>

struct parallel {
  gch_rwmutex rw;
  gch_chan *locked, *unlock;
};

static void read_in_parallel(void *arg) {
  struct parallel *p = arg;
  gch_rwmutex_rlock(&p->rw);
  gch_send(p->locked, NULL);
  gch_recv(p->unlock, NULL);
  gch_rwmutex_runlock(&p->rw);
}

/* All are in before any may leave. */
static void parallel_readers(int n) {
  struct parallel p = {GCH_RWMUTEX_INIT, gch_make(0, 0), gch_make(0, 0)};
  gch_wg wg = GCH_WG_INIT;
  for (int i = 0; i < n; i++)
    ck_assert_int_eq(gch_wg_go(&wg, read_in_parallel, &p), 0);
  for (int i = 0; i < n; i++)
    gch_recv(p.locked, NULL);
  for (int i = 0; i < n; i++)
    gch_send(p.unlock, NULL);
  gch_wg_wait(&wg);
  await_no_tasks();
  gch_unref(p.locked);
  gch_unref(p.unlock);
}

START_TEST(TestParallelReaders) {
  parallel_readers(1);
  parallel_readers(3);
  parallel_readers(4);
}
END_TEST

/* activity: a reader counts one, a writer 10000. */
enum { WRITES = 10000 };

struct hammer {
  gch_rwmutex rw;
  gch_wg wg;
  _Atomic int activity;
  int loops;
};

static void linger(void) {
  for (volatile int i = 0; i < 100; i++)
    ;
}

static void read_often(void *arg) {
  struct hammer *h = arg;
  for (int i = 0; i < h->loops; i++) {
    gch_rwmutex_rlock(&h->rw);
    int n = ++h->activity;
    ck_assert(n >= 1 && n < WRITES);
    linger();
    h->activity--;
    gch_rwmutex_runlock(&h->rw);
  }
}

static void write_often(void *arg) {
  struct hammer *h = arg;
  for (int i = 0; i < h->loops; i++) {
    gch_rwmutex_lock(&h->rw);
    int n = atomic_fetch_add(&h->activity, WRITES) + WRITES;
    ck_assert_int_eq(n, WRITES);
    linger();
    h->activity -= WRITES;
    gch_rwmutex_unlock(&h->rw);
  }
}

static void hammer_rwmutex(int readers) {
  struct hammer h = {GCH_RWMUTEX_INIT, GCH_WG_INIT, 0, scaled(200)};
  for (int i = 0; i < readers; i++) {
    if (i == 0 || i == readers / 2)
      ck_assert_int_eq(gch_wg_go(&h.wg, write_often, &h), 0);
    ck_assert_int_eq(gch_wg_go(&h.wg, read_often, &h), 0);
  }
  gch_wg_wait(&h.wg);
  ck_assert_int_eq(gch_rwmutex_try_lock(&h.rw), 0);
  await_no_tasks();
}

START_TEST(TestRWMutex_try) {
  gch_rwmutex rw = GCH_RWMUTEX_INIT;
  gch_rwmutex_lock(&rw);
  ck_assert_int_eq(gch_rwmutex_try_lock(&rw), EAGAIN);
  ck_assert_int_eq(gch_rwmutex_try_rlock(&rw), EAGAIN);
  gch_rwmutex_unlock(&rw);
  ck_assert_int_eq(gch_rwmutex_try_lock(&rw), 0);
  gch_rwmutex_unlock(&rw);
  ck_assert_int_eq(gch_rwmutex_try_rlock(&rw), 0);
  ck_assert_int_eq(gch_rwmutex_try_rlock(&rw), 0);
  ck_assert_int_eq(gch_rwmutex_try_lock(&rw), EAGAIN);
  gch_rwmutex_runlock(&rw);
  gch_rwmutex_runlock(&rw);
}
END_TEST

START_TEST(TestRWMutex) {
  hammer_rwmutex(1);
  hammer_rwmutex(3);
  hammer_rwmutex(5);
  hammer_rwmutex(10);
}
END_TEST

/* Go's RLocker is a view of the rwmutex that locks for reading. */
enum { ROUNDS = 10 };

struct locker {
  gch_rwmutex rw;
  gch_chan *wlocked, *rlocked;
};

static void read_twice_then_write(void *arg) {
  struct locker *l = arg;
  for (int i = 0; i < ROUNDS; i++) {
    gch_rwmutex_rlock(&l->rw);
    gch_rwmutex_rlock(&l->rw);
    gch_send(l->rlocked, NULL);
    gch_rwmutex_lock(&l->rw);
    gch_send(l->wlocked, NULL);
  }
}

START_TEST(TestRLocker) {
  struct locker l = {GCH_RWMUTEX_INIT, gch_make(0, 1), gch_make(0, 1)};
  ck_assert_int_eq(gch_go(read_twice_then_write, &l), 0);
  for (int i = 0; i < ROUNDS; i++) {
    gch_recv(l.rlocked, NULL);
    gch_rwmutex_runlock(&l.rw);
    ck_assert_msg(gch_try_recv(l.wlocked, NULL) == EAGAIN, "not read-locked");
    gch_rwmutex_runlock(&l.rw);
    gch_recv(l.wlocked, NULL);
    ck_assert_msg(gch_try_recv(l.rlocked, NULL) == EAGAIN, "not write-locked");
    gch_rwmutex_unlock(&l.rw);
  }
  await_no_tasks();
  gch_unref(l.wlocked);
  gch_unref(l.rlocked);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("golang/rwmutex");
  TCase *t = test_case(s, "rwmutex");
  tcase_add_test(t, TestParallelReaders);
  tcase_add_test(t, TestRWMutex_try);
  tcase_add_test(t, TestRWMutex);
  tcase_add_test(t, TestRLocker);
  return s;
}
