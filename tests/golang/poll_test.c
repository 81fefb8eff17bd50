/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's internal/poll/fd_mutex_test.go, as what it is for: calls on one
   descriptor take turns, in each direction, and a close ends them all. And of
   net/http the accept that finds no descriptor. */
#include "conn_checks.h"

#include <sys/resource.h>

START_TEST(TestMutexLock) {
  struct pair p = pair_of("unix");
  expect_joined(p.a, p.b);
  expect_joined(p.a, p.b); /* the turn was given back, */
  expect_joined(p.b, p.a); /* and each direction has its own */
  struct waits w;
  begin(&w, reads, p.a);
  ok(gch_io_write(p.a, "x", 1, NULL));
  ok(gch_io_write(p.b, "x", 1, NULL));
  ok(expect_return(&w));
  pair_end(&p);
}
END_TEST

START_TEST(TestMutexClose) {
  struct pair p = pair_of("unix");
  char c;
  ok(gch_io_close(p.a));
  ck_assert_int_eq(gch_io_read(p.a, &c, 1, NULL), EBADF);
  ck_assert_int_eq(gch_io_write(p.a, &c, 1, NULL), EBADF);
  ck_assert_int_eq(gch_io_wait(p.a, GCH_IO_READ, NULL), EBADF);
  ck_assert_int_eq(gch_io_close(p.a), EBADF);
  p.a = -1;
  pair_end(&p);
}
END_TEST

START_TEST(TestMutexCloseUnblock) {
  enum { N = 5 };
  for (int i = 0; i < scaled(50); i++) {
    struct pair p = pair_of("unix");
    struct waits w[N];
    for (int k = 0; k < N; k++)
      begin(&w[k], reads, p.a);
    if (i % 2)
      expect_no_return(&w[i % N]);
    close_end(&p.a);
    for (int k = 0; k < N; k++)
      ck_assert_int_eq(expect_return(&w[k]), EBADF);
    pair_end(&p);
  }
}
END_TEST

/* Each writes records of its own byte, longer than the socket's buffer has room
   for at once; a reader of whole records sees no mixture. */
enum { RECORD = 100000, WRITERS = 3 };

struct writer {
  int fd, records;
  char byte;
};

static void write_records(void *arg) {
  struct writer *w = arg;
  char *record = malloc(RECORD);
  memset(record, w->byte, RECORD);
  for (int i = 0; i < w->records; i++)
    ok(gch_io_write(w->fd, record, RECORD, NULL));
  free(record);
}

static void read_records(void *arg) {
  struct writer *w = arg;
  char *record = malloc(RECORD);
  for (int i = 0; i < w->records; i++) {
    ok(gch_io_read_full(w->fd, record, RECORD, NULL));
    for (int k = 1; k < RECORD; k++)
      ck_assert_int_eq(record[k], record[0]);
  }
  free(record);
}

START_TEST(TestMutexStress) {
  struct pair p = pair_of(networks[_i]);
  int n = scaled(30);
  struct writer w[WRITERS], r[WRITERS];
  test_thread *t[2 * WRITERS];
  for (int i = 0; i < WRITERS; i++) {
    w[i] = (struct writer){p.a, n, (char)('a' + i)};
    r[i] = (struct writer){p.b, n, 0};
    t[i] = thread_start(write_records, &w[i]);
    t[WRITERS + i] = thread_start(read_records, &r[i]);
  }
  for (int i = 0; i < 2 * WRITERS; i++)
    thread_join(t[i]);
  pair_end(&p);
}
END_TEST

/* net/http: a server that gets EMFILE goes on, and ends by its listener. */

struct http {
  int ln, err;
  gch_chan *over;
};

static void pass(const gch_ctx *ctx, int conn, void *arg) {
  (void)ctx;
  (void)conn;
  (void)arg;
}

static void serve(void *arg) {
  struct http *h = arg;
  h->err = gch_net_serve(bg(), h->ln, 0, pass, NULL);
  gch_close(h->over);
}

START_TEST(TestAcceptMaxFds) {
  struct http h = {listener("tcp", "127.0.0.1:0"), 0, gch_make(0, 0)};
  struct rlimit old, none;
  char text[128];
  await_poller(h.ln);
  int fd = dialled("tcp", name_of(h.ln, text));
  ok(getrlimit(RLIMIT_NOFILE, &old));
  none = old;
  none.rlim_cur = 0;
  ok(setrlimit(RLIMIT_NOFILE, &none));
  ok(gch_go(serve, &h));
  ck_assert_int_eq(gch_recv_until(h.over, NULL, gch_in(30 * MS)), ETIMEDOUT);
  ok(setrlimit(RLIMIT_NOFILE, &old));
  char c;
  size_t n = 9;
  ok(gch_io_read(fd, &c, 1, &n)); /* it was accepted then, and closed */
  ck_assert_uint_eq(n, 0);
  gch_io_close(h.ln);
  gch_recv(h.over, NULL);
  ck_assert_int_eq(h.err, EBADF);
  gch_io_close(fd);
  gch_unref(h.over);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("golang internal/poll");
  TCase *t = test_case(s, "fd_mutex_test");
  tcase_add_test(t, TestMutexLock);
  tcase_add_test(t, TestMutexClose);
  tcase_add_test(t, TestMutexCloseUnblock);
  tcase_add_loop_test(t, TestMutexStress, 0, 2);
  t = test_case(s, "net/http");
  tcase_add_test(t, TestAcceptMaxFds);
  return s;
}
