/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's net/timeout_test.go. */
#include "conn_checks.h"

#include <arpa/inet.h>

#define PAST 1 /* a time that has passed */

/* Dial */

/* 127.0.0.1's port of a listener whose backlog is full. */
struct full {
  int fd, clog[8];
  char name[128];
};

static void fill(struct full *f) {
  struct sockaddr_storage sa;
  socklen_t len = sizeof sa;
  f->fd = listener("tcp", "127.0.0.1:0");
  ok(listen(f->fd, 0));
  name_of(f->fd, f->name);
  ok(getsockname(f->fd, (struct sockaddr *)&sa, &len));
  for (int i = 0; i < 8; i++) {
    f->clog[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    connect(f->clog[i], (struct sockaddr *)&sa, len);
  }
}

static void unfill(struct full *f) {
  gch_io_close(f->fd);
  for (int i = 0; i < 8; i++)
    close(f->clog[i]);
}

START_TEST(TestDialTimeout) {
  static const struct {
    int64_t timeout, deadline; /* 0: none */
  } of[] = {
      {-5 * GCH_SECOND, 0},     {0, PAST},    {-5 * GCH_SECOND, GCH_FOREVER},
      {INT64_MIN, 0},           {50 * MS, 0}, {0, 50 * MS},
      {50 * MS, 5 * GCH_SECOND}};
  struct full f;
  fill(&f);
  for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
    int64_t deadline = of[i].deadline;
    if (deadline > PAST && deadline < GCH_FOREVER)
      deadline = gch_in(deadline);
    gch_ctx *outer =
        gch_ctx_with_deadline(bg(), deadline ? deadline : GCH_FOREVER);
    gch_ctx *ctx = gch_ctx_with_timeout(outer, of[i].timeout ? of[i].timeout
                                                             : GCH_FOREVER);
    int fd;
    ck_assert_int_eq(gch_net_dial(ctx, "tcp", f.name, &fd), ETIMEDOUT);
    gch_ctx_end(ctx);
    gch_ctx_end(outer);
  }
  unfill(&f);
}
END_TEST

START_TEST(TestDialTimeoutMaxDuration) {
  int ln = listener("tcp", "127.0.0.1:0"), fd;
  char text[128];
  gch_ctx *ctx = gch_ctx_with_timeout(bg(), INT64_MAX);
  ok(gch_net_dial(ctx, "tcp", name_of(ln, text), &fd));
  gch_io_close(fd);
  gch_ctx_end(ctx);
  gch_io_close(ln);
}
END_TEST

/* Accept */

START_TEST(TestAcceptTimeout) {
  int ln = listener("tcp", "127.0.0.1:0"), fd;
  char text[128];
  int conn = dialled("tcp", name_of(ln, text));
  ok(gch_io_set_deadline(ln, BOTH, PAST));
  for (int i = 0; i < 2; i++) /* even if there is one to accept */
    ck_assert_int_eq(gch_io_accept(ln, &fd, NULL, NULL), ETIMEDOUT);
  ok(gch_io_set_deadline(ln, BOTH, gch_in(GCH_HOUR)));
  gch_io_close(accepted(ln));
  ok(gch_io_set_deadline(ln, BOTH, gch_in(5 * MS)));
  for (int i = 0; i < 2; i++)
    ck_assert_int_eq(gch_io_accept(ln, &fd, NULL, NULL), ETIMEDOUT);
  gch_io_close(conn);
  gch_io_close(ln);
}
END_TEST

START_TEST(TestAcceptTimeoutMustReturn) {
  int ln = listener("tcp", "127.0.0.1:0"), fd;
  ok(gch_io_set_deadline(ln, BOTH, GCH_FOREVER));
  ok(gch_io_set_deadline(ln, BOTH, gch_in(10 * MS)));
  ck_assert_int_eq(gch_io_accept(ln, &fd, NULL, NULL), ETIMEDOUT);
  gch_io_close(ln);
}
END_TEST

START_TEST(TestAcceptTimeoutMustNotReturn) {
  struct waits w;
  int ln = listener("tcp", "127.0.0.1:0");
  ok(gch_io_set_deadline(ln, BOTH, PAST));
  ok(gch_io_set_deadline(ln, BOTH, GCH_FOREVER));
  begin(&w, accepts, ln);
  expect_no_return(&w);
  gch_io_close(ln);
  ck_assert_int_eq(expect_return(&w), EBADF);
}
END_TEST

/* Read */

START_TEST(TestReadTimeout) {
  struct pair p = pair_of(networks[_i]);
  char c[64];
  size_t n = 9;
  ok(gch_io_write(p.b, "READ TIMEOUT TEST", 17, NULL));
  ok(gch_io_set_deadline(p.a, GCH_IO_READ, PAST));
  for (int i = 0; i < 2; i++) {
    ck_assert_int_eq(gch_io_read(p.a, c, 1, &n), ETIMEDOUT);
    ck_assert_uint_eq(n, 0);
  }
  ok(gch_io_set_deadline(p.a, GCH_IO_READ, gch_in(GCH_HOUR)));
  ok(gch_io_read(p.a, c, sizeof c, &n));
  ok(gch_io_set_deadline(p.a, GCH_IO_READ, gch_in(5 * MS)));
  for (int i = 0; i < 2; i++) {
    ck_assert_int_eq(gch_io_read(p.a, c, 1, &n), ETIMEDOUT);
    ck_assert_uint_eq(n, 0);
  }
  pair_end(&p);
}
END_TEST

START_TEST(TestReadTimeoutMustNotReturn) {
  struct pair p = pair_of(networks[_i]);
  struct waits w;
  ok(gch_io_set_deadline(p.a, BOTH, PAST));
  ok(gch_io_set_deadline(p.a, GCH_IO_WRITE, PAST));
  ok(gch_io_set_deadline(p.a, GCH_IO_READ, GCH_FOREVER));
  begin(&w, reads, p.a);
  expect_no_return(&w);
  close_end(&p.a);
  ck_assert_int_eq(expect_return(&w), EBADF);
  pair_end(&p);
}
END_TEST

static int udp(char text[128]) {
  struct sockaddr_in a = {.sin_family = AF_INET,
                          .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ok(bind(fd, (struct sockaddr *)&a, sizeof a));
  ok(gch_io_adopt(fd));
  name_of(fd, text);
  return fd;
}

static int recv_from(int fd, size_t *n) {
  char c[64];
  struct iovec v = {c, sizeof c};
  struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
  return gch_io_recvmsg(fd, &m, 0, n);
}

START_TEST(TestReadFromTimeout) {
  char text[128];
  size_t n;
  int fd = udp(text), to = dialled("udp", text);
  ok(gch_io_write(to, "x", 1, NULL));
  ok(gch_io_set_deadline(fd, GCH_IO_READ, PAST));
  for (int i = 0; i < 2; i++)
    ck_assert_int_eq(recv_from(fd, &n), ETIMEDOUT);
  ok(gch_io_set_deadline(fd, GCH_IO_READ, gch_in(GCH_HOUR)));
  ok(recv_from(fd, &n));
  ck_assert_uint_eq(n, 1);
  ok(gch_io_set_deadline(fd, GCH_IO_READ, gch_in(5 * MS)));
  for (int i = 0; i < 2; i++)
    ck_assert_int_eq(recv_from(fd, &n), ETIMEDOUT);
  gch_io_close(to);
  gch_io_close(fd);
}
END_TEST

/* Write */

START_TEST(TestWriteTimeout) {
  struct pair p = pair_of(networks[_i]);
  struct waits w;
  size_t n = 9;
  ok(gch_io_set_deadline(p.a, GCH_IO_WRITE, PAST));
  for (int i = 0; i < 2; i++) {
    ck_assert_int_eq(gch_io_write(p.a, "x", 1, &n), ETIMEDOUT);
    ck_assert_uint_eq(n, 0);
  }
  ok(gch_io_set_deadline(p.a, GCH_IO_WRITE, gch_in(10 * MS)));
  begin(&w, writes, p.a);
  ck_assert_int_eq(expect_return(&w), ETIMEDOUT);
  pair_end(&p);
}
END_TEST

START_TEST(TestWriteTimeoutMustNotReturn) {
  struct pair p = pair_of(networks[_i]);
  struct waits w;
  ok(gch_io_set_deadline(p.a, BOTH, PAST));
  ok(gch_io_set_deadline(p.a, GCH_IO_READ, PAST));
  ok(gch_io_set_deadline(p.a, GCH_IO_WRITE, GCH_FOREVER));
  begin(&w, writes, p.a);
  expect_no_return(&w);
  close_end(&p.a);
  ck_assert_int_eq(expect_return(&w), EBADF);
  pair_end(&p);
}
END_TEST

START_TEST(TestWriteToTimeout) {
  char text[128];
  size_t n;
  int fd = udp(text), to = dialled("udp", text);
  ok(gch_io_set_deadline(to, GCH_IO_WRITE, PAST));
  for (int i = 0; i < 2; i++)
    ck_assert_int_eq(gch_io_write(to, "x", 1, &n), ETIMEDOUT);
  ok(gch_io_set_deadline(to, GCH_IO_WRITE, gch_in(GCH_HOUR)));
  ok(gch_io_write(to, "x", 1, &n));
  gch_io_close(to);
  gch_io_close(fd);
}
END_TEST

/* Again and again: each times out, and not before its time. */
static void fluctuate(int fd, int events, int (*call)(struct waits *)) {
  for (int64_t timeout = 100 * GCH_MICROSECOND; timeout < 20 * MS;
       timeout = timeout * 3 / 2) {
    int64_t deadline = gch_in(timeout);
    struct waits w = {.fd = fd};
    ok(gch_io_set_deadline(fd, events, deadline));
    ck_assert_int_eq(call(&w), ETIMEDOUT);
    ck_assert_int_ge(gch_now(), deadline);
  }
}

START_TEST(TestReadTimeoutFluctuation) {
  struct pair p = pair_of(networks[_i]);
  fluctuate(p.a, GCH_IO_READ, reads);
  pair_end(&p);
}
END_TEST

START_TEST(TestReadFromTimeoutFluctuation) {
  char text[128];
  int fd = udp(text);
  fluctuate(fd, GCH_IO_READ, reads);
  gch_io_close(fd);
}
END_TEST

START_TEST(TestWriteTimeoutFluctuation) {
  struct pair p = pair_of(networks[_i]);
  fluctuate(p.a, GCH_IO_WRITE, writes);
  pair_end(&p);
}
END_TEST

/* Deadlines */

static void write_for_ever(void *arg) {
  struct waits w = {.fd = *(int *)arg};
  writes(&w);
}

/* A reader of an endless stream stops at its deadline, however near. */
START_TEST(TestVariousDeadlines) {
  static const int64_t timeouts[] = {1,   2,    5,       50,      100,     200,
                                     500, 1000, 1000000, 5000000, 15000000};
  for (size_t i = 0; i < sizeof timeouts / sizeof *timeouts; i++)
    for (int run = 0; run < 2; run++) {
      struct pair p = pair_of(networks[_i]);
      test_thread *t = thread_start(write_for_ever, &p.b);
      ok(gch_io_set_deadline(p.a, BOTH, gch_in(timeouts[i])));
      struct waits w = {.fd = p.a};
      int err;
      while ((err = reads(&w)) == 0)
        ;
      ck_assert_int_eq(err, ETIMEDOUT);
      close_end(&p.a);
      thread_join(t);
      pair_end(&p);
    }
}
END_TEST

/* Each call sets a new deadline, in both directions at once: none is late. */
struct prolong {
  int fd, way;
};

static void prolong(void *arg) {
  struct prolong *p = arg;
  char c[8] = {0};
  for (int i = 0; i < scaled(500); i++) {
    ok(gch_io_set_deadline(p->fd, p->way, gch_in(GCH_HOUR)));
    if (p->way == GCH_IO_WRITE)
      ok(gch_io_write(p->fd, c, 1, NULL));
    else
      ok(gch_io_read_full(p->fd, c, 1, NULL));
  }
}

START_TEST(TestReadWriteProlongedTimeout) {
  struct pair p = pair_of(networks[_i]);
  struct prolong of[4] = {{p.a, GCH_IO_READ},
                          {p.a, GCH_IO_WRITE},
                          {p.b, GCH_IO_READ},
                          {p.b, GCH_IO_WRITE}};
  test_thread *t[4];
  for (int i = 0; i < 4; i++)
    t[i] = thread_start(prolong, &of[i]);
  for (int i = 0; i < 4; i++)
    thread_join(t[i]);
  pair_end(&p);
}
END_TEST

static void set_deadlines(void *arg) {
  int fd = *(int *)arg;
  for (int i = 0; i < scaled(1000); i++) {
    ok(gch_io_set_deadline(fd, GCH_IO_READ, gch_in(1000 + i)));
    ok(gch_io_set_deadline(fd, GCH_IO_WRITE, gch_in(1000 + i)));
    ok(gch_io_set_deadline(fd, BOTH, gch_in(2 * GCH_MICROSECOND)));
  }
}

static void use_it(void *arg) {
  int fd = *(int *)arg;
  char c = 0;
  for (int i = 0; i < scaled(1000); i++) {
    int err =
        i % 2 ? gch_io_read(fd, &c, 1, NULL) : gch_io_write(fd, &c, 1, NULL);
    ck_assert(err == 0 || err == ETIMEDOUT);
  }
}

START_TEST(TestReadWriteDeadlineRace) {
  struct pair p = pair_of(networks[_i]);
  test_thread *t[3];
  for (int i = 0; i < 3; i++)
    t[i] = thread_start(i ? use_it : set_deadlines, &p.a);
  for (int i = 0; i < 3; i++)
    thread_join(t[i]);
  pair_end(&p);
}
END_TEST

START_TEST(TestConcurrentSetDeadline) {
  enum { N = 8 };
  struct pair p[N];
  test_thread *t[2 * N];
  for (int i = 0; i < N; i++) {
    p[i] = pair_of("tcp");
    t[2 * i] = thread_start(set_deadlines, &p[i].a);
    t[2 * i + 1] = thread_start(set_deadlines, &p[i].a);
  }
  for (int i = 0; i < 2 * N; i++)
    thread_join(t[i]);
  for (int i = 0; i < N; i++)
    pair_end(&p[i]);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("golang net/timeout_test");
  TCase *t = test_case(s, "dial and accept");
  tcase_add_test(t, TestDialTimeout);
  tcase_add_test(t, TestDialTimeoutMaxDuration);
  tcase_add_test(t, TestAcceptTimeout);
  tcase_add_test(t, TestAcceptTimeoutMustReturn);
  tcase_add_test(t, TestAcceptTimeoutMustNotReturn);
  t = test_case(s, "read and write");
  tcase_add_loop_test(t, TestReadTimeout, 0, NETWORKS);
  tcase_add_loop_test(t, TestReadTimeoutMustNotReturn, 0, NETWORKS);
  tcase_add_test(t, TestReadFromTimeout);
  tcase_add_loop_test(t, TestWriteTimeout, 0, NETWORKS);
  tcase_add_loop_test(t, TestWriteTimeoutMustNotReturn, 0, NETWORKS);
  tcase_add_test(t, TestWriteToTimeout);
  tcase_add_loop_test(t, TestReadTimeoutFluctuation, 0, NETWORKS);
  tcase_add_test(t, TestReadFromTimeoutFluctuation);
  tcase_add_loop_test(t, TestWriteTimeoutFluctuation, 0, NETWORKS);
  t = test_case(s, "deadlines");
  tcase_add_loop_test(t, TestVariousDeadlines, 0, 2);
  tcase_add_loop_test(t, TestReadWriteProlongedTimeout, 0, 2);
  tcase_add_loop_test(t, TestReadWriteDeadlineRace, 0, 2);
  tcase_add_test(t, TestConcurrentSetDeadline);
  return s;
}
