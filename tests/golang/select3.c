/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's test/chan/select3.go: what blocks for ever and what never blocks. What
   must never block would hang here, which the watchdog ends. */
#include "blocking.h"

static int one = 1;

/* Blocks */

static void send_to_nil(void *arg) {
  gch_send(NULL, arg);
}

START_TEST(select3_nil_send_blocks) {
  blocks_for_ever(send_to_nil, &one);
}
END_TEST

static void receive_from_nil(void *arg) {
  gch_recv(NULL, arg);
}

START_TEST(select3_nil_receive_blocks) {
  blocks_for_ever(receive_from_nil, &one);
}
END_TEST

static void receive(void *c) {
  gch_recv(c, NULL);
}

START_TEST(select3_receive_from_a_channel_that_is_not_ready_blocks) {
  gch_chan *c = ints(0);
  blocks_for_ever(receive, c);
  gch_unref(c);
}
END_TEST

static void select_nothing(void *arg) {
  (void)arg;
  gch_select();
}

START_TEST(select3_empty_select_blocks) {
  blocks_for_ever(select_nothing, NULL);
}
END_TEST

static void select_nil_receive(void *arg) {
  gch_select(GCH_RECV(NULL, arg));
}

START_TEST(select3_select_of_a_nil_receive_blocks) {
  blocks_for_ever(select_nil_receive, &one);
}
END_TEST

static void select_nil_send(void *arg) {
  gch_select(GCH_SEND(NULL, arg));
}

START_TEST(select3_select_of_a_nil_send_blocks) {
  blocks_for_ever(select_nil_send, &one);
}
END_TEST

static void select_nils(void *arg) {
  gch_select(GCH_RECV(NULL, arg), GCH_SEND(NULL, arg));
}

START_TEST(select3_select_of_nils_blocks) {
  blocks_for_ever(select_nils, &one);
}
END_TEST

static void select_receive(void *c) {
  gch_select(GCH_RECV(c, NULL));
}

START_TEST(select3_select_of_a_channel_that_is_not_ready_blocks) {
  gch_chan *c = ints(0);
  blocks_for_ever(select_receive, c);
  gch_unref(c);
}
END_TEST

static void select_itself(void *c) {
  gch_select(GCH_SEND(c, &one), GCH_RECV(c, NULL));
}

START_TEST(select3_select_that_sees_itself_blocks) {
  gch_chan *c = ints(0);
  blocks_for_ever(select_itself, c);
  gch_unref(c);
}
END_TEST

/* Is never chosen */

START_TEST(select3_nil_is_never_selected) {
  ck_assert_int_eq(gch_select(GCH_SEND(NULL, &one), GCH_DEFAULT), 1);
  ck_assert_int_eq(gch_select(GCH_RECV(NULL, &one), GCH_DEFAULT), 1);
  ck_assert_int_eq(gch_try_send(NULL, &one), EAGAIN);
  ck_assert_int_eq(gch_try_recv(NULL, &one), EAGAIN);
  ck_assert_int_eq(one, 1);
}
END_TEST

/* Does not block */

START_TEST(select3_send_with_room_does_not_block) {
  gch_chan *c = ints(1);
  put(c, 7);
  gch_unref(c);
}
END_TEST

START_TEST(select3_receive_from_closed_does_not_block) {
  gch_chan *c = ints(0);
  gch_close(c);
  for (int i = 0; i < 10; i++)
    ck_assert(is_closed(c));
  gch_unref(c);
}
END_TEST

START_TEST(select3_default_does_not_block) {
  ck_assert_int_eq(gch_select(GCH_DEFAULT), 0);
}
END_TEST

START_TEST(select3_ready_send_beats_default) {
  gch_chan *c = ints(1);
  ck_assert_int_eq(gch_select(GCH_SEND(c, &(int){7}), GCH_DEFAULT), 0);
  ck_assert_int_eq(take(c), 7);
  gch_unref(c);
}
END_TEST

START_TEST(select3_ready_receive_beats_default) {
  int v;
  gch_chan *c = ints(1);
  put(c, 7);
  ck_assert_int_eq(gch_select(GCH_DEFAULT, GCH_RECV(c, &v)), 1);
  ck_assert_int_eq(v, 7);
  gch_unref(c);
}
END_TEST

START_TEST(select3_closed_channel_is_ready_to_receive) {
  int v = -1, err = 0;
  gch_chan *c = ints(0);
  gch_close(c);
  ck_assert_int_eq(gch_select(GCH_RECV(c, NULL)), 0);
  ck_assert_int_eq(gch_select(GCH_RECV(c, &v)), 0);
  ck_assert_int_eq(v, 0);
  v = -1;
  ck_assert_int_eq(gch_select(GCH_RECV_ERR(c, &v, &err)), 0);
  ck_assert_int_eq(v, 0);
  ck_assert_int_eq(err, EPIPE);
  gch_unref(c);
}
END_TEST

/* Panics */

static void send(void *c) {
  gch_send(c, &one);
}

static void select_send(void *c) {
  gch_select(GCH_SEND(c, &one));
}

START_TEST(select3_send_to_closed_panics) {
  gch_chan *c = ints(0);
  gch_close(c);
  ck_assert_int_eq(gch_send(c, &one), EPIPE);
  expect_panic_strict(send, c, "send on closed channel");
  gch_unref(c);
}
END_TEST

START_TEST(select3_select_send_to_closed_panics) {
  int err = 0;
  gch_chan *c = ints(0);
  gch_close(c);
  expect_panic(select_send, c, "send on closed channel");
  ck_assert_int_eq(gch_select(GCH_SEND_ERR(c, &one, &err)), 0);
  ck_assert_int_eq(err, EPIPE);
  gch_unref(c);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("golang/select3");
  TCase *t = test_case(s, "blocks");
  tcase_add_test(t, select3_nil_send_blocks);
  tcase_add_test(t, select3_nil_receive_blocks);
  tcase_add_test(t, select3_receive_from_a_channel_that_is_not_ready_blocks);
  tcase_add_test(t, select3_empty_select_blocks);
  tcase_add_test(t, select3_select_of_a_nil_receive_blocks);
  tcase_add_test(t, select3_select_of_a_nil_send_blocks);
  tcase_add_test(t, select3_select_of_nils_blocks);
  tcase_add_test(t, select3_select_of_a_channel_that_is_not_ready_blocks);
  tcase_add_test(t, select3_select_that_sees_itself_blocks);
  t = test_case(s, "does not block");
  tcase_add_test(t, select3_nil_is_never_selected);
  tcase_add_test(t, select3_send_with_room_does_not_block);
  tcase_add_test(t, select3_receive_from_closed_does_not_block);
  tcase_add_test(t, select3_default_does_not_block);
  tcase_add_test(t, select3_ready_send_beats_default);
  tcase_add_test(t, select3_ready_receive_beats_default);
  tcase_add_test(t, select3_closed_channel_is_ready_to_receive);
  t = test_case(s, "panics");
  tcase_add_test(t, select3_send_to_closed_panics);
  tcase_add_test(t, select3_select_send_to_closed_panics);
  return s;
}
