/* SPDX-License-Identifier: BSD-3-Clause */
/* Channels on which somebody is parked: meeting, order, close, deadlines. */
#include "chan_forms.h"

/* Meeting */

START_TEST(a_parked_sender_meets_every_receive) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  for (int i = 0; i < FORMS; i++) {
    struct party sender;
    int v = -1;
    party_start_int(&sender, sends[_i], c, 7);
    await_waiting(c, 1, 0);
    ck_assert_int_eq(recvs[i](c, &v), 0);
    ck_assert_int_eq(v, 7);
    ck_assert_int_eq(party_end(&sender), 0);
    await_waiting(c, 0, 0);
  }
}
END_TEST

START_TEST(a_parked_receiver_meets_every_send) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  for (int i = 0; i < FORMS; i++) {
    struct party receiver;
    int v = 7;
    party_start_int(&receiver, recvs[_i], c, -1);
    await_waiting(c, 0, 1);
    ck_assert_int_eq(sends[i](c, &v), 0);
    ck_assert_int_eq(party_end(&receiver), 0);
    ck_assert_int_eq(receiver.value, 7);
    await_waiting(c, 0, 0);
  }
}
END_TEST

START_TEST(a_parked_receiver_of_a_buffered_channel_is_handed_the_value) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 2);
  struct party receiver;
  party_start_int(&receiver, recvs[_i], c, -1);
  await_waiting(c, 0, 1);
  put_int(c, 7);
  ck_assert_uint_eq(gch_len(c), 0);
  ck_assert_int_eq(party_end(&receiver), 0);
  ck_assert_int_eq(receiver.value, 7);
}
END_TEST

START_TEST(a_parked_sender_fills_the_slot_that_a_receive_frees) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 1);
  struct party sender;
  put_int(c, 1);
  party_start_int(&sender, sends[_i], c, 2);
  await_waiting(c, 1, 0);
  ck_assert_int_eq(take_int(c), 1);
  ck_assert_uint_eq(gch_len(c), 1);
  int v = 3;
  ck_assert_int_eq(gch_try_send(c, &v), EAGAIN);
  ck_assert_int_eq(party_end(&sender), 0);
  ck_assert_int_eq(take_int(c), 2);
  ck_assert_int_eq(gch_try_recv(c, &v), EAGAIN);
}
END_TEST

START_TEST(an_unbuffered_send_waits_for_its_receiver) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  struct party sender;
  party_start_int(&sender, sends[_i], c, 7);
  await_waiting(c, 1, 0);
  ck_assert_int_eq(sender.err, -1);
  take_int(c);
  ck_assert_int_eq(party_end(&sender), 0);
}
END_TEST

/* len, cap, waiting */

START_TEST(len_does_not_count_blocked_senders) {
  const size_t cap = (size_t)_i;
  enum { SENDERS = 5 };
  GCH_AUTO gch_chan *c = gch_make_of(int, cap);
  struct party p[SENDERS];
  for (size_t i = 0; i < cap; i++)
    put_int(c, 0);
  for (int i = 0; i < SENDERS; i++)
    party_start_int(&p[i], sends[i], c, i);
  await_waiting(c, SENDERS, 0);
  ck_assert_uint_eq(gch_len(c), cap);
  gch_close(c);
  for (int i = 0; i < SENDERS; i++)
    ck_assert_int_eq(party_end(&p[i]), EPIPE);
}
END_TEST

START_TEST(waiting_counts_plain_and_select_alike) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  struct party p[BLOCKING_FORMS];
  size_t senders, receivers;
  for (int i = 0; i < BLOCKING_FORMS; i++) {
    party_start_int(&p[i], recvs[i], c, -1);
    await_waiting(c, 0, (size_t)i + 1);
  }
  gch_waiting(c, &senders, &receivers);
  ck_assert_uint_eq(senders, 0);
  ck_assert_uint_eq(receivers, BLOCKING_FORMS);
  gch_close(c);
  for (int i = 0; i < BLOCKING_FORMS; i++)
    party_end(&p[i]);
  gch_waiting(c, &senders, &receivers);
  ck_assert_uint_eq(senders, 0);
  ck_assert_uint_eq(receivers, 0);
}
END_TEST

/* Order */

enum { CROWD = 3 * BLOCKING_FORMS };

START_TEST(blocked_receivers_are_served_in_order) {
  GCH_AUTO gch_chan *c = gch_make_of(int, (size_t)_i);
  struct party p[CROWD];
  for (int i = 0; i < CROWD; i++) {
    party_start_int(&p[i], recvs[i % BLOCKING_FORMS], c, -1);
    await_waiting(c, 0, (size_t)i + 1);
  }
  for (int i = 0; i < CROWD; i++)
    put_int(c, i);
  for (int i = 0; i < CROWD; i++) {
    ck_assert_int_eq(party_end(&p[i]), 0);
    ck_assert_int_eq(p[i].value, i);
  }
}
END_TEST

START_TEST(blocked_senders_are_served_in_order) {
  const int cap = _i;
  GCH_AUTO gch_chan *c = gch_make_of(int, (size_t)cap);
  struct party p[CROWD];
  for (int i = 0; i < cap; i++)
    put_int(c, i);
  for (int i = 0; i < CROWD; i++) {
    party_start_int(&p[i], sends[i % BLOCKING_FORMS], c, cap + i);
    await_waiting(c, (size_t)i + 1, 0);
  }
  for (int i = 0; i < cap + CROWD; i++)
    ck_assert_int_eq(take_int(c), i);
  for (int i = 0; i < CROWD; i++)
    ck_assert_int_eq(party_end(&p[i]), 0);
}
END_TEST

static int recv_in_given_ctx(gch_chan *c, void *ctx) {
  int v = -1;
  int err = gch_recv_ctx(ctx, c, &v);
  ck_assert_int_eq(v, -1);
  return err;
}

START_TEST(who_leaves_the_queue_does_not_disturb_the_order) {
  enum { N = 5 };
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  struct party p[N];
  for (int i = 0; i < N; i++) {
    if (i == _i)
      party_start(&p[i], recv_in_given_ctx, c, ctx);
    else
      party_start_int(&p[i], recv_plain, c, -1);
    await_waiting(c, 0, (size_t)i + 1);
  }
  gch_ctx_cancel(ctx);
  ck_assert_int_eq(party_end(&p[_i]), ECANCELED);
  for (int i = 0; i < N; i++)
    if (i != _i)
      put_int(c, i);
  for (int i = 0; i < N; i++)
    if (i != _i) {
      ck_assert_int_eq(party_end(&p[i]), 0);
      ck_assert_int_eq(p[i].value, i);
    }
}
END_TEST

/* Close */

START_TEST(close_wakes_parked_receivers_with_EPIPE_and_zeroes) {
  GCH_AUTO gch_chan *c = gch_make_of(int, (size_t)_i);
  struct party p[CROWD];
  for (int i = 0; i < CROWD; i++)
    party_start_int(&p[i], recvs[i % BLOCKING_FORMS], c, -1);
  await_waiting(c, 0, CROWD);
  ck_assert_int_eq(gch_close(c), 0);
  for (int i = 0; i < CROWD; i++) {
    ck_assert_int_eq(party_end(&p[i]), EPIPE);
    ck_assert_int_eq(p[i].value, 0);
  }
}
END_TEST

START_TEST(close_wakes_receivers_that_discard) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  struct party p;
  party_start(&p, recvs[_i], c, NULL);
  await_waiting(c, 0, 1);
  gch_close(c);
  ck_assert_int_eq(party_end(&p), EPIPE);
}
END_TEST

START_TEST(close_wakes_parked_senders_with_EPIPE_and_keeps_the_buffer) {
  const int cap = _i;
  GCH_AUTO gch_chan *c = gch_make_of(int, (size_t)cap);
  struct party p[CROWD];
  for (int i = 0; i < cap; i++)
    put_int(c, i + 1);
  for (int i = 0; i < CROWD; i++)
    party_start_int(&p[i], sends[i % BLOCKING_FORMS], c, 100 + i);
  await_waiting(c, CROWD, 0);
  ck_assert_int_eq(gch_close(c), 0);
  for (int i = 0; i < CROWD; i++) {
    ck_assert_int_eq(party_end(&p[i]), EPIPE);
    ck_assert_int_eq(p[i].value, 100 + i);
  }
  for (int i = 0; i < cap; i++)
    ck_assert_int_eq(take_int(c), i + 1);
  ck_assert_int_eq(gch_try_recv(c, NULL), EPIPE);
}
END_TEST

static void close_it(void *c) {
  gch_close(c);
}

START_TEST(a_close_that_races_the_parking_is_never_missed) {
  for (int i = scaled(100); i > 0; i--) {
    GCH_AUTO gch_chan *c = gch_make_of(int, 0);
    test_thread *closer = thread_start(close_it, c);
    int v = -1;
    ck_assert_int_eq(recvs[i % BLOCKING_FORMS](c, &v), EPIPE);
    ck_assert_int_eq(v, 0);
    thread_join(closer);
  }
}
END_TEST

/* Deadlines */

START_TEST(a_deadline_ends_a_receive_not_before_it) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  gch_chan *channels[] = {c, NULL};
  for (int i = 0; i < 2; i++) {
    int64_t deadline = gch_now() + GCH_MILLISECOND;
    int v = 7;
    ck_assert_int_eq(gch_recv_until(channels[i], &v, deadline), ETIMEDOUT);
    ck_assert(gch_now() >= deadline);
    ck_assert_int_eq(v, 7);
  }
}
END_TEST

START_TEST(a_deadline_ends_a_send_not_before_it) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  gch_chan *channels[] = {c, NULL};
  for (int i = 0; i < 2; i++) {
    int64_t deadline = gch_now() + GCH_MILLISECOND;
    int v = 7;
    ck_assert_int_eq(gch_send_until(channels[i], &v, deadline), ETIMEDOUT);
    ck_assert(gch_now() >= deadline);
  }
}
END_TEST

START_TEST(who_timed_out_is_in_no_queue) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  int v = 7;
  gch_recv_until(c, &v, gch_now() + GCH_MILLISECOND);
  ck_assert_int_eq(gch_try_send(c, &v), EAGAIN);
  gch_send_until(c, &v, gch_now() + GCH_MILLISECOND);
  ck_assert_int_eq(gch_try_recv(c, &v), EAGAIN);
  await_waiting(c, 0, 0);
}
END_TEST

static int send_soon(gch_chan *c, void *elem) {
  return gch_send_until(c, elem, gch_now() + 20 * GCH_MICROSECOND);
}

/* Whether the deadline or the partner was first, both sides agree. */
START_TEST(a_deadline_that_races_a_receive_is_all_or_nothing) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  for (int i = scaled(200); i > 0; i--) {
    struct party sender;
    int v = -1;
    party_start_int(&sender, send_soon, c, i);
    int err = gch_recv_until(c, &v, gch_now() + 60 * GCH_MICROSECOND);
    ck_assert_int_eq(party_end(&sender), err);
    ck_assert_int_eq(v, err == 0 ? i : -1);
  }
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("chan_blocking");
  TCase *t = test_case(s, "meeting");
  add_test_of_blocking(t, a_parked_sender_meets_every_receive);
  add_test_of_blocking(t, a_parked_receiver_meets_every_send);
  add_test_of_blocking(
      t, a_parked_receiver_of_a_buffered_channel_is_handed_the_value);
  add_test_of_blocking(t, a_parked_sender_fills_the_slot_that_a_receive_frees);
  add_test_of_blocking(t, an_unbuffered_send_waits_for_its_receiver);
  t = test_case(s, "waiting");
  tcase_add_loop_test(t, len_does_not_count_blocked_senders, 0, 4);
  tcase_add_test(t, waiting_counts_plain_and_select_alike);
  t = test_case(s, "order");
  tcase_add_loop_test(t, blocked_receivers_are_served_in_order, 0, 4);
  tcase_add_loop_test(t, blocked_senders_are_served_in_order, 0, 4);
  tcase_add_loop_test(t, who_leaves_the_queue_does_not_disturb_the_order, 0, 5);
  t = test_case(s, "close");
  tcase_add_loop_test(t, close_wakes_parked_receivers_with_EPIPE_and_zeroes, 0,
                      3);
  add_test_of_blocking(t, close_wakes_receivers_that_discard);
  tcase_add_loop_test(
      t, close_wakes_parked_senders_with_EPIPE_and_keeps_the_buffer, 0, 3);
  tcase_add_test(t, a_close_that_races_the_parking_is_never_missed);
  t = test_case(s, "deadlines");
  tcase_add_test(t, a_deadline_ends_a_receive_not_before_it);
  tcase_add_test(t, a_deadline_ends_a_send_not_before_it);
  tcase_add_test(t, who_timed_out_is_in_no_queue);
  tcase_add_test(t, a_deadline_that_races_a_receive_is_all_or_nothing);
  return s;
}
