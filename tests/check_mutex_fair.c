/* SPDX-License-Identifier: BSD-3-Clause */
/* Nobody starves at a mutex. */
#include "sync_facts.h"

struct hog {
  gch_mutex m;
  atomic_int stop, turns;
};

static void hold_nearly_always(void *arg) {
  struct hog *h = arg;
  while (!h->stop) {
    gch_mutex_lock(&h->m);
    for (int64_t end = gch_now() + 50 * GCH_MICROSECOND; gch_now() < end;)
      ;
    h->turns++;
    gch_mutex_unlock(&h->m);
  }
}

START_TEST(who_waits_is_not_starved_by_who_locks_again_at_once) {
  struct hog h = {.m = GCH_MUTEX_INIT};
  test_thread *a = thread_start(hold_nearly_always, &h);
  test_thread *b = thread_start(hold_nearly_always, &h);
  await_count(&h.turns, 1);
  for (int i = 0; i < 20; i++) {
    gch_mutex_lock(&h.m);
    gch_mutex_unlock(&h.m);
  }
  h.stop = 1;
  thread_join(a);
  thread_join(b);
}
END_TEST

/* Long enough that the mutex is handed over. */
static void outwait_patience(void) {
  gch_sleep(2 * MS);
}

struct holder {
  gch_mutex m;
  gch_chan *c;
};

static void hold_over_a_receive(void *arg) {
  struct holder *h = arg;
  gch_mutex_lock(&h->m);
  gch_recv(h->c, NULL);
  gch_mutex_unlock(&h->m);
}

/* Where it is not, who locks next mostly comes first. */
START_TEST(who_waited_long_is_handed_the_mutex) {
  struct holder h = {.m = GCH_MUTEX_INIT, .c = gch_make(0, 0)};
  for (int i = 0; i < 20; i++) {
    gch_wg wg = GCH_WG_INIT;
    gch_mutex_lock(&h.m);
    go_and_wait(&wg, hold_over_a_receive, &h, gch_mutex_waiting(&h.m));
    outwait_patience();
    gch_mutex_unlock(&h.m);
    ck_assert_int_eq(gch_mutex_try_lock(&h.m), EAGAIN);
    gch_send(h.c, NULL);
    gch_wg_wait(&wg);
  }
  await_no_tasks();
  gch_unref(h.c);
}
END_TEST

enum { HEIRS = 5 };

struct line {
  gch_mutex m;
  int order[HEIRS], turns;
};

struct heir {
  struct line *line;
  int id;
};

static void take_turn(void *arg) {
  struct heir *h = arg;
  gch_mutex_lock(&h->line->m);
  h->line->order[h->line->turns++] = h->id;
  gch_mutex_unlock(&h->line->m);
}

START_TEST(those_who_waited_long_get_it_in_the_order_in_which_they_came) {
  struct line line = {.m = GCH_MUTEX_INIT};
  struct heir heirs[HEIRS];
  gch_wg wg = GCH_WG_INIT;
  gch_mutex_lock(&line.m);
  for (int i = 0; i < HEIRS; i++) {
    heirs[i] = (struct heir){&line, i};
    go_and_wait(&wg, take_turn, &heirs[i], gch_mutex_waiting(&line.m));
  }
  outwait_patience();
  gch_mutex_unlock(&line.m);
  gch_wg_wait(&wg);
  for (int i = 0; i < HEIRS; i++)
    ck_assert_int_eq(line.order[i], i);
  await_no_tasks();
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("mutex_fair");
  TCase *t = test_case(s, "fairness");
  tcase_add_test(t, who_waits_is_not_starved_by_who_locks_again_at_once);
  tcase_add_test(t, who_waited_long_is_handed_the_mutex);
  tcase_add_test(t,
                 those_who_waited_long_get_it_in_the_order_in_which_they_came);
  return s;
}
