/* SPDX-License-Identifier: BSD-3-Clause */
/* What is rare: both ends of a copy wanted by others, directions that are not
   there, kernels that refuse, which error comes first, a fork's deadlines. */
#define _GNU_SOURCE
#include "fork_life.h"
#include "io_facts.h"

#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>

/* In the place of libc's. */

static atomic_int writes_nothing = -1; /* a descriptor: write to it gives 0 */
static atomic_bool refuses;            /* preadv2, pwritev2 */
static atomic_int sent;                /* calls of sendmsg */

ssize_t write(int fd, const void *buf, size_t len) {
  return fd == atomic_load(&writes_nothing) ? 0
                                            : syscall(SYS_write, fd, buf, len);
}

ssize_t preadv2(int fd, const struct iovec *v, int n, off_t at, int flags) {
  (void)fd, (void)v, (void)n, (void)at, (void)flags;
  errno = atomic_load(&refuses) ? EPERM : ENOSYS;
  return -1;
}

ssize_t pwritev2(int fd, const struct iovec *v, int n, off_t at, int flags) {
  return preadv2(fd, v, n, at, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags) {
  atomic_fetch_add(&sent, 1);
  return syscall(SYS_sendmsg, fd, m, flags);
}

static const gch_ctx *bg(void) {
  return gch_ctx_background();
}

/* Copies */

struct copying {
  int to, from, err;
};

static void copy(void *arg) {
  struct copying *c = arg;
  c->err = gch_io_copy(c->to, c->from, NULL);
}

static void write_much(void *fd) {
  static char much[4 << 20];
  gch_io_write(*(int *)fd, much, sizeof much, NULL);
}

/* Somebody writes to the other end, for long, and the copy waits for its
   turn. */
START_TEST(a_copy_that_waits_for_one_end_does_not_hold_the_other) {
  int from[2], to[2];
  size_t writers = 0;
  ck_assert_int_eq(pipe(from), 0);
  ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, to), 0);
  gch_io_adopt(to[0]);
  ck_assert_int_eq(write(from[1], "x", 1), 1);
  test_thread *writer = thread_start(write_much, &to[0]);
  await_io(to[0], 0, 1);
  struct copying c = {to[0], from[0], 0};
  test_thread *copier = thread_start(copy, &c);
  await_io(to[0], 0, 2);
  ck_assert_int_eq(gch_io_close(from[0]), 0);
  gch_io_waiting(to[0], NULL, &writers);
  ck_assert_uint_eq(writers, 2);
  ck_assert_int_eq(gch_io_close(to[0]), 0);
  thread_join(writer);
  thread_join(copier);
  ck_assert_int_eq(c.err, EBADF);
  close(to[1]);
  close(from[1]);
}
END_TEST

struct closing {
  int fd;
  uint64_t n;
  atomic_bool closed;
};

static void copy_from(void *arg) {
  struct closing *c = arg;
  int null = open("/dev/null", O_WRONLY);
  gch_io_copy(null, c->fd, &c->n);
  close(null);
}

START_TEST(after_a_close_a_copy_writes_no_more) {
  for (int i = 0; i < scaled(200); i++) {
    int fds[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    struct closing c = {.fd = fds[0]};
    test_thread *t = thread_start(copy_from, &c);
    await_io(fds[0], 1, 0);
    ck_assert_int_eq(gch_io_close(fds[0]), 0);
    c.n = 77; /* a race, were it written */
    thread_join(t);
    ck_assert_uint_eq(c.n, 77);
    close(fds[1]);
  }
}
END_TEST

/* Errors */

START_TEST(a_closed_descriptor_is_told_in_go_s_words) {
  ck_assert_str_eq(gch_strerror(EBADF), "use of closed file");
}
END_TEST

static void expect_no_way(int fd, int events) {
  int ready = 77, err = 77;
  ck_assert_int_eq(gch_io_wait(fd, events, &ready), EBADF);
  ck_assert_int_eq(ready, 0);
  if (events == GCH_IO_READ)
    ck_assert_int_eq(gch_select(GCH_READABLE_ERR(fd, &err)), 0);
  else if (events == GCH_IO_WRITE)
    ck_assert_int_eq(gch_select(GCH_WRITABLE_ERR(fd, &err)), 0);
  else
    err = EBADF;
  ck_assert_int_eq(err, EBADF);
}

START_TEST(a_direction_that_is_not_there_is_not_waited_for) {
  int fds[2], file = open("/dev/null", O_RDONLY);
  ck_assert_int_eq(pipe(fds), 0);
  expect_no_way(file, GCH_IO_WRITE);
  expect_no_way(fds[0], GCH_IO_WRITE);
  expect_no_way(fds[0], GCH_IO_READ | GCH_IO_WRITE);
  expect_no_way(fds[1], GCH_IO_READ);
  close(fds[0]);
  expect_no_way(fds[1], GCH_IO_READ); /* though it has hung up */
  close(fds[1]);
  close(file);
}
END_TEST

START_TEST(a_context_that_is_done_comes_before_all_else) {
  gch_ctx *ctx = gch_ctx_with_cancel(bg());
  gch_ctx_cancel(ctx);
  ck_assert_int_eq(gch_io_copy_ctx(ctx, -1, -1, NULL), ECANCELED);
  ck_assert_int_eq(gch_io_wait_ctx(ctx, 0, 0, NULL), ECANCELED);
  ck_assert_int_eq(gch_io_wait_ctx(bg(), 0, 0, NULL), EINVAL);
  gch_ctx_end(ctx);
}
END_TEST

START_TEST(a_wait_for_both_fails_by_either_deadline) {
  struct ends e = make_ends(SOCKETS_ADOPTED);
  int ready = 77;
  ck_assert_int_eq(gch_io_set_deadline(e.in, _i, 1), 0);
  ck_assert_int_eq(gch_io_wait(e.in, GCH_IO_READ | GCH_IO_WRITE, &ready),
                   ETIMEDOUT);
  ck_assert_int_eq(ready, 0);
  close_ends(e);
}
END_TEST

START_TEST(a_socket_that_does_not_listen_accepts_nobody) {
  int conn, fds[2], udp = socket(AF_INET, SOCK_DGRAM, 0);
  ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  ck_assert_int_eq(gch_io_accept(fds[0], &conn, NULL, NULL), EINVAL);
  ck_assert_int_eq(gch_io_accept(udp, &conn, NULL, NULL), EOPNOTSUPP);
  close(udp);
  close(fds[0]);
  close(fds[1]);
}
END_TEST

START_TEST(a_write_of_nothing_ends_with_an_error) {
  int fds[2];
  size_t n = 77;
  ck_assert_int_eq(pipe(fds), 0);
  atomic_store(&writes_nothing, fds[1]);
  ck_assert_int_eq(gch_io_write(fds[1], "abc", 3, &n), EIO);
  ck_assert_uint_eq(n, 0);
  close(fds[0]);
  close(fds[1]);
}
END_TEST

/* Kernels that refuse */

START_TEST(without_the_calls_of_newer_kernels_pipes_work) {
  struct ends e = make_ends(PIPE);
  char byte;
  size_t n;
  atomic_store(&refuses, _i);
  ck_assert_int_eq(gch_io_write(e.in, "x", 1, NULL), 0);
  ck_assert_int_eq(gch_io_read(e.out, &byte, 1, &n), 0);
  ck_assert_int_eq(byte, 'x');
  close_ends(e);
}
END_TEST

#ifndef GULCH_NO_EPOLL
/* poll is EINVAL then. */
START_TEST(where_poll_is_refused_a_wait_ends_by_its_event) {
  struct ends e = make_ends(PIPE);
  struct rlimit before, none = {0};
  int ready;
  for (int i = 0; i < 20; i++) /* for the poller to be made */
    ck_assert_int_eq(gch_io_wait_until(e.out, GCH_IO_READ, NULL,
                                       gch_in(GCH_MILLISECOND)),
                     ETIMEDOUT);
  put(e.in, "x");
  ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
  none.rlim_max = before.rlim_max;
  ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
  ck_assert_int_eq(
      gch_io_wait_until(e.out, GCH_IO_READ, &ready, gch_in(GCH_MINUTE)), 0);
  ck_assert_int_eq(ready, GCH_IO_READ);
  ck_assert_int_eq(gch_select(GCH_READABLE(e.out), GCH_TIMEOUT(GCH_MINUTE)), 0);
  expect(e.out, "x");
  ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0); /* for sanitizers */
}
END_TEST
#endif

static int read_without_descriptors(void) {
  int fds[2], last;
  char byte;
  struct rlimit few = {20, 20};
  require(pipe(fds) == 0 && setrlimit(RLIMIT_NOFILE, &few) == 0);
  while ((last = dup(fds[0])) >= 0)
    continue;
  require(gch_io_read(fds[0], &byte, 1, NULL) == EMFILE);
  return OK;
}

START_TEST(a_wait_for_which_there_is_no_descriptor_says_so) {
  pid_t pid = fork_with_parent();
  if (pid == 0)
    _exit(read_without_descriptors());
  ck_assert_int_eq(status_of(pid), OK);
}
END_TEST

/* The kernel says that something can be sent, as to others it could. */
START_TEST(a_message_to_who_has_no_room_keeps_no_processor_busy) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  int to = socket(AF_UNIX, SOCK_DGRAM, 0);
  int from = socket(AF_UNIX, SOCK_DGRAM, 0);
  socklen_t len = sizeof a;
  ck_assert_int_eq(bind(to, (void *)&a, sizeof a.sun_family), 0);
  ck_assert_int_eq(getsockname(to, (void *)&a, &len), 0);
  struct iovec v = {"x", 1};
  struct msghdr m = {.msg_name = &a, .msg_namelen = len, .msg_iov = &v,
                     .msg_iovlen = 1};
  if (_i)
    ck_assert_int_eq(gch_io_adopt(from), 0);
  int err;
  do
    err = gch_io_sendmsg_until(from, &m, 0, NULL, gch_in(GCH_MILLISECOND));
  while (err == 0);
  ck_assert_int_eq(err, ETIMEDOUT);
  atomic_store(&sent, 0);
  err = gch_io_sendmsg_until(from, &m, 0, NULL, gch_in(200 * GCH_MILLISECOND));
  ck_assert_int_eq(err, ETIMEDOUT);
  ck_assert_int_lt(atomic_load(&sent), 30);
  gch_io_close(from);
  close(to);
}
END_TEST

/* Fork */

static int read_in_child(struct ends e) {
  char byte;
  require(gch_io_read_until(e.out, &byte, 1, NULL, gch_in(GCH_MINUTE)) == 0);
  return OK;
}

START_TEST(in_a_child_of_a_fork_the_parent_s_deadlines_are_gone) {
  struct ends e = make_ends(SOCKETS_ADOPTED);
  ck_assert_int_eq(gch_io_set_deadline(e.out, GCH_IO_READ, 1), 0);
  put(e.in, "x");
  pid_t pid = fork_with_parent();
  if (pid == 0)
    _exit(read_in_child(e));
  ck_assert_int_eq(status_of(pid), OK);
  char byte;
  ck_assert_int_eq(gch_io_read(e.out, &byte, 1, NULL), ETIMEDOUT);
  close_ends(e);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = fork_suite("io_rare");
  TCase *t = test_case(s, "copy");
  tcase_add_test(t, a_copy_that_waits_for_one_end_does_not_hold_the_other);
  if (!THREAD_SANITIZED)
    tcase_add_test(t, after_a_close_a_copy_writes_no_more);
  t = test_case(s, "errors");
  tcase_add_test(t, a_closed_descriptor_is_told_in_go_s_words);
  tcase_add_test(t, a_direction_that_is_not_there_is_not_waited_for);
  tcase_add_test(t, a_context_that_is_done_comes_before_all_else);
  tcase_add_loop_test(t, a_wait_for_both_fails_by_either_deadline, GCH_IO_READ,
                      GCH_IO_WRITE + 1);
  tcase_add_test(t, a_socket_that_does_not_listen_accepts_nobody);
  tcase_add_test(t, a_write_of_nothing_ends_with_an_error);
  t = test_case(s, "refused");
  tcase_add_loop_test(t, without_the_calls_of_newer_kernels_pipes_work, 0, 2);
#ifndef GULCH_NO_EPOLL
  tcase_add_test(t, where_poll_is_refused_a_wait_ends_by_its_event);
#endif
  tcase_add_test(t, a_wait_for_which_there_is_no_descriptor_says_so);
  tcase_add_loop_test(t, a_message_to_who_has_no_room_keeps_no_processor_busy,
                      0, 2);
  t = test_case(s, "fork");
  tcase_add_test(t, in_a_child_of_a_fork_the_parent_s_deadlines_are_gone);
  return s;
}
