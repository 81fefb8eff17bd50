/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers that were closed by close(2), or by gch_io_close under a copy, and are
   another descriptor's now; and what a copy and a stream that appends promise. */
#include "harness.h"

#include <gulch.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NUMBER = 200 };

/* ThreadSanitizer calls the reuse itself a race. */
#if !THREAD_SANITIZED

/* A pipe, one end of which has that number: 0, the one to read from. */
static int pipe_at(int number, int end) {
  int fds[2];
  ck_assert_int_eq(pipe(fds), 0);
  ck_assert_int_eq(dup2(fds[end], number), number);
  close(fds[end]);
  return fds[!end];
}

/* gulch has waited for NUMBER, which was a pipe's, and is closed. */
static void use_up(bool with_success) {
  char byte;
  int in = pipe_at(NUMBER, 0);
  if (with_success)
    ck_assert_int_eq(write(in, "x", 1), 1);
  gch_io_read_until(NUMBER, &byte, 1, NULL, gch_in(GCH_MILLISECOND));
  if (!with_success)
    gch_io_wait_until(NUMBER, GCH_IO_READ, NULL, gch_in(GCH_MILLISECOND));
  close(NUMBER);
  close(in);
}

static void write_later(void *fd) {
  gch_sleep(20 * GCH_MILLISECOND);
  ck_assert_int_eq(write(*(int *)fd, "y", 1), 1);
}

START_TEST(a_read_on_the_next_descriptor_of_a_number_finds_its_bytes) {
  char byte = 0;
  use_up(_i);
  int in = pipe_at(NUMBER, 0);
  gch_wg wg = GCH_WG_INIT;
  gch_wg_go(&wg, write_later, &in);
  ck_assert_int_eq(gch_io_read_until(NUMBER, &byte, 1, NULL, gch_in(GCH_MINUTE)),
                   0);
  ck_assert_int_eq(byte, 'y');
  gch_wg_wait(&wg);
  close(NUMBER);
  close(in);
}
END_TEST

START_TEST(a_select_on_the_next_descriptor_of_a_number_sees_it) {
  use_up(_i);
  int in = pipe_at(NUMBER, 0);
  gch_wg wg = GCH_WG_INIT;
  gch_wg_go(&wg, write_later, &in);
  ck_assert_int_eq(gch_select(GCH_READABLE(NUMBER), GCH_TIMEOUT(GCH_MINUTE)),
                   0);
  gch_wg_wait(&wg);
  close(NUMBER);
  close(in);
}
END_TEST

START_TEST(the_next_descriptor_of_a_number_may_have_another_direction) {
  static char bytes[65536];
  size_t n;
  use_up(_i);
  int out = pipe_at(NUMBER, 1);
  ck_assert_int_eq(gch_io_write_until(NUMBER, bytes, sizeof bytes, &n,
                                      gch_in(GCH_MINUTE)),
                   0);
  ck_assert_int_eq(gch_io_write_until(NUMBER, bytes, 1, &n, gch_in(1000)),
                   ETIMEDOUT);
  close(NUMBER);
  close(out);
}
END_TEST

START_TEST(the_next_descriptor_of_a_number_may_be_connected) {
  struct sockaddr_in sa = {.sin_family = AF_INET};
  socklen_t len = sizeof sa;
  sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  ck_assert_int_eq(bind(listener, (struct sockaddr *)&sa, len), 0);
  ck_assert_int_eq(listen(listener, 1), 0);
  ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&sa, &len), 0);
  use_up(_i);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  ck_assert_int_eq(dup2(fd, NUMBER), NUMBER);
  close(fd);
  ck_assert_int_eq(gch_io_connect(NUMBER, (struct sockaddr *)&sa, len), 0);
  ck_assert_int_eq(gch_io_close(NUMBER), 0);
  close(listener);
}
END_TEST

struct reader {
  int err;
};

static void read_for_a_while(void *arg) {
  char byte;
  ((struct reader *)arg)->err = gch_io_read_until(
      NUMBER, &byte, 1, NULL, gch_in(200 * GCH_MILLISECOND));
}

START_TEST(closing_the_next_descriptor_leaves_who_waits_on_the_last) {
  struct reader r = {0};
  gch_wg wg = GCH_WG_INIT;
  size_t readers = 0;
  int in = pipe_at(NUMBER, 0);
  gch_wg_go(&wg, read_for_a_while, &r);
  while (readers == 0) {
    gch_sleep(GCH_MILLISECOND);
    gch_io_waiting(NUMBER, &readers, NULL);
  }
  close(NUMBER);
  int other = pipe_at(NUMBER, 0);
  ck_assert_int_eq(gch_io_close(NUMBER), 0);
  gch_wg_wait(&wg);
  ck_assert_int_eq(r.err, ETIMEDOUT);
  close(other);
  close(in);
}
END_TEST
#endif

/* Copies */

struct copying {
  int to, from, err;
};

static void copy(void *arg) {
  struct copying *c = arg;
  c->err = gch_io_copy(c->to, c->from, NULL);
}

/* _i: which of them is closed. */
START_TEST(an_end_of_a_copy_that_waits_can_be_closed) {
  int from[2], to[2];
  gch_wg wg = GCH_WG_INIT;
  size_t readers = 0;
  ck_assert_int_eq(pipe(from), 0);
  ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, to), 0);
  struct copying c = {to[0], from[0], 0};
  gch_wg_go(&wg, copy, &c);
  while (readers == 0) {
    gch_sleep(GCH_MILLISECOND);
    gch_io_waiting(from[0], &readers, NULL);
  }
  ck_assert_int_eq(gch_io_write_until(to[0], "z", 1, NULL, gch_in(GCH_MINUTE)),
                   0);
  ck_assert_int_eq(gch_io_close(_i ? from[0] : to[0]), 0);
  if (!_i)
    ck_assert_int_eq(write(from[1], "x", 1), 1);
  gch_wg_wait(&wg);
  ck_assert_int_eq(c.err, EBADF);
  close(_i ? to[0] : from[0]);
  close(to[1]);
  close(from[1]);
}
END_TEST

START_TEST(a_copy_ends_at_its_deadline_though_there_is_more) {
  uint64_t n;
  int from = open("/dev/zero", O_RDONLY), to = open("/dev/null", O_WRONLY);
  ck_assert_int_eq(gch_io_copy_until(to, from, &n, gch_in(GCH_MILLISECOND)),
                   ETIMEDOUT);
  ck_assert(n > 0);
  close(from);
  close(to);
}
END_TEST

START_TEST(a_copy_to_who_does_not_read_any_more_raises_no_signal) {
  char name[] = "/tmp/gulch-test-XXXXXX";
  int to[2], from = mkstemp(name);
  ck_assert_int_ge(from, 0);
  unlink(name);
  ck_assert_int_eq(ftruncate(from, 1 << 22), 0);
  ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, to), 0);
  close(to[1]);
  ck_assert_int_eq(gch_io_copy(to[0], from, NULL), EPIPE);
  close(from);
  close(to[0]);
}
END_TEST

/* Streams */

START_TEST(two_streams_that_append_do_not_overwrite_each_other) {
  char name[] = "/tmp/gulch-test-XXXXXX", got[32] = {0};
  int fd = mkstemp(name), one = open(name, O_RDWR), two = open(name, O_RDWR);
  FILE *a = gch_io_fdopen(one, "a"), *b = gch_io_fdopen(two, "a");
  ck_assert(a && b);
  fprintf(a, "one ");
  fflush(a);
  fprintf(b, "two ");
  fflush(b);
  fprintf(a, "three");
  fclose(a);
  fclose(b);
  ck_assert_int_gt(read(fd, got, sizeof got - 1), 0);
  ck_assert_str_eq(got, "one two three");
  unlink(name);
  close(fd);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("io_reuse");
  TCase *t;
#if !THREAD_SANITIZED
  t = test_case(s, "numbers");
  tcase_add_loop_test(
      t, a_read_on_the_next_descriptor_of_a_number_finds_its_bytes, 0, 2);
  tcase_add_loop_test(t, a_select_on_the_next_descriptor_of_a_number_sees_it, 0,
                      2);
  tcase_add_loop_test(
      t, the_next_descriptor_of_a_number_may_have_another_direction, 0, 2);
  tcase_add_loop_test(t, the_next_descriptor_of_a_number_may_be_connected, 0,
                      2);
  tcase_add_test(t, closing_the_next_descriptor_leaves_who_waits_on_the_last);
#endif
  t = test_case(s, "copies");
  tcase_add_loop_test(t, an_end_of_a_copy_that_waits_can_be_closed, 0, 2);
  tcase_add_test(t, a_copy_ends_at_its_deadline_though_there_is_more);
  tcase_add_test(t, a_copy_to_who_does_not_read_any_more_raises_no_signal);
  t = test_case(s, "streams");
  tcase_add_test(t, two_streams_that_append_do_not_overwrite_each_other);
  return s;
}
