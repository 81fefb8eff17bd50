/* SPDX-License-Identifier: BSD-3-Clause */
/* gch_set_drop: what nobody takes is destroyed, once; what was refused is
   not. */
#include "chan_forms.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>

static _Atomic int drops;
static _Atomic int dropped_sum;

static void drop_int(void *elem) {
  atomic_fetch_add(&drops, 1);
  atomic_fetch_add(&dropped_sum, *(int *)elem);
}

static gch_chan *make_dropping(size_t cap) {
  gch_chan *c = gch_make_of(int, cap);
  ck_assert_int_eq(gch_set_drop(c, drop_int), 0);
  atomic_store(&drops, 0);
  atomic_store(&dropped_sum, 0);
  return c;
}

static void expect_drops(int n, int sum) {
  ck_assert_int_eq(atomic_load(&drops), n);
  ck_assert_int_eq(atomic_load(&dropped_sum), sum);
}

/* Setting */

START_TEST(an_element_may_have_up_to_256_bytes) {
  static const size_t fit[] = {0, 1, 255, 256};
  static const size_t too_large[] = {257, 4096, 1 << 20};
  for (int i = 0; i < 4; i++) {
    GCH_AUTO gch_chan *c = gch_make(fit[i], 1);
    ck_assert_int_eq(gch_set_drop(c, drop_int), 0);
  }
  for (int i = 0; i < 3; i++) {
    GCH_AUTO gch_chan *c = gch_make(too_large[i], 1);
    ck_assert_int_eq(gch_set_drop(c, drop_int), EINVAL);
  }
}
END_TEST

START_TEST(a_drop_that_was_refused_is_not_called) {
  gch_chan *c = gch_make(257, 1);
  char elem[257] = {0};
  atomic_store(&drops, 0);
  gch_set_drop(c, drop_int);
  gch_send(c, elem);
  gch_unref(c);
  ck_assert_int_eq(atomic_load(&drops), 0);
}
END_TEST

START_TEST(there_is_no_drop_for_a_null_channel) {
  ck_assert_int_eq(gch_set_drop(NULL, drop_int), EINVAL);
}
END_TEST

/* At the last unref */

START_TEST(the_last_unref_drops_what_is_buffered) {
  gch_chan *c = make_dropping(4);
  for (int i = 1; i <= 3; i++)
    put_int(c, i);
  gch_unref(gch_ref(c));
  expect_drops(0, 0);
  gch_unref(c);
  expect_drops(3, 6);
}
END_TEST

START_TEST(the_last_unref_drops_what_close_left) {
  gch_chan *c = make_dropping(4);
  put_int(c, 1);
  put_int(c, 2);
  gch_close(c);
  expect_drops(0, 0);
  gch_unref(c);
  expect_drops(2, 3);
}
END_TEST

START_TEST(the_last_unref_drops_a_buffer_that_wraps) {
  gch_chan *c = make_dropping(3);
  for (int i = 1; i <= 3; i++)
    put_int(c, i);
  take_int(c);
  take_int(c);
  put_int(c, 10);
  put_int(c, 20);
  gch_unref(c);
  expect_drops(3, 33);
}
END_TEST

START_TEST(what_was_taken_is_not_dropped) {
  gch_chan *c = make_dropping(1);
  int v;
  put_int(c, 1);
  ck_assert_int_eq(recvs[_i](c, &v), 0);
  gch_unref(c);
  expect_drops(0, 0);
}
END_TEST

/* Received into NULL */

START_TEST(a_buffered_value_received_into_null_is_dropped) {
  gch_chan *c = make_dropping(2);
  put_int(c, 5);
  put_int(c, 6);
  ck_assert_int_eq(recvs[_i](c, NULL), 0);
  expect_drops(1, 5);
  ck_assert_int_eq(take_int(c), 6);
  gch_unref(c);
  expect_drops(1, 5);
}
END_TEST

START_TEST(a_parked_senders_value_received_into_null_is_dropped) {
  gch_chan *c = make_dropping(0);
  for (int i = 0; i < BLOCKING_FORMS; i++) {
    struct party sender;
    party_start_int(&sender, sends[i], c, 1);
    await_waiting(c, 1, 0);
    ck_assert_int_eq(recvs[_i](c, NULL), 0);
    expect_drops(i + 1, i + 1);
    ck_assert_int_eq(party_end(&sender), 0);
  }
  gch_unref(c);
  expect_drops(BLOCKING_FORMS, BLOCKING_FORMS);
}
END_TEST

START_TEST(a_value_sent_to_a_parked_receiver_of_null_is_dropped) {
  gch_chan *c = make_dropping((size_t)_i & 1);
  for (int i = 0; i < FORMS; i++) {
    struct party receiver;
    int v = 1;
    party_start(&receiver, recvs[_i], c, NULL);
    await_waiting(c, 0, 1);
    ck_assert_int_eq(sends[i](c, &v), 0);
    ck_assert_int_eq(party_end(&receiver), 0);
    expect_drops(i + 1, i + 1);
  }
  gch_unref(c);
  expect_drops(FORMS, FORMS);
}
END_TEST

START_TEST(the_sender_that_moves_into_the_buffer_is_not_dropped) {
  gch_chan *c = make_dropping(1);
  struct party sender;
  put_int(c, 5);
  party_start_int(&sender, send_plain, c, 6);
  await_waiting(c, 1, 0);
  ck_assert_int_eq(recvs[_i](c, NULL), 0);
  expect_drops(1, 5);
  ck_assert_int_eq(party_end(&sender), 0);
  gch_unref(c);
  expect_drops(2, 11);
}
END_TEST

START_TEST(a_close_seen_by_a_receive_into_null_drops_nothing) {
  gch_chan *c = make_dropping(1);
  gch_close(c);
  ck_assert_int_eq(recvs[_i](c, NULL), EPIPE);
  gch_unref(c);
  expect_drops(0, 0);
}
END_TEST

START_TEST(a_parked_receive_into_null_ended_by_close_drops_nothing) {
  gch_chan *c = make_dropping(0);
  struct party receiver;
  party_start(&receiver, recvs[_i], c, NULL);
  await_waiting(c, 0, 1);
  gch_close(c);
  ck_assert_int_eq(party_end(&receiver), EPIPE);
  gch_unref(c);
  expect_drops(0, 0);
}
END_TEST

START_TEST(trying_to_receive_into_null_in_vain_drops_nothing) {
  gch_chan *c = make_dropping(1);
  ck_assert_int_eq(recvs[_i](c, NULL), EAGAIN);
  gch_unref(c);
  expect_drops(0, 0);
}
END_TEST

START_TEST(select_drops_only_what_its_winner_received) {
  gch_chan *c = make_dropping(1), *d = make_dropping(1);
  gch_chan *plain = gch_make_of(int, 1);
  put_int(c, 1);
  put_int(d, 10);
  put_int(plain, 100);
  int first = gch_select(GCH_RECV(c, NULL), GCH_RECV(d, NULL));
  expect_drops(1, first == 0 ? 1 : 10);
  ck_assert_int_eq(gch_select_ordered(GCH_RECV(plain, NULL), GCH_RECV(c, NULL),
                                      GCH_RECV(d, NULL)),
                   0);
  expect_drops(1, first == 0 ? 1 : 10);
  gch_unref(c);
  gch_unref(d);
  gch_unref(plain);
  expect_drops(2, 11);
}
END_TEST

/* Refused */

START_TEST(a_value_refused_because_of_a_close_is_not_dropped) {
  gch_chan *c = make_dropping(1);
  int v = 1;
  gch_close(c);
  ck_assert_int_eq(sends[_i](c, &v), EPIPE);
  gch_unref(c);
  expect_drops(0, 0);
}
END_TEST

START_TEST(a_blocked_senders_value_refused_by_a_close_is_not_dropped) {
  gch_chan *c = make_dropping(0);
  struct party sender;
  party_start_int(&sender, sends[_i], c, 1);
  await_waiting(c, 1, 0);
  gch_close(c);
  ck_assert_int_eq(party_end(&sender), EPIPE);
  gch_unref(c);
  expect_drops(0, 0);
}
END_TEST

START_TEST(a_value_refused_for_want_of_room_or_time_is_not_dropped) {
  gch_chan *c = make_dropping(0);
  int v = 1;
  ck_assert_int_eq(sends[_i](c, &v), EAGAIN);
  gch_unref(c);
  expect_drops(0, 0);
}
END_TEST

START_TEST(a_value_refused_because_of_a_context_is_not_dropped) {
  gch_chan *c = make_dropping(1);
  const gch_ctx *done = gch_ctx_with_deadline(gch_ctx_background(), 0);
  int v = 1;
  ck_assert_int_eq(gch_send_ctx(done, c, &v), ETIMEDOUT);
  put_int(c, 2);
  ck_assert_int_eq(gch_recv_ctx(done, c, NULL), ETIMEDOUT);
  expect_drops(0, 0);
  gch_ctx_unref(done);
  gch_unref(c);
  expect_drops(1, 2);
}
END_TEST

/* The callback */

static void count_drop(void *elem) {
  (void)elem;
  atomic_fetch_add(&drops, 1);
}

START_TEST(values_of_size_0_are_dropped_too) {
  gch_chan *c = gch_make(0, 1000000);
  atomic_store(&drops, 0);
  gch_set_drop(c, count_drop);
  for (int i = 0; i < 5; i++)
    gch_send(c, NULL);
  ck_assert_int_eq(recvs[_i](c, NULL), 0);
  ck_assert_int_eq(atomic_load(&drops), 1);
  gch_unref(c);
  ck_assert_int_eq(atomic_load(&drops), 5);
}
END_TEST

static gch_chan *busy;

static void drop_by_using_the_channel(void *elem) {
  int v = *(int *)elem;
  ck_assert_uint_eq(gch_len(busy), 0);
  if (v > 0) {
    v--;
    put_int(busy, v);
    ck_assert_int_eq(gch_recv(busy, NULL), 0); /* drops in a drop */
  }
  count_drop(elem);
}

START_TEST(drop_is_called_without_a_lock) {
  busy = gch_make_of(int, 1);
  atomic_store(&drops, 0);
  gch_set_drop(busy, drop_by_using_the_channel);
  put_int(busy, 3);
  ck_assert_int_eq(recvs[_i](busy, NULL), 0);
  ck_assert_int_eq(atomic_load(&drops), 4);
  gch_unref(busy);
}
END_TEST

static void drop_aligned(void *elem) {
  ck_assert_uint_eq((uintptr_t)elem % alignof(max_align_t), 0);
  count_drop(elem);
}

START_TEST(drop_sees_an_aligned_element) {
  gch_chan *c = gch_make_of(max_align_t, 3);
  max_align_t v;
  memset(&v, 0, sizeof v);
  gch_set_drop(c, drop_aligned);
  for (int i = 0; i < 3; i++)
    gch_send(c, &v);
  ck_assert_int_eq(recvs[_i](c, NULL), 0);
  gch_unref(c);
}
END_TEST

static void drop_large(void *elem) {
  for (int i = 0; i < 256; i++)
    ck_assert_int_eq(((unsigned char *)elem)[i], i);
  count_drop(elem);
}

START_TEST(drop_sees_the_whole_element) {
  gch_chan *c = gch_make(256, 2);
  unsigned char v[256];
  for (int i = 0; i < 256; i++)
    v[i] = (unsigned char)i;
  atomic_store(&drops, 0);
  gch_set_drop(c, drop_large);
  gch_send(c, v);
  gch_send(c, v);
  ck_assert_int_eq(recvs[_i](c, NULL), 0);
  gch_unref(c);
  ck_assert_int_eq(atomic_load(&drops), 2);
}
END_TEST

static void setting_and_unref(TCase *t) {
  tcase_add_test(t, an_element_may_have_up_to_256_bytes);
  tcase_add_test(t, a_drop_that_was_refused_is_not_called);
  tcase_add_test(t, there_is_no_drop_for_a_null_channel);
  tcase_add_test(t, the_last_unref_drops_what_is_buffered);
  tcase_add_test(t, the_last_unref_drops_what_close_left);
  tcase_add_test(t, the_last_unref_drops_a_buffer_that_wraps);
  add_test_of_all(t, what_was_taken_is_not_dropped);
}

static void received_into_null(TCase *t) {
  add_test_of_all(t, a_buffered_value_received_into_null_is_dropped);
  add_test_of_all(t, a_parked_senders_value_received_into_null_is_dropped);
  add_test_of_blocking(t, a_value_sent_to_a_parked_receiver_of_null_is_dropped);
  add_test_of_all(t, the_sender_that_moves_into_the_buffer_is_not_dropped);
  add_test_of_all(t, a_close_seen_by_a_receive_into_null_drops_nothing);
  add_test_of_blocking(t,
                       a_parked_receive_into_null_ended_by_close_drops_nothing);
  add_test_of_trying(t, trying_to_receive_into_null_in_vain_drops_nothing);
  tcase_add_test(t, select_drops_only_what_its_winner_received);
}

Suite *test_suite(void) {
  Suite *s = suite_create("chan_drop");
  setting_and_unref(test_case(s, "setting, unref"));
  received_into_null(test_case(s, "received into NULL"));
  TCase *t = test_case(s, "refused");
  add_test_of_all(t, a_value_refused_because_of_a_close_is_not_dropped);
  add_test_of_blocking(
      t, a_blocked_senders_value_refused_by_a_close_is_not_dropped);
  add_test_of_trying(t,
                     a_value_refused_for_want_of_room_or_time_is_not_dropped);
  tcase_add_test(t, a_value_refused_because_of_a_context_is_not_dropped);
  t = test_case(s, "callback");
  add_test_of_all(t, values_of_size_0_are_dropped_too);
  add_test_of_all(t, drop_is_called_without_a_lock);
  add_test_of_all(t, drop_sees_an_aligned_element);
  add_test_of_all(t, drop_sees_the_whole_element);
  return s;
}
