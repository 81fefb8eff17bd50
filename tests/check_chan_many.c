/* SPDX-License-Identifier: BSD-3-Clause */
/* gch_recv_many and gch_send_many: each what so many single operations in a row
   would do. (The stress tests' mixed load has them among all others.) */
#include "chan_forms.h"

#include <stdlib.h>

enum { LARGE = 1000 };

static void expect_rising(const int *v, size_t n, int from) {
  for (size_t i = 0; i < n; i++)
    if (v[i] != from + (int)i)
      ck_abort_msg("value %zu is %d, not %d", i, v[i], from + (int)i);
}

static gch_chan *filled(size_t cap, int count) {
  gch_chan *c = gch_make_of(int, cap);
  for (int i = 0; i < count; i++)
    put_int(c, i);
  return c;
}

/* Senders of from, from + 1, … parked in this order. */
static void park_senders(struct party *p, int count, form fn, gch_chan *c,
                         int from) {
  for (int i = 0; i < count; i++) {
    party_start_int(&p[i], fn, c, from + i);
    await_waiting(c, (size_t)i + 1, 0);
  }
}

static void end_all(struct party *p, int count, int err) {
  for (int i = 0; i < count; i++)
    ck_assert_int_eq(party_end(&p[i]), err);
}

/* Receiving */

START_TEST(recv_takes_what_is_buffered_in_order) {
  GCH_AUTO gch_chan *c = filled(8, 5);
  int v[8];
  size_t n = 99;
  ck_assert_int_eq(gch_recv_many(c, v, 8, &n), 0);
  ck_assert_uint_eq(n, 5);
  expect_rising(v, n, 0);
  ck_assert_uint_eq(gch_len(c), 0);
}
END_TEST

START_TEST(recv_takes_no_more_than_max) {
  GCH_AUTO gch_chan *c = filled(8, 5);
  int v[4] = {-1, -1, -1, -1};
  size_t n;
  ck_assert_int_eq(gch_recv_many(c, v, 3, &n), 0);
  ck_assert_uint_eq(n, 3);
  expect_rising(v, 3, 0);
  ck_assert_int_eq(v[3], -1);
  ck_assert_int_eq(take_int(c), 3);
  ck_assert_uint_eq(gch_len(c), 1);
}
END_TEST

START_TEST(recv_takes_from_parked_senders_too) {
  for (size_t cap = 0; cap < 3; cap++) {
    GCH_AUTO gch_chan *c = filled(cap, (int)cap);
    struct party p[5];
    int v[16];
    size_t n;
    park_senders(p, 5, sends[_i], c, (int)cap);
    ck_assert_int_eq(gch_recv_many(c, v, 16, &n), 0);
    ck_assert_uint_eq(n, cap + 5);
    expect_rising(v, n, 0);
    end_all(p, 5, 0);
  }
}
END_TEST

START_TEST(recv_of_some_leaves_the_other_senders_parked_and_no_slot_free) {
  GCH_AUTO gch_chan *c = filled(2, 2);
  struct party p[4];
  int v[3];
  size_t n;
  park_senders(p, 4, sends[_i], c, 2);
  ck_assert_int_eq(gch_recv_many(c, v, 3, &n), 0);
  ck_assert_uint_eq(n, 3);
  end_all(p, 3, 0);
  await_waiting(c, 1, 0);
  ck_assert_int_eq(gch_try_send(c, v), EAGAIN);
  for (int i = 3; i < 6; i++)
    ck_assert_int_eq(take_int(c), i);
  end_all(p + 3, 1, 0);
}
END_TEST

struct receipt {
  gch_chan *c;
  size_t max, n;
  int err, v[8];
};

static void receive(void *arg) {
  struct receipt *r = arg;
  r->err = gch_recv_many(r->c, r->v, r->max, &r->n);
}

START_TEST(recv_waits_for_one) {
  GCH_AUTO gch_chan *c = gch_make_of(int, (size_t)_i);
  struct receipt r = {.c = c, .max = 8, .n = 99};
  test_thread *t = thread_start(receive, &r);
  await_waiting(c, 0, 1);
  put_int(c, 7);
  thread_join(t);
  ck_assert_int_eq(r.err, 0);
  ck_assert_uint_eq(r.n, 1);
  ck_assert_int_eq(r.v[0], 7);
}
END_TEST

START_TEST(a_parked_recv_stands_in_line) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  struct receipt r = {.c = c, .max = 8};
  struct party p;
  test_thread *t = thread_start(receive, &r);
  await_waiting(c, 0, 1);
  party_start_int(&p, recv_plain, c, -1);
  await_waiting(c, 0, 2);
  put_int(c, 1);
  thread_join(t);
  ck_assert_int_eq(r.v[0], 1);
  put_int(c, 2);
  ck_assert_int_eq(party_end(&p), 0);
  ck_assert_int_eq(p.value, 2);
}
END_TEST

static void expect_closed(const struct receipt *r) {
  ck_assert_int_eq(r->err, EPIPE);
  ck_assert_uint_eq(r->n, 0);
  ck_assert_int_eq(r->v[0], 0);
  ck_assert_int_eq(r->v[1], -1);
}

START_TEST(recv_of_a_closed_channel_takes_the_rest_then_gives_EPIPE) {
  GCH_AUTO gch_chan *c = filled(4, 3);
  struct receipt r = {.c = c, .max = 8};
  gch_close(c);
  receive(&r);
  ck_assert_int_eq(r.err, 0);
  ck_assert_uint_eq(r.n, 3);
  r = (struct receipt){.c = c, .max = 8, .n = 99, .v = {-1, -1}};
  receive(&r);
  expect_closed(&r);
}
END_TEST

START_TEST(a_close_ends_a_parked_recv_with_EPIPE) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 1);
  struct receipt r = {.c = c, .max = 8, .n = 99, .v = {-1, -1}};
  test_thread *t = thread_start(receive, &r);
  await_waiting(c, 0, 1);
  gch_close(c);
  thread_join(t);
  expect_closed(&r);
}
END_TEST

START_TEST(recv_of_none_is_EINVAL) {
  GCH_AUTO gch_chan *c = filled(1, 1);
  int v = -1;
  size_t n = 99;
  ck_assert_int_eq(gch_recv_many(c, &v, 0, &n), EINVAL);
  ck_assert_uint_eq(n, 0);
  ck_assert_int_eq(gch_recv_many(c, NULL, 0, NULL), EINVAL);
  ck_assert_int_eq(gch_recv_many(NULL, &v, 0, &n), EINVAL);
  ck_assert_uint_eq(gch_len(c), 1);
}
END_TEST

START_TEST(the_count_may_be_unwanted) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 2);
  int v[2] = {1, 2};
  ck_assert_int_eq(gch_send_many(c, v, 2, NULL), 0);
  ck_assert_int_eq(gch_recv_many(c, v, 2, NULL), 0);
}
END_TEST

/* Sending */

START_TEST(send_fills_the_buffer_around_its_end) {
  for (size_t begin = 0; begin < 5; begin++) {
    GCH_AUTO gch_chan *c = gch_make_of(int, 5);
    int v[5] = {0, 1, 2, 3, 4}, got[5];
    size_t n = 99;
    for (size_t i = 0; i < begin; i++) {
      put_int(c, 0);
      take_int(c);
    }
    ck_assert_int_eq(gch_send_many(c, v, 5, &n), 0);
    ck_assert_uint_eq(n, 5);
    ck_assert_uint_eq(gch_len(c), 5);
    ck_assert_int_eq(gch_recv_many(c, got, 5, &n), 0);
    ck_assert_uint_eq(n, 5);
    expect_rising(got, 5, 0);
  }
}
END_TEST

START_TEST(send_serves_parked_receivers_in_the_order_in_which_they_parked) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 4);
  struct party p[4];
  int v[6] = {0, 1, 2, 3, 4, 5};
  size_t n;
  for (int i = 0; i < 4; i++) {
    party_start_int(&p[i], recvs[_i], c, -1);
    await_waiting(c, 0, (size_t)i + 1);
  }
  ck_assert_int_eq(gch_send_many(c, v, 6, &n), 0);
  ck_assert_uint_eq(n, 6);
  end_all(p, 4, 0);
  for (int i = 0; i < 4; i++)
    ck_assert_int_eq(p[i].value, i);
  ck_assert_int_eq(take_int(c), 4);
  ck_assert_int_eq(take_int(c), 5);
}
END_TEST

struct shipment {
  gch_chan *c;
  size_t count, n;
  int err, v[LARGE];
};

static void ship(void *arg) {
  struct shipment *s = arg;
  s->err = gch_send_many(s->c, s->v, s->count, &s->n);
}

static struct shipment *shipment_new(gch_chan *c, size_t count) {
  struct shipment *s = calloc(1, sizeof *s);
  ck_assert_ptr_nonnull(s);
  s->c = c;
  s->count = count;
  for (int i = 0; i < LARGE; i++)
    s->v[i] = i;
  return s;
}

START_TEST(send_waits_until_all_are_sent) {
  GCH_AUTO gch_chan *c = gch_make_of(int, (size_t)_i);
  struct shipment *s = shipment_new(c, LARGE);
  test_thread *t = thread_start(ship, s);
  for (int i = 0, v = -1; i < LARGE; i++) {
    ck_assert_int_eq(gch_recv(c, &v), 0);
    ck_assert_int_eq(v, i);
  }
  thread_join(t);
  ck_assert_int_eq(s->err, 0);
  ck_assert_uint_eq(s->n, LARGE);
  free(s);
}
END_TEST

START_TEST(a_close_says_how_many_were_sent) {
  GCH_AUTO gch_chan *c = gch_make_of(int, (size_t)_i);
  struct shipment *s = shipment_new(c, LARGE);
  test_thread *t = thread_start(ship, s);
  await_waiting(c, 1, 0);
  for (int i = 0; i < 3; i++) {
    ck_assert_int_eq(take_int(c), i);
    await_waiting(c, 1, 0);
  }
  gch_close(c);
  thread_join(t);
  ck_assert_int_eq(s->err, EPIPE);
  ck_assert_uint_eq(s->n, 3 + (size_t)_i);
  free(s);
}
END_TEST

START_TEST(send_to_a_closed_channel_sends_none) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 4);
  int v[2] = {1, 2};
  size_t n = 99;
  gch_close(c);
  ck_assert_int_eq(gch_send_many(c, v, 2, &n), EPIPE);
  ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(send_of_none_looks_at_nothing) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  size_t n = 99;
  gch_close(c);
  ck_assert_int_eq(gch_send_many(c, NULL, 0, &n), 0);
  ck_assert_uint_eq(n, 0);
  ck_assert_int_eq(gch_send_many(NULL, NULL, 0, NULL), 0);
  ck_assert_int_eq(gch_send_many(gch_ctx_done(ctx), NULL, 0, NULL), 0);
}
END_TEST

START_TEST(send_of_null_is_EINVAL) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 4);
  size_t n = 99;
  ck_assert_int_eq(gch_send_many(c, NULL, 2, &n), EINVAL);
  ck_assert_uint_eq(n, 0);
  ck_assert_uint_eq(gch_len(c), 0);
}
END_TEST

static void send_to_closed(void *c) {
  int v[2] = {1, 2};
  gch_send_many(c, v, 2, NULL);
}

START_TEST(a_strict_send_to_a_closed_channel_panics) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 4);
  gch_close(c);
  expect_panic_strict(send_to_closed, c, "send on closed channel");
}
END_TEST

/* The channels of contexts and timers */

START_TEST(an_owned_channel_is_received_from_only) {
  GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  gch_timer *t = gch_timer_new(0);
  int64_t v[4] = {0};
  size_t n = 99;
  ck_assert_int_eq(gch_send_many(gch_timer_chan(t), v, 2, &n), EPERM);
  ck_assert_uint_eq(n, 0);
  ck_assert_int_eq(gch_send_many(gch_ctx_done(ctx), v, 2, &n), EPERM);
  ck_assert_int_eq(gch_recv_many(gch_timer_chan(t), v, 4, &n), 0);
  ck_assert_uint_eq(n, 1);
  ck_assert(v[0] > 0 && v[1] == 0);
  gch_ctx_cancel(ctx);
  ck_assert_int_eq(gch_recv_many(gch_ctx_done(ctx), v, 4, &n), EPIPE);
  ck_assert_uint_eq(n, 0);
  gch_timer_free(t);
}
END_TEST

/* errno */

START_TEST(errno_is_left_alone) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 2);
  int v[2] = {1, 2};
  errno = 12345;
  gch_send_many(c, v, 2, NULL);
  gch_recv_many(c, v, 0, NULL);
  gch_recv_many(c, v, 2, NULL);
  gch_close(c);
  gch_send_many(c, v, 2, NULL);
  gch_recv_many(c, v, 2, NULL);
  int err = errno;
  ck_assert_int_eq(err, 12345);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("chan_many");
  TCase *t = test_case(s, "receive");
  tcase_add_test(t, recv_takes_what_is_buffered_in_order);
  tcase_add_test(t, recv_takes_no_more_than_max);
  add_test_of_blocking(t, recv_takes_from_parked_senders_too);
  add_test_of_blocking(
      t, recv_of_some_leaves_the_other_senders_parked_and_no_slot_free);
  tcase_add_loop_test(t, recv_waits_for_one, 0, 3);
  tcase_add_test(t, a_parked_recv_stands_in_line);
  tcase_add_test(t, recv_of_a_closed_channel_takes_the_rest_then_gives_EPIPE);
  tcase_add_test(t, a_close_ends_a_parked_recv_with_EPIPE);
  tcase_add_test(t, recv_of_none_is_EINVAL);
  tcase_add_test(t, the_count_may_be_unwanted);
  t = test_case(s, "send");
  tcase_add_test(t, send_fills_the_buffer_around_its_end);
  add_test_of_blocking(
      t, send_serves_parked_receivers_in_the_order_in_which_they_parked);
  tcase_add_loop_test(t, send_waits_until_all_are_sent, 0, 3);
  tcase_add_loop_test(t, a_close_says_how_many_were_sent, 0, 3);
  tcase_add_test(t, send_to_a_closed_channel_sends_none);
  tcase_add_test(t, send_of_none_looks_at_nothing);
  tcase_add_test(t, send_of_null_is_EINVAL);
  tcase_add_test(t, a_strict_send_to_a_closed_channel_panics);
  t = test_case(s, "other");
  tcase_add_test(t, an_owned_channel_is_received_from_only);
  tcase_add_test(t, errno_is_left_alone);
  return s;
}
