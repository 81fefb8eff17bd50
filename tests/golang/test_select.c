/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's test/chan: select, select2, select4, select6, select7. */
#include "chan_checks.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

/* select: each argument of each arm is evaluated once a select, whether the
   arm fires or not, and also where its channel is nil. */

static unsigned counter, shift;

static const unsigned *next_value(unsigned *v) {
  counter++;
  *v = 1u << shift;
  return v;
}

static int send_until_full(gch_chan *a, gch_chan *b) {
  unsigned va, vb;
  for (int sent = 0;; sent++, shift++) {
    switch (gch_select(GCH_SEND(a, next_value(&va)),
                       GCH_SEND(b, next_value(&vb)), GCH_DEFAULT)) {
    case 0:
      a = NULL;
      break;
    case 1:
      b = NULL;
      break;
    default:
      return sent;
    }
  }
}

START_TEST(select_arms_are_evaluated_once_each_and_nil_disables) {
  unsigned va, vb;
  gch_chan *a = gch_make_of(unsigned, 1), *b = gch_make_of(unsigned, 1);
  ck_assert_int_eq(send_until_full(a, b), 2);
  ck_assert_int_eq(gch_recv(a, &va), 0);
  ck_assert_int_eq(gch_recv(b, &vb), 0);
  ck_assert_uint_eq(va | vb, 3);
  ck_assert_int_eq(send_until_full(a, NULL), 1);
  ck_assert_uint_eq(counter, 10);
  gch_unref(a);
  gch_unref(b);
}
END_TEST

/* select2: many selects, of which one case never fires. */

struct pair {
  gch_chan *c, *dummy;
  int n;
};

enum { ROUNDS = 5 };

static void send_ones(void *arg) {
  struct pair *p = arg;
  for (int i = 0; i < ROUNDS * p->n; i++)
    put(p->c, 1);
}

static void receive_some(struct pair *p) {
  for (int i = 0; i < p->n; i++)
    require(gch_select(GCH_RECV(p->c, NULL), GCH_RECV(p->dummy, NULL)) == 0);
}

/* Bytes in use, where that is known; sanitizers say 0. */
static size_t heap_in_use(void) {
#if defined(__GLIBC__)
#if __GLIBC_PREREQ(2, 33)
  return mallinfo2().uordblks;
#endif
#endif
  return 0;
}

START_TEST(select2_many_selects_leave_nothing_behind) {
  gch_wg wg = GCH_WG_INIT;
  struct pair p = {ints(0), ints(0), scaled(2000)};
  go(&wg, send_ones, &p);
  bool grows = true;
  for (int round = 0; round < ROUNDS; round++) {
    size_t used = heap_in_use();
    receive_some(&p);
    grows &= heap_in_use() > used; /* once, where a thread is started */
  }
  ck_assert(!grows);
  ck_assert(nobody_waits(p.dummy));
  gch_wg_wait(&wg);
  gch_unref(p.c);
  gch_unref(p.dummy);
}
END_TEST

/* select4: where a case does not fire its destination isn't even looked at. */
START_TEST(select4_the_destination_of_a_losing_case_is_not_touched) {
  struct {
    int a;
  } x = {0};
  void *nowhere = (void *)16;
  gch_chan *c = ints(1), *c1 = ints(0);
  put(c, 42);
  ck_assert_int_eq(
      gch_select(GCH_RECV_ERR(c1, nowhere, nowhere), GCH_RECV(c, &x.a)), 1);
  ck_assert_int_eq(x.a, 42);
  gch_unref(c);
  gch_unref(c1);
}
END_TEST

/* select6: a select that stood in a queue between two others and left it. */

struct three {
  gch_chan *c1, *c2, *c3;
};

static void receive_1(void *arg) {
  take(((struct three *)arg)->c1);
}

static void select_2_then_receive_1(void *arg) {
  struct three *t = arg;
  require(gch_select(GCH_RECV(t->c1, NULL), GCH_RECV(t->c2, NULL)) == 1);
  put(t->c3, 1);
  take(t->c1);
}

static void send_2(void *arg) {
  put(((struct three *)arg)->c2, 1);
}

START_TEST(select6_a_losing_case_takes_no_later_value) {
  gch_wg wg = GCH_WG_INIT;
  struct three t = {ints(0), ints(0), ints(0)};
  go(&wg, receive_1, &t);
  await_waiting(t.c1, 0, 1);
  go(&wg, select_2_then_receive_1, &t);
  await_waiting(t.c1, 0, 2);
  go(&wg, send_2, &t);
  take(t.c3);
  put(t.c1, 1);
  put(t.c1, 1);
  gch_wg_wait(&wg);
  gch_unref(t.c1);
  gch_unref(t.c2);
  gch_unref(t.c3);
}
END_TEST

/* select7: one value, by three kinds of sender and three kinds of receiver,
   and either of them first. */

struct deal {
  gch_chan *c, *receivers_own, *senders_own;
};

static void recv1(void *arg) {
  require(gch_recv(((struct deal *)arg)->c, NULL) == 0);
}

static void recv2(void *arg) {
  require(gch_select(GCH_RECV(((struct deal *)arg)->c, NULL)) == 0);
}

static void recv3(void *arg) {
  struct deal *d = arg;
  require(gch_select(GCH_RECV(d->c, NULL), GCH_RECV(d->receivers_own, NULL)) ==
          0);
}

static void send1(void *arg) {
  put(((struct deal *)arg)->c, 1);
}

static void send2(void *arg) {
  require(gch_select(GCH_SEND(((struct deal *)arg)->c, &(int){1})) == 0);
}

static void send3(void *arg) {
  struct deal *d = arg;
  require(gch_select(GCH_SEND(d->c, &(int){1}),
                     GCH_SEND(d->senders_own, &(int){1})) == 0);
}

static void (*const receivers[])(void *) = {recv1, recv2, recv3};
static void (*const senders[])(void *) = {send1, send2, send3};

static void meet_parked(struct deal *d, void (*first)(void *), bool sends,
                        void (*second)(void *)) {
  gch_wg wg = GCH_WG_INIT;
  go(&wg, first, d);
  await_waiting(d->c, sends, !sends);
  second(d);
  gch_wg_wait(&wg);
  require(nobody_waits(d->c));
  require(nobody_waits(d->receivers_own) && nobody_waits(d->senders_own));
  gch_unref(d->c);
  gch_unref(d->receivers_own);
  gch_unref(d->senders_own);
}

START_TEST(select7_a_parked_receiver_and_a_sender) {
  struct deal d = {ints(0), ints(0), ints(0)};
  meet_parked(&d, receivers[_i / 3], false, senders[_i % 3]);
}
END_TEST

START_TEST(select7_a_parked_sender_and_a_receiver) {
  struct deal d = {ints(0), ints(0), ints(0)};
  meet_parked(&d, senders[_i / 3], true, receivers[_i % 3]);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("golang/test_select");
  TCase *t = test_case(s, "select");
  tcase_add_test(t, select_arms_are_evaluated_once_each_and_nil_disables);
  tcase_add_test(t, select2_many_selects_leave_nothing_behind);
  tcase_add_test(t, select4_the_destination_of_a_losing_case_is_not_touched);
  tcase_add_test(t, select6_a_losing_case_takes_no_later_value);
  tcase_add_loop_test(t, select7_a_parked_receiver_and_a_sender, 0, 9);
  tcase_add_loop_test(t, select7_a_parked_sender_and_a_receiver, 0, 9);
  return s;
}
