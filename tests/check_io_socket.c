/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections and messages. */
#include "io_facts.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

struct listener {
  int fd;
  struct sockaddr_storage at;
  socklen_t len;
};

static struct listener listen_tcp(bool adopted, int backlog) {
  struct listener l = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
                       .len = sizeof l.at};
  struct sockaddr_in any = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  ck_assert_int_eq(bind(l.fd, (struct sockaddr *)&any, sizeof any), 0);
  ck_assert_int_eq(listen(l.fd, backlog), 0);
  ck_assert_int_eq(getsockname(l.fd, (struct sockaddr *)&l.at, &l.len), 0);
  if (adopted)
    ck_assert_int_eq(gch_io_adopt(l.fd), 0);
  return l;
}

static struct listener listen_unix(int backlog) {
  struct sockaddr_un un = {.sun_family = AF_UNIX}; /* a name by the kernel */
  struct listener l = {.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
                       .len = sizeof l.at};
  ck_assert_int_eq(
      bind(l.fd, (struct sockaddr *)&un, sizeof un.sun_family), 0);
  ck_assert_int_eq(listen(l.fd, backlog), 0);
  ck_assert_int_eq(getsockname(l.fd, (struct sockaddr *)&l.at, &l.len), 0);
  return l;
}

static int connect_to(const struct listener *l) {
  int fd = socket(l->at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ck_assert_int_eq(gch_io_connect(fd, (const struct sockaddr *)&l->at, l->len),
                   0);
  return fd;
}

START_TEST(a_connection_is_made_and_is_adopted) {
  struct listener l = listen_tcp(_i, 8);
  struct io_call c = {.fd = l.fd, .call = call_accept};
  test_thread *t = start_io(&c);
  await_io(l.fd, 1, 0);
  int fd = connect_to(&l);
  thread_join(t);
  ck_assert_int_eq(c.err, 0);
  int conn = (int)c.n;
  ck_assert(fcntl(conn, F_GETFD) & FD_CLOEXEC);
  ck_assert_int_eq(gch_io_set_deadline(conn, GCH_IO_READ, 1), 0);
  ck_assert_int_eq(gch_io_set_deadline(fd, GCH_IO_READ, 1), 0);
  put(conn, "hello");
  ck_assert_int_eq(gch_io_set_deadline(fd, GCH_IO_READ, GCH_FOREVER), 0);
  expect(fd, "hello");
  ck_assert_int_eq(gch_io_close(conn), 0);
  ck_assert_int_eq(gch_io_close(fd), 0);
  ck_assert_int_eq(gch_io_close(l.fd), 0);
}
END_TEST

START_TEST(accept_tells_who_has_come) {
  struct listener l = listen_tcp(_i, 8);
  int fd = connect_to(&l), conn = -1;
  struct sockaddr_in peer, mine;
  socklen_t len = sizeof peer, mine_len = sizeof mine;
  ck_assert_int_eq(gch_io_accept(l.fd, &conn, (struct sockaddr *)&peer, &len),
                   0);
  ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&mine, &mine_len), 0);
  ck_assert_uint_eq(len, sizeof peer);
  ck_assert_int_eq(peer.sin_port, mine.sin_port);
  ck_assert_int_eq(gch_io_close(conn), 0);
  ck_assert_int_eq(gch_io_close(fd), 0);
  ck_assert_int_eq(gch_io_close(l.fd), 0);
}
END_TEST

START_TEST(an_accept_gives_up) {
  struct listener l = listen_tcp(_i, 8);
  int conn = 7;
  ck_assert_int_eq(gch_io_accept_until(l.fd, &conn, NULL, NULL, 0), ETIMEDOUT);
  ck_assert_int_eq(conn, -1);
  gch_ctx *ctx = gch_ctx_with_timeout(gch_ctx_background(), GCH_MILLISECOND);
  ck_assert_int_eq(gch_io_accept_ctx(ctx, l.fd, &conn, NULL, NULL), ETIMEDOUT);
  gch_ctx_end(ctx);
  ck_assert_int_eq(gch_io_close(l.fd), 0);
}
END_TEST

START_TEST(a_close_ends_an_accept) {
  struct listener l = listen_tcp(_i, 8);
  struct io_call c = {.fd = l.fd, .call = call_accept};
  test_thread *t = start_io(&c);
  await_io(l.fd, 1, 0);
  ck_assert_int_eq(gch_io_close(l.fd), 0);
  thread_join(t);
  ck_assert_int_eq(c.err, EBADF);
}
END_TEST

START_TEST(accept_wants_a_socket) {
  struct ends e = make_ends(PIPE + _i);
  put(e.in, "x");
  ck_assert_int_eq(gch_io_accept(e.out, NULL, NULL, NULL), ENOTSOCK);
  ck_assert_int_eq(gch_io_connect(e.out, NULL, 0), ENOTSOCK);
  struct msghdr m = {0};
  ck_assert_int_eq(gch_io_recvmsg(e.out, &m, 0, NULL), ENOTSOCK);
  ck_assert_int_eq(gch_io_sendmsg(e.in, &m, 0, NULL), ENOTSOCK);
  close_ends(e);
}
END_TEST

START_TEST(a_connection_is_refused) {
  struct listener l = listen_tcp(false, 8);
  ck_assert_int_eq(gch_io_close(l.fd), 0);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  ck_assert_int_eq(gch_io_connect(fd, (struct sockaddr *)&l.at, l.len),
                   ECONNREFUSED);
  ck_assert_int_eq(gch_io_close(fd), 0);
}
END_TEST

static int call_connect(struct io_call *c) {
  const struct listener *l = (const void *)c->ctx;
  return gch_io_connect_until(c->fd, (const struct sockaddr *)&l->at, l->len,
                              c->deadline);
}

START_TEST(a_unix_socket_with_a_full_backlog_is_waited_for) {
  struct listener l = listen_unix(0);
  int first = connect_to(&l), conn;
  struct io_call c = {.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
                      .call = call_connect,
                      .ctx = (const void *)&l,
                      .deadline = gch_in(5 * GCH_MILLISECOND)};
  run_io(&c);
  ck_assert_int_eq(c.err, ETIMEDOUT);
  c.deadline = GCH_FOREVER;
  test_thread *t = start_io(&c);
  await_io(c.fd, 0, 1);
  ck_assert_int_eq(gch_io_accept(l.fd, &conn, NULL, NULL), 0);
  thread_join(t);
  ck_assert_int_eq(c.err, 0);
  ck_assert_int_eq(gch_io_close(conn), 0);
  ck_assert_int_eq(gch_io_close(first), 0);
  ck_assert_int_eq(gch_io_close(c.fd), 0);
  ck_assert_int_eq(gch_io_close(l.fd), 0);
}
END_TEST

START_TEST(messages_carry_descriptors) {
  struct ends e = make_ends(SOCKETS + _i);
  char byte = 'x', room[64];
  union {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control = {{0}};
  struct iovec v = {&byte, 1};
  struct msghdr m = {.msg_iov = &v,
                     .msg_iovlen = 1,
                     .msg_control = &control,
                     .msg_controllen = sizeof control};
  struct cmsghdr *head = CMSG_FIRSTHDR(&m);
  *head = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                           .cmsg_type = SCM_RIGHTS,
                           .cmsg_len = CMSG_LEN(sizeof(int))};
  memcpy(CMSG_DATA(head), &e.in, sizeof(int));
  size_t n = 99;
  ck_assert_int_eq(gch_io_sendmsg(e.in, &m, 0, &n), 0);
  ck_assert_uint_eq(n, 1);
  v = (struct iovec){room, sizeof room};
  m.msg_controllen = sizeof control;
  ck_assert_int_eq(gch_io_recvmsg(e.out, &m, MSG_CMSG_CLOEXEC, &n), 0);
  ck_assert_uint_eq(n, 1);
  int got;
  memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof got);
  ck_assert_int_eq(gch_io_close(got), 0);
  n = 99;
  ck_assert_int_eq(gch_io_recvmsg_until(e.out, &m, 0, &n, 0), ETIMEDOUT);
  ck_assert_uint_eq(n, 0);
  ck_assert_int_eq(
      gch_io_recvmsg_until(e.out, &m, 0, &n, gch_in(GCH_MILLISECOND)),
      ETIMEDOUT);
  ck_assert_int_eq(gch_io_close(e.out), 0);
  m.msg_controllen = 0; /* what was received there is closed */
  ck_assert_int_eq(gch_io_sendmsg(e.in, &m, 0, &n), EPIPE);
  ck_assert_int_eq(gch_io_close(e.in), 0);
}
END_TEST

START_TEST(datagrams_keep_their_bounds) {
  int fds[2];
  char buf[64];
  size_t n;
  ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
  ck_assert_int_eq(gch_io_write(fds[0], "abc", 3, NULL), 0);
  ck_assert_int_eq(gch_io_write(fds[0], "", 0, NULL), 0);
  ck_assert_int_eq(gch_io_write(fds[0], "de", 2, NULL), 0);
  const size_t lengths[] = {3, 0, 2};
  for (int i = 0; i < 3; i++) {
    ck_assert_int_eq(gch_io_read(fds[1], buf, sizeof buf, &n), 0);
    ck_assert_uint_eq(n, lengths[i]);
  }
  ck_assert_int_eq(gch_io_close(fds[0]), 0);
  ck_assert_int_eq(gch_io_close(fds[1]), 0);
}
END_TEST

START_TEST(udp_is_waited_for) {
  struct sockaddr_in at = {.sin_family = AF_INET,
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof at;
  int server = socket(AF_INET, SOCK_DGRAM, 0),
      client = socket(AF_INET, SOCK_DGRAM, 0);
  ck_assert_int_eq(bind(server, (struct sockaddr *)&at, sizeof at), 0);
  ck_assert_int_eq(getsockname(server, (struct sockaddr *)&at, &len), 0);
  struct io_call c = {.fd = server, .call = call_read};
  test_thread *t = start_io(&c);
  await_io(server, 1, 0);
  ck_assert_int_eq(gch_io_connect(client, (struct sockaddr *)&at, len), 0);
  put(client, "hello");
  thread_join(t);
  ck_assert_int_eq(c.err, 0);
  ck_assert_uint_eq(c.n, 5);
  ck_assert_int_eq(gch_io_close(client), 0);
  ck_assert_int_eq(gch_io_close(server), 0);
}
END_TEST

/* Deadlines of a descriptor */

START_TEST(only_what_is_adopted_has_a_deadline) {
  struct ends e = make_ends(_i);
  int err = is_adopted(_i) ? 0 : EINVAL;
  ck_assert_int_eq(gch_io_set_deadline(e.out, GCH_IO_READ, GCH_FOREVER), err);
  ck_assert_int_eq(gch_io_set_deadline(e.out, 0, GCH_FOREVER), EINVAL);
  close_ends(e);
}
END_TEST

START_TEST(a_passed_deadline_fails_without_a_try) {
  struct ends e = make_ends(SOCKETS_ADOPTED + 2 * _i);
  char c;
  put(e.in, "x");
  ck_assert_int_eq(gch_io_set_deadline(e.out, GCH_IO_READ, 1), 0);
  ck_assert_int_eq(gch_io_read(e.out, &c, 1, NULL), ETIMEDOUT);
  ck_assert_int_eq(gch_io_wait(e.out, GCH_IO_READ, NULL), ETIMEDOUT);
  ck_assert_int_eq(gch_select(GCH_READABLE(e.out), GCH_DEFAULT), 0);
  ck_assert_int_eq(gch_io_set_deadline(e.out, GCH_IO_READ, GCH_FOREVER), 0);
  expect(e.out, "x");
  close_ends(e);
}
END_TEST

START_TEST(a_new_deadline_is_for_those_who_wait_too) {
  struct ends e = make_ends(SOCKETS_ADOPTED + 2 * _i);
  struct io_call c[3];
  test_thread *t[3];
  for (size_t i = 0; i < 3; i++) {
    c[i] = (struct io_call){.fd = e.out, .call = call_read};
    t[i] = start_io(&c[i]);
    await_io(e.out, i + 1, 0);
  }
  ck_assert_int_eq(gch_io_set_deadline(e.out, GCH_IO_READ | GCH_IO_WRITE,
                                       gch_in(GCH_SECOND * 1000)),
                   0);
  await_io(e.out, 3, 0);
  ck_assert_int_eq(gch_io_set_deadline(e.out, GCH_IO_READ, gch_in(1000000)), 0);
  for (int i = 0; i < 3; i++) {
    thread_join(t[i]);
    ck_assert_int_eq(c[i].err, ETIMEDOUT);
  }
  close_ends(e);
}
END_TEST

START_TEST(who_waits_keeps_its_place_over_a_new_deadline) {
  enum { READERS = 4 };
  struct ends e = make_ends(SOCKETS_ADOPTED + 2 * _i);
  struct io_call c[READERS];
  test_thread *t[READERS];
  for (size_t i = 0; i < READERS; i++) {
    c[i] = (struct io_call){.fd = e.out, .call = call_read_full, .len = 1};
    t[i] = start_io(&c[i]);
    await_io(e.out, i + 1, 0);
  }
  for (int i = 0; i < 20; i++)
    ck_assert_int_eq(gch_io_set_deadline(e.out, GCH_IO_READ,
                                         gch_in(GCH_SECOND * 1000)),
                     0);
  await_io(e.out, READERS, 0);
  put(e.in, "abcd");
  for (int i = 0; i < READERS; i++) {
    thread_join(t[i]);
    ck_assert_int_eq(c[i].err, 0);
    ck_assert_int_eq(c[i].buf[0], 'a' + i);
  }
  close_ends(e);
}
END_TEST

START_TEST(a_later_deadline_lets_them_go_on) {
  struct ends e = make_ends(SOCKETS_ADOPTED + 2 * _i);
  struct io_call c = {.fd = e.out, .call = call_read};
  ck_assert_int_eq(
      gch_io_set_deadline(e.out, GCH_IO_READ, gch_in(200 * GCH_MILLISECOND)),
      0);
  test_thread *t = start_io(&c);
  await_io(e.out, 1, 0);
  ck_assert_int_eq(gch_io_set_deadline(e.out, GCH_IO_READ, GCH_FOREVER), 0);
  gch_sleep(210 * GCH_MILLISECOND);
  put(e.in, "x");
  thread_join(t);
  ck_assert_int_eq(c.err, 0);
  close_ends(e);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("io_socket");
  TCase *t = test_case(s, "connections");
  tcase_add_loop_test(t, a_connection_is_made_and_is_adopted, 0, 2);
  tcase_add_loop_test(t, accept_tells_who_has_come, 0, 2);
  tcase_add_loop_test(t, an_accept_gives_up, 0, 2);
  tcase_add_loop_test(t, a_close_ends_an_accept, 0, 2);
  tcase_add_loop_test(t, accept_wants_a_socket, 0, 2);
  tcase_add_test(t, a_connection_is_refused);
  tcase_add_test(t, a_unix_socket_with_a_full_backlog_is_waited_for);
  t = test_case(s, "messages");
  tcase_add_loop_test(t, messages_carry_descriptors, 0, 2);
  tcase_add_test(t, datagrams_keep_their_bounds);
  tcase_add_test(t, udp_is_waited_for);
  t = test_case(s, "deadlines");
  add_io_test(t, only_what_is_adopted_has_a_deadline);
  tcase_add_loop_test(t, a_passed_deadline_fails_without_a_try, 0, 2);
  tcase_add_loop_test(t, a_new_deadline_is_for_those_who_wait_too, 0, 2);
  tcase_add_loop_test(t, who_waits_keeps_its_place_over_a_new_deadline, 0, 2);
  tcase_add_loop_test(t, a_later_deadline_lets_them_go_on, 0, 2);
  return s;
}
