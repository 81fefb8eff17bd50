/* SPDX-License-Identifier: BSD-3-Clause */
/* A readyfd's descriptor is readable while a try form would give something else
   than EAGAIN, by whatever way the channel became ready. */
#include "readyfd_facts.h"

enum { R = GCH_CAN_RECV, S = GCH_CAN_SEND };

static void end(gch_readyfd *r, gch_chan *c) {
  gch_readyfd_free(r);
  gch_unref(c);
}

/* Values */

START_TEST(a_value_makes_it_readable_and_a_try_that_finds_none_not) {
  gch_chan *c = gch_make_of(int, 4);
  gch_readyfd *r = readyfd_of(c, R);
  int v = 7;
  ck_assert(!readable(r));
  gch_send(c, &v);
  ck_assert(readable(r));
  gch_send(c, &v);
  gch_try_recv(c, &v);
  ck_assert(readable(r)); /* one is left */
  gch_recv(c, &v);
  ck_assert_int_eq(gch_try_recv(c, &v), EAGAIN);
  ck_assert(!readable(r));
  ck_assert_int_eq(gch_try_send(c, &v), 0);
  ck_assert(readable(r));
  end(r, c);
}
END_TEST

START_TEST(a_default_that_fires_makes_it_not_readable) {
  gch_chan *c = gch_make_of(int, 4);
  gch_readyfd *r = readyfd_of(c, R);
  int v = 7;
  for (int ordered = 0; ordered < 2; ordered++) {
    gch_send(c, &v);
    gch_recv(c, &v);
    ck_assert(readable(r));
    gch_case cases[] = {GCH_RECV(c, &v), GCH_DEFAULT};
    ck_assert_int_eq(ordered ? gch_select_cases_ordered(cases, 2)
                             : gch_select_cases(cases, 2),
                     1);
    ck_assert(!readable(r));
  }
  end(r, c);
}
END_TEST

START_TEST(a_timed_receive_that_finds_none_is_a_try) {
  gch_chan *c = gch_make_of(int, 4);
  gch_readyfd *r = readyfd_of(c, R);
  int v = 7;
  gch_send(c, &v);
  gch_recv(c, &v);
  ck_assert_int_eq(gch_recv_until(c, &v, gch_in(0)), ETIMEDOUT);
  ck_assert(!readable(r));
  end(r, c);
}
END_TEST

START_TEST(ready_gives_the_tags_and_counts_all) {
  enum { N = 5 };
  gch_readyfd *r = gch_readyfd_new();
  gch_chan *c[N];
  void *tags[N] = {0};
  int v = 0, seen = 0;
  for (int i = 0; i < N; i++) {
    c[i] = gch_make_of(int, 1);
    ck_assert_int_eq(gch_readyfd_add(r, c[i], R, &c[i]), 0);
  }
  ck_assert_uint_eq(gch_readyfd_ready(r, tags, N), 0);
  gch_send(c[1], &v);
  gch_send(c[3], &v);
  ck_assert_uint_eq(gch_readyfd_ready(r, NULL, 0), 2);
  ck_assert_uint_eq(gch_readyfd_ready(r, tags, 1), 2);
  ck_assert_ptr_null(tags[1]);
  ck_assert_uint_eq(gch_readyfd_ready(r, tags, N), 2);
  for (int i = 0; i < 2; i++)
    seen += tags[i] == &c[1] ? 1 : tags[i] == &c[3] ? 3 : 100;
  ck_assert_int_eq(seen, 4);
  gch_recv(c[1], &v);
  gch_recv(c[3], &v);
  ck_assert(readable(r));
  ck_assert_uint_eq(gch_readyfd_ready(r, tags, N), 0);
  ck_assert(!readable(r));
  gch_readyfd_free(r);
  for (int i = 0; i < N; i++)
    gch_unref(c[i]);
}
END_TEST

START_TEST(what_was_ready_before_is_ready_when_added) {
  gch_chan *c = gch_make_of(int, 1);
  int v = 1;
  gch_send(c, &v);
  gch_readyfd *r = readyfd_of(c, R);
  ck_assert(readable(r));
  gch_readyfd_free(r);
  r = readyfd_of(c, S);
  ck_assert(!readable(r));
  gch_close(c);
  ck_assert(readable(r));
  gch_readyfd_free(r);
  r = readyfd_of(c, S);
  ck_assert(readable(r));
  end(r, c);
}
END_TEST

START_TEST(many_at_once_make_it_readable) {
  gch_chan *c = gch_make_of(int, 4);
  gch_readyfd *recv = readyfd_of(c, R), *send = readyfd_of(c, S);
  int v[4] = {1, 2, 3, 4};
  ck_assert_int_eq(gch_send_many(c, v, 4, NULL), 0);
  ck_assert(readable(recv));
  ck_assert_int_eq(gch_try_send(c, v), EAGAIN);
  ck_assert(!readable(send));
  ck_assert_int_eq(gch_recv_many(c, v, 4, NULL), 0);
  ck_assert(readable(send));
  gch_readyfd_free(recv);
  end(send, c);
}
END_TEST

/* Room */

START_TEST(room_makes_it_readable_however_it_came) {
  int v = 1;
  for (int way = 0; way < 5; way++) {
    gch_chan *c = gch_make_of(int, 2);
    gch_readyfd *r = readyfd_of(c, S);
    gch_case recv = GCH_RECV(c, &v);
    ck_assert(readable(r));
    gch_send(c, &v);
    ck_assert(readable(r));
    gch_send(c, &v);
    ck_assert_int_eq(gch_try_send(c, &v), EAGAIN);
    ck_assert(!readable(r));
    if (way == 0)
      gch_recv(c, &v);
    else if (way == 1)
      gch_try_recv(c, &v);
    else if (way == 2)
      gch_recv_until(c, NULL, gch_in(GCH_HOUR));
    else if (way == 3)
      gch_select_cases(&recv, 1);
    else
      gch_recv_many(c, &v, 1, NULL);
    ck_assert(readable(r));
    end(r, c);
  }
}
END_TEST

static void send_seven(void *c) {
  int v = 7;
  gch_send(c, &v);
}

START_TEST(a_slot_that_belongs_to_a_sender_is_no_room) {
  gch_chan *c = gch_make_of(int, 1);
  int v = 1;
  gch_send(c, &v);
  gch_readyfd *r = readyfd_of(c, S);
  test_thread *t = thread_start(send_seven, c);
  await_waiting(c, 1, 0);
  gch_recv(c, &v);
  ck_assert_int_eq(v, 1);
  ck_assert(!readable(r)); /* full again */
  gch_recv(c, &v);
  ck_assert_int_eq(v, 7);
  ck_assert(readable(r));
  thread_join(t);
  end(r, c);
}
END_TEST

/* Partners */

START_TEST(a_parked_sender_makes_it_readable_and_stays) {
  gch_chan *c = gch_make_of(int, 0);
  gch_readyfd *r = readyfd_of(c, R);
  int v = 0;
  ck_assert_int_eq(gch_try_send(c, &v), EAGAIN); /* it is no receiver */
  ck_assert(!readable(r));
  test_thread *t = thread_start(send_seven, c);
  await_readable(r);
  await_waiting(c, 1, 0);
  ck_assert_int_eq(gch_try_recv(c, &v), 0);
  ck_assert_int_eq(v, 7);
  thread_join(t);
  ck_assert_int_eq(gch_try_recv(c, &v), EAGAIN);
  await_unreadable(r);
  end(r, c);
}
END_TEST

static void recv_one(void *c) {
  int v;
  gch_recv(c, &v);
}

START_TEST(a_parked_receiver_makes_it_readable_and_stays) {
  gch_chan *c = gch_make_of(int, 0);
  gch_readyfd *r = readyfd_of(c, S);
  int v = 0;
  ck_assert_int_eq(gch_try_recv(c, &v), EAGAIN); /* it is no sender */
  ck_assert(!readable(r));
  test_thread *t = thread_start(recv_one, c);
  await_readable(r);
  await_waiting(c, 0, 1);
  ck_assert_int_eq(gch_try_send(c, &v), 0);
  thread_join(t);
  ck_assert_int_eq(gch_try_send(c, &v), EAGAIN);
  await_unreadable(r);
  end(r, c);
}
END_TEST

static void select_both(void *arg) {
  gch_chan **c = arg;
  int v = 1, w;
  gch_select(GCH_SEND(c[0], &v), GCH_RECV(c[1], &w));
}

START_TEST(a_parked_select_is_a_partner_on_each_of_its_channels) {
  gch_chan *c[2] = {gch_make_of(int, 0), gch_make_of(int, 0)};
  gch_readyfd *r = readyfd_of(c[0], R), *s = readyfd_of(c[1], S);
  int v;
  test_thread *t = thread_start(select_both, c);
  await_readable(r);
  await_readable(s);
  ck_assert_int_eq(gch_try_recv(c[0], &v), 0);
  thread_join(t);
  ck_assert_int_eq(gch_try_send(c[1], &v), EAGAIN);
  ck_assert(!readable(s));
  gch_readyfd_free(r);
  gch_readyfd_free(s);
  gch_unref(c[0]);
  gch_unref(c[1]);
}
END_TEST

START_TEST(polls_of_a_watched_channel_come_to_an_end) {
  gch_chan *c = gch_make_of(int, 0);
  gch_readyfd *r = readyfd_of(c, R | S);
  int v = 0;
  ck_assert_int_eq(gch_select(GCH_SEND(c, &v), GCH_RECV(c, &v), GCH_DEFAULT),
                   2);
  ck_assert(!readable(r));
  ck_assert_int_eq(gch_select(GCH_SEND(c, &v), GCH_TIMEOUT(0)), 1);
  ck_assert_int_eq(gch_try_recv(c, &v), EAGAIN);
  ck_assert(!readable(r));
  size_t senders, receivers;
  gch_waiting(c, &senders, &receivers);
  ck_assert_uint_eq(senders + receivers, 0);
  end(r, c);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("readyfd");
  TCase *t = test_case(s, "values");
  tcase_add_test(t, a_value_makes_it_readable_and_a_try_that_finds_none_not);
  tcase_add_test(t, a_default_that_fires_makes_it_not_readable);
  tcase_add_test(t, a_timed_receive_that_finds_none_is_a_try);
  tcase_add_test(t, ready_gives_the_tags_and_counts_all);
  tcase_add_test(t, what_was_ready_before_is_ready_when_added);
  tcase_add_test(t, many_at_once_make_it_readable);
  t = test_case(s, "room and partners");
  tcase_add_test(t, room_makes_it_readable_however_it_came);
  tcase_add_test(t, a_slot_that_belongs_to_a_sender_is_no_room);
  tcase_add_test(t, a_parked_sender_makes_it_readable_and_stays);
  tcase_add_test(t, a_parked_receiver_makes_it_readable_and_stays);
  tcase_add_test(t, a_parked_select_is_a_partner_on_each_of_its_channels);
  tcase_add_test(t, polls_of_a_watched_channel_come_to_an_end);
  return s;
}
