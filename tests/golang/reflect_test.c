/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's reflect/all_test.go, where it is about channels: selects that are put
   together at run time. */
#include "choices.h"

#include <stdlib.h>

enum { MOST_ARMS = 9 };

/* A case, and what is known of it. */
struct arm {
  enum kind {
    READY_SEND,
    READY_RECV,
    BLOCKED_SEND,
    BLOCKED_RECV,
    NIL_SEND,
    NIL_RECV,
    CLOSED_SEND,
    CLOSED_RECV,
    DEFAULT
  } kind;
  gch_chan *c;
  bool can_fire;
  bool has_helper; /* blocked, but somebody could come */
  int sent, received, err;
};

enum { SENT = 100, RECEIVED = 200, UNTOUCHED = -1 };

struct trial {
  struct choices x;
  struct arm arms[MOST_ARMS];
  int n;
  uint32_t random;
};

static struct arm *add_arm(struct trial *t, enum kind kind, gch_chan *c) {
  struct arm *a = &t->arms[t->n++];
  *a = (struct arm){kind, c, false, false, SENT, UNTOUCHED, UNTOUCHED};
  return a;
}

static gch_chan *closed(void) {
  gch_chan *c = ints(0);
  require(gch_close(c) == 0);
  return c;
}

static void choose_ready(struct trial *t) {
  if (maybe(&t->x))
    add_arm(t, READY_SEND, ints(1))->can_fire = true;
  if (maybe(&t->x)) {
    struct arm *a = add_arm(t, READY_RECV, ints(1));
    a->can_fire = true;
    put(a->c, RECEIVED);
  }
  if (maybe(&t->x))
    add_arm(t, CLOSED_SEND, closed())->can_fire = true;
  if (maybe(&t->x))
    add_arm(t, CLOSED_RECV, closed())->can_fire = true;
}

static void choose_blocked(struct trial *t) {
  if (maybe(&t->x))
    add_arm(t, BLOCKED_SEND, ints(0))->has_helper = maybe(&t->x);
  if (maybe(&t->x))
    add_arm(t, BLOCKED_RECV, ints(0))->has_helper = maybe(&t->x);
  if (maybe(&t->x))
    add_arm(t, NIL_SEND, NULL);
  if (maybe(&t->x))
    add_arm(t, NIL_RECV, NULL);
}

/* Completes a case once it is parked. */
static void help(void *arg) {
  struct arm *a = arg;
  await_waiting(a->c, a->kind == BLOCKED_SEND, a->kind == BLOCKED_RECV);
  if (a->kind == BLOCKED_SEND)
    require(take(a->c) == SENT);
  else
    put(a->c, RECEIVED);
}

/* Where nothing is ready a helper is needed, or else a default. Returns who is
   to help. */
static struct arm *choose_way_out(struct trial *t) {
  struct arm *helped = NULL;
  bool ready = false;
  for (int i = 0; i < t->n; i++) {
    ready |= t->arms[i].can_fire;
    if (t->arms[i].has_helper && (helped == NULL || maybe(&t->x)))
      helped = &t->arms[i];
  }
  if ((!ready && helped == NULL) || maybe(&t->x)) {
    add_arm(t, DEFAULT, NULL)->can_fire = !ready;
    return NULL;
  }
  if (ready)
    return NULL;
  helped->can_fire = true;
  return helped;
}

static gch_case case_of(struct arm *a) {
  switch (a->kind) {
  case READY_SEND:
  case BLOCKED_SEND:
  case NIL_SEND:
  case CLOSED_SEND:
    return GCH_SEND_ERR(a->c, &a->sent, &a->err);
  case DEFAULT:
    return GCH_DEFAULT;
  default:
    return GCH_RECV_ERR(a->c, &a->received, &a->err);
  }
}

/* The cases in a random order: where[i] is the arm of case i. */
static void shuffle(struct trial *t, gch_case *cases, struct arm **where) {
  for (int i = 0; i < t->n; i++) {
    int j = (int)(test_random(&t->random) % (uint32_t)(i + 1));
    where[i] = where[j];
    where[j] = &t->arms[i];
  }
  for (int i = 0; i < t->n; i++)
    cases[i] = case_of(where[i]);
}

static void check_fired(const struct arm *a) {
  require(a->can_fire);
  int received = a->kind == CLOSED_RECV ? 0 : RECEIVED;
  bool receives = a->kind == READY_RECV || a->kind == BLOCKED_RECV ||
                  a->kind == CLOSED_RECV;
  require(a->received == (receives ? received : UNTOUCHED));
  if (a->kind == CLOSED_SEND || a->kind == CLOSED_RECV)
    require(a->err == EPIPE);
  else
    require(a->err == (a->kind == DEFAULT ? UNTOUCHED : 0));
}

static void check_not_fired(const struct arm *a) {
  require(a->received == UNTOUCHED && a->err == UNTOUCHED);
  require(gch_len(a->c) == (a->kind == READY_RECV));
}

static void run_trial(struct trial *t) {
  gch_wg wg = GCH_WG_INIT;
  gch_case cases[MOST_ARMS];
  struct arm *where[MOST_ARMS] = {NULL};
  t->n = 0;
  choose_ready(t);
  choose_blocked(t);
  struct arm *helped = choose_way_out(t);
  shuffle(t, cases, where);
  if (helped != NULL)
    go(&wg, help, helped);
  int fired = gch_select_cases(cases, (size_t)t->n);
  check_fired(where[fired]);
  gch_wg_wait(&wg);
  for (int i = 0; i < t->n; i++) {
    if (i != fired)
      check_not_fired(where[i]);
    require(nobody_waits(where[i]->c));
    gch_unref(where[i]->c);
  }
}

/* All combinations of cases, each in some random order. */
START_TEST(TestSelect) {
  struct trial t = {.random = 1};
  int n = 0;
  do {
    run_trial(&t);
    n++;
  } while (next_choices(&t.x));
  ck_assert_int_gt(n, 1152); /* 2^7 * 3 * 3, and the ways out */
}
END_TEST

/* Go's most in reflect, and one more: here the number is not limited. */
enum { MAX_CASES = 65536 };

static gch_case *same_case(gch_chan *c, int *v) {
  gch_case *cases = calloc(MAX_CASES + 1, sizeof *cases);
  require(cases != NULL);
  for (int i = 0; i <= MAX_CASES; i++)
    cases[i] = GCH_RECV(c, v);
  return cases;
}

START_TEST(TestSelectMaxCases) {
  int v = -1;
  gch_chan *c = closed();
  gch_case *cases = same_case(c, &v);
  ck_assert_int_ge(gch_select_cases(cases, MAX_CASES), 0);
  ck_assert_int_eq(v, 0);
  ck_assert_int_ge(gch_select_cases(cases, MAX_CASES + 1), 0);
  ck_assert_int_eq(gch_select_cases_ordered(cases, MAX_CASES + 1), 0);
  free(cases);
  gch_unref(c);
}
END_TEST

static void send_to_max_cases(void *c) {
  await_waiting(c, 0, MAX_CASES + 1);
  put(c, 7);
}

START_TEST(TestSelectMaxCases_parked) {
  gch_wg wg = GCH_WG_INIT;
  int v = -1;
  gch_chan *c = ints(0);
  gch_case *cases = same_case(c, &v);
  go(&wg, send_to_max_cases, c);
  ck_assert_int_ge(gch_select_cases(cases, MAX_CASES + 1), 0);
  ck_assert_int_eq(v, 7);
  ck_assert(nobody_waits(c));
  gch_wg_wait(&wg);
  free(cases);
  gch_unref(c);
}
END_TEST

START_TEST(TestSelectNop) {
  ck_assert_int_eq(gch_select_cases((gch_case[]){GCH_DEFAULT}, 1), 0);
}
END_TEST

START_TEST(TestChan_try_forms_of_a_buffered_one) {
  int v = -1;
  gch_chan *c = ints(1);
  ck_assert_int_eq(gch_try_recv(c, &v), EAGAIN);
  put(c, 4);
  ck_assert_int_eq(try_put(c, 5), EAGAIN);
  ck_assert_int_eq(gch_try_recv(c, &v), 0);
  ck_assert_int_eq(v, 4);
  ck_assert_int_eq(try_put(c, 6), 0);
  ck_assert_int_eq(take(c), 6);
  gch_unref(c);
}
END_TEST

START_TEST(TestChan_a_value_sent_before_close_is_received) {
  gch_chan *c = ints(1);
  put(c, 123);
  ck_assert_int_eq(gch_close(c), 0);
  ck_assert_int_eq(take(c), 123);
  ck_assert(is_closed(c));
  gch_unref(c);
}
END_TEST

START_TEST(TestChan_try_forms_of_an_unbuffered_one) {
  int v = -1;
  gch_chan *c = ints(0);
  ck_assert_int_eq(try_put(c, 7), EAGAIN);
  ck_assert_int_eq(gch_try_recv(c, &v), EAGAIN);
  ck_assert_int_eq(v, -1);
  gch_unref(c);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("golang/reflect");
  TCase *t = test_case(s, "select");
  tcase_add_test(t, TestSelect);
  tcase_add_test(t, TestSelectMaxCases);
  tcase_add_test(t, TestSelectMaxCases_parked);
  tcase_add_test(t, TestSelectNop);
  t = test_case(s, "chan");
  tcase_add_test(t, TestChan_try_forms_of_a_buffered_one);
  tcase_add_test(t, TestChan_a_value_sent_before_close_is_received);
  tcase_add_test(t, TestChan_try_forms_of_an_unbuffered_one);
  return s;
}
