/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's test/fixedbugs, where they are about channels: bug147, bug234,
   issue4313, issue8336, issue8347, issue9110, issue16870, issue19201. */
#include "chan_checks.h"

/* bug147: a synchronous send is over only when the value has been received.
   count is no atomic: the channel alone orders its accesses. */

struct counted {
  gch_chan *c;
  int count;
};

static void count_between_receives(void *arg) {
  struct counted *x = arg;
  take(x->c);
  x->count++;
  gch_yield();
  x->count++;
  take(x->c);
}

START_TEST(bug147_synchronous_send_waits) {
  gch_wg wg = GCH_WG_INIT;
  struct counted x = {ints(0), 0};
  go(&wg, count_between_receives, &x);
  put(x.c, 1);
  put(x.c, 2);
  ck_assert_int_eq(x.count, 2);
  gch_wg_wait(&wg);
  gch_unref(x.c);
}
END_TEST

START_TEST(bug234_ok_tells_a_value_from_a_close) {
  int x = -1;
  gch_chan *c = ints(1);
  put(c, 100);
  ck_assert_int_eq(gch_recv(c, &x), 0);
  ck_assert_int_eq(x, 100);
  ck_assert_int_eq(gch_close(c), 0);
  ck_assert_int_eq(gch_recv(c, &x), EPIPE);
  ck_assert_int_eq(x, 0);
  gch_unref(c);
}
END_TEST

/* issue4313. Go copies what a send arm sends before it evaluates the next arm;
   here an arm has a pointer, so the value is read when the arm fires. That
   arms are evaluated from left to right is the same. */

static gch_chan *never_ready;

static gch_chan *set_42(int *x) {
  *x = 42;
  return never_ready;
}

static int *unless_42(int *x) {
  require(*x != 42);
  return x;
}

START_TEST(issue4313_arms_are_evaluated_from_left_to_right) {
  int x = 0;
  gch_chan *c = ints(1);
  never_ready = ints(0);
  ck_assert_int_eq(
      gch_select(GCH_SEND(c, unless_42(&x)), GCH_RECV(set_42(&x), NULL)), 0);
  ck_assert_int_eq(take(c), 42);
  gch_unref(c);
  gch_unref(never_ready);
}
END_TEST

/* issue8336: what ends the evaluation of one arm comes before the next. */

static gch_chan *first_arm(void) {
  gch_panic("first arm");
}

static gch_chan *second_arm(void) {
  gch_panic("second arm");
}

static void select_from_two(void *arg) {
  (void)arg;
  gch_select(GCH_RECV(first_arm(), NULL), GCH_RECV(second_arm(), NULL));
}

START_TEST(issue8336_a_panic_in_one_arm_comes_before_the_next_arm) {
  expect_panic(select_from_two, NULL, "first arm");
}
END_TEST

/* issue8347: a case that does not fire leaves its err as it was. */
START_TEST(issue8347_err_changes_only_when_the_case_fires) {
  gch_chan *c = ints(1);
  int err = 0;
  for (int i = 0; i < 12; i++) {
    int fired = gch_select(GCH_RECV_ERR(c, NULL, &err), GCH_DEFAULT);
    ck_assert_int_eq(fired, i <= 10);
    ck_assert_int_eq(err, i <= 10 ? 0 : EPIPE);
    if (i == 10)
      ck_assert_int_eq(gch_close(c), 0);
  }
  gch_unref(c);
}
END_TEST

/* issue9110: selects that stand in one queue three times, and are ended by a
   close, again and again. */

enum { CROWD = 10, ROUNDS = 20 };

static void wait_three_times(void *c) {
  int err = -1;
  int fired =
      gch_select(GCH_RECV_ERR(c, NULL, &err), GCH_RECV_ERR(c, NULL, &err),
                 GCH_RECV_ERR(c, NULL, &err));
  require(fired >= 0 && fired < 3 && err == EPIPE);
}

START_TEST(issue9110_a_close_ends_selects_that_stand_there_three_times) {
  for (int round = 0; round < ROUNDS; round++) {
    gch_wg wg = GCH_WG_INIT;
    gch_chan *c = ints(0);
    for (int i = 0; i < CROWD; i++)
      go(&wg, wait_three_times, c);
    await_waiting(c, 0, 3 * CROWD);
    ck_assert_int_eq(gch_close(c), 0);
    gch_wg_wait(&wg);
    ck_assert(nobody_waits(c));
    gch_unref(c);
  }
}
END_TEST

/* issue16870: the value and ok, by each kind of receive. */

struct received {
  int v, err;
};

static struct received plain(gch_chan *c, gch_chan *other) {
  struct received r = {-1, -1};
  (void)other;
  r.err = gch_recv(c, &r.v);
  return r;
}

static struct received select_of_one(gch_chan *c, gch_chan *other) {
  struct received r = {-1, -1};
  (void)other;
  gch_select(GCH_RECV_ERR(c, &r.v, &r.err));
  return r;
}

static struct received select_or_default(gch_chan *c, gch_chan *other) {
  struct received r = {-1, -1};
  (void)other;
  require(gch_select(GCH_RECV_ERR(c, &r.v, &r.err), GCH_DEFAULT) == 0);
  return r;
}

static struct received select_of_two(gch_chan *c, gch_chan *other) {
  struct received r = {-1, -1};
  require(gch_select(GCH_RECV_ERR(c, &r.v, &r.err), GCH_RECV(other, NULL)) ==
          0);
  return r;
}

static struct received (*const receives[])(gch_chan *c, gch_chan *other) = {
    plain, select_of_one, select_or_default, select_of_two};

START_TEST(issue16870_value_and_ok) {
  gch_chan *c = ints(1), *c2 = ints(0);
  put(c, 42);
  struct received r = receives[_i](c, c2);
  ck_assert_int_eq(r.v, 42);
  ck_assert_int_eq(r.err, 0);
  gch_close(c);
  r = receives[_i](c, c2);
  ck_assert_int_eq(r.v, 0);
  ck_assert_int_eq(r.err, EPIPE);
  gch_unref(c);
  gch_unref(c2);
}
END_TEST

/* issue19201: what was made before a select is the same in its arm. */
START_TEST(issue19201_locals_keep_their_values_over_a_select) {
  const unsigned char bin[] = {'a', 0, 0, 1};
  gch_chan *closed = ints(0), *open = ints(0);
  uint32_t code = 0;
  gch_close(closed);
  for (int i = 0; i < 4; i++)
    code = code << 8 | bin[i];
  switch (gch_select(GCH_RECV(closed, NULL), GCH_RECV(open, NULL))) {
  case 0:
    ck_assert_uint_eq(code, 0x61000001);
    break;
  default:
    ck_abort();
  }
  gch_unref(closed);
  gch_unref(open);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("golang/fixedbugs");
  TCase *t = test_case(s, "bugs");
  tcase_add_test(t, bug147_synchronous_send_waits);
  tcase_add_test(t, bug234_ok_tells_a_value_from_a_close);
  t = test_case(s, "issues");
  tcase_add_test(t, issue4313_arms_are_evaluated_from_left_to_right);
  tcase_add_test(t, issue8336_a_panic_in_one_arm_comes_before_the_next_arm);
  tcase_add_test(t, issue8347_err_changes_only_when_the_case_fires);
  tcase_add_test(t,
                 issue9110_a_close_ends_selects_that_stand_there_three_times);
  tcase_add_loop_test(t, issue16870_value_and_ok, 0, 4);
  tcase_add_test(t, issue19201_locals_keep_their_values_over_a_select);
  return s;
}
