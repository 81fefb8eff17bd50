/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's net/net_test.go, conn_test.go, server_test.go, listen_test.go. */
#include "conn_checks.h"

#include <dlfcn.h>
#include <netinet/in.h>

/* Takes the place of the C library's: the first are broken off. */
static atomic_int aborted;

int accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags) {
  static int (*real)(int, struct sockaddr *, socklen_t *, int);
  if (!real)
    *(void **)&real = dlsym(RTLD_NEXT, "accept4");
  if (atomic_load(&aborted) > 0) {
    atomic_fetch_sub(&aborted, 1);
    errno = ECONNABORTED;
    return -1;
  }
  return real(fd, sa, len, flags);
}

START_TEST(TestCloseRead) {
  struct pair p = pair_of(networks[_i]);
  char c;
  size_t n = 9;
  ok(shutdown(p.a, SHUT_RD));
  ok(gch_io_read(p.a, &c, 1, &n)); /* the end: Go's io.EOF */
  ck_assert_uint_eq(n, 0);
  pair_end(&p);
}
END_TEST

START_TEST(TestCloseWrite) {
  struct pair p = pair_of(networks[_i]);
  char c = 0;
  size_t n = 9;
  ok(shutdown(p.a, SHUT_WR));
  ok(gch_io_read(p.b, &c, 1, &n));
  ck_assert_uint_eq(n, 0);
  ok(shutdown(p.b, SHUT_WR));
  ck_assert_int_eq(gch_io_write(p.b, &c, 1, NULL), EPIPE);
  ok(gch_io_read(p.a, &c, 1, &n));
  ck_assert_uint_eq(n, 0);
  ck_assert_int_eq(gch_io_write(p.a, &c, 1, NULL), EPIPE);
  pair_end(&p);
}
END_TEST

START_TEST(TestConnClose) {
  struct pair p = pair_of(networks[_i]);
  char c;
  size_t n = 9;
  ok(gch_io_close(p.a));
  ck_assert_int_eq(gch_io_read(p.a, &c, 1, &n), EBADF);
  ck_assert_uint_eq(n, 0);
  ck_assert_int_eq(gch_io_close(p.a), EBADF);
  p.a = -1;
  pair_end(&p);
}
END_TEST

START_TEST(TestListenerClose) {
  int ln = listen_on(networks[_i]), fd;
  ok(gch_io_close(ln));
  ck_assert_int_eq(gch_io_accept(ln, &fd, NULL, NULL), EBADF);
}
END_TEST

START_TEST(TestListenCloseListen) {
  enum { TRIES = 10 };
  char text[128];
  int err = -1;
  for (int i = 0; i < TRIES && err != 0; i++) {
    int ln = listener("tcp", "127.0.0.1:0");
    name_of(ln, text);
    ok(gch_io_close(ln));
    err = gch_net_listen("tcp", text, &ln); /* somebody else may have it */
    if (err == 0)
      gch_io_close(ln);
  }
  ok(err);
}
END_TEST

START_TEST(TestAcceptIgnoreAbortedConnRequest) {
  int ln = listener("tcp", "127.0.0.1:0");
  char text[128];
  int conn = dialled("tcp", name_of(ln, text));
  atomic_store(&aborted, 3);
  gch_io_close(accepted(ln));
  ck_assert_int_eq(atomic_load(&aborted), 0);
  gch_io_close(conn);
  gch_io_close(ln);
}
END_TEST

START_TEST(TestZeroByteRead) {
  struct pair p = pair_of(networks[_i]);
  size_t n = 9;
  ok(gch_io_read(p.a, NULL, 0, &n));
  ck_assert_uint_eq(n, 0);
  ok(gch_io_read(p.b, NULL, 0, &n));
  pair_end(&p);
}
END_TEST

START_TEST(TestReadTimeoutUnblocksRead) {
  for (int i = 0; i < scaled(100); i++) {
    struct pair p = pair_of(networks[_i]);
    struct waits w;
    begin(&w, reads, p.a);
    if (i % 2)
      gch_yield();
    ok(gch_io_set_deadline(p.a, GCH_IO_READ, 1));
    ck_assert_int_eq(expect_return(&w), ETIMEDOUT);
    ck_assert_uint_eq(w.n, 0);
    pair_end(&p);
  }
}
END_TEST

START_TEST(TestCloseUnblocksRead) {
  for (int i = 0; i < scaled(100); i++) {
    struct pair p = pair_of(networks[_i]);
    struct waits w;
    begin(&w, reads, p.a);
    if (i % 2)
      gch_yield();
    close_end(&p.b);
    ok(expect_return(&w));
    ck_assert_uint_eq(w.n, 0);
    pair_end(&p);
  }
}
END_TEST

START_TEST(TestNotTemporaryRead) {
  struct pair p = pair_of("tcp");
  struct linger linger = {1, 0};
  char c;
  ok(setsockopt(p.b, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
  close_end(&p.b);
  ck_assert_int_eq(gch_io_read(p.a, &c, 1, NULL), ECONNRESET);
  pair_end(&p);
}
END_TEST

/* listen_test.go: who waits for a connection hears of the close, and another
   may listen there at once. */
START_TEST(TestClosingListener) {
  int ln = listen_on(networks[_i]), other;
  char text[128];
  struct waits w;
  name_of(ln, text);
  begin(&w, accepts, ln);
  if (_i % 2)
    gch_yield();
  gch_io_close(ln);
  ck_assert_int_eq(expect_return(&w), EBADF);
  ok(gch_net_listen(networks[_i], text, &other));
  gch_io_close(other);
}
END_TEST

/* conn_test.go, server_test.go: many connections to one listener. */
static void echo_once(const gch_ctx *ctx, int conn, void *arg) {
  char c[16];
  size_t n;
  (void)arg;
  ok(gch_io_read_full_ctx(ctx, conn, c, 5, &n));
  ok(gch_io_write(conn, c, 5, NULL));
}

struct served {
  gch_ctx *ctx;
  int ln, net;
};

static void serve(void *arg) {
  struct served *s = arg;
  ok(gch_net_serve(s->ctx, s->ln, 0, echo_once, NULL));
}

static void transceive(void *arg) {
  struct served *s = arg;
  char text[128], c[8] = "";
  int fd = dialled(networks[s->net], name_of(s->ln, text));
  ok(gch_net_addr(fd, true, text, sizeof text));
  ok(gch_io_write(fd, "HELLO", 5, NULL));
  ok(gch_io_read_full(fd, c, 5, NULL));
  ck_assert_str_eq(c, "HELLO");
  gch_io_close(fd);
}

START_TEST(TestConnAndListener) {
  enum { N = 10 };
  struct served s = {gch_ctx_with_cancel(bg()), listen_on(networks[_i]), _i};
  test_thread *server = thread_start(serve, &s), *t[N];
  for (int i = 0; i < N; i++)
    t[i] = thread_start(transceive, &s);
  for (int i = 0; i < N; i++)
    thread_join(t[i]);
  gch_ctx_cancel(s.ctx);
  thread_join(server);
  gch_ctx_end(s.ctx);
  gch_io_close(s.ln);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("golang net/net_test");
  TCase *t = test_case(s, "net");
  tcase_add_loop_test(t, TestCloseRead, 0, NETWORKS);
  tcase_add_loop_test(t, TestCloseWrite, 0, NETWORKS);
  tcase_add_loop_test(t, TestConnClose, 0, NETWORKS);
  tcase_add_loop_test(t, TestListenerClose, 0, NETWORKS);
  tcase_add_test(t, TestListenCloseListen);
  tcase_add_test(t, TestAcceptIgnoreAbortedConnRequest);
  tcase_add_loop_test(t, TestZeroByteRead, 0, NETWORKS);
  tcase_add_loop_test(t, TestReadTimeoutUnblocksRead, 0, NETWORKS);
  tcase_add_loop_test(t, TestCloseUnblocksRead, 0, NETWORKS);
  tcase_add_test(t, TestNotTemporaryRead);
  tcase_add_loop_test(t, TestClosingListener, 0, NETWORKS);
  tcase_add_loop_test(t, TestConnAndListener, 0, NETWORKS);
  return s;
}
