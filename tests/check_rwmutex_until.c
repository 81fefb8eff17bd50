/* SPDX-License-Identifier: BSD-3-Clause */
/* Readers-writer mutexes: deadlines. */
#include "rwmutex_facts.h"

static void write_until(void *arg) {
  struct shared *s = arg;
  int err = gch_rwmutex_lock_until(&s->rw, s->deadline);
  s->late += err == ETIMEDOUT;
  if (err == 0)
    gch_rwmutex_unlock(&s->rw);
}

static void read_until(void *arg) {
  struct shared *s = arg;
  int err = gch_rwmutex_rlock_until(&s->rw, s->deadline);
  s->late += err == ETIMEDOUT;
  if (err == 0)
    gch_rwmutex_runlock(&s->rw);
}

START_TEST(a_passed_deadline_takes_what_is_free) {
  gch_rwmutex rw = GCH_RWMUTEX_INIT;
  ck_assert_int_eq(gch_rwmutex_lock_until(&rw, INT64_MIN), 0);
  gch_rwmutex_unlock(&rw);
  ck_assert_int_eq(gch_rwmutex_rlock_until(&rw, INT64_MIN), 0);
  gch_rwmutex_runlock(&rw);
}
END_TEST

START_TEST(a_timeout_comes_not_before_its_deadline) {
  gch_rwmutex rw = GCH_RWMUTEX_INIT;
  int64_t deadline = shortly();
  gch_rwmutex_lock(&rw);
  ck_assert_int_eq(gch_rwmutex_rlock_until(&rw, deadline), ETIMEDOUT);
  ck_assert_int_ge(gch_now(), deadline);
  deadline = shortly();
  ck_assert_int_eq(gch_rwmutex_lock_until(&rw, deadline), ETIMEDOUT);
  ck_assert_int_ge(gch_now(), deadline);
  gch_rwmutex_unlock(&rw);
  ck_assert(is_free(&rw));
}
END_TEST

START_TEST(an_until_form_ends_with_the_unlock) {
  struct shared *s = share();
  gch_wg wg = GCH_WG_INIT;
  s->deadline = GCH_FOREVER;
  gch_rwmutex_lock(&s->rw);
  go_and_wait(&wg, read_until, s, readers_waiting(&s->rw));
  go_and_wait(&wg, write_until, s, writers_waiting(&s->rw));
  gch_rwmutex_unlock(&s->rw);
  gch_wg_wait(&wg);
  ck_assert_int_eq(s->late, 0);
  unshare(s);
}
END_TEST

START_TEST(a_writer_that_gives_up_lets_the_readers_in_that_it_stopped) {
  struct shared *s = share();
  gch_wg wg = GCH_WG_INIT;
  s->deadline = gch_now() + 20 * MS;
  gch_rwmutex_rlock(&s->rw);
  ck_assert_int_eq(gch_wg_go(&wg, write_until, s), 0);
  while (gch_now() < s->deadline && writers_waiting(&s->rw) == 0)
    gch_sleep(20 * GCH_MICROSECOND);
  ck_assert_int_eq(gch_wg_go(&wg, read_once, s), 0);
  ck_assert_int_eq(gch_wg_go(&wg, read_once, s), 0);
  gch_wg_wait(&wg); /* though this reader stays */
  ck_assert_int_eq(s->late, 1);
  ck_assert_int_eq(s->reads, 2);
  ck_assert_int_eq(gch_rwmutex_try_rlock(&s->rw), 0);
  gch_rwmutex_runlock(&s->rw);
  gch_rwmutex_runlock(&s->rw);
  unshare(s);
}
END_TEST

START_TEST(a_writer_that_gives_up_leaves_readers_to_the_writer_before_it) {
  struct shared *s = share();
  gch_wg wg = GCH_WG_INIT;
  gch_rwmutex_lock(&s->rw);
  go_and_wait(&wg, read_once, s, readers_waiting(&s->rw));
  ck_assert_int_eq(gch_rwmutex_lock_until(&s->rw, shortly()), ETIMEDOUT);
  let_others_run();
  ck_assert_int_eq(s->reads, 0);
  gch_rwmutex_unlock(&s->rw);
  gch_wg_wait(&wg);
  ck_assert_int_eq(s->reads, 1);
  unshare(s);
}
END_TEST

START_TEST(a_writer_that_gives_up_leaves_readers_stopped_by_another) {
  struct shared *s = share();
  gch_wg wg = GCH_WG_INIT;
  gch_rwmutex_rlock(&s->rw);
  go_and_wait(&wg, write_once, s, writers_waiting(&s->rw));
  go_and_wait(&wg, read_once, s, readers_waiting(&s->rw));
  ck_assert_int_eq(gch_rwmutex_lock_until(&s->rw, shortly()), ETIMEDOUT);
  let_others_run();
  ck_assert_int_eq(s->reads, 0);
  gch_rwmutex_runlock(&s->rw);
  gch_wg_wait(&wg);
  ck_assert_int_eq(s->reads + s->writes, 2);
  unshare(s);
}
END_TEST

START_TEST(a_reader_that_gives_up_leaves_no_trace) {
  struct shared *s = share();
  gch_wg wg = GCH_WG_INIT;
  gch_rwmutex_rlock(&s->rw);
  go_and_wait(&wg, write_once, s, writers_waiting(&s->rw));
  ck_assert_int_eq(gch_rwmutex_rlock_until(&s->rw, shortly()), ETIMEDOUT);
  gch_rwmutex_runlock(&s->rw);
  gch_wg_wait(&wg);
  ck_assert_int_eq(s->writes, 1);
  unshare(s);
}
END_TEST

START_TEST(timeouts_may_race_the_unlock) {
  for (int i = 0; i < scaled(200); i++) {
    struct shared *s = share();
    gch_rwmutex_rlock(&s->rw);
    s->deadline = gch_now() + i % 60 * GCH_MICROSECOND;
    test_thread *a = thread_start(write_until, s);
    test_thread *b = thread_start(read_until, s);
    test_thread *c = thread_start(read_once, s);
    while (gch_now() < s->deadline)
      ;
    gch_rwmutex_runlock(&s->rw);
    thread_join(a);
    thread_join(b);
    thread_join(c);
    ck_assert_int_eq(s->reads, 1);
    unshare(s);
  }
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("rwmutex_until");
  TCase *t = test_case(s, "until");
  tcase_add_test(t, a_passed_deadline_takes_what_is_free);
  tcase_add_test(t, a_timeout_comes_not_before_its_deadline);
  tcase_add_test(t, an_until_form_ends_with_the_unlock);
  tcase_add_test(t, a_writer_that_gives_up_lets_the_readers_in_that_it_stopped);
  tcase_add_test(t,
                 a_writer_that_gives_up_leaves_readers_to_the_writer_before_it);
  tcase_add_test(t, a_writer_that_gives_up_leaves_readers_stopped_by_another);
  tcase_add_test(t, a_reader_that_gives_up_leaves_no_trace);
  tcase_add_test(t, timeouts_may_race_the_unlock);
  return s;
}
