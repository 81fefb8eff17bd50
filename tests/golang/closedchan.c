/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's test/closedchan.go: what a closed channel does, by every way to send
   and receive. Each test runs once for each way. */
#include "chan_checks.h"

enum { BUSY = -1 }; /* a form with a default took that */

struct way {
  const char *name;
  int (*send)(gch_chan *c, int v);     /* 0 or an error */
  int (*try_send)(gch_chan *c, int v); /* + BUSY */
  int (*recv)(gch_chan *c, int *v);
  int (*try_recv)(gch_chan *c, int *v);
};

/* The functions */

static int plain_send(gch_chan *c, int v) {
  return gch_send(c, &v);
}

static int plain_try_send(gch_chan *c, int v) {
  int err = gch_try_send(c, &v);
  return err == EAGAIN ? BUSY : err;
}

static int plain_recv(gch_chan *c, int *v) {
  return gch_recv(c, v);
}

static int plain_try_recv(gch_chan *c, int *v) {
  int err = gch_try_recv(c, v);
  return err == EAGAIN ? BUSY : err;
}

/* The functions with a deadline */

static int until_send(gch_chan *c, int v) {
  return gch_send_until(c, &v, GCH_FOREVER);
}

static int until_try_send(gch_chan *c, int v) {
  int err = gch_send_until(c, &v, 0);
  return err == ETIMEDOUT ? BUSY : err;
}

static int until_recv(gch_chan *c, int *v) {
  return gch_recv_until(c, v, GCH_FOREVER);
}

static int until_try_recv(gch_chan *c, int *v) {
  int err = gch_recv_until(c, v, 0);
  return err == ETIMEDOUT ? BUSY : err;
}

/* A select of one */

static int select_send(gch_chan *c, int v) {
  int err = BUSY;
  gch_select(GCH_SEND_ERR(c, &v, &err));
  return err;
}

static int select_try_send(gch_chan *c, int v) {
  int err = BUSY;
  gch_select(GCH_DEFAULT, GCH_SEND_ERR(c, &v, &err));
  return err;
}

static int select_recv(gch_chan *c, int *v) {
  int err = BUSY;
  gch_select(GCH_RECV_ERR(c, v, &err));
  return err;
}

static int select_try_recv(gch_chan *c, int *v) {
  int err = BUSY;
  gch_select(GCH_DEFAULT, GCH_RECV_ERR(c, v, &err));
  return err;
}

/* A larger select; the other channel is never ready. */

static gch_chan *dummy;

static int larger_send(gch_chan *c, int v) {
  int err = BUSY;
  gch_select(GCH_SEND_ERR(c, &v, &err), GCH_RECV(dummy, NULL));
  return err;
}

static int larger_try_send(gch_chan *c, int v) {
  int err = BUSY;
  gch_select(GCH_DEFAULT, GCH_RECV(dummy, NULL), GCH_SEND_ERR(c, &v, &err));
  return err;
}

static int larger_recv(gch_chan *c, int *v) {
  int err = BUSY;
  gch_select(GCH_RECV(dummy, NULL), GCH_RECV_ERR(c, v, &err));
  return err;
}

static int larger_try_recv(gch_chan *c, int *v) {
  int err = BUSY;
  gch_select(GCH_RECV(dummy, NULL), GCH_DEFAULT, GCH_RECV_ERR(c, v, &err));
  return err;
}

/* The same, ordered */

static int ordered_send(gch_chan *c, int v) {
  int err = BUSY;
  gch_select_ordered(GCH_RECV(dummy, NULL), GCH_SEND_ERR(c, &v, &err));
  return err;
}

static int ordered_try_send(gch_chan *c, int v) {
  int err = BUSY;
  gch_select_ordered(GCH_DEFAULT, GCH_SEND_ERR(c, &v, &err),
                     GCH_RECV(dummy, NULL));
  return err;
}

static int ordered_recv(gch_chan *c, int *v) {
  int err = BUSY;
  gch_select_ordered(GCH_RECV(dummy, NULL), GCH_RECV_ERR(c, v, &err));
  return err;
}

static int ordered_try_recv(gch_chan *c, int *v) {
  int err = BUSY;
  gch_select_ordered(GCH_DEFAULT, GCH_RECV_ERR(c, v, &err),
                     GCH_RECV(dummy, NULL));
  return err;
}

#define WAY(name)                                                              \
  { #name, name##_send, name##_try_send, name##_recv, name##_try_recv }

static const struct way ways[] = {WAY(plain), WAY(until), WAY(select),
                                  WAY(larger), WAY(ordered)};
enum { WAYS = sizeof ways / sizeof *ways };

#define need(x) ((x) ? (void)0 : (void)ck_abort_msg("%s: %s", w->name, #x))

static bool gives_zero(const struct way *w, gch_chan *c) {
  int a = -1, b = -1;
  return w->recv(c, &a) == EPIPE && a == 0 && w->try_recv(c, &b) == EPIPE &&
         b == 0;
}

/* Closed and empty: zero every time, sends are refused and what they carried
   is nowhere. */
static void test1(const struct way *w, gch_chan *c) {
  for (int i = 0; i < 3; i++)
    need(gives_zero(w, c));
  need(w->try_send(c, 1) == EPIPE);
  need(gives_zero(w, c));
  need(w->send(c, 2) == EPIPE);
  need(gives_zero(w, c));
}

static gch_chan *closedsync(void) {
  gch_chan *c = ints(0);
  require(gch_close(c) == 0);
  return c;
}

static gch_chan *closedasync(void) {
  gch_chan *c = ints(2);
  put(c, 1);
  require(gch_close(c) == 0);
  return c;
}

START_TEST(closedchan_test1_unbuffered) {
  gch_chan *c = closedsync();
  dummy = ints(0);
  test1(&ways[_i], c);
  gch_unref(c);
  gch_unref(dummy);
}
END_TEST

START_TEST(closedchan_testasync_last_value_by_recv) {
  const struct way *w = &ways[_i];
  int v = -1;
  gch_chan *c = closedasync();
  dummy = ints(0);
  need(w->recv(c, &v) == 0 && v == 1);
  test1(w, c);
  gch_unref(c);
  gch_unref(dummy);
}
END_TEST

START_TEST(closedchan_testasync_last_value_by_try_recv) {
  const struct way *w = &ways[_i];
  int v = -1;
  gch_chan *c = closedasync();
  dummy = ints(0);
  need(w->try_recv(c, &v) == 0 && v == 1);
  test1(w, c);
  gch_unref(c);
  gch_unref(dummy);
}
END_TEST

START_TEST(closedchan_room_is_no_use_to_a_send) {
  const struct way *w = &ways[_i];
  gch_chan *c = closedasync();
  dummy = ints(0);
  need(w->try_send(c, 2) == EPIPE);
  need(w->send(c, 2) == EPIPE);
  need(gch_len(c) == 1);
  gch_unref(c);
  gch_unref(dummy);
}
END_TEST

START_TEST(closedchan_close_of_nil_is_refused) {
  ck_assert_int_eq(gch_close(NULL), EINVAL);
}
END_TEST

START_TEST(closedchan_second_close_is_refused) {
  gch_chan *c = ints(0);
  ck_assert_int_eq(gch_close(c), 0);
  ck_assert_int_eq(gch_close(c), EPIPE);
  gch_unref(c);
}
END_TEST

/* In strict mode these are panics, as in Go. */

static void close_it(void *c) {
  gch_close(c);
}

static void send_to_it(void *c) {
  gch_send(c, &(int){1});
}

static void try_send_to_it(void *c) {
  gch_try_send(c, &(int){1});
}

static void send_to_it_until(void *c) {
  gch_send_until(c, &(int){1}, GCH_FOREVER);
}

START_TEST(closedchan_shouldPanic_in_strict_mode) {
  gch_chan *c = closedsync();
  expect_panic_strict(close_it, NULL, "close of nil channel");
  expect_panic_strict(close_it, c, "close of closed channel");
  expect_panic_strict(send_to_it, c, "send on closed channel");
  expect_panic_strict(try_send_to_it, c, "send on closed channel");
  expect_panic_strict(send_to_it_until, c, "send on closed channel");
  gch_unref(c);
}
END_TEST

/* An arm with a place for its error is spared. */
START_TEST(closedchan_an_arm_that_asked_does_not_panic_in_strict_mode) {
  gch_chan *c = closedsync();
  dummy = ints(0);
  gch_set_strict(true);
  ck_assert_int_eq(select_send(c, 1), EPIPE);
  ck_assert_int_eq(larger_try_send(c, 1), EPIPE);
  gch_set_strict(false);
  gch_unref(c);
  gch_unref(dummy);
}
END_TEST

/* An arm with none always panics. */

static void select_send_to_it(void *c) {
  gch_select(GCH_SEND(c, &(int){1}));
}

static void select_default_send_to_it(void *c) {
  gch_select(GCH_DEFAULT, GCH_SEND(c, &(int){1}));
}

static void larger_select_send_to_it(void *c) {
  gch_select(GCH_RECV(dummy, NULL), GCH_SEND(c, &(int){1}));
}

START_TEST(closedchan_a_send_arm_panics) {
  gch_chan *c = closedsync();
  dummy = ints(0);
  expect_panic(select_send_to_it, c, "send on closed channel");
  expect_panic(select_default_send_to_it, c, "send on closed channel");
  expect_panic(larger_select_send_to_it, c, "send on closed channel");
  gch_unref(c);
  gch_unref(dummy);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("golang/closedchan");
  TCase *t = test_case(s, "closedchan");
  tcase_add_loop_test(t, closedchan_test1_unbuffered, 0, WAYS);
  tcase_add_loop_test(t, closedchan_testasync_last_value_by_recv, 0, WAYS);
  tcase_add_loop_test(t, closedchan_testasync_last_value_by_try_recv, 0, WAYS);
  tcase_add_loop_test(t, closedchan_room_is_no_use_to_a_send, 0, WAYS);
  tcase_add_test(t, closedchan_close_of_nil_is_refused);
  tcase_add_test(t, closedchan_second_close_is_refused);
  t = test_case(s, "panics");
  tcase_add_test(t, closedchan_shouldPanic_in_strict_mode);
  tcase_add_test(t, closedchan_an_arm_that_asked_does_not_panic_in_strict_mode);
  tcase_add_test(t, closedchan_a_send_arm_panics);
  return s;
}
