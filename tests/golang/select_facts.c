/* SPDX-License-Identifier: BSD-3-Clause */
/* What Go's select does and no test of Go's pins by name: observed in Go. */
#include "chan_checks.h"

#include <math.h>

/* The bound of TestSelectFairness, with so many trials that chance does not
   exceed it. */
enum { TRIALS = 40000 };

static bool about(int count, double share) {
  return fabs((double)count / TRIALS - share) <= 0.02446;
}

static gch_chan *closed(void) {
  gch_chan *c = ints(0);
  require(gch_close(c) == 0);
  return c;
}

START_TEST(each_case_counts_also_where_two_name_one_channel) {
  int count[3] = {0, 0, 0};
  gch_chan *c1 = closed(), *c2 = closed();
  for (int i = 0; i < TRIALS; i++)
    count[gch_select(GCH_RECV(c1, NULL), GCH_RECV(c1, NULL),
                     GCH_RECV(c2, NULL))]++;
  for (int i = 0; i < 3; i++)
    ck_assert_msg(about(count[i], 1.0 / 3), "%d of %d", count[i], TRIALS);
  gch_unref(c1);
  gch_unref(c2);
}
END_TEST

START_TEST(send_and_receive_on_one_half_full_buffer_are_alike) {
  int sends = 0;
  gch_chan *c = ints(2 * TRIALS);
  put_all(c, TRIALS);
  for (int i = 0; i < TRIALS; i++)
    sends += gch_select(GCH_RECV(c, NULL), GCH_SEND(c, &i));
  ck_assert_msg(about(sends, 0.5), "%d of %d", sends, TRIALS);
  gch_unref(c);
}
END_TEST

START_TEST(a_send_arm_on_a_closed_channel_is_ready_like_any_other) {
  int sends = 0, err;
  gch_chan *c = closed(), *ready = closed();
  for (int i = 0; i < TRIALS; i++)
    sends += gch_select(GCH_RECV(ready, NULL), GCH_SEND_ERR(c, &i, &err));
  ck_assert_msg(about(sends, 0.5), "%d of %d", sends, TRIALS);
  ck_assert_int_eq(err, EPIPE);
  gch_unref(c);
  gch_unref(ready);
}
END_TEST

START_TEST(an_arm_on_a_closed_channel_beats_the_default) {
  int err = 0;
  gch_chan *c = closed();
  for (int i = 0; i < 100; i++) {
    require(gch_select(GCH_SEND_ERR(c, &i, &err), GCH_DEFAULT) == 0);
    require(err == EPIPE);
    require(gch_select(GCH_DEFAULT, GCH_RECV(c, NULL)) == 1);
  }
  gch_unref(c);
}
END_TEST

START_TEST(on_one_buffered_channel_empty_picks_send_and_full_picks_receive) {
  int v = 7;
  gch_chan *c = ints(1);
  for (int i = 0; i < 100; i++) {
    require(gch_select(GCH_SEND(c, &i), GCH_RECV(c, &v)) == 0);
    require(gch_select(GCH_SEND(c, &i), GCH_RECV(c, &v)) == 1 && v == i);
  }
  gch_unref(c);
}
END_TEST

/* Closed while blocked */

static void send_or_receive(void *arg) {
  gch_chan **c = arg;
  int err = 0;
  require(gch_select(GCH_RECV(c[1], NULL),
                     GCH_SEND_ERR(c[0], &(int){1}, &err)) == 1);
  require(err == EPIPE);
}

START_TEST(a_select_blocked_in_a_send_arm_fails_when_the_channel_closes) {
  gch_wg wg = GCH_WG_INIT;
  gch_chan *c[2] = {ints(0), ints(0)};
  go(&wg, send_or_receive, c);
  await_waiting(c[0], 1, 0);
  ck_assert_int_eq(gch_close(c[0]), 0);
  gch_wg_wait(&wg);
  ck_assert(nobody_waits(c[1]));
  gch_unref(c[0]);
  gch_unref(c[1]);
}
END_TEST

static void close_under_sender(void *c) {
  await_waiting(c, 1, 0);
  gch_close(c);
}

static void be_closed_in_a_send_arm(void *c) {
  thread_start(close_under_sender, c);
  gch_select(GCH_SEND(c, &(int){1}), GCH_RECV(NULL, NULL));
}

START_TEST(a_select_blocked_in_a_send_arm_panics_where_none_asked) {
  gch_chan *c = ints(0);
  expect_panic(be_closed_in_a_send_arm, c, "send on closed channel");
  gch_unref(c);
}
END_TEST

/* One case only */

static void receive_from_one_of_three(void *arg) {
  gch_chan **c = arg;
  require(gch_select(GCH_RECV(c[0], NULL), GCH_RECV(c[1], NULL),
                     GCH_RECV(c[2], NULL)) == 1);
}

START_TEST(losing_cases_leave_nothing_behind) {
  gch_wg wg = GCH_WG_INIT;
  gch_chan *c[3] = {ints(0), ints(0), ints(0)};
  go(&wg, receive_from_one_of_three, c);
  for (int i = 0; i < 3; i++)
    await_waiting(c[i], 0, 1);
  ck_assert_int_eq(try_put(c[1], 1), 0);
  gch_wg_wait(&wg);
  for (int i = 0; i < 3; i++) {
    ck_assert(nobody_waits(c[i]));
    ck_assert_int_eq(try_put(c[i], 1), EAGAIN);
    gch_unref(c[i]);
  }
}
END_TEST

/* Two want to complete the same select. */
struct prize {
  gch_chan *c1, *c2, *again;
  int err1;
  struct rounds r;
};

static void select_again_and_again(void *arg) {
  struct prize *p = arg;
  do
    gch_select(GCH_RECV(p->c1, NULL), GCH_RECV(p->c2, NULL));
  while (gch_recv(p->again, NULL) == 0);
}

static void race_by_c1(void *arg) {
  struct prize *p = arg;
  while (follow(&p->r)) {
    p->err1 = try_put(p->c1, 1);
    meet(&p->r, &p->r.follower);
  }
}

static void await_select(const struct prize *p) {
  await_waiting(p->c1, 0, 1);
  await_waiting(p->c2, 0, 1);
}

START_TEST(of_two_partners_of_one_select_one_succeeds) {
  gch_wg wg = GCH_WG_INIT;
  struct prize p = {ints(0), ints(0), ints(0), 0, {.most = scaled(1000)}};
  go(&wg, select_again_and_again, &p);
  go(&wg, race_by_c1, &p);
  await_select(&p);
  while (lead(&p.r)) {
    int err2 = try_put(p.c2, 2);
    meet(&p.r, &p.r.leader);
    require((p.err1 == 0 && err2 == EAGAIN) || (p.err1 == EAGAIN && err2 == 0));
    put(p.again, 1);
    await_select(&p);
  }
  gch_close(p.again);
  put(p.c1, 1);
  gch_wg_wait(&wg);
  gch_unref(p.c1);
  gch_unref(p.c2);
  gch_unref(p.again);
}
END_TEST

/* Opposite orders: each serves the other, or is served. */
struct opposite {
  gch_chan *a, *b;
  int n;
  bool ordered;
};

static void send_a_or_receive_b(void *arg) {
  struct opposite *o = arg;
  for (int i = 0; i < o->n; i++)
    if (o->ordered)
      gch_select_ordered(GCH_SEND(o->a, &i), GCH_RECV(o->b, NULL));
    else
      gch_select(GCH_SEND(o->a, &i), GCH_RECV(o->b, NULL));
}

static void send_b_or_receive_a(void *arg) {
  struct opposite *o = arg;
  for (int i = 0; i < o->n; i++)
    if (o->ordered)
      gch_select_ordered(GCH_SEND(o->b, &i), GCH_RECV(o->a, NULL));
    else
      gch_select(GCH_SEND(o->b, &i), GCH_RECV(o->a, NULL));
}

START_TEST(selects_with_opposite_orders_of_cases_do_not_deadlock) {
  gch_wg wg = GCH_WG_INIT;
  struct opposite o = {ints(0), ints(0), scaled(5000), _i == 1};
  go(&wg, send_a_or_receive_b, &o);
  go(&wg, send_b_or_receive_a, &o);
  gch_wg_wait(&wg);
  ck_assert(nobody_waits(o.a) && nobody_waits(o.b));
  gch_unref(o.a);
  gch_unref(o.b);
}
END_TEST

START_TEST(an_arm_set_to_nil_is_disabled) {
  gch_chan *c = closed(), *empty = ints(0);
  for (int i = 0; i < 100; i++)
    require(gch_select(GCH_RECV(i % 2 == 0 ? c : NULL, NULL),
                       GCH_RECV(empty, NULL),
                       GCH_DEFAULT) == (i % 2 == 0 ? 0 : 2));
  gch_unref(c);
  gch_unref(empty);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("golang/select_facts");
  TCase *t = test_case(s, "choice");
  tcase_add_test(t, each_case_counts_also_where_two_name_one_channel);
  tcase_add_test(t, send_and_receive_on_one_half_full_buffer_are_alike);
  tcase_add_test(t, a_send_arm_on_a_closed_channel_is_ready_like_any_other);
  tcase_add_test(t, an_arm_on_a_closed_channel_beats_the_default);
  tcase_add_test(
      t, on_one_buffered_channel_empty_picks_send_and_full_picks_receive);
  tcase_add_test(t, an_arm_set_to_nil_is_disabled);
  t = test_case(s, "close");
  tcase_add_test(t,
                 a_select_blocked_in_a_send_arm_fails_when_the_channel_closes);
  tcase_add_test(t, a_select_blocked_in_a_send_arm_panics_where_none_asked);
  t = test_case(s, "one case");
  tcase_add_test(t, losing_cases_leave_nothing_behind);
  tcase_add_test(t, of_two_partners_of_one_select_one_succeeds);
  tcase_add_loop_test(t, selects_with_opposite_orders_of_cases_do_not_deadlock,
                      0, 2);
  return s;
}
