/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's sync/cond_test.go. */
#include "tasks.h"

struct crowd {
  gch_mutex m;
  gch_cond c;
  gch_chan *running, *awake; /* of the members' numbers */
  bool exit;
};

struct member {
  struct crowd *crowd;
  int id;
};

enum { CROWD = 60 };

static struct crowd crowd_of(size_t n) {
  return (struct crowd){.m = GCH_MUTEX_INIT,
                        .c = GCH_COND_INIT,
                        .running = gch_make_of(int, n),
                        .awake = gch_make_of(int, n)};
}

static void crowd_leaves(struct crowd *crowd) {
  await_no_tasks();
  gch_unref(crowd->running);
  gch_unref(crowd->awake);
}

static void wait_once(void *arg) {
  struct member m = *(struct member *)arg;
  struct crowd *crowd = m.crowd;
  gch_mutex_lock(&crowd->m);
  gch_send(crowd->running, &m.id);
  gch_cond_wait(&crowd->c, &crowd->m);
  gch_send(crowd->awake, &m.id);
  gch_mutex_unlock(&crowd->m);
}

static void go_member(void (*fn)(void *), struct crowd *crowd, int id) {
  struct member m = {crowd, id};
  ck_assert_int_eq(gch_go_copy(fn, &m, sizeof m), 0);
}

static void signal_under_lock(struct crowd *crowd) {
  gch_mutex_lock(&crowd->m);
  gch_cond_signal(&crowd->c);
  gch_mutex_unlock(&crowd->m);
}

START_TEST(TestCondSignal) {
  enum { TWO = 2 };
  struct crowd crowd = crowd_of(TWO);
  for (int i = 0; i < TWO; i++)
    go_member(wait_once, &crowd, i);
  for (int i = 0; i < TWO; i++)
    gch_recv(crowd.running, NULL);
  for (int i = 0; i < TWO; i++) {
    ck_assert_msg(gch_try_recv(crowd.awake, NULL) == EAGAIN, "not asleep");
    signal_under_lock(&crowd);
    gch_recv(crowd.awake, NULL);
    ck_assert_msg(gch_try_recv(crowd.awake, NULL) == EAGAIN, "too many awake");
  }
  gch_cond_signal(&crowd.c);
  crowd_leaves(&crowd);
}
END_TEST

START_TEST(TestCondSignalGenerations) {
  struct crowd crowd = crowd_of(CROWD);
  int awake;
  for (int i = 0; i < CROWD; i++) {
    go_member(wait_once, &crowd, i);
    if (i > 0) {
      gch_recv(crowd.awake, &awake);
      ck_assert_int_eq(awake, i - 1);
    }
    gch_recv(crowd.running, NULL);
    signal_under_lock(&crowd);
  }
  gch_recv(crowd.awake, NULL);
  crowd_leaves(&crowd);
}
END_TEST

static void wait_until_exit(void *arg) {
  struct member m = *(struct member *)arg;
  struct crowd *crowd = m.crowd;
  gch_mutex_lock(&crowd->m);
  while (!crowd->exit) {
    gch_send(crowd->running, &m.id);
    gch_cond_wait(&crowd->c, &crowd->m);
    gch_send(crowd->awake, &m.id);
  }
  gch_mutex_unlock(&crowd->m);
}

/* Each wakes once. */
static void expect_all_awake(struct crowd *crowd) {
  bool seen[CROWD] = {false};
  for (int i = 0; i < CROWD; i++) {
    int id;
    gch_recv(crowd->awake, &id);
    ck_assert_msg(!seen[id], "%d woke up twice", id);
    seen[id] = true;
  }
}

START_TEST(TestCondBroadcast) {
  struct crowd crowd = crowd_of(CROWD);
  int rounds = scaled(20);
  for (int i = 0; i < CROWD; i++)
    go_member(wait_until_exit, &crowd, i);
  for (int round = 1; round <= rounds; round++) {
    for (int i = 0; i < CROWD; i++)
      gch_recv(crowd.running, NULL);
    ck_assert_msg(gch_try_recv(crowd.awake, NULL) == EAGAIN, "not asleep");
    gch_mutex_lock(&crowd.m);
    crowd.exit = round == rounds;
    gch_cond_broadcast(&crowd.c);
    gch_mutex_unlock(&crowd.m);
    expect_all_awake(&crowd);
  }
  ck_assert_msg(gch_try_recv(crowd.running, NULL) == EAGAIN, "did not exit");
  gch_cond_broadcast(&crowd.c);
  crowd_leaves(&crowd);
}
END_TEST

struct race {
  gch_mutex m;
  gch_cond c;
  int x;
};

static void wait_for_2(void *arg) {
  struct race *r = arg;
  gch_mutex_lock(&r->m);
  r->x = 1;
  gch_cond_wait(&r->c, &r->m);
  ck_assert_int_eq(r->x, 2);
  r->x = 3;
  gch_cond_signal(&r->c);
  gch_mutex_unlock(&r->m);
}

static void make_it_2(void *arg) {
  struct race *r = arg;
  gch_mutex_lock(&r->m);
  while (r->x != 1) {
    gch_mutex_unlock(&r->m);
    gch_yield();
    gch_mutex_lock(&r->m);
  }
  r->x = 2;
  gch_cond_signal(&r->c);
  gch_mutex_unlock(&r->m);
}

static void wait_for_3(void *arg) {
  struct race *r = arg;
  gch_mutex_lock(&r->m);
  while (r->x != 2 && r->x != 3) {
    gch_mutex_unlock(&r->m);
    gch_yield();
    gch_mutex_lock(&r->m);
  }
  if (r->x == 2)
    gch_cond_wait(&r->c, &r->m);
  ck_assert_int_eq(r->x, 3);
  gch_mutex_unlock(&r->m);
}

START_TEST(TestRace) {
  struct race r = {GCH_MUTEX_INIT, GCH_COND_INIT, 0};
  gch_wg wg = GCH_WG_INIT;
  ck_assert_int_eq(gch_wg_go(&wg, wait_for_2, &r), 0);
  ck_assert_int_eq(gch_wg_go(&wg, make_it_2, &r), 0);
  ck_assert_int_eq(gch_wg_go(&wg, wait_for_3, &r), 0);
  gch_wg_wait(&wg);
  await_no_tasks();
}
END_TEST

struct stealing {
  gch_mutex m;
  gch_cond c;
  gch_chan *ch;
  bool done;
};

static void wait_first(void *arg) {
  struct stealing *s = arg;
  gch_mutex_lock(&s->m);
  gch_send(s->ch, NULL);
  gch_cond_wait(&s->c, &s->m);
  gch_mutex_unlock(&s->m);
  gch_send(s->ch, NULL);
}

static void broadcast(void *arg) {
  struct stealing *s = arg;
  gch_cond_broadcast(&s->c);
}

static void wait_second(void *arg) {
  struct stealing *s = arg;
  gch_mutex_lock(&s->m);
  while (!s->done)
    gch_cond_wait(&s->c, &s->m);
  gch_mutex_unlock(&s->m);
}

/* Who waited before the broadcast gets it, whoever comes at the same time. */
static void steal(struct stealing *s) {
  gch_wg wg = GCH_WG_INIT;
  ck_assert_int_eq(gch_wg_go(&wg, wait_first, s), 0);
  gch_recv(s->ch, NULL);
  gch_mutex_lock(&s->m);
  gch_mutex_unlock(&s->m);
  ck_assert_int_eq(gch_wg_go(&wg, broadcast, s), 0);
  ck_assert_int_eq(gch_wg_go(&wg, wait_second, s), 0);
  gch_recv(s->ch, NULL);
  gch_mutex_lock(&s->m);
  s->done = true;
  gch_mutex_unlock(&s->m);
  gch_cond_broadcast(&s->c);
  gch_wg_wait(&wg);
}

START_TEST(TestCondSignalStealing) {
  for (int i = 0; i < scaled(300); i++) {
    struct stealing s = {.ch = gch_make(0, 0)};
    steal(&s);
    await_no_tasks();
    gch_unref(s.ch);
  }
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("golang/cond");
  TCase *t = test_case(s, "cond");
  tcase_add_test(t, TestCondSignal);
  tcase_add_test(t, TestCondSignalGenerations);
  tcase_add_test(t, TestCondBroadcast);
  tcase_add_test(t, TestRace);
  tcase_add_test(t, TestCondSignalStealing);
  return s;
}
