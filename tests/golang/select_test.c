/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's runtime/chan_test.go: select. */
#include "chan_checks.h"

#include <math.h>

/* Of two channels one is ready all the time, though not always the same: a
   select over both must never take its default. */
struct baton {
  gch_chan *c1, *c2;
  struct rounds r;
};

static void never_defaults(void *arg) {
  struct baton *b = arg;
  for (int i = 0; follow(&b->r); i++) {
    gch_case cases[] = {GCH_RECV(b->c1, NULL), GCH_RECV(b->c2, NULL),
                        GCH_DEFAULT};
    if (i % 2 == 0)
      require(gch_select_cases(cases, 3) != 2);
    else
      require(gch_select_cases_ordered(cases, 3) != 2);
    meet(&b->r, &b->r.follower);
  }
}

static void new_batons(struct baton *b, size_t cap2) {
  b->c1 = ints(1);
  b->c2 = ints(cap2);
  put(b->c1, 1);
}

static void drop_batons(struct baton *b) {
  gch_unref(b->c1);
  gch_unref(b->c2);
}

static void pass_the_baton(size_t cap2, void (*make_ready)(gch_chan *c2)) {
  gch_wg wg = GCH_WG_INIT;
  struct baton b = {.r = {.most = scaled(5000)}};
  new_batons(&b, cap2);
  go(&wg, never_defaults, &b);
  while (lead(&b.r)) {
    make_ready(b.c2);
    gch_try_recv(b.c1, NULL);
    meet(&b.r, &b.r.leader);
    drop_batons(&b);
    new_batons(&b, cap2);
  }
  gch_wg_wait(&wg);
  drop_batons(&b);
}

static void send_one(gch_chan *c) {
  put(c, 1);
}

static void close_it(gch_chan *c) {
  require(gch_close(c) == 0);
}

START_TEST(TestNonblockSelectRace) {
  pass_the_baton(1, send_one);
}
END_TEST

START_TEST(TestNonblockSelectRace2) {
  pass_the_baton(0, close_it);
}
END_TEST

struct self {
  gch_chan *c;
  size_t cap;
  _Atomic int next;
};

enum { SELF_ROUNDS = 1000 };

static void select_on_self(void *arg) {
  struct self *s = arg;
  int me = s->next++, rounds = scaled(SELF_ROUNDS);
  for (int i = 0; i < rounds; i++) {
    int v = !me, fired;
    if (me == 0 || i % 2 == 0)
      fired = gch_select(GCH_SEND(s->c, &me), GCH_RECV(s->c, &v));
    else
      fired = !gch_select(GCH_RECV(s->c, &v), GCH_SEND(s->c, &me));
    require(fired == 0 || s->cap > 0 || v == !me);
  }
}

static void two_that_send_and_receive(size_t cap) {
  gch_wg wg = GCH_WG_INIT;
  struct self s = {ints(cap), cap, 0};
  go(&wg, select_on_self, &s);
  go(&wg, select_on_self, &s);
  gch_wg_wait(&wg);
  gch_unref(s.c);
}

START_TEST(TestSelfSelect_unbuffered_never_meets_itself) {
  two_that_send_and_receive(0);
}
END_TEST

START_TEST(TestSelfSelect_buffered) {
  two_that_send_and_receive(10);
}
END_TEST

enum { STRESS_CHANS = 4 };

struct stress {
  gch_chan *c[STRESS_CHANS];
  int n;
  _Atomic int next_sender, next_receiver;
};

static void stress_send(void *arg) {
  struct stress *s = arg;
  gch_chan *c = s->c[s->next_sender++];
  for (int i = 0; i < s->n; i++)
    put(c, 0);
}

static void stress_receive(void *arg) {
  struct stress *s = arg;
  gch_chan *c = s->c[s->next_receiver++];
  for (int i = 0; i < s->n; i++)
    take(c);
}

/* n times each of the four cases; one that is done gets a nil channel. */
static void stress_select(struct stress *s, gch_case cases[STRESS_CHANS]) {
  int left[STRESS_CHANS] = {s->n, s->n, s->n, s->n};
  for (int i = 0; i < STRESS_CHANS * s->n; i++) {
    int fired = gch_select_cases(cases, STRESS_CHANS);
    require(left[fired] > 0);
    if (--left[fired] == 0)
      cases[fired] = GCH_RECV(NULL, NULL);
  }
}

static void stress_select_send(void *arg) {
  struct stress *s = arg;
  const int v = 0;
  gch_case cases[] = {GCH_SEND(s->c[3], &v), GCH_SEND(s->c[2], &v),
                      GCH_SEND(s->c[0], &v), GCH_SEND(s->c[1], &v)};
  stress_select(s, cases);
}

static void stress_select_receive(void *arg) {
  struct stress *s = arg;
  gch_case cases[] = {GCH_RECV(s->c[0], NULL), GCH_RECV(s->c[1], NULL),
                      GCH_RECV(s->c[2], NULL), GCH_RECV(s->c[3], NULL)};
  stress_select(s, cases);
}

START_TEST(TestSelectStress) {
  gch_wg wg = GCH_WG_INIT;
  struct stress s = {{ints(0), ints(0), ints(2), ints(3)}, scaled(1000), 0, 0};
  for (int i = 0; i < STRESS_CHANS; i++) {
    go(&wg, stress_send, &s);
    go(&wg, stress_receive, &s);
  }
  go(&wg, stress_select_send, &s);
  go(&wg, stress_select_receive, &s);
  gch_wg_wait(&wg);
  for (int i = 0; i < STRESS_CHANS; i++) {
    ck_assert_uint_eq(gch_len(s.c[i]), 0);
    ck_assert(nobody_waits(s.c[i]));
    gch_unref(s.c[i]);
  }
}
END_TEST

/* Go's bound for 10 000 trials, which chance exceeds once in a million times;
   with 40 000 it practically never does. */
enum { TRIALS = 40000 };

static gch_chan *full_of_bytes(void) {
  gch_chan *c = gch_make(1, TRIALS);
  for (int i = 0; i < TRIALS; i++)
    require(gch_try_send(c, &(char){0}) == 0);
  return c;
}

START_TEST(TestSelectFairness) {
  gch_chan *empty1 = gch_make(1, 0), *empty2 = gch_make(1, 0);
  gch_chan *full1 = full_of_bytes(), *full2 = full_of_bytes();
  int count[4] = {0, 0, 0, 0};
  for (int i = 0; i < TRIALS; i++)
    count[gch_select(GCH_RECV(empty1, NULL), GCH_RECV(empty2, NULL),
                     GCH_RECV(full1, NULL), GCH_RECV(full2, NULL))]++;
  ck_assert_int_eq(count[2] + count[3], TRIALS);
  ck_assert_msg(fabs((double)count[2] / TRIALS - 0.5) <= 0.02446,
                "in %d trials %d and %d", TRIALS, count[2], count[3]);
  gch_unref(empty1);
  gch_unref(empty2);
  gch_unref(full1);
  gch_unref(full2);
}
END_TEST

enum { TOSSES = 100 };

struct tosses {
  gch_chan *c;
  int count[2];
};

static void count_tosses(void *arg) {
  struct tosses *t = arg;
  for (int i = 0; i < TOSSES; i++) {
    gch_yield();
    t->count[take(t->c)]++;
  }
}

static void toss(size_t cap) {
  gch_wg wg = GCH_WG_INIT;
  struct tosses t = {ints(cap), {0, 0}};
  go(&wg, count_tosses, &t);
  for (int i = 0; i < TOSSES; i++)
    gch_select(GCH_SEND(t.c, &(int){1}), GCH_SEND(t.c, &(int){0}));
  gch_wg_wait(&wg);
  ck_assert_int_eq(t.count[0] + t.count[1], TOSSES);
  ck_assert_int_gt(t.count[0], TOSSES / 10);
  ck_assert_int_gt(t.count[1], TOSSES / 10);
  gch_unref(t.c);
}

START_TEST(TestPseudoRandomSend_unbuffered) {
  toss(0);
}
END_TEST

START_TEST(TestPseudoRandomSend_buffered) {
  toss(TOSSES);
}
END_TEST

struct trio {
  gch_chan *c, *d, *e;
};

static void wait_twice_on_c(void *arg) {
  struct trio *t = arg;
  require(gch_select(GCH_RECV(t->c, NULL), GCH_RECV(t->c, NULL),
                     GCH_RECV(t->d, NULL)) == 2);
  put(t->e, 9);
}

static void wait_on_c(void *arg) {
  struct trio *t = arg;
  require(take(t->c) == 8);
}

/* A select that leaves a queue in which it stands twice leaves those behind it
   in their places. */
START_TEST(TestSelectDuplicateChannel) {
  gch_wg wg = GCH_WG_INIT;
  struct trio t = {ints(0), ints(0), ints(0)};
  go(&wg, wait_twice_on_c, &t);
  await_waiting(t.c, 0, 2);
  go(&wg, wait_on_c, &t);
  await_waiting(t.c, 0, 3);
  put(t.d, 7);
  ck_assert_int_eq(take(t.e), 9);
  await_waiting(t.c, 0, 1);
  put(t.c, 8);
  gch_wg_wait(&wg);
  gch_unref(t.c);
  gch_unref(t.d);
  gch_unref(t.e);
}
END_TEST

struct adjust {
  gch_chan *c, *d;
  bool twice;
};

static void keep_what_did_not_fire(void *arg) {
  struct adjust *a = arg;
  int val = 42, *cx = &val;
  int fired =
      gch_select(GCH_RECV(a->c, &cx), GCH_RECV(a->twice ? a->c : NULL, NULL),
                 GCH_RECV(a->d, NULL), GCH_RECV(a->twice ? a->d : NULL, NULL));
  require(fired == 2 || (a->twice && fired == 3));
  require(cx == &val && val == 42);
}

/* What is left of it where no stack moves: the destination of a case that
   did not fire is untouched. */
START_TEST(TestSelectStackAdjust) {
  gch_wg wg = GCH_WG_INIT;
  gch_chan *c = gch_make_of(int *, 0), *d = gch_make_of(int *, 0);
  struct adjust once = {c, d, false}, twice = {c, d, true};
  go(&wg, keep_what_did_not_fire, &once);
  go(&wg, keep_what_did_not_fire, &twice);
  await_waiting(c, 0, 3);
  await_waiting(d, 0, 3);
  gch_close(d);
  gch_wg_wait(&wg);
  ck_assert(nobody_waits(c));
  gch_unref(c);
  gch_unref(d);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("golang/select");
  TCase *t = test_case(s, "races");
  tcase_add_test(t, TestNonblockSelectRace);
  tcase_add_test(t, TestNonblockSelectRace2);
  tcase_add_test(t, TestSelfSelect_unbuffered_never_meets_itself);
  tcase_add_test(t, TestSelfSelect_buffered);
  tcase_add_test(t, TestSelectStress);
  t = test_case(s, "choice");
  tcase_add_test(t, TestSelectFairness);
  tcase_add_test(t, TestPseudoRandomSend_unbuffered);
  tcase_add_test(t, TestPseudoRandomSend_buffered);
  t = test_case(s, "queues");
  tcase_add_test(t, TestSelectDuplicateChannel);
  tcase_add_test(t, TestSelectStackAdjust);
  return s;
}
