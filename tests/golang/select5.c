/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's test/chan/select5.go: one send or receive, phrased in all ways, among
   cases that can't fire; and the order in which arguments are evaluated. */
#include "choices.h"

struct world {
  gch_chan *c, *dummy;
  struct choices x;
  gch_case cases[8];
  int n;     /* cases */
  int fires; /* the position of the one that can */
  bool has_default;
};

static void world_open(struct world *w) {
  *w = (struct world){.c = ints(1), .dummy = ints(0)};
}

static void world_close(struct world *w) {
  gch_unref(w->c);
  gch_unref(w->dummy);
}

static void add(struct world *w, gch_case k) {
  w->cases[w->n++] = k;
}

static void maybe_default(struct world *w) {
  if (w->has_default || !maybe(&w->x))
    return;
  w->has_default = true;
  add(w, GCH_DEFAULT);
}

static void maybe_others(struct world *w) {
  static int untouched = -1;
  require(untouched == -1);
  if (maybe(&w->x))
    add(w, GCH_SEND(w->dummy, &untouched));
  if (maybe(&w->x))
    add(w, GCH_RECV(w->dummy, &untouched));
  if (maybe(&w->x))
    add(w, GCH_SEND(NULL, &untouched));
  if (maybe(&w->x))
    add(w, GCH_RECV(NULL, &untouched));
}

/* k among the others: before or after a default, in this or the reverse
   order, by either kind of select. */
static void select_it(struct world *w, gch_case k) {
  w->n = 0;
  w->has_default = false;
  maybe_default(w);
  w->fires = w->n;
  add(w, k);
  maybe_default(w);
  maybe_others(w);
  int fired = maybe(&w->x) ? gch_select_cases(w->cases, (size_t)w->n)
                           : gch_select_cases_ordered(w->cases, (size_t)w->n);
  require(fired == w->fires);
}

static int receive_in_some_way(struct world *w) {
  int v = -1, err = -1;
  switch (choose(&w->x, 5)) {
  case 0:
    return take(w->c);
  case 1:
    require(gch_try_recv(w->c, &v) == 0);
    return v;
  case 2:
    require(gch_recv_until(w->c, &v, 0) == 0);
    return v;
  case 3:
    select_it(w, GCH_RECV(w->c, &v));
    return v;
  default:
    select_it(w, GCH_RECV_ERR(w->c, &v, &err));
    require(err == 0);
    return v;
  }
}

START_TEST(select5_recv) {
  struct world w;
  world_open(&w);
  int n = 1;
  do {
    put(w.c, n);
    require(receive_in_some_way(&w) == n);
    n++;
  } while (next_choices(&w.x));
  ck_assert_int_eq(n - 1, 3 + 2 * 3 * 16 * 2);
  world_close(&w);
}
END_TEST

static void send_in_some_way(struct world *w, int v) {
  int err = -1;
  switch (choose(&w->x, 5)) {
  case 0:
    put(w->c, v);
    break;
  case 1:
    require(try_put(w->c, v) == 0);
    break;
  case 2:
    require(gch_send_until(w->c, &v, 0) == 0);
    break;
  case 3:
    select_it(w, GCH_SEND(w->c, &v));
    break;
  default:
    select_it(w, GCH_SEND_ERR(w->c, &v, &err));
    require(err == 0);
  }
}

START_TEST(select5_send) {
  struct world w;
  world_open(&w);
  int n = 1;
  do {
    send_in_some_way(&w, n);
    require(take(w.c) == n);
    n++;
  } while (next_choices(&w.x));
  ck_assert_int_eq(n - 1, 3 + 2 * 3 * 16 * 2);
  world_close(&w);
}
END_TEST

/* Where nothing can fire, the default does, and no destination is looked
   at. */
START_TEST(select5_nonblock) {
  struct world w;
  world_open(&w);
  void *nowhere = (void *)16;
  int x = 7;
  do {
    w.n = 0;
    w.has_default = false;
    maybe_default(&w);
    w.fires = w.has_default ? 0 : -1;
    maybe_others(&w);
    if (maybe(&w.x))
      add(&w, GCH_RECV_ERR(w.dummy, &x, &x));
    if (maybe(&w.x))
      add(&w, GCH_RECV_ERR(w.dummy, nowhere, nowhere));
    if (!w.has_default) {
      w.fires = w.n;
      add(&w, GCH_DEFAULT);
    }
    require(gch_select_cases(w.cases, (size_t)w.n) == w.fires);
    require(x == 7);
  } while (next_choices(&w.x));
  world_close(&w);
}
END_TEST

/* Each of the following is called at its place in the order. */
static int order;

static gch_chan *fc(gch_chan *c, int at) {
  require(++order == at);
  return c;
}

static int *fp(int *p, int at) {
  require(++order == at);
  return p;
}

static int64_t fd(int64_t deadline, int at) {
  require(++order == at);
  return deadline;
}

START_TEST(select5_recv_order) {
  int x = 0, err = -1, other = 1;
  gch_chan *c = ints(1), *dummy = ints(0);
  put(c, 42);
  order = 0;
  ck_assert_int_eq(
      gch_select(GCH_RECV_ERR(fc(c, 1), fp(&x, 2), fp(&err, 3)),
                 GCH_SEND(fc(dummy, 4), fp(&other, 5)),
                 GCH_RECV(fc(dummy, 6), fp(&other, 7)),
                 GCH_SEND_ERR(fc(NULL, 8), fp(&other, 9), fp(&other, 10)),
                 GCH_RECV(fc(NULL, 11), fp(&other, 12)),
                 GCH_UNTIL(fd(GCH_FOREVER, 13)), GCH_TIMEOUT(fd(-1, 14))),
      0);
  ck_assert_int_eq(order, 14);
  ck_assert_int_eq(x, 42);
  ck_assert_int_eq(err, 0);
  ck_assert_int_eq(other, 1);
  gch_unref(c);
  gch_unref(dummy);
}
END_TEST

START_TEST(select5_send_order) {
  int x = 42, other = 1;
  gch_chan *c = ints(1), *dummy = ints(0);
  order = 0;
  ck_assert_int_eq(gch_select(GCH_DEFAULT, GCH_SEND(fc(c, 1), fp(&x, 2)),
                              GCH_SEND(fc(dummy, 3), fp(&other, 4)),
                              GCH_RECV(fc(dummy, 5), fp(&other, 6)),
                              GCH_SEND(fc(NULL, 7), fp(&other, 8)),
                              GCH_RECV(fc(NULL, 9), fp(&other, 10))),
                   1);
  ck_assert_int_eq(order, 10);
  ck_assert_int_eq(take(c), 42);
  gch_unref(c);
  gch_unref(dummy);
}
END_TEST

START_TEST(select5_order_of_the_ordered_form) {
  int x = 42, other = 1;
  gch_chan *c = ints(1), *dummy = ints(0);
  order = 0;
  ck_assert_int_eq(gch_select_ordered(GCH_RECV(fc(dummy, 1), fp(&other, 2)),
                                      GCH_SEND(fc(c, 3), fp(&x, 4)),
                                      GCH_DEFAULT),
                   1);
  ck_assert_int_eq(order, 4);
  gch_unref(c);
  gch_unref(dummy);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("golang/select5");
  TCase *t = test_case(s, "select5");
  tcase_add_test(t, select5_recv);
  tcase_add_test(t, select5_send);
  tcase_add_test(t, select5_nonblock);
  tcase_add_test(t, select5_recv_order);
  tcase_add_test(t, select5_send_order);
  tcase_add_test(t, select5_order_of_the_ordered_form);
  return s;
}
