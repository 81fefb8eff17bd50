/* SPDX-License-Identifier: BSD-3-Clause */
/* gch_recv_many and gch_send_many with much of all: values, bytes, senders;
   with nothing; and into nowhere. */
#include "chan/impl.h"
#include "chan_forms.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { LARGE = 1000, CROWD = 300 };

/* Sizes */

START_TEST(many_more_than_one_hold_moves_arrive_in_order) {
  GCH_AUTO gch_chan *c = gch_make_of(int, LARGE);
  int in[LARGE], out[LARGE];
  size_t n;
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < LARGE; i++)
      in[i] = round + i;
    ck_assert_int_eq(gch_send_many(c, in, LARGE - 300, &n), 0);
    ck_assert_uint_eq(n, LARGE - 300);
    ck_assert_int_eq(gch_recv_many(c, out, LARGE, &n), 0);
    ck_assert_uint_eq(n, LARGE - 300);
    ck_assert_int_eq(memcmp(in, out, n * sizeof *in), 0);
  }
}
END_TEST

static void send_an_int(void *c) {
  static _Atomic int next;
  int v = atomic_fetch_add(&next, 1);
  ck_assert_int_eq(gch_send(c, &v), 0);
}

START_TEST(a_crowd_of_parked_senders_is_served_by_one_call) {
  gch_chan *c = gch_make_of(int, (size_t)_i);
  static int v[CROWD], seen[CROWD];
  gch_wg wg = GCH_WG_INIT;
  size_t n;
  for (int i = 0; i < CROWD; i++)
    ck_assert_int_eq(gch_wg_go(&wg, send_an_int, c), 0);
  await_waiting(c, CROWD - (size_t)_i, 0);
  ck_assert_int_eq(gch_recv_many(c, v, CROWD, &n), 0);
  ck_assert_uint_eq(n, CROWD);
  for (int i = 0; i < CROWD; i++)
    ck_assert_int_eq(seen[v[i]]++, 0);
  gch_wg_wait(&wg);
  gch_unref(c);
}
END_TEST

static const size_t sizes[] = {1, 3, 8, 255, 256, 257, 4096, 16384, 70000};
enum { SIZES = sizeof sizes / sizeof *sizes, ELEMS = 7 };

START_TEST(elements_of_any_size_arrive_whole) {
  size_t size = sizes[_i], n, bytes = size * ELEMS;
  GCH_AUTO gch_chan *c = gch_make(size, ELEMS);
  unsigned char *in = malloc(bytes), *out = calloc(1, bytes + 1);
  for (size_t i = 0; i < bytes; i++)
    in[i] = (unsigned char)(i * 11 + (i >> 8));
  for (int round = 0; round < 3; round++) { /* wraps around */
    ck_assert_int_eq(gch_send_many(c, in, ELEMS - 2, &n), 0);
    ck_assert_int_eq(gch_recv_many(c, out, ELEMS, &n), 0);
    ck_assert_uint_eq(n, ELEMS - 2);
    ck_assert_int_eq(memcmp(in, out, n * size), 0);
    ck_assert_uint_eq(out[n * size], 0);
  }
  free(in);
  free(out);
}
END_TEST

START_TEST(elements_of_no_size_are_counted) {
  GCH_AUTO gch_chan *c = gch_make(0, (size_t)1 << 5 * sizeof(size_t));
  size_t n;
  ck_assert_int_eq(gch_send_many(c, NULL, LARGE, &n), 0);
  ck_assert_uint_eq(n, LARGE);
  ck_assert_int_eq(gch_recv_many(c, NULL, 10, &n), 0);
  ck_assert_uint_eq(n, 10);
  ck_assert_int_eq(gch_recv_many(c, NULL, SIZE_MAX, &n), 0);
  ck_assert_uint_eq(n, LARGE - 10);
}
END_TEST

START_TEST(a_huge_max_takes_what_is_there) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 4);
  int v[4] = {1, 2, 3, 4}, got[4] = {0};
  size_t n;
  ck_assert_int_eq(gch_send_many(c, v, 4, &n), 0);
  ck_assert_int_eq(gch_recv_many(c, got, SIZE_MAX, &n), 0);
  ck_assert_uint_eq(n, 4);
  ck_assert_int_eq(memcmp(v, got, sizeof v), 0);
}
END_TEST

/* Into nowhere */

static _Atomic int dropped;
static _Atomic long dropped_sum;

static void drop_int(void *elem) {
  atomic_fetch_add(&dropped, 1);
  atomic_fetch_add(&dropped_sum, *(int *)elem);
}

static void expect_dropped(int count) {
  ck_assert_int_eq(dropped, count);
  ck_assert_int_eq(dropped_sum, (long)count * (count - 1) / 2);
}

START_TEST(what_is_received_into_null_is_dropped_once_each) {
  GCH_AUTO gch_chan *c = gch_make_of(int, LARGE);
  int v[LARGE];
  size_t n;
  gch_set_drop(c, drop_int);
  for (int i = 0; i < LARGE; i++)
    v[i] = i;
  ck_assert_int_eq(gch_send_many(c, v, LARGE, NULL), 0);
  ck_assert_int_eq(gch_recv_many(c, NULL, 10, &n), 0);
  ck_assert_uint_eq(n, 10);
  expect_dropped(10);
  ck_assert_int_eq(gch_recv_many(c, NULL, SIZE_MAX, &n), 0);
  ck_assert_uint_eq(n, LARGE - 10);
  expect_dropped(LARGE);
}
END_TEST

START_TEST(what_is_received_is_not_dropped) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 4);
  int v[4] = {0, 1, 2, 3};
  gch_set_drop(c, drop_int);
  ck_assert_int_eq(gch_send_many(c, v, 4, NULL), 0);
  ck_assert_int_eq(gch_recv_many(c, v, 4, NULL), 0);
  expect_dropped(0);
}
END_TEST

static void discard(void *c) {
  size_t n = 99;
  ck_assert_int_eq(gch_recv_many(c, NULL, 5, &n), 0);
  ck_assert_uint_eq(n, 1);
  ck_assert_int_eq(gch_recv_many(c, NULL, 5, &n), EPIPE);
  ck_assert_uint_eq(n, 0);
}

START_TEST(a_parked_recv_into_null_drops_what_comes_and_no_more) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  gch_set_drop(c, drop_int);
  test_thread *t = thread_start(discard, c);
  await_waiting(c, 0, 1);
  put_int(c, 0);
  await_waiting(c, 0, 1);
  gch_close(c);
  thread_join(t);
  expect_dropped(1);
}
END_TEST

/* gch_send takes a lock of the channel: a drop may use it. */
static gch_chan *own;

static void drop_and_look(void *elem) {
  int v = 0;
  drop_int(elem);
  ck_assert_int_eq(gch_try_recv(own, &v), EAGAIN);
}

START_TEST(drop_runs_without_the_lock) {
  int v[3] = {0, 1, 2};
  own = gch_make_of(int, 3);
  gch_set_drop(own, drop_and_look);
  ck_assert_int_eq(gch_send_many(own, v, 3, NULL), 0);
  ck_assert_int_eq(gch_recv_many(own, NULL, 3, NULL), 0);
  expect_dropped(3);
  gch_unref(own);
}
END_TEST

/* By which a default knows that a value was there meanwhile (chan/ready.h). */
START_TEST(what_is_taken_out_of_the_buffer_counts_as_a_turn) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 4);
  int v[4] = {1, 2, 3, 4};
  ck_assert_int_eq(gch_send_many(c, v, 4, NULL), 0);
  uint32_t before = gch__turns(c);
  ck_assert_int_eq(gch_recv_many(c, v, 2, NULL), 0);
  uint32_t after = gch__turns(c);
  ck_assert_uint_ne(after, before);
  ck_assert_int_eq(gch_recv_many(c, v, 2, NULL), 0);
  ck_assert_uint_ne(gch__turns(c), after);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("chan_many_sizes");
  TCase *t = test_case(s, "sizes");
  tcase_add_test(t, many_more_than_one_hold_moves_arrive_in_order);
  tcase_add_loop_test(t, a_crowd_of_parked_senders_is_served_by_one_call, 0, 3);
  tcase_add_loop_test(t, elements_of_any_size_arrive_whole, 0, SIZES);
  tcase_add_test(t, elements_of_no_size_are_counted);
  tcase_add_test(t, a_huge_max_takes_what_is_there);
  t = test_case(s, "into nowhere");
  tcase_add_test(t, what_is_received_into_null_is_dropped_once_each);
  tcase_add_test(t, what_is_received_is_not_dropped);
  tcase_add_test(t, a_parked_recv_into_null_drops_what_comes_and_no_more);
  tcase_add_test(t, drop_runs_without_the_lock);
  t = test_case(s, "turns");
  tcase_add_test(t, what_is_taken_out_of_the_buffer_counts_as_a_turn);
  return s;
}
