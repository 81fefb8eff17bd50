/* SPDX-License-Identifier: BSD-3-Clause */
/* Selects that discard what they receive, from channels with a drop (whose
   elements have 256 bytes at most) and without one (where they may be larger):
   each value is destroyed by its own channel's drop, if any, and written
   nowhere. */
#include "harness.h"
#include "own_ctx.h"

#include <stdatomic.h>
#include <string.h>

enum { LARGE = 4000 };

static _Atomic int drops;

static void drop_int(void *elem) {
  atomic_fetch_add(&drops, *(int *)elem);
}

/* dropping comes first or second, by _i & 1, in the ordered form by _i & 2. */
struct scene {
  gch_chan *dropping, *large;
  int i;
};

static struct scene make(int i, size_t cap) {
  struct scene s = {gch_make(sizeof(int), 1), gch_make(LARGE, cap), i};
  ck_assert_int_eq(gch_set_drop(s.dropping, drop_int), 0);
  atomic_store(&drops, 0);
  return s;
}

static void end(struct scene s) {
  gch_unref(s.dropping);
  gch_unref(s.large);
}

static void send_large(gch_chan *c) {
  char value[LARGE];
  memset(value, 0x5a, sizeof value);
  ck_assert_int_eq(gch_send(c, value), 0);
}

/* 0: dropping fired; 1: large did. */
static int discard_one(const struct scene *s, int *err) {
  gch_case cases[] = {GCH_RECV_ERR(s->dropping, NULL, err),
                      GCH_RECV_ERR(s->large, NULL, err)};
  gch_case swap = cases[0];
  int swapped = s->i & 1;
  if (swapped) {
    cases[0] = cases[1];
    cases[1] = swap;
  }
  int fired = s->i & 2 ? gch_select_cases_ordered(cases, 2)
                       : gch_select_cases(cases, 2);
  return fired ^ swapped;
}

static void expect(const struct scene *s, int fired, int err, int dropped) {
  int got = -1;
  ck_assert_int_eq(discard_one(s, &got), fired);
  ck_assert_int_eq(got, err);
  ck_assert_int_eq(atomic_load(&drops), dropped);
}

START_TEST(a_large_buffered_value_may_be_discarded_beside_a_drop) {
  struct scene s = make(_i, 1);
  send_large(s.large);
  expect(&s, 1, 0, 0);
  gch_send(s.dropping, &(int){5});
  expect(&s, 0, 0, 5);
  end(s);
}
END_TEST

START_TEST(a_close_of_large_elements_may_be_seen_beside_a_drop) {
  struct scene s = make(_i, 1);
  gch_close(s.large);
  expect(&s, 1, EPIPE, 0);
  end(s);
}
END_TEST

static void send_to(void *c) {
  send_large(c);
}

START_TEST(a_parked_senders_large_value_may_be_discarded_beside_a_drop) {
  struct scene s = make(_i, 0);
  test_thread *t = thread_start(send_to, s.large);
  await_waiting(s.large, 1, 0);
  expect(&s, 1, 0, 0);
  thread_join(t);
  end(s);
}
END_TEST

struct parked {
  struct scene s;
  int fired, err;
};

static void park_in_select(void *arg) {
  struct parked *p = arg;
  p->fired = discard_one(&p->s, &p->err);
}

static test_thread *start_parked(struct parked *p, int i) {
  p->s = make(i, 0);
  p->err = -1;
  test_thread *t = thread_start(park_in_select, p);
  await_waiting(p->s.large, 0, 1);
  return t;
}

static void expect_parked(test_thread *t, struct parked *p, int fired, int err,
                          int dropped) {
  thread_join(t);
  ck_assert_int_eq(p->fired, fired);
  ck_assert_int_eq(p->err, err);
  ck_assert_int_eq(atomic_load(&drops), dropped);
  end(p->s);
}

START_TEST(a_large_value_may_be_sent_to_who_is_parked_beside_a_drop) {
  struct parked p;
  test_thread *t = start_parked(&p, _i);
  send_large(p.s.large);
  expect_parked(t, &p, 1, 0, 0);
}
END_TEST

START_TEST(large_elements_may_be_closed_under_who_is_parked_beside_a_drop) {
  struct parked p;
  test_thread *t = start_parked(&p, _i);
  gch_close(p.s.large);
  expect_parked(t, &p, 1, EPIPE, 0);
}
END_TEST

START_TEST(who_is_parked_beside_large_elements_drops_what_it_discards) {
  struct parked p;
  test_thread *t = start_parked(&p, _i);
  gch_send(p.s.dropping, &(int){7});
  expect_parked(t, &p, 0, 0, 7);
}
END_TEST

/* A context of the program's own whose done channel has large elements. */

static const gch_ctx_ops own_ops = {.done = own_done, .err = own_err};

struct in_ctx {
  const gch_ctx *ctx;
  gch_chan *c;
  int err;
};

static void receive_in_ctx(void *arg) {
  struct in_ctx *p = arg;
  p->err = gch_recv_ctx(p->ctx, p->c, NULL);
}

START_TEST(a_done_channel_may_have_large_elements) {
  struct scene s = make(0, 0);
  struct own own = {s.large, 0, 0};
  struct in_ctx p = {gch_ctx_custom(gch_ctx_background(), &own_ops, &own),
                     s.dropping, -1};
  test_thread *t = thread_start(receive_in_ctx, &p);
  await_waiting(s.dropping, 0, 1);
  gch_close(s.large);
  thread_join(t);
  ck_assert_int_eq(p.err, ECANCELED);
  gch_ctx_unref(p.ctx);
  end(s);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("select_drop");
  TCase *t = test_case(s, "beside a drop");
#define ADD(test) tcase_add_loop_test(t, test, 0, 4)
  ADD(a_large_buffered_value_may_be_discarded_beside_a_drop);
  ADD(a_close_of_large_elements_may_be_seen_beside_a_drop);
  ADD(a_parked_senders_large_value_may_be_discarded_beside_a_drop);
  ADD(a_large_value_may_be_sent_to_who_is_parked_beside_a_drop);
  ADD(large_elements_may_be_closed_under_who_is_parked_beside_a_drop);
  ADD(who_is_parked_beside_large_elements_drops_what_it_discards);
#undef ADD
  tcase_add_test(t, a_done_channel_may_have_large_elements);
  return s;
}
