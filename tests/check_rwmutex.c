/* SPDX-License-Identifier: BSD-3-Clause */
/* Readers-writer mutexes. */
#include "rwmutex_facts.h"

/* Locking */

START_TEST(zero_bytes_are_a_rwmutex) {
  gch_rwmutex rw, init = GCH_RWMUTEX_INIT;
  memset(&rw, 0, sizeof rw);
  ck_assert_mem_eq(&rw, &init, sizeof rw);
  gch_rwmutex_rlock(&rw);
  gch_rwmutex_runlock(&rw);
  gch_rwmutex_lock(&rw);
  gch_rwmutex_unlock(&rw);
  ck_assert(is_free(&rw));
}
END_TEST

START_TEST(any_number_of_readers_have_it_at_once) {
  gch_rwmutex rw = GCH_RWMUTEX_INIT;
  for (int i = 0; i < 1000; i++)
    gch_rwmutex_rlock(&rw);
  for (int i = 0; i < 1000; i++) {
    ck_assert(!is_free(&rw));
    gch_rwmutex_runlock(&rw);
  }
  ck_assert(is_free(&rw));
}
END_TEST

START_TEST(a_writer_has_it_alone) {
  gch_rwmutex rw = GCH_RWMUTEX_INIT;
  gch_rwmutex_lock(&rw);
  ck_assert_int_eq(gch_rwmutex_try_lock(&rw), EAGAIN);
  ck_assert_int_eq(gch_rwmutex_try_rlock(&rw), EAGAIN);
  ck_assert_int_eq(gch_rwmutex_lock_until(&rw, 0), ETIMEDOUT);
  ck_assert_int_eq(gch_rwmutex_rlock_until(&rw, 0), ETIMEDOUT);
  gch_rwmutex_unlock(&rw);
  ck_assert(is_free(&rw));
}
END_TEST

START_TEST(readers_stop_a_writer_but_no_reader) {
  gch_rwmutex rw = GCH_RWMUTEX_INIT;
  gch_rwmutex_rlock(&rw);
  ck_assert_int_eq(gch_rwmutex_try_lock(&rw), EAGAIN);
  ck_assert_int_eq(gch_rwmutex_lock_until(&rw, 0), ETIMEDOUT);
  ck_assert_int_eq(gch_rwmutex_try_rlock(&rw), 0);
  ck_assert_int_eq(gch_rwmutex_rlock_until(&rw, 0), 0);
  for (int i = 0; i < 3; i++)
    gch_rwmutex_runlock(&rw);
  ck_assert(is_free(&rw));
}
END_TEST

static void count_plainly(void *arg) {
  struct shared *s = arg;
  for (int i = 0; i < scaled(1000); i++) {
    gch_rwmutex_lock(&s->rw);
    s->plain++;
    gch_rwmutex_unlock(&s->rw);
    gch_rwmutex_rlock(&s->rw);
    ck_assert_int_gt(s->plain, i);
    gch_rwmutex_runlock(&s->rw);
  }
}

START_TEST(one_writer_at_a_time_and_no_reader_beside_it) {
  enum { MANY = 4 };
  struct shared *s = share();
  gch_wg wg = GCH_WG_INIT;
  for (int i = 0; i < MANY; i++)
    ck_assert_int_eq(gch_wg_go(&wg, count_plainly, s), 0);
  gch_wg_wait(&wg);
  ck_assert_int_eq(s->plain, MANY * scaled(1000));
  unshare(s);
}
END_TEST

/* Turns */

/* Each holds it until something comes from the channel. */
static void read_over_a_receive(void *arg) {
  struct shared *s = arg;
  gch_rwmutex_rlock(&s->rw);
  atomic_fetch_add(&s->reads, 1);
  gch_recv(s->c, NULL);
  gch_rwmutex_runlock(&s->rw);
}

static void write_over_a_receive(void *arg) {
  struct shared *s = arg;
  gch_rwmutex_lock(&s->rw);
  atomic_fetch_add(&s->writes, 1);
  gch_recv(s->c, NULL);
  gch_rwmutex_unlock(&s->rw);
}

START_TEST(the_last_reader_lets_the_writer_in) {
  struct shared *s = share();
  gch_wg wg = GCH_WG_INIT;
  gch_rwmutex_rlock(&s->rw);
  gch_rwmutex_rlock(&s->rw);
  go_and_wait(&wg, write_once, s, writers_waiting(&s->rw));
  gch_rwmutex_runlock(&s->rw);
  let_others_run();
  ck_assert_int_eq(s->writes, 0);
  gch_rwmutex_runlock(&s->rw);
  gch_wg_wait(&wg);
  ck_assert_int_eq(s->writes, 1);
  unshare(s);
}
END_TEST

START_TEST(a_waiting_writer_stops_new_readers) {
  struct shared *s = share();
  gch_wg wg = GCH_WG_INIT;
  gch_rwmutex_rlock(&s->rw);
  go_and_wait(&wg, write_over_a_receive, s, writers_waiting(&s->rw));
  ck_assert_int_eq(gch_rwmutex_try_rlock(&s->rw), EAGAIN);
  ck_assert_int_eq(gch_rwmutex_rlock_until(&s->rw, 0), ETIMEDOUT);
  go_and_wait(&wg, read_once, s, readers_waiting(&s->rw));
  gch_rwmutex_runlock(&s->rw);
  await_waiting(s->c, 0, 1);
  ck_assert_int_eq(s->reads, 0);
  gch_send(s->c, NULL);
  gch_wg_wait(&wg);
  ck_assert_int_eq(s->reads, 1);
  unshare(s);
}
END_TEST

START_TEST(a_writer_lets_all_waiting_readers_in_before_the_next_writer) {
  enum { MANY = 4 };
  struct shared *s = share();
  gch_wg wg = GCH_WG_INIT;
  gch_rwmutex_lock(&s->rw);
  go_and_wait(&wg, write_once, s, writers_waiting(&s->rw));
  for (int i = 0; i < MANY; i++)
    go_and_wait(&wg, read_over_a_receive, s, readers_waiting(&s->rw));
  gch_rwmutex_unlock(&s->rw);
  await_waiting(s->c, 0, MANY);
  while (gch_rwmutex_try_rlock(&s->rw) == 0) { /* until the writer comes */
    gch_rwmutex_runlock(&s->rw);
    gch_sleep(20 * GCH_MICROSECOND);
  }
  ck_assert_int_eq(s->writes, 0);
  for (int i = 0; i < MANY; i++)
    gch_send(s->c, NULL);
  gch_wg_wait(&wg);
  ck_assert_int_eq(s->writes, 1);
  unshare(s);
}
END_TEST

START_TEST(a_writer_hands_over_to_a_writer_when_no_reader_waits) {
  struct shared *s = share();
  gch_wg wg = GCH_WG_INIT;
  gch_rwmutex_lock(&s->rw);
  go_and_wait(&wg, write_over_a_receive, s, writers_waiting(&s->rw));
  go_and_wait(&wg, write_over_a_receive, s, writers_waiting(&s->rw));
  gch_rwmutex_unlock(&s->rw);
  for (int i = 1; i <= 2; i++) {
    await_waiting(s->c, 0, 1);
    ck_assert_int_eq(s->writes, i);
    ck_assert_int_eq(gch_rwmutex_try_rlock(&s->rw), EAGAIN);
    gch_send(s->c, NULL);
  }
  gch_wg_wait(&wg);
  unshare(s);
}
END_TEST

/* A writer is woken, and the unlock's caller asks again at once. */
START_TEST(who_runs_may_be_faster_than_who_was_woken) {
  struct shared *s = share();
  int faster = 0;
  for (int i = 0; i < 200 && faster == 0; i++) {
    gch_wg wg = GCH_WG_INIT;
    gch_rwmutex_lock(&s->rw);
    go_and_wait(&wg, write_once, s, writers_waiting(&s->rw));
    gch_rwmutex_unlock(&s->rw);
    if (gch_rwmutex_try_lock(&s->rw) == 0) {
      faster += s->writes == i; /* and not after it was there */
      gch_rwmutex_unlock(&s->rw);
    }
    gch_wg_wait(&wg);
    ck_assert_int_eq(s->writes, i + 1);
  }
  ck_assert_int_eq(faster, 1);
  unshare(s);
}
END_TEST

/* Unlocking */

static void runlock_unlocked(void *arg) {
  gch_rwmutex rw = GCH_RWMUTEX_INIT;
  (void)arg;
  gch_rwmutex_runlock(&rw);
}

static void runlock_of_a_writers(void *arg) {
  gch_rwmutex rw = GCH_RWMUTEX_INIT;
  (void)arg;
  gch_rwmutex_lock(&rw);
  gch_rwmutex_runlock(&rw);
}

static void unlock_unlocked(void *arg) {
  gch_rwmutex rw = GCH_RWMUTEX_INIT;
  (void)arg;
  gch_rwmutex_unlock(&rw);
}

static void unlock_of_a_readers(void *arg) {
  gch_rwmutex rw = GCH_RWMUTEX_INIT;
  (void)arg;
  gch_rwmutex_rlock(&rw);
  gch_rwmutex_unlock(&rw);
}

START_TEST(runlock_without_rlock_is_a_panic) {
  const char *words = "sync: RUnlock of unlocked RWMutex";
  expect_panic(runlock_unlocked, NULL, words);
  expect_panic(runlock_of_a_writers, NULL, words);
}
END_TEST

START_TEST(unlock_without_lock_is_a_panic) {
  const char *words = "sync: Unlock of unlocked RWMutex";
  expect_panic(unlock_unlocked, NULL, words);
  expect_panic(unlock_of_a_readers, NULL, words);
}
END_TEST

/* Memory */

struct last {
  gch_rwmutex rw;
  atomic_int users;
};

static void free_as_last(struct last *l, bool is_last) {
  if (is_last) {
    memset(l, 0xff, sizeof *l);
    free(l);
  }
}

static void write_and_free_as_last(void *arg) {
  struct last *l = arg;
  gch_rwmutex_lock(&l->rw);
  bool is_last = atomic_fetch_add(&l->users, 1) == 1;
  gch_rwmutex_unlock(&l->rw);
  free_as_last(l, is_last);
}

static void read_and_free_as_last(void *arg) {
  struct last *l = arg;
  gch_rwmutex_rlock(&l->rw);
  bool is_last = atomic_fetch_add(&l->users, 1) == 1;
  gch_rwmutex_runlock(&l->rw);
  free_as_last(l, is_last);
}

START_TEST(the_last_to_have_it_may_free_it_at_once) {
  for (int i = 0; i < scaled(500); i++) {
    struct last *l = calloc(1, sizeof *l);
    test_thread *a = thread_start(write_and_free_as_last, l);
    test_thread *b =
        thread_start(i % 2 ? read_and_free_as_last : write_and_free_as_last, l);
    thread_join(a);
    thread_join(b);
  }
}
END_TEST

static void add_turns(TCase *t) {
  tcase_add_test(t, the_last_reader_lets_the_writer_in);
  tcase_add_test(t, a_waiting_writer_stops_new_readers);
  tcase_add_test(t,
                 a_writer_lets_all_waiting_readers_in_before_the_next_writer);
  tcase_add_test(t, a_writer_hands_over_to_a_writer_when_no_reader_waits);
  tcase_add_test(t, who_runs_may_be_faster_than_who_was_woken);
}

Suite *test_suite(void) {
  Suite *s = suite_create("rwmutex");
  TCase *t = test_case(s, "lock");
  tcase_add_test(t, zero_bytes_are_a_rwmutex);
  tcase_add_test(t, any_number_of_readers_have_it_at_once);
  tcase_add_test(t, a_writer_has_it_alone);
  tcase_add_test(t, readers_stop_a_writer_but_no_reader);
  tcase_add_test(t, one_writer_at_a_time_and_no_reader_beside_it);
  add_turns(test_case(s, "turns"));
  t = test_case(s, "unlock");
  tcase_add_test(t, runlock_without_rlock_is_a_panic);
  tcase_add_test(t, unlock_without_lock_is_a_panic);
  t = test_case(s, "memory");
  tcase_add_test(t, the_last_to_have_it_may_free_it_at_once);
  return s;
}
