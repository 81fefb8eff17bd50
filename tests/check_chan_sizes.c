/* SPDX-License-Identifier: BSD-3-Clause */
/* Elements of every size arrive as they were sent, by every way through a
   channel, and nothing beside them is written. */
#include "chan_forms.h"

#include <stdlib.h>

static const size_t sizes[] = {0,  1,  2,   3,   4,   7,    8,     9,
                               16, 24, 255, 256, 257, 4096, 65537, 1 << 20};
enum { SIZES = sizeof sizes / sizeof *sizes, GUARD = 16, GUARD_BYTE = 0x5a };

/* An element, and behind it bytes that nobody may touch. */
static unsigned char *elem_blank(size_t size) {
  unsigned char *e = malloc(size + GUARD);
  ck_assert_ptr_nonnull(e);
  memset(e, GUARD_BYTE, size + GUARD);
  return e;
}

static unsigned char byte_of(uint32_t seed, size_t i) {
  return (unsigned char)((seed + 1) * 37 + i * 11 + (i >> 8));
}

static unsigned char *elem_filled(size_t size, uint32_t seed) {
  unsigned char *e = elem_blank(size);
  for (size_t i = 0; i < size; i++)
    e[i] = byte_of(seed, i);
  return e;
}

static bool guard_is_whole(const unsigned char *e, size_t size) {
  for (size_t i = size; i < size + GUARD; i++)
    if (e[i] != GUARD_BYTE)
      return false;
  return true;
}

static void elem_check(const unsigned char *e, size_t size, uint32_t seed) {
  ck_assert(guard_is_whole(e, size));
  for (size_t i = 0; i < size; i++)
    if (e[i] != byte_of(seed, i))
      ck_abort_msg("byte %zu of %zu is wrong", i, size);
}

static void elem_check_zero(const unsigned char *e, size_t size) {
  ck_assert(guard_is_whole(e, size));
  for (size_t i = 0; i < size; i++)
    if (e[i] != 0)
      ck_abort_msg("byte %zu of %zu is not zero", i, size);
}

static void send_filled(gch_chan *c, form send, size_t size, uint32_t seed) {
  unsigned char *e = elem_filled(size, seed);
  ck_assert_int_eq(send(c, e), 0);
  elem_check(e, size, seed);
  free(e);
}

static void recv_checked(gch_chan *c, form recv, size_t size, uint32_t seed) {
  unsigned char *e = elem_blank(size);
  ck_assert_int_eq(recv(c, e), 0);
  elem_check(e, size, seed);
  free(e);
}

static void for_each_size(void (*fact)(size_t size)) {
  for (int i = 0; i < SIZES; i++)
    fact(sizes[i]);
}

static void through_buffer(size_t size) {
  GCH_AUTO gch_chan *c = gch_make(size, 3);
  for (uint32_t seed = 0; seed < 8; seed += 2) { /* wraps around */
    send_filled(c, send_plain, size, seed);
    send_filled(c, send_by_select, size, seed + 1);
    recv_checked(c, recv_plain, size, seed);
    recv_checked(c, recv_by_select, size, seed + 1);
  }
}

START_TEST(through_a_buffer) {
  for_each_size(through_buffer);
}
END_TEST

static void from_parked_sender(size_t cap, size_t size, form send, form recv) {
  GCH_AUTO gch_chan *c = gch_make(size, cap);
  struct party sender;
  unsigned char *e = elem_filled(size, 9);
  for (uint32_t seed = 0; seed < cap; seed++)
    send_filled(c, send_plain, size, seed);
  party_start(&sender, send, c, e);
  await_waiting(c, 1, 0);
  for (uint32_t seed = 0; seed < cap; seed++)
    recv_checked(c, recv, size, seed);
  recv_checked(c, recv, size, 9);
  ck_assert_int_eq(party_end(&sender), 0);
  elem_check(e, size, 9);
  free(e);
}

static void from_sender(size_t size) {
  from_parked_sender(0, size, send_plain, recv_plain);
}

START_TEST(from_a_parked_sender) {
  for_each_size(from_sender);
}
END_TEST

static void from_selecting_sender(size_t size) {
  from_parked_sender(0, size, send_by_wide_select, recv_by_wide_select);
}

START_TEST(from_a_sender_parked_in_a_select) {
  for_each_size(from_selecting_sender);
}
END_TEST

static void from_sender_through_buffer(size_t size) {
  from_parked_sender(2, size, send_plain, recv_by_select);
  from_parked_sender(2, size, send_by_wide_select, recv_plain);
}

START_TEST(from_a_parked_sender_through_the_buffer) {
  for_each_size(from_sender_through_buffer);
}
END_TEST

static void to_parked_receiver(size_t size, form send, form recv) {
  GCH_AUTO gch_chan *c = gch_make(size, 0);
  struct party receiver;
  unsigned char *e = elem_blank(size);
  party_start(&receiver, recv, c, e);
  await_waiting(c, 0, 1);
  send_filled(c, send, size, 5);
  ck_assert_int_eq(party_end(&receiver), 0);
  elem_check(e, size, 5);
  free(e);
}

static void to_receiver(size_t size) {
  to_parked_receiver(size, send_plain, recv_plain);
}

START_TEST(to_a_parked_receiver) {
  for_each_size(to_receiver);
}
END_TEST

static void to_selecting_receiver(size_t size) {
  to_parked_receiver(size, send_by_wide_select, recv_by_wide_select);
}

START_TEST(to_a_receiver_parked_in_a_select) {
  for_each_size(to_selecting_receiver);
}
END_TEST

static void close_zeroes(size_t size) {
  GCH_AUTO gch_chan *c = gch_make(size, 0);
  struct party receiver;
  unsigned char *e = elem_blank(size);
  unsigned char *late = elem_filled(size, 1);
  party_start(&receiver, recv_plain, c, e);
  await_waiting(c, 0, 1);
  gch_close(c);
  ck_assert_int_eq(party_end(&receiver), EPIPE);
  elem_check_zero(e, size);
  ck_assert_int_eq(gch_try_recv(c, late), EPIPE);
  elem_check_zero(late, size);
  free(late);
  free(e);
}

START_TEST(close_zeroes_just_the_element) {
  for_each_size(close_zeroes);
}
END_TEST

static void at_odd_address(size_t size) {
  GCH_AUTO gch_chan *c = gch_make(size, 1);
  unsigned char *in = elem_filled(size + 1, 3), *out = elem_blank(size + 1);
  ck_assert_int_eq(gch_send(c, in + 1), 0);
  ck_assert_int_eq(gch_recv(c, out + 1), 0);
  ck_assert_int_eq(out[0], GUARD_BYTE);
  ck_assert(guard_is_whole(out, size + 1));
  ck_assert_int_eq(memcmp(out + 1, in + 1, size), 0);
  free(in);
  free(out);
}

START_TEST(with_an_element_at_an_odd_address) {
  for_each_size(at_odd_address);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("chan_sizes");
  TCase *t = test_case(s, "sizes");
  tcase_add_test(t, through_a_buffer);
  tcase_add_test(t, from_a_parked_sender);
  tcase_add_test(t, from_a_sender_parked_in_a_select);
  tcase_add_test(t, from_a_parked_sender_through_the_buffer);
  tcase_add_test(t, to_a_parked_receiver);
  tcase_add_test(t, to_a_receiver_parked_in_a_select);
  tcase_add_test(t, close_zeroes_just_the_element);
  tcase_add_test(t, with_an_element_at_an_odd_address);
  return s;
}
