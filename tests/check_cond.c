/* SPDX-License-Identifier: BSD-3-Clause */
/* Conditions. */
#include "sync_facts.h"

struct meeting {
  gch_mutex m;
  gch_cond c;
  int64_t deadline;
  int allowed, plain, order[8], turns;
  bool told;
  atomic_int late;
};

static struct meeting *meet(void) {
  return calloc(1, sizeof(struct meeting));
}

static void part(struct meeting *me) {
  await_no_tasks();
  free(me);
}

static int turns(struct meeting *me) {
  gch_mutex_lock(&me->m);
  int n = me->turns;
  gch_mutex_unlock(&me->m);
  return n;
}

static void wait_once(void *arg) {
  struct meeting *me = arg;
  gch_mutex_lock(&me->m);
  gch_cond_wait(&me->c, &me->m);
  me->turns++;
  gch_mutex_unlock(&me->m);
}

static void wait_until(void *arg) {
  struct meeting *me = arg;
  gch_mutex_lock(&me->m);
  int err = gch_cond_wait_until(&me->c, &me->m, me->deadline);
  me->late += err == ETIMEDOUT;
  me->turns++;
  gch_mutex_unlock(&me->m);
}

static bool has_waiters(struct meeting *me) {
  return gch_cond_waiting(&me->c) > 0;
}

/* Waiting */

START_TEST(zero_bytes_are_a_cond) {
  gch_cond c, init = GCH_COND_INIT;
  memset(&c, 0, sizeof c);
  ck_assert_mem_eq(&c, &init, sizeof c);
  gch_cond_signal(&c);
  gch_cond_broadcast(&c);
}
END_TEST

START_TEST(wait_unlocks_the_mutex_and_has_it_again_after) {
  struct meeting *me = meet();
  gch_wg wg = GCH_WG_INIT;
  go_and_wait(&wg, wait_once, me, gch_cond_waiting(&me->c));
  gch_mutex_lock(&me->m);
  gch_cond_signal(&me->c);
  let_others_run();
  ck_assert_int_eq(me->turns, 0);
  gch_mutex_unlock(&me->m);
  gch_wg_wait(&wg);
  ck_assert_int_eq(me->turns, 1);
  ck_assert_int_eq(gch_mutex_try_lock(&me->m), 0);
  part(me);
}
END_TEST

static void wait_on_an_unlocked_mutex(void *arg) {
  gch_mutex m = GCH_MUTEX_INIT;
  gch_cond c = GCH_COND_INIT;
  (void)arg;
  gch_cond_wait(&c, &m);
}

START_TEST(wait_with_an_unlocked_mutex_is_a_panic) {
  expect_panic(wait_on_an_unlocked_mutex, NULL,
               "sync: unlock of unlocked mutex");
}
END_TEST

static void wait_for_permission(void *arg) {
  struct meeting *me = arg;
  gch_mutex_lock(&me->m);
  while (me->allowed == 0)
    gch_cond_wait(&me->c, &me->m);
  me->allowed--;
  ck_assert_int_eq(me->plain, 42);
  gch_mutex_unlock(&me->m);
}

START_TEST(what_was_before_the_signal_is_seen_after_the_wait) {
  struct meeting *me = meet();
  gch_wg wg = GCH_WG_INIT;
  ck_assert_int_eq(gch_wg_go(&wg, wait_for_permission, me), 0);
  gch_mutex_lock(&me->m);
  me->plain = 42;
  me->allowed = 1;
  gch_mutex_unlock(&me->m);
  gch_cond_signal(&me->c);
  gch_wg_wait(&wg);
  part(me);
}
END_TEST

/* Waking */

START_TEST(a_signal_wakes_one) {
  struct meeting *me = meet();
  gch_wg wg = GCH_WG_INIT;
  for (int i = 0; i < 3; i++)
    go_and_wait(&wg, wait_once, me, gch_cond_waiting(&me->c));
  for (int i = 1; i <= 3; i++) {
    gch_cond_signal(&me->c);
    while (turns(me) < i)
      gch_yield();
    let_others_run();
    ck_assert_int_eq(turns(me), i);
  }
  gch_wg_wait(&wg);
  part(me);
}
END_TEST

struct member {
  struct meeting *meeting;
  int id;
};

static void wait_and_note(void *arg) {
  struct member *m = arg;
  struct meeting *me = m->meeting;
  gch_mutex_lock(&me->m);
  gch_cond_wait(&me->c, &me->m);
  me->order[me->turns++] = m->id;
  gch_mutex_unlock(&me->m);
}

START_TEST(signals_wake_in_the_order_in_which_they_waited) {
  enum { MANY = 8 };
  struct meeting *me = meet();
  struct member members[MANY];
  gch_wg wg = GCH_WG_INIT;
  for (int i = 0; i < MANY; i++) {
    members[i] = (struct member){me, i};
    go_and_wait(&wg, wait_and_note, &members[i], gch_cond_waiting(&me->c));
  }
  for (int i = 0; i < MANY; i++) {
    gch_cond_signal(&me->c);
    while (turns(me) <= i)
      gch_yield();
  }
  gch_wg_wait(&wg);
  for (int i = 0; i < MANY; i++)
    ck_assert_int_eq(me->order[i], i);
  part(me);
}
END_TEST

START_TEST(a_broadcast_wakes_all) {
  enum { MANY = 8 };
  struct meeting *me = meet();
  gch_wg wg = GCH_WG_INIT;
  for (int i = 0; i < MANY; i++)
    go_and_wait(&wg, wait_once, me, gch_cond_waiting(&me->c));
  gch_cond_broadcast(&me->c);
  gch_wg_wait(&wg);
  ck_assert_int_eq(me->turns, MANY);
  part(me);
}
END_TEST

START_TEST(a_signal_before_the_wait_is_not_kept) {
  struct meeting *me = meet();
  gch_cond_signal(&me->c);
  gch_cond_broadcast(&me->c);
  me->deadline = shortly();
  wait_until(me);
  ck_assert_int_eq(me->late, 1);
  part(me);
}
END_TEST

START_TEST(the_signaller_may_hold_the_mutex) {
  struct meeting *me = meet();
  gch_wg wg = GCH_WG_INIT;
  go_and_wait(&wg, wait_once, me, gch_cond_waiting(&me->c));
  go_and_wait(&wg, wait_once, me, gch_cond_waiting(&me->c));
  gch_mutex_lock(&me->m);
  gch_cond_signal(&me->c);
  gch_cond_broadcast(&me->c);
  gch_mutex_unlock(&me->m);
  gch_wg_wait(&wg);
  part(me);
}
END_TEST

/* Deadlines */

START_TEST(wait_until_a_passed_deadline_lets_go_and_comes_back) {
  struct meeting *me = meet();
  gch_mutex_lock(&me->m);
  ck_assert_int_eq(gch_cond_wait_until(&me->c, &me->m, 0), ETIMEDOUT);
  ck_assert_int_eq(gch_cond_wait_until(&me->c, &me->m, INT64_MIN), ETIMEDOUT);
  ck_assert_int_eq(gch_mutex_try_lock(&me->m), EAGAIN);
  gch_mutex_unlock(&me->m);
  ck_assert(!has_waiters(me));
  part(me);
}
END_TEST

START_TEST(wait_until_times_out_not_before_its_deadline) {
  struct meeting *me = meet();
  me->deadline = shortly();
  wait_until(me);
  ck_assert_int_ge(gch_now(), me->deadline);
  ck_assert_int_eq(me->late, 1);
  part(me);
}
END_TEST

START_TEST(wait_until_ends_with_the_signal) {
  struct meeting *me = meet();
  gch_wg wg = GCH_WG_INIT;
  me->deadline = GCH_FOREVER;
  go_and_wait(&wg, wait_until, me, gch_cond_waiting(&me->c));
  gch_cond_signal(&me->c);
  gch_wg_wait(&wg);
  ck_assert_int_eq(me->late, 0);
  part(me);
}
END_TEST

START_TEST(who_timed_out_takes_no_signal) {
  struct meeting *me = meet();
  gch_wg wg = GCH_WG_INIT;
  me->deadline = shortly();
  wait_until(me);
  ck_assert_int_eq(me->late, 1);
  go_and_wait(&wg, wait_once, me, gch_cond_waiting(&me->c));
  wait_until(me);
  gch_cond_signal(&me->c);
  gch_wg_wait(&wg);
  part(me);
}
END_TEST

/* Who has the mutex after this sees it, and then this waits. */
static void tell_and_wait(void *arg) {
  struct meeting *me = arg;
  gch_mutex_lock(&me->m);
  me->told = true;
  gch_cond_wait(&me->c, &me->m);
  me->turns++;
  gch_mutex_unlock(&me->m);
}

static void await_told(struct meeting *me) {
  for (bool told = false; !told;) {
    gch_mutex_lock(&me->m);
    told = me->told;
    gch_mutex_unlock(&me->m);
  }
}

/* A signal that comes just when one of two waiters runs out of time goes to
   that one or to the other: who says that it timed out has not used it up. */
static void race_a_timeout(struct meeting *me) {
  gch_wg wg = GCH_WG_INIT;
  test_thread *t = thread_start(wait_until, me);
  while (gch_now() < me->deadline && !has_waiters(me))
    ;
  ck_assert_int_eq(gch_wg_go(&wg, tell_and_wait, me), 0);
  await_told(me);
  while (gch_now() < me->deadline)
    ;
  gch_cond_signal(&me->c);
  thread_join(t);
  if (!me->late)
    gch_cond_signal(&me->c);
  gch_wg_wait(&wg);
  ck_assert_int_eq(me->turns, 2);
}

START_TEST(a_timeout_may_race_the_signal) {
  for (int i = 0; i < scaled(300); i++) {
    struct meeting *me = meet();
    me->deadline = gch_now() + 300 * GCH_MICROSECOND + i % 60 * 1000;
    race_a_timeout(me);
    part(me);
  }
}
END_TEST

/* Memory */

static void tell_and_free(void *arg) {
  struct meeting *me = arg;
  tell_and_wait(me);
  memset(me, 0xff, sizeof *me);
  free(me);
}

START_TEST(who_was_woken_may_free_both) {
  for (int i = 0; i < scaled(500); i++) {
    struct meeting *me = calloc(1, sizeof *me);
    test_thread *t = thread_start(tell_and_free, me);
    await_told(me);
    gch_cond_signal(&me->c);
    thread_join(t);
  }
}
END_TEST

struct parts {
  gch_mutex m;
  gch_cond *c;
  int waiting;
};

static void wait_in_parts(void *arg) {
  struct parts *p = arg;
  gch_mutex_lock(&p->m);
  p->waiting++;
  gch_cond_wait(p->c, &p->m);
  gch_mutex_unlock(&p->m);
}

START_TEST(who_woke_all_may_free_the_cond) {
  enum { MANY = 3 };
  for (int i = 0; i < scaled(200); i++) {
    struct parts p = {GCH_MUTEX_INIT, calloc(1, sizeof(gch_cond)), 0};
    test_thread *t[MANY];
    for (int k = 0; k < MANY; k++)
      t[k] = thread_start(wait_in_parts, &p);
    for (int waiting = 0; waiting < MANY;) {
      gch_mutex_lock(&p.m);
      waiting = p.waiting;
      gch_mutex_unlock(&p.m);
    }
    gch_cond_broadcast(p.c);
    memset(p.c, 0xff, sizeof *p.c);
    free(p.c);
    for (int k = 0; k < MANY; k++)
      thread_join(t[k]);
  }
}
END_TEST

START_TEST(errno_is_left_alone) {
  gch_mutex m = GCH_MUTEX_INIT;
  gch_cond c = GCH_COND_INIT;
  errno = ENOENT;
  gch_mutex_lock(&m);
  gch_cond_wait_until(&c, &m, shortly());
  gch_cond_broadcast(&c);
  gch_mutex_unlock(&m);
  ck_assert_int_eq(errno, ENOENT);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("cond");
  TCase *t = test_case(s, "wait");
  tcase_add_test(t, zero_bytes_are_a_cond);
  tcase_add_test(t, wait_unlocks_the_mutex_and_has_it_again_after);
  tcase_add_test(t, wait_with_an_unlocked_mutex_is_a_panic);
  tcase_add_test(t, what_was_before_the_signal_is_seen_after_the_wait);
  t = test_case(s, "wake");
  tcase_add_test(t, a_signal_wakes_one);
  tcase_add_test(t, signals_wake_in_the_order_in_which_they_waited);
  tcase_add_test(t, a_broadcast_wakes_all);
  tcase_add_test(t, a_signal_before_the_wait_is_not_kept);
  tcase_add_test(t, the_signaller_may_hold_the_mutex);
  t = test_case(s, "until");
  tcase_add_test(t, wait_until_a_passed_deadline_lets_go_and_comes_back);
  tcase_add_test(t, wait_until_times_out_not_before_its_deadline);
  tcase_add_test(t, wait_until_ends_with_the_signal);
  tcase_add_test(t, who_timed_out_takes_no_signal);
  tcase_add_test(t, a_timeout_may_race_the_signal);
  t = test_case(s, "memory");
  tcase_add_test(t, who_was_woken_may_free_both);
  tcase_add_test(t, who_woke_all_may_free_the_cond);
  tcase_add_test(t, errno_is_left_alone);
  return s;
}
