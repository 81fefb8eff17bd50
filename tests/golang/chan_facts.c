/* SPDX-License-Identifier: BSD-3-Clause */
/* What Go's channels do and no test of Go's pins by name: observed in Go, or
   said by its memory model. */
#include "chan_checks.h"

enum { CROWD = 20 };

/* One of several tasks that block on one channel, one after another. */
struct blocked {
  gch_chan *c, *other;
  int id, got, err;
};

static void block(gch_wg *wg, struct blocked *b, bool sends,
                  void (*fn)(void *)) {
  size_t senders, receivers;
  gch_waiting(b->c, &senders, &receivers);
  go(wg, fn, b);
  await_waiting(b->c, senders + sends, receivers + !sends);
}

static void send_id(void *arg) {
  struct blocked *b = arg;
  b->err = gch_send(b->c, &b->id);
}

static void select_send_id(void *arg) {
  struct blocked *b = arg;
  require(gch_select(GCH_RECV(b->other, NULL),
                     GCH_SEND_ERR(b->c, &b->id, &b->err)) == 1);
}

static void receive(void *arg) {
  struct blocked *b = arg;
  b->err = gch_recv(b->c, &b->got);
}

static void select_receive(void *arg) {
  struct blocked *b = arg;
  require(gch_select(GCH_RECV(b->other, NULL),
                     GCH_RECV_ERR(b->c, &b->got, &b->err)) == 1);
}

/* n tasks, by turns plain and in a select, in a known order. */
static void block_all(gch_wg *wg, struct blocked b[], int n, gch_chan *c,
                      gch_chan *other, bool sends, void (*plain)(void *),
                      void (*selects)(void *)) {
  for (int i = 0; i < n; i++) {
    b[i] = (struct blocked){c, other, i, -1, -1};
    block(wg, &b[i], sends, i % 2 == 0 ? plain : selects);
  }
}

/* len */

static size_t len_with_blocked_senders(size_t cap) {
  gch_wg wg = GCH_WG_INIT;
  struct blocked b[CROWD];
  gch_chan *c = ints(cap), *other = ints(0);
  for (size_t i = 0; i < cap; i++)
    put(c, -1);
  block_all(&wg, b, CROWD, c, other, true, send_id, select_send_id);
  size_t len = gch_len(c);
  for (size_t i = 0; i < cap + CROWD; i++)
    take(c);
  gch_wg_wait(&wg);
  gch_unref(c);
  gch_unref(other);
  return len;
}

START_TEST(len_does_not_count_blocked_senders) {
  ck_assert_uint_eq(len_with_blocked_senders(0), 0);
  ck_assert_uint_eq(len_with_blocked_senders(3), 3);
}
END_TEST

START_TEST(elements_of_no_size_need_no_room_and_are_counted) {
  const size_t cap = (size_t)1 << 5 * sizeof(size_t); /* 40 or 20 bits */
  gch_chan *c = gch_make(0, cap);
  ck_assert_ptr_nonnull(c);
  for (size_t i = 1; i <= 3; i++) {
    ck_assert_int_eq(gch_send(c, NULL), 0);
    ck_assert_uint_eq(gch_len(c), i);
  }
  ck_assert_int_eq(gch_recv(c, NULL), 0);
  ck_assert_uint_eq(gch_len(c), 2);
  ck_assert_uint_eq(gch_cap(c), cap);
  gch_unref(c);
}
END_TEST

/* Destinations */

START_TEST(a_receive_that_finds_nothing_leaves_its_destination) {
  int v = 7, err = 8;
  gch_chan *c = ints(1);
  ck_assert_int_eq(gch_try_recv(c, &v), EAGAIN);
  ck_assert_int_eq(gch_recv_until(c, &v, 0), ETIMEDOUT);
  ck_assert_int_eq(gch_select(GCH_RECV_ERR(c, &v, &err), GCH_DEFAULT), 1);
  ck_assert_int_eq(v, 7);
  ck_assert_int_eq(err, 8);
  gch_unref(c);
}
END_TEST

START_TEST(a_receive_may_discard) {
  gch_chan *c = ints(4);
  put_all(c, 4);
  ck_assert_int_eq(gch_recv(c, NULL), 0);
  ck_assert_int_eq(gch_try_recv(c, NULL), 0);
  ck_assert_int_eq(gch_select(GCH_RECV(c, NULL)), 0);
  ck_assert_int_eq(take(c), 3);
  gch_unref(c);
}
END_TEST

/* The order of the blocked */

START_TEST(blocked_receivers_are_served_in_order_plain_and_select_alike) {
  gch_wg wg = GCH_WG_INIT;
  struct blocked b[CROWD];
  gch_chan *c = ints(_i == 0 ? 0 : 3), *other = ints(0);
  block_all(&wg, b, CROWD, c, other, false, receive, select_receive);
  put_all(c, CROWD);
  gch_wg_wait(&wg);
  for (int i = 0; i < CROWD; i++) {
    ck_assert_int_eq(b[i].got, i);
    ck_assert_int_eq(b[i].err, 0);
  }
  gch_unref(c);
  gch_unref(other);
}
END_TEST

START_TEST(blocked_senders_are_served_in_order_plain_and_select_alike) {
  gch_wg wg = GCH_WG_INIT;
  struct blocked b[CROWD];
  int cap = _i == 0 ? 0 : 3;
  gch_chan *c = ints((size_t)cap), *other = ints(0);
  for (int i = 0; i < cap; i++)
    put(c, i - cap);
  block_all(&wg, b, CROWD, c, other, true, send_id, select_send_id);
  for (int i = -cap; i < CROWD; i++)
    ck_assert_int_eq(take(c), i);
  gch_wg_wait(&wg);
  gch_unref(c);
  gch_unref(other);
}
END_TEST

START_TEST(a_waiting_receiver_gets_the_value_past_the_buffer) {
  gch_wg wg = GCH_WG_INIT;
  gch_chan *c = ints(3);
  struct blocked b = {c, NULL, 0, -1, -1};
  block(&wg, &b, false, receive);
  ck_assert_int_eq(try_put(c, 5), 0);
  ck_assert_uint_eq(gch_len(c), 0);
  gch_wg_wait(&wg);
  ck_assert_int_eq(b.got, 5);
  gch_unref(c);
}
END_TEST

START_TEST(a_slot_that_becomes_free_belongs_to_the_first_blocked_sender) {
  gch_wg wg = GCH_WG_INIT;
  gch_chan *c = ints(2);
  struct blocked b = {c, NULL, 2, -1, -1};
  put_all(c, 2);
  block(&wg, &b, true, send_id);
  ck_assert_int_eq(take(c), 0);
  ck_assert_uint_eq(gch_len(c), 2);
  ck_assert_int_eq(try_put(c, 9), EAGAIN);
  ck_assert_int_eq(take(c), 1);
  ck_assert_int_eq(take(c), 2);
  gch_wg_wait(&wg);
  gch_unref(c);
}
END_TEST

/* Close */

START_TEST(close_wakes_every_blocked_receiver_and_clears_its_destination) {
  enum { MANY = 100 };
  gch_wg wg = GCH_WG_INIT;
  static struct blocked b[MANY];
  gch_chan *c = ints(0), *other = ints(0);
  block_all(&wg, b, MANY, c, other, false, receive, select_receive);
  ck_assert_int_eq(gch_close(c), 0);
  gch_wg_wait(&wg);
  for (int i = 0; i < MANY; i++)
    require(b[i].err == EPIPE && b[i].got == 0);
  ck_assert(nobody_waits(other));
  gch_unref(c);
  gch_unref(other);
}
END_TEST

START_TEST(close_fails_every_blocked_sender_and_keeps_what_is_buffered) {
  enum { BLOCKED = 7 };
  gch_wg wg = GCH_WG_INIT;
  struct blocked b[BLOCKED];
  gch_chan *c = ints(2), *other = ints(0);
  put(c, 1);
  put(c, 2);
  block_all(&wg, b, BLOCKED, c, other, true, send_id, select_send_id);
  ck_assert_int_eq(gch_close(c), 0);
  gch_wg_wait(&wg);
  for (int i = 0; i < BLOCKED; i++)
    ck_assert_int_eq(b[i].err, EPIPE);
  ck_assert_int_eq(take(c), 1);
  ck_assert_int_eq(take(c), 2);
  ck_assert(is_closed(c));
  gch_unref(c);
  gch_unref(other);
}
END_TEST

/* The memory model. a is no atomic: ThreadSanitizer watches. */

struct memory {
  gch_chan *c;
  int a;
};

static void write_then_send(void *arg) {
  struct memory *m = arg;
  m->a = 1;
  put(m->c, 0);
}

static void write_then_close(void *arg) {
  struct memory *m = arg;
  m->a = 1;
  gch_close(m->c);
}

static void write_then_receive(void *arg) {
  struct memory *m = arg;
  m->a = 1;
  take(m->c);
}

START_TEST(a_send_is_before_the_receive_of_its_value) {
  gch_wg wg = GCH_WG_INIT;
  struct memory m = {ints((size_t)_i), 0};
  go(&wg, write_then_send, &m);
  take(m.c);
  ck_assert_int_eq(m.a, 1);
  gch_wg_wait(&wg);
  gch_unref(m.c);
}
END_TEST

START_TEST(a_close_is_before_a_receive_that_sees_it) {
  gch_wg wg = GCH_WG_INIT;
  struct memory m = {ints((size_t)_i), 0};
  go(&wg, write_then_close, &m);
  ck_assert(is_closed(m.c));
  ck_assert_int_eq(m.a, 1);
  gch_wg_wait(&wg);
  gch_unref(m.c);
}
END_TEST

START_TEST(a_receive_on_an_unbuffered_one_is_before_the_end_of_its_send) {
  gch_wg wg = GCH_WG_INIT;
  struct memory m = {ints(0), 0};
  go(&wg, write_then_receive, &m);
  put(m.c, 0);
  ck_assert_int_eq(m.a, 1);
  gch_wg_wait(&wg);
  gch_unref(m.c);
}
END_TEST

/* The k-th receive is before the end of the k+C-th send. */

enum { USERS = 4, USES = 500 };

static void count_locked(void *arg) {
  struct memory *m = arg;
  for (int i = 0; i < USES; i++) {
    put(m->c, 0);
    m->a++;
    take(m->c);
  }
}

START_TEST(a_channel_of_capacity_1_is_a_mutex) {
  gch_wg wg = GCH_WG_INIT;
  struct memory m = {ints(1), 0};
  for (int i = 0; i < USERS; i++)
    go(&wg, count_locked, &m);
  gch_wg_wait(&wg);
  ck_assert_int_eq(m.a, USERS * USES);
  gch_unref(m.c);
}
END_TEST

struct semaphore {
  gch_chan *c;
  _Atomic int inside;
};

static void use_limited(void *arg) {
  struct semaphore *s = arg;
  for (int i = 0; i < USES; i++) {
    put(s->c, 0);
    require(++s->inside <= 2);
    s->inside--;
    take(s->c);
  }
}

START_TEST(a_channel_of_capacity_2_lets_two_in) {
  gch_wg wg = GCH_WG_INIT;
  struct semaphore s = {ints(2), 0};
  for (int i = 0; i < USERS; i++)
    go(&wg, use_limited, &s);
  gch_wg_wait(&wg);
  gch_unref(s.c);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("golang/chan_facts");
  TCase *t = test_case(s, "values");
  tcase_add_test(t, len_does_not_count_blocked_senders);
  tcase_add_test(t, elements_of_no_size_need_no_room_and_are_counted);
  tcase_add_test(t, a_receive_that_finds_nothing_leaves_its_destination);
  tcase_add_test(t, a_receive_may_discard);
  t = test_case(s, "order");
  tcase_add_loop_test(
      t, blocked_receivers_are_served_in_order_plain_and_select_alike, 0, 2);
  tcase_add_loop_test(
      t, blocked_senders_are_served_in_order_plain_and_select_alike, 0, 2);
  tcase_add_test(t, a_waiting_receiver_gets_the_value_past_the_buffer);
  tcase_add_test(t,
                 a_slot_that_becomes_free_belongs_to_the_first_blocked_sender);
  t = test_case(s, "close");
  tcase_add_test(t,
                 close_wakes_every_blocked_receiver_and_clears_its_destination);
  tcase_add_test(t,
                 close_fails_every_blocked_sender_and_keeps_what_is_buffered);
  t = test_case(s, "memory");
  tcase_add_loop_test(t, a_send_is_before_the_receive_of_its_value, 0, 2);
  tcase_add_loop_test(t, a_close_is_before_a_receive_that_sees_it, 0, 2);
  tcase_add_test(t,
                 a_receive_on_an_unbuffered_one_is_before_the_end_of_its_send);
  tcase_add_test(t, a_channel_of_capacity_1_is_a_mutex);
  tcase_add_test(t, a_channel_of_capacity_2_lets_two_in);
  return s;
}
