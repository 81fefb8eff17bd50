/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's sync/waitgroup_test.go. */
#include "harness.h"

enum { CROWD = 16 };

struct barrier {
  gch_wg wg1, wg2;
  gch_chan *exited;
};

static void pass_barrier(void *arg) {
  struct barrier *b = arg;
  GCH_AUTO gch_chan *exited = gch_ref(b->exited);
  gch_wg_done(&b->wg1);
  gch_wg_wait(&b->wg2);
  gch_send(exited, NULL);
}

static void test_wait_group(struct barrier *b) {
  gch_wg_add(&b->wg1, CROWD);
  gch_wg_add(&b->wg2, CROWD);
  for (int i = 0; i < CROWD; i++)
    ck_assert_int_eq(gch_go(pass_barrier, b), 0);
  gch_wg_wait(&b->wg1);
  for (int i = 0; i < CROWD; i++) {
    ck_assert_msg(gch_try_recv(b->exited, NULL) == EAGAIN, "released too soon");
    gch_wg_done(&b->wg2);
  }
  for (int i = 0; i < CROWD; i++)
    ck_assert_int_eq(gch_recv(b->exited, NULL), 0);
}

START_TEST(TestWaitGroup) {
  struct barrier b = {GCH_WG_INIT, GCH_WG_INIT, gch_make(0, CROWD)};
  for (int i = 0; i < 8; i++)
    test_wait_group(&b);
  gch_unref(b.exited);
}
END_TEST

START_TEST(TestWaitGroup_wait_at_zero_returns) {
  gch_wg wg = GCH_WG_INIT;
  gch_wg_wait(&wg);
  gch_wg_add(&wg, 1);
  gch_wg_done(&wg);
  gch_wg_wait(&wg);
}
END_TEST

static void one_done_too_many(void *arg) {
  gch_wg wg = GCH_WG_INIT;
  (void)arg;
  gch_wg_add(&wg, 1);
  gch_wg_done(&wg);
  gch_wg_done(&wg);
}

START_TEST(TestWaitGroupMisuse) {
  expect_panic(one_done_too_many, NULL, "sync: negative WaitGroup counter");
}
END_TEST

struct two_rounds {
  gch_wg *wg;
  gch_wg over;
};

static void done(void *wg) {
  gch_wg_done(wg);
}

static void wait_and_begin_again(void *arg) {
  struct two_rounds *t = arg;
  gch_wg_wait(t->wg);
  gch_wg_add(t->wg, 1);
  gch_go(done, t->wg);
  gch_wg_wait(t->wg);
  gch_wg_done(&t->over);
}

/* Go sometimes sees a second round that begins before all waits of the first
   have returned, and panics. Here it is allowed. */
START_TEST(TestWaitGroupMisuse3) {
  for (int i = 0; i < scaled(100); i++) {
    gch_wg wg = GCH_WG_INIT;
    struct two_rounds t = {&wg, GCH_WG_INIT};
    gch_wg_add(&wg, 1);
    gch_wg_add(&t.over, 1);
    ck_assert_int_eq(gch_go(done, &wg), 0);
    ck_assert_int_eq(gch_go(wait_and_begin_again, &t), 0);
    gch_wg_wait(&wg);
    gch_wg_wait(&t.over);
  }
}
END_TEST

struct race {
  gch_wg wg;
  _Atomic int n;
};

static void count_and_done(void *arg) {
  struct race *r = arg;
  r->n++;
  gch_wg_done(&r->wg);
}

/* Each round's group is gone as soon as its wait returns. */
START_TEST(TestWaitGroupRace) {
  for (int i = 0; i < scaled(1000); i++) {
    struct race r = {GCH_WG_INIT, 0};
    gch_wg_add(&r.wg, 1);
    ck_assert_int_eq(gch_go(count_and_done, &r), 0);
    gch_wg_add(&r.wg, 1);
    ck_assert_int_eq(gch_go(count_and_done, &r), 0);
    gch_wg_wait(&r.wg);
    ck_assert_int_eq(r.n, 2);
  }
}
END_TEST

START_TEST(TestWaitGroupAlign) {
  struct {
    char x;
    gch_wg wg;
  } s = {0, GCH_WG_INIT};
  gch_wg_add(&s.wg, 1);
  ck_assert_int_eq(gch_go(done, &s.wg), 0);
  gch_wg_wait(&s.wg);
}
END_TEST

static void set(void *arg) {
  *(int *)arg += 1;
}

/* What is counted without an atomic is seen after the wait. */
START_TEST(TestWaitGroupGo) {
  gch_wg wg = GCH_WG_INIT;
  int i = 0;
  ck_assert_int_eq(gch_wg_go(&wg, set, &i), 0);
  gch_wg_wait(&wg);
  ck_assert_int_eq(i, 1);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("golang/waitgroup");
  TCase *t = test_case(s, "wait group");
  tcase_add_test(t, TestWaitGroup);
  tcase_add_test(t, TestWaitGroup_wait_at_zero_returns);
  tcase_add_test(t, TestWaitGroupMisuse);
  tcase_add_test(t, TestWaitGroupMisuse3);
  tcase_add_test(t, TestWaitGroupRace);
  tcase_add_test(t, TestWaitGroupAlign);
  tcase_add_test(t, TestWaitGroupGo);
  return s;
}
