/* SPDX-License-Identifier: BSD-3-Clause */
/* Onces. */
#include "sync_facts.h"

struct deed {
  gch_once once;
  gch_chan *c;
  int plain;
  atomic_int runs, returned;
};

static void act(void *arg) {
  struct deed *d = arg;
  d->runs++;
  d->plain = 42;
}

static void act_over_a_receive(void *arg) {
  struct deed *d = arg;
  gch_recv(d->c, NULL);
  act(d);
}

static void do_it(void *arg) {
  struct deed *d = arg;
  ck_assert_int_eq(gch_once_do(&d->once, act, d), 0);
  ck_assert_int_eq(d->plain, 42);
  d->returned++;
}

static void do_it_over_a_receive(void *arg) {
  struct deed *d = arg;
  ck_assert_int_eq(gch_once_do(&d->once, act_over_a_receive, d), 0);
  ck_assert_int_eq(d->plain, 42);
  d->returned++;
}

START_TEST(zero_bytes_are_a_once) {
  gch_once o, init = GCH_ONCE_INIT;
  memset(&o, 0, sizeof o);
  ck_assert_mem_eq(&o, &init, sizeof o);
}
END_TEST

START_TEST(the_first_call_runs_fn_and_no_other_does) {
  struct deed d = {.once = GCH_ONCE_INIT};
  for (int i = 0; i < 3; i++)
    do_it(&d);
  ck_assert_int_eq(d.runs, 1);
}
END_TEST

static void act_otherwise(void *arg) {
  ((struct deed *)arg)->plain = 7;
}

START_TEST(another_function_does_not_run_either) {
  struct deed d = {.once = GCH_ONCE_INIT};
  do_it(&d);
  ck_assert_int_eq(gch_once_do(&d.once, act_otherwise, &d), 0);
  ck_assert_int_eq(d.plain, 42);
}
END_TEST

START_TEST(of_many_at_once_one_runs_it) {
  enum { MANY = 16 };
  struct deed d = {.once = GCH_ONCE_INIT};
  gch_wg wg = GCH_WG_INIT;
  for (int i = 0; i < MANY; i++)
    ck_assert_int_eq(gch_wg_go(&wg, do_it, &d), 0);
  gch_wg_wait(&wg);
  ck_assert_int_eq(d.runs, 1);
  ck_assert_int_eq(d.returned, MANY);
  await_no_tasks();
}
END_TEST

START_TEST(every_call_returns_only_when_fn_has_returned) {
  struct deed d = {.once = GCH_ONCE_INIT, .c = gch_make(0, 0)};
  gch_wg wg = GCH_WG_INIT;
  ck_assert_int_eq(gch_wg_go(&wg, do_it_over_a_receive, &d), 0);
  await_waiting(d.c, 0, 1);
  go_and_wait(&wg, do_it, &d, gch_once_waiting(&d.once));
  go_and_wait(&wg, do_it, &d, gch_once_waiting(&d.once));
  ck_assert_uint_eq(gch_once_waiting(&d.once), 2);
  ck_assert_int_eq(d.returned, 0);
  gch_send(d.c, NULL);
  gch_wg_wait(&wg);
  ck_assert_int_eq(d.returned, 3);
  ck_assert_int_eq(d.runs, 1);
  await_no_tasks();
  gch_unref(d.c);
}
END_TEST

static void act_through_another(void *arg) {
  struct deed *inner = arg;
  do_it(inner);
}

START_TEST(fn_may_use_another_once) {
  struct deed d = {.once = GCH_ONCE_INIT};
  gch_once outer = GCH_ONCE_INIT;
  gch_once_do(&outer, act_through_another, &d);
  ck_assert_int_eq(d.runs, 1);
}
END_TEST

START_TEST(a_null_function_is_EINVAL_and_leaves_it_to_be_done) {
  struct deed d = {.once = GCH_ONCE_INIT};
  ck_assert_int_eq(gch_once_do(&d.once, NULL, NULL), EINVAL);
  do_it(&d);
  ck_assert_int_eq(d.runs, 1);
}
END_TEST

static void do_nothing(void *arg) {
  gch_once o = GCH_ONCE_INIT;
  gch_once_do(&o, NULL, arg);
}

START_TEST(a_null_function_is_a_panic_in_strict_mode) {
  expect_panic_strict(
      do_nothing, NULL,
      "runtime error: invalid memory address or nil pointer dereference");
}
END_TEST

struct opener {
  gch_once *once;
  gch_chan *gate;
};

static void wait_at(void *gate) {
  gch_recv(gate, NULL);
}

static void open_once(void *arg) {
  struct opener *o = arg;
  gch_once_do(o->once, wait_at, o->gate);
}

static void await_and_free(void *arg) {
  gch_once *once = arg;
  gch_once_do(once, wait_at, NULL);
  memset(once, 0xff, sizeof *once);
  free(once);
}

/* Who waited for fn frees the once, while the call that ran fn is still on its
   way out. */
START_TEST(who_waited_may_free_it_at_once) {
  for (int i = 0; i < scaled(300); i++) {
    struct opener o = {calloc(1, sizeof *o.once), gch_make(0, 0)};
    test_thread *a = thread_start(open_once, &o);
    await_waiting(o.gate, 0, 1);
    test_thread *b = thread_start(await_and_free, o.once);
    gch_send(o.gate, NULL);
    thread_join(a);
    thread_join(b);
    gch_unref(o.gate);
  }
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("once");
  TCase *t = test_case(s, "do");
  tcase_add_test(t, zero_bytes_are_a_once);
  tcase_add_test(t, the_first_call_runs_fn_and_no_other_does);
  tcase_add_test(t, another_function_does_not_run_either);
  tcase_add_test(t, of_many_at_once_one_runs_it);
  tcase_add_test(t, every_call_returns_only_when_fn_has_returned);
  tcase_add_test(t, fn_may_use_another_once);
  tcase_add_test(t, a_null_function_is_EINVAL_and_leaves_it_to_be_done);
  tcase_add_test(t, a_null_function_is_a_panic_in_strict_mode);
  t = test_case(s, "memory");
  tcase_add_test(t, who_waited_may_free_it_at_once);
  return s;
}
