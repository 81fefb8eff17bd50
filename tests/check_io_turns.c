/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls that wait for their turn on a descriptor, both directions, and waits for
   readiness. */
#include "io_facts.h"

/* Turns */

START_TEST(readers_are_served_in_the_order_in_which_they_came) {
  enum { READERS = 5 };
  struct ends e = make_ends(_i);
  struct io_call c[READERS];
  test_thread *t[READERS];
  for (size_t i = 0; i < READERS; i++) {
    c[i] = (struct io_call){.fd = e.out, .call = call_read_full, .len = 2};
    t[i] = start_io(&c[i]);
    await_io(e.out, i + 1, 0);
  }
  put(e.in, "a0b1c2d3e4");
  for (int i = 0; i < READERS; i++) {
    thread_join(t[i]);
    ck_assert_int_eq(c[i].err, 0);
    ck_assert_int_eq(c[i].buf[0], 'a' + i);
    ck_assert_int_eq(c[i].buf[1], '0' + i);
  }
  close_ends(e);
}
END_TEST

START_TEST(who_gives_up_lets_the_next_have_its_turn) {
  struct ends e = make_ends(_i);
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  struct io_call first = {.fd = e.out, .call = call_read_ctx, .ctx = ctx};
  struct io_call second = first, third = {.fd = e.out, .call = call_read};
  test_thread *t1 = start_io(&first);
  await_io(e.out, 1, 0);
  test_thread *t2 = start_io(&second);
  await_io(e.out, 2, 0);
  test_thread *t3 = start_io(&third);
  await_io(e.out, 3, 0);
  gch_ctx_cancel(ctx);
  thread_join(t1);
  thread_join(t2);
  ck_assert_int_eq(first.err, ECANCELED);
  ck_assert_int_eq(second.err, ECANCELED);
  put(e.in, "x");
  thread_join(t3);
  ck_assert_int_eq(third.err, 0);
  gch_ctx_end(ctx);
  close_ends(e);
}
END_TEST

enum { LONG = 300000, WRITERS = 4 };

static void write_long(void *arg) {
  static _Atomic int next = 'a';
  char *bytes = malloc(LONG);
  size_t n;
  memset(bytes, atomic_fetch_add(&next, 1), LONG);
  ck_assert_int_eq(gch_io_write(*(int *)arg, bytes, LONG, &n), 0);
  ck_assert_uint_eq(n, LONG);
  free(bytes);
}

START_TEST(two_writes_do_not_mix) {
  struct ends e = make_ends(_i);
  test_thread *t[WRITERS];
  char *bytes = malloc(LONG);
  for (int i = 0; i < WRITERS; i++)
    t[i] = thread_start(write_long, &e.in);
  for (int i = 0; i < WRITERS; i++) {
    ck_assert_int_eq(gch_io_read_full(e.out, bytes, LONG, NULL), 0);
    ck_assert_mem_eq(bytes, bytes + 1, LONG - 1); /* all are the same */
  }
  for (int i = 0; i < WRITERS; i++)
    thread_join(t[i]);
  free(bytes);
  close_ends(e);
}
END_TEST

START_TEST(both_directions_go_at_once) {
  struct ends e = make_ends(SOCKETS + _i);
  struct io_call reads = {.fd = e.out, .call = call_read},
                 writes = {.fd = e.out, .call = call_write};
  size_t full = fill(e.out);
  test_thread *r = start_io(&reads), *w = start_io(&writes);
  await_io(e.out, 1, 1);
  put(e.in, "x");
  thread_join(r);
  ck_assert_int_eq(reads.err, 0);
  await_io(e.out, 0, 1);
  char *all = malloc(full + sizeof writes.buf);
  ck_assert_int_eq(
      gch_io_read_full(e.in, all, full + sizeof writes.buf, NULL), 0);
  thread_join(w);
  ck_assert_int_eq(writes.err, 0);
  free(all);
  close_ends(e);
}
END_TEST

START_TEST(half_a_connection_may_be_shut) {
  struct ends e = make_ends(SOCKETS + _i);
  char c;
  size_t n = 99;
  ck_assert_int_eq(shutdown(e.in, SHUT_WR), 0);
  ck_assert_int_eq(gch_io_read(e.out, &c, 1, &n), 0);
  ck_assert_uint_eq(n, 0);
  put(e.out, "still");
  expect(e.in, "still");
  close_ends(e);
}
END_TEST

/* A wait for readiness */

START_TEST(a_wait_says_which_way_is_ready) {
  struct ends e = make_ends(SOCKETS + _i);
  int ready = 99;
  const int both = GCH_IO_READ | GCH_IO_WRITE;
  ck_assert_int_eq(gch_io_wait(e.out, both, &ready), 0);
  ck_assert_int_eq(ready, GCH_IO_WRITE);
  ck_assert_int_eq(gch_io_wait_until(e.out, GCH_IO_READ, &ready, 0), ETIMEDOUT);
  ck_assert_int_eq(ready, 0);
  put(e.in, "x");
  ck_assert_int_eq(gch_io_wait(e.out, both, &ready), 0);
  ck_assert_int_eq(ready, both);
  expect(e.out, "x");
  close_ends(e);
}
END_TEST

START_TEST(a_wait_takes_nothing_and_all_who_wait_are_woken) {
  struct ends e = make_ends(_i);
  struct io_call c[3];
  test_thread *t[3];
  for (size_t i = 0; i < 3; i++) {
    c[i] = (struct io_call){.fd = e.out, .call = call_wait_read};
    t[i] = start_io(&c[i]);
    await_io(e.out, i + 1, 0);
  }
  put(e.in, "x");
  for (int i = 0; i < 3; i++) {
    thread_join(t[i]);
    ck_assert_int_eq(c[i].err, 0);
  }
  expect(e.out, "x");
  close_ends(e);
}
END_TEST

START_TEST(a_wait_for_both_ends_by_either) {
  struct ends e = make_ends(SOCKETS + _i);
  size_t full = fill(e.out);
  for (int i = 0; i < 2; i++) {
    struct io_call c = {.fd = e.out, .call = call_wait_both};
    test_thread *t = start_io(&c);
    await_io(e.out, 1, 1);
    char *all = malloc(full);
    if (i == 0) {
      put(e.in, "x");
    } else {
      ck_assert_int_eq(gch_io_read_full(e.in, all, full, NULL), 0);
    }
    thread_join(t);
    ck_assert_int_eq(c.err, 0);
    await_io(e.out, 0, 0);
    if (i == 0)
      expect(e.out, "x");
    free(all);
  }
  close_ends(e);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("io_turns");
  TCase *t = test_case(s, "turns");
  add_io_test(t, readers_are_served_in_the_order_in_which_they_came);
  add_io_test(t, who_gives_up_lets_the_next_have_its_turn);
  add_io_test(t, two_writes_do_not_mix);
  tcase_add_loop_test(t, both_directions_go_at_once, 0, 2);
  tcase_add_loop_test(t, half_a_connection_may_be_shut, 0, 2);
  t = test_case(s, "readiness");
  tcase_add_loop_test(t, a_wait_says_which_way_is_ready, 0, 2);
  add_io_test(t, a_wait_takes_nothing_and_all_who_wait_are_woken);
  tcase_add_loop_test(t, a_wait_for_both_ends_by_either, 0, 2);
  return s;
}
