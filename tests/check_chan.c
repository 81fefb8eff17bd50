/* SPDX-License-Identifier: BSD-3-Clause */
/* Channels, without anybody blocking: what make refuses, order, length,
   closing, the try forms, and channels that only can be received from. */
#include "chan_forms.h"

#include <stdint.h>

/* make */

static void make_overflowing(size_t size, size_t cap) {
  errno = 0;
  gch_chan *c = gch_make(size, cap);
  int err = errno;
  ck_assert_ptr_null(c);
  ck_assert_int_eq(err, EINVAL);
}

START_TEST(make_refuses_a_product_that_overflows) {
  make_overflowing(8, SIZE_MAX / 8 + 1);
  make_overflowing(SIZE_MAX, SIZE_MAX);
  make_overflowing(SIZE_MAX / 2 + 1, 2);
}
END_TEST

START_TEST(make_refuses_a_sum_that_overflows) {
  make_overflowing(1, SIZE_MAX);
  make_overflowing(1, SIZE_MAX - 8);
}
END_TEST

START_TEST(make_refuses_a_buffer_larger_than_memory_can_be) {
  make_overflowing(1, PTRDIFF_MAX);
  make_overflowing(PTRDIFF_MAX / 4 + 1, 4);
}
END_TEST

START_TEST(make_refuses_an_element_larger_than_memory_can_be) {
  make_overflowing(SIZE_MAX, 0);
  make_overflowing((size_t)PTRDIFF_MAX + 1, 0);
  make_overflowing((size_t)PTRDIFF_MAX + 1, 1);
  make_overflowing(2, (size_t)PTRDIFF_MAX / 2 + 1);
  make_overflowing(0, SIZE_MAX);
  make_overflowing(0, (size_t)PTRDIFF_MAX + 1);
  make_overflowing((size_t)PTRDIFF_MAX + 1, 0);
}
END_TEST

START_TEST(a_great_many_values_of_size_zero_take_no_room) {
  const size_t cap = (size_t)1 << 5 * sizeof(size_t);
  gch_chan *c = gch_make(0, cap);
  ck_assert_ptr_nonnull(c);
  ck_assert_uint_eq(gch_cap(c), cap);
  for (size_t i = 0; i < 1000; i++)
    ck_assert_int_eq(gch_send(c, NULL), 0);
  ck_assert_uint_eq(gch_len(c), 1000);
  ck_assert_int_eq(gch_recv(c, NULL), 0);
  ck_assert_uint_eq(gch_len(c), 999);
  gch_unref(c);
}
END_TEST

START_TEST(size_zero_may_have_the_largest_capacity) {
  gch_chan *c = gch_make(0, PTRDIFF_MAX);
  ck_assert_ptr_nonnull(c);
  ck_assert_uint_eq(gch_cap(c), PTRDIFF_MAX);
  ck_assert_int_eq(gch_send(c, NULL), 0);
  ck_assert_int_eq(gch_recv(c, NULL), 0);
  gch_unref(c);
}
END_TEST

START_TEST(make_of_takes_the_size_of_its_type) {
  GCH_AUTO gch_chan *c = gch_make_of(uint16_t, 2);
  uint16_t out[2] = {0xffff, 0xffff}, in = 7;
  gch_send(c, &in);
  gch_recv(c, &out[0]);
  ck_assert_uint_eq(out[0], 7);
  ck_assert_uint_eq(out[1], 0xffff);
}
END_TEST

/* len and cap */

START_TEST(cap_is_what_make_was_given) {
  for (size_t cap = 0; cap < 200; cap++) {
    GCH_AUTO gch_chan *c = gch_make_of(int, cap);
    ck_assert_uint_eq(gch_cap(c), cap);
  }
}
END_TEST

START_TEST(len_counts_what_is_buffered) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 3);
  for (int i = 0; i < 3; i++) {
    ck_assert_uint_eq(gch_len(c), (size_t)i);
    put_int(c, i);
  }
  ck_assert_uint_eq(gch_len(c), 3);
  take_int(c);
  ck_assert_uint_eq(gch_len(c), 2);
}
END_TEST

START_TEST(len_after_close_counts_what_is_left) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 3);
  put_int(c, 1);
  gch_close(c);
  ck_assert_uint_eq(gch_len(c), 1);
  ck_assert_uint_eq(gch_cap(c), 3);
}
END_TEST

START_TEST(len_and_cap_of_null_are_0) {
  ck_assert_uint_eq(gch_len(NULL), 0);
  ck_assert_uint_eq(gch_cap(NULL), 0);
}
END_TEST

/* Order */

START_TEST(values_leave_in_the_order_in_which_they_came) {
  for (int cap = 1; cap <= 5; cap++) {
    GCH_AUTO gch_chan *c = gch_make_of(int, (size_t)cap);
    int in = 0, out = 0;
    uint32_t random = 1;
    while (out < 200) {
      if (test_random(&random) & 1 && in - out < cap)
        put_int(c, in++);
      else if (out < in)
        ck_assert_int_eq(take_int(c), out++);
    }
  }
}
END_TEST

START_TEST(every_form_takes_in_order) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 2);
  int v = 1, w = 2, out = 0;
  ck_assert_int_eq(sends[_i](c, &v), 0);
  ck_assert_int_eq(sends[_i](c, &w), 0);
  ck_assert_int_eq(recvs[_i](c, &out), 0);
  ck_assert_int_eq(out, 1);
  ck_assert_int_eq(recvs[_i](c, &out), 0);
  ck_assert_int_eq(out, 2);
}
END_TEST

START_TEST(a_receive_may_discard) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 2);
  put_int(c, 1);
  put_int(c, 2);
  ck_assert_int_eq(recvs[_i](c, NULL), 0);
  ck_assert_int_eq(take_int(c), 2);
}
END_TEST

START_TEST(what_is_there_is_received_and_then_closed_is_seen) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 3);
  put_int(c, 1);
  put_int(c, 2);
  gch_close(c);
  int v = -1;
  ck_assert_int_eq(recvs[_i](c, &v), 0);
  ck_assert_int_eq(v, 1);
  ck_assert_int_eq(recvs[_i](c, &v), 0);
  ck_assert_int_eq(v, 2);
  for (int i = 0; i < 3; i++) {
    v = -1;
    ck_assert_int_eq(recvs[_i](c, &v), EPIPE);
    ck_assert_int_eq(v, 0);
  }
}
END_TEST

START_TEST(closed_may_be_seen_without_an_element) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  gch_close(c);
  ck_assert_int_eq(recvs[_i](c, NULL), EPIPE);
}
END_TEST

START_TEST(a_range_loop_ends_at_the_close) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 5);
  int v, sum = 0;
  for (int i = 1; i <= 5; i++)
    put_int(c, i);
  gch_close(c);
  while (gch_recv(c, &v) == 0)
    sum += v;
  ck_assert_int_eq(sum, 15);
}
END_TEST

/* Close */

START_TEST(close_gives_0_and_the_second_time_EPIPE) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  ck_assert_int_eq(gch_close(c), 0);
  ck_assert_int_eq(gch_close(c), EPIPE);
  ck_assert_int_eq(gch_close(c), EPIPE);
}
END_TEST

START_TEST(close_of_null_is_EINVAL) {
  ck_assert_int_eq(gch_close(NULL), EINVAL);
}
END_TEST

START_TEST(a_send_on_a_closed_channel_is_EPIPE_and_delivers_nothing) {
  for (size_t cap = 0; cap < 2; cap++) {
    GCH_AUTO gch_chan *c = gch_make_of(int, cap);
    int v = 5, out = -1;
    gch_close(c);
    ck_assert_int_eq(sends[_i](c, &v), EPIPE);
    ck_assert_int_eq(v, 5);
    ck_assert_uint_eq(gch_len(c), 0);
    ck_assert_int_eq(gch_try_recv(c, &out), EPIPE);
    ck_assert_int_eq(out, 0);
  }
}
END_TEST

START_TEST(a_send_on_a_closed_full_channel_is_EPIPE) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 1);
  int v = 5;
  put_int(c, 1);
  gch_close(c);
  ck_assert_int_eq(sends[_i](c, &v), EPIPE);
  ck_assert_int_eq(take_int(c), 1);
}
END_TEST

/* Forms that try */

START_TEST(trying_to_send_into_a_full_channel_gives_up) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 1);
  int v = 2;
  put_int(c, 1);
  ck_assert_int_eq(sends[_i](c, &v), EAGAIN);
  ck_assert_int_eq(take_int(c), 1);
  ck_assert_uint_eq(gch_len(c), 0);
}
END_TEST

START_TEST(trying_to_send_without_receiver_or_room_gives_up) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  int v = 2;
  ck_assert_int_eq(sends[_i](c, &v), EAGAIN);
}
END_TEST

START_TEST(trying_to_receive_nothing_leaves_the_element_alone) {
  for (size_t cap = 0; cap < 2; cap++) {
    GCH_AUTO gch_chan *c = gch_make_of(int, cap);
    int v = 7;
    ck_assert_int_eq(recvs[_i](c, &v), EAGAIN);
    ck_assert_int_eq(v, 7);
  }
}
END_TEST

START_TEST(trying_with_a_null_channel_gives_up) {
  int v = 7;
  ck_assert_int_eq(sends[_i](NULL, &v), EAGAIN);
  ck_assert_int_eq(recvs[_i](NULL, &v), EAGAIN);
  ck_assert_int_eq(v, 7);
}
END_TEST

START_TEST(trying_leaves_nobody_in_the_queues) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  int v = 7;
  size_t senders = 9, receivers = 9;
  sends[_i](c, &v);
  recvs[_i](c, &v);
  gch_waiting(c, &senders, &receivers);
  ck_assert_uint_eq(senders, 0);
  ck_assert_uint_eq(receivers, 0);
}
END_TEST

/* Elements */

START_TEST(a_null_element_of_some_size_is_EINVAL) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 1);
  ck_assert_int_eq(gch_send(c, NULL), EINVAL);
  ck_assert_int_eq(gch_try_send(c, NULL), EINVAL);
  ck_assert_int_eq(gch_send_until(c, NULL, 0), EINVAL);
  ck_assert_int_eq(gch_send_until(c, NULL, GCH_FOREVER), EINVAL);
  ck_assert_int_eq(gch_send_ctx(gch_ctx_background(), c, NULL), EINVAL);
  ck_assert_uint_eq(gch_len(c), 0);
}
END_TEST

START_TEST(a_null_element_is_EINVAL_also_where_the_send_would_block) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  ck_assert_int_eq(gch_send(c, NULL), EINVAL);
  ck_assert_int_eq(gch_try_send(c, NULL), EINVAL);
  ck_assert_int_eq(gch_send_until(c, NULL, 0), EINVAL);
}
END_TEST

START_TEST(a_null_element_of_size_0_is_sent_and_received) {
  GCH_AUTO gch_chan *c = gch_make(0, 1);
  ck_assert_int_eq(sends[_i](c, NULL), 0);
  ck_assert_uint_eq(gch_len(c), 1);
  ck_assert_int_eq(recvs[_i](c, NULL), 0);
  ck_assert_uint_eq(gch_len(c), 0);
}
END_TEST

START_TEST(an_element_of_size_0_is_not_touched) {
  GCH_AUTO gch_chan *c = gch_make(0, 1);
  char elem = 'x';
  ck_assert_int_eq(sends[_i](c, &elem), 0);
  ck_assert_int_eq(recvs[_i](c, &elem), 0);
  ck_assert_int_eq(elem, 'x');
  gch_close(c);
  ck_assert_int_eq(recvs[_i](c, &elem), EPIPE);
  ck_assert_int_eq(elem, 'x');
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("chan");
  TCase *t = test_case(s, "make");
  tcase_add_test(t, make_refuses_a_product_that_overflows);
  tcase_add_test(t, make_refuses_a_sum_that_overflows);
  tcase_add_test(t, make_refuses_a_buffer_larger_than_memory_can_be);
  tcase_add_test(t, make_refuses_an_element_larger_than_memory_can_be);
  tcase_add_test(t, a_great_many_values_of_size_zero_take_no_room);
  tcase_add_test(t, size_zero_may_have_the_largest_capacity);
  tcase_add_test(t, make_of_takes_the_size_of_its_type);
  t = test_case(s, "len and cap");
  tcase_add_test(t, cap_is_what_make_was_given);
  tcase_add_test(t, len_counts_what_is_buffered);
  tcase_add_test(t, len_after_close_counts_what_is_left);
  tcase_add_test(t, len_and_cap_of_null_are_0);
  t = test_case(s, "order");
  tcase_add_test(t, values_leave_in_the_order_in_which_they_came);
  add_test_of_all(t, every_form_takes_in_order);
  add_test_of_all(t, a_receive_may_discard);
  t = test_case(s, "close");
  add_test_of_all(t, what_is_there_is_received_and_then_closed_is_seen);
  add_test_of_all(t, closed_may_be_seen_without_an_element);
  tcase_add_test(t, a_range_loop_ends_at_the_close);
  tcase_add_test(t, close_gives_0_and_the_second_time_EPIPE);
  tcase_add_test(t, close_of_null_is_EINVAL);
  add_test_of_all(t, a_send_on_a_closed_channel_is_EPIPE_and_delivers_nothing);
  add_test_of_all(t, a_send_on_a_closed_full_channel_is_EPIPE);
  t = test_case(s, "trying");
  add_test_of_trying(t, trying_to_send_into_a_full_channel_gives_up);
  add_test_of_trying(t, trying_to_send_without_receiver_or_room_gives_up);
  add_test_of_trying(t, trying_to_receive_nothing_leaves_the_element_alone);
  add_test_of_trying(t, trying_with_a_null_channel_gives_up);
  add_test_of_trying(t, trying_leaves_nobody_in_the_queues);
  t = test_case(s, "elements");
  tcase_add_test(t, a_null_element_of_some_size_is_EINVAL);
  tcase_add_test(t, a_null_element_is_EINVAL_also_where_the_send_would_block);
  add_test_of_all(t, a_null_element_of_size_0_is_sent_and_received);
  add_test_of_all(t, an_element_of_size_0_is_not_touched);
  return s;
}
