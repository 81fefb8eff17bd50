/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading and writing: what is the same for sockets and pipes, adopted or
   not. */
#include "io_facts.h"

/* Without a wait */

START_TEST(a_read_gives_what_is_there) {
  struct ends e = make_ends(_i);
  char buf[64];
  size_t n = 99;
  put(e.in, "hello");
  ck_assert_int_eq(gch_io_read(e.out, buf, sizeof buf, &n), 0);
  ck_assert_uint_eq(n, 5);
  ck_assert_int_eq(memcmp(buf, "hello", 5), 0);
  put(e.in, "hello");
  ck_assert_int_eq(gch_io_read(e.out, buf, 2, NULL), 0);
  expect(e.out, "llo");
  close_ends(e);
}
END_TEST

START_TEST(at_the_end_a_read_gives_nothing) {
  struct ends e = make_ends(_i);
  char c;
  size_t n = 99;
  put(e.in, "x");
  ck_assert_int_eq(gch_io_close(e.in), 0);
  expect(e.out, "x");
  for (int i = 0; i < 2; i++) {
    ck_assert_int_eq(gch_io_read(e.out, &c, 1, &n), 0);
    ck_assert_uint_eq(n, 0);
  }
  ck_assert_int_eq(gch_io_close(e.out), 0);
}
END_TEST

START_TEST(a_full_read_that_ends_early_says_how_far_it_came) {
  struct ends e = make_ends(_i);
  char buf[8];
  size_t n = 99;
  put(e.in, "abc");
  ck_assert_int_eq(gch_io_close(e.in), 0);
  ck_assert_int_eq(gch_io_read_full(e.out, buf, 8, &n), ENODATA);
  ck_assert_uint_eq(n, 3);
  ck_assert_int_eq(gch_io_read_full(e.out, buf, 8, &n), ENODATA);
  ck_assert_uint_eq(n, 0);
  ck_assert_int_eq(gch_io_close(e.out), 0);
}
END_TEST

START_TEST(nothing_to_read_or_write_is_no_error) {
  struct ends e = make_ends(_i);
  size_t n = 99;
  ck_assert_int_eq(gch_io_read(e.out, NULL, 0, &n), 0);
  ck_assert_uint_eq(n, 0);
  ck_assert_int_eq(gch_io_read_full(e.out, NULL, 0, NULL), 0);
  n = 99;
  ck_assert_int_eq(gch_io_write(e.in, "", 0, &n), 0);
  ck_assert_uint_eq(n, 0);
  close_ends(e);
}
END_TEST

START_TEST(a_passed_deadline_tries_once) {
  struct ends e = make_ends(_i);
  char c;
  size_t n = 99;
  ck_assert_int_eq(gch_io_read_until(e.out, &c, 1, &n, 0), ETIMEDOUT);
  ck_assert_uint_eq(n, 0);
  put(e.in, "x");
  ck_assert_int_eq(gch_io_read_until(e.out, &c, 1, &n, 0), 0);
  ck_assert_uint_eq(n, 1);
  fill(e.in);
  ck_assert_int_eq(gch_io_write_until(e.in, &c, 1, &n, 0), ETIMEDOUT);
  ck_assert_uint_eq(n, 0);
  close_ends(e);
}
END_TEST

START_TEST(a_context_that_is_done_wins) {
  struct ends e = make_ends(_i);
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  char c;
  size_t n = 99;
  put(e.in, "x");
  ck_assert_int_eq(gch_io_read_ctx(ctx, e.out, &c, 1, &n), 0);
  put(e.in, "x");
  gch_ctx_cancel(ctx);
  n = 99;
  ck_assert_int_eq(gch_io_read_ctx(ctx, e.out, &c, 1, &n), ECANCELED);
  ck_assert_uint_eq(n, 0);
  n = 99;
  ck_assert_int_eq(gch_io_write_ctx(ctx, e.in, &c, 1, &n), ECANCELED);
  ck_assert_uint_eq(n, 0);
  gch_ctx_end(ctx);
  close_ends(e);
}
END_TEST

static void read_by_null(void *arg) {
  char c;
  (void)arg;
  gch_io_read_ctx(NULL, 0, &c, 1, NULL);
}

START_TEST(a_null_context_panics) {
  expect_panic(read_by_null, NULL, "gulch: NULL context");
}
END_TEST

START_TEST(errno_is_left_alone) {
  struct ends e = make_ends(_i);
  char c;
  errno = 77;
  ck_assert_int_eq(gch_io_read_until(e.out, &c, 1, NULL, 0), ETIMEDOUT);
  ck_assert_int_eq(gch_io_read_until(e.out, &c, 1, NULL, gch_in(1000)),
                   ETIMEDOUT);
  ck_assert_int_eq(gch_io_read(-1, &c, 1, NULL), EBADF);
  put(e.in, "x");
  expect(e.out, "x");
  ck_assert_int_eq(errno, 77);
  close_ends(e);
}
END_TEST

/* Errors */

START_TEST(there_must_be_a_descriptor) {
  char c;
  int fd = dup(0);
  close(fd);
  const int bad[] = {-1, fd, 1 << 29, INT32_MAX};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    ck_assert_int_eq(gch_io_read(bad[i], &c, 1, NULL), EBADF);
    ck_assert_int_eq(gch_io_write(bad[i], &c, 1, NULL), EBADF);
    ck_assert_int_eq(gch_io_wait(bad[i], GCH_IO_READ, NULL), EBADF);
    ck_assert_int_eq(gch_io_adopt(bad[i]), EBADF);
    ck_assert_int_eq(gch_io_close(bad[i]), EBADF);
    ck_assert_int_eq(gch_io_set_deadline(bad[i], GCH_IO_READ, 1), EBADF);
    ck_assert_int_eq(gch_io_accept(bad[i], NULL, NULL, NULL), EBADF);
  }
}
END_TEST

START_TEST(a_direction_that_is_not_there_is_an_error_at_once) {
  struct ends e = make_ends(PIPE + _i);
  char c;
  size_t n = 99;
  ck_assert_int_eq(gch_io_read(e.in, &c, 1, &n), EBADF);
  ck_assert_uint_eq(n, 0);
  ck_assert_int_eq(gch_io_write(e.out, "x", 1, NULL), EBADF);
  ck_assert_int_eq(gch_io_wait(e.in, GCH_IO_READ, NULL), EBADF);
  ck_assert_int_eq(gch_io_wait(e.out, GCH_IO_WRITE, NULL), EBADF);
  int err = 99;
  ck_assert_int_eq(gch_select(GCH_READABLE_ERR(e.in, &err)), 0);
  ck_assert_int_eq(err, EBADF);
  /* And once it is registered for the other. */
  ck_assert_int_eq(gch_io_read_until(e.out, &c, 1, NULL, gch_in(1)), ETIMEDOUT);
  ck_assert_int_eq(gch_io_wait(e.out, GCH_IO_WRITE, NULL), EBADF);
  ck_assert_int_eq(gch_io_write(e.out, "x", 1, NULL), EBADF);
  ck_assert_int_eq(gch_io_accept(e.out, NULL, NULL, NULL), ENOTSOCK);
  close_ends(e);
}
END_TEST

START_TEST(a_write_that_nobody_will_read_is_an_error_and_no_signal) {
  struct ends e = make_ends(_i);
  size_t n = 99;
  ck_assert_int_eq(gch_io_close(e.out), 0);
  ck_assert_int_eq(gch_io_write(e.in, "x", 1, &n), EPIPE);
  ck_assert_uint_eq(n, 0);
  ck_assert_int_eq(gch_io_close(e.in), 0);
}
END_TEST

START_TEST(the_events_to_wait_for_must_be_some) {
  struct ends e = make_ends(SOCKETS);
  ck_assert_int_eq(gch_io_wait(e.out, 0, NULL), EINVAL);
  ck_assert_int_eq(gch_io_wait(e.out, 4 | GCH_IO_READ, NULL), EINVAL);
  close_ends(e);
}
END_TEST

/* Waiting */

START_TEST(a_read_waits) {
  struct ends e = make_ends(_i);
  struct io_call c = {.fd = e.out, .call = call_read};
  for (int i = 0; i < 3; i++) {
    c.over = 0;
    test_thread *t = start_io(&c);
    await_io(e.out, 1, 0);
    ck_assert_int_eq(c.over, 0);
    put(e.in, "hi");
    thread_join(t);
    ck_assert_int_eq(c.err, 0);
    ck_assert_uint_eq(c.n, 2);
  }
  close_ends(e);
}
END_TEST

START_TEST(a_read_that_waits_sees_the_end) {
  struct ends e = make_ends(_i);
  struct io_call c = {.fd = e.out, .call = call_read};
  test_thread *t = start_io(&c);
  await_io(e.out, 1, 0);
  ck_assert_int_eq(gch_io_close(e.in), 0);
  thread_join(t);
  ck_assert_int_eq(c.err, 0);
  ck_assert_uint_eq(c.n, 0);
  ck_assert_int_eq(gch_io_close(e.out), 0);
}
END_TEST

START_TEST(a_full_read_waits_for_all) {
  struct ends e = make_ends(_i);
  struct io_call c = {.fd = e.out, .call = call_read_full, .len = 6};
  test_thread *t = start_io(&c);
  const char *parts[] = {"ab", "cd", "ef"};
  for (int i = 0; i < 3; i++) {
    await_io(e.out, 1, 0);
    ck_assert_int_eq(c.over, 0);
    put(e.in, parts[i]);
  }
  thread_join(t);
  ck_assert_int_eq(c.err, 0);
  ck_assert_uint_eq(c.n, 6);
  ck_assert_int_eq(memcmp(c.buf, "abcdef", 6), 0);
  close_ends(e);
}
END_TEST

START_TEST(a_write_waits) {
  struct ends e = make_ends(_i);
  size_t full = fill(e.in), n;
  struct io_call c = {.fd = e.in, .call = call_write};
  test_thread *t = start_io(&c);
  await_io(e.in, 0, 1);
  char *all = malloc(full + sizeof c.buf);
  ck_assert_int_eq(gch_io_read_full(e.out, all, full + sizeof c.buf, &n), 0);
  thread_join(t);
  ck_assert_int_eq(c.err, 0);
  ck_assert_uint_eq(c.n, sizeof c.buf);
  free(all);
  close_ends(e);
}
END_TEST

START_TEST(a_deadline_ends_a_wait) {
  struct ends e = make_ends(_i);
  char buf[4];
  size_t n = 99;
  ck_assert_int_eq(
      gch_io_read_until(e.out, buf, 4, &n, gch_in(GCH_MILLISECOND)),
      ETIMEDOUT);
  ck_assert_uint_eq(n, 0);
  put(e.in, "ab");
  ck_assert_int_eq(
      gch_io_read_full_until(e.out, buf, 4, &n, gch_in(GCH_MILLISECOND)),
      ETIMEDOUT);
  ck_assert_uint_eq(n, 2);
  put(e.in, "x");
  expect(e.out, "x");
  fill(e.in);
  ck_assert_int_eq(
      gch_io_write_until(e.in, buf, 4, &n, gch_in(GCH_MILLISECOND)), ETIMEDOUT);
  ck_assert_uint_eq(n, 0);
  close_ends(e);
}
END_TEST

START_TEST(a_context_ends_a_wait) {
  struct ends e = make_ends(_i);
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  struct io_call c = {.fd = e.out, .call = call_read_ctx, .ctx = ctx};
  test_thread *t = start_io(&c);
  await_io(e.out, 1, 0);
  gch_ctx_cancel(ctx);
  thread_join(t);
  ck_assert_int_eq(c.err, ECANCELED);
  ck_assert_uint_eq(c.n, 0);
  gch_ctx_end(ctx);
  ctx = gch_ctx_with_timeout(gch_ctx_background(), GCH_MILLISECOND);
  ck_assert_int_eq(gch_io_read_ctx(ctx, e.out, c.buf, 1, NULL), ETIMEDOUT);
  gch_ctx_end(ctx);
  put(e.in, "x");
  expect(e.out, "x");
  await_io(e.out, 0, 0);
  close_ends(e);
}
END_TEST

START_TEST(a_context_that_is_not_done_lets_data_through) {
  struct ends e = make_ends(_i);
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  struct io_call c = {.fd = e.out, .call = call_read_ctx, .ctx = ctx};
  test_thread *t = start_io(&c);
  await_io(e.out, 1, 0);
  put(e.in, "abc");
  thread_join(t);
  ck_assert_int_eq(c.err, 0);
  ck_assert_uint_eq(c.n, 3);
  size_t senders, receivers;
  gch_waiting(gch_ctx_done(ctx), &senders, &receivers);
  ck_assert_uint_eq(receivers, 0);
  gch_ctx_end(ctx);
  close_ends(e);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("io");
  TCase *t = test_case(s, "at once");
  add_io_test(t, a_read_gives_what_is_there);
  add_io_test(t, at_the_end_a_read_gives_nothing);
  add_io_test(t, a_full_read_that_ends_early_says_how_far_it_came);
  add_io_test(t, nothing_to_read_or_write_is_no_error);
  add_io_test(t, a_passed_deadline_tries_once);
  add_io_test(t, a_context_that_is_done_wins);
  tcase_add_test(t, a_null_context_panics);
  add_io_test(t, errno_is_left_alone);
  t = test_case(s, "errors");
  tcase_add_test(t, there_must_be_a_descriptor);
  tcase_add_loop_test(t, a_direction_that_is_not_there_is_an_error_at_once, 0,
                      2);
  add_io_test(t, a_write_that_nobody_will_read_is_an_error_and_no_signal);
  tcase_add_test(t, the_events_to_wait_for_must_be_some);
  t = test_case(s, "waiting");
  add_io_test(t, a_read_waits);
  add_io_test(t, a_read_that_waits_sees_the_end);
  add_io_test(t, a_full_read_waits_for_all);
  add_io_test(t, a_write_waits);
  add_io_test(t, a_deadline_ends_a_wait);
  add_io_test(t, a_context_ends_a_wait);
  add_io_test(t, a_context_that_is_not_done_lets_data_through);
  return s;
}
