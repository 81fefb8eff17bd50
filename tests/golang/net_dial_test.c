/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's net/dial_test.go, and of lookup_test.go what is about giving up. The
   addresses of a name are what a list says (../net_fake.h). */
#include "conn_checks.h"
#include "../net_fake.h"

#include <netinet/in.h>

/* Takes the place of the C library's: the first `gate` wait until all of them
   are here. */
static atomic_int gate, connects;

int connect(int fd, const struct sockaddr *sa, socklen_t len) {
  static int (*real)(int, const struct sockaddr *, socklen_t);
  if (!real)
    *(void **)&real = dlsym(RTLD_NEXT, "connect");
  int want = atomic_load(&gate);
  if (atomic_fetch_add(&connects, 1) < want)
    while (atomic_load(&connects) < want)
      usleep(100);
  return real(fd, sa, len);
}

/* 127.0.0.1 listens, 127.0.0.2 does not answer, 127.0.0.3 refuses. */
struct world {
  int good, slow, port, clog[8];
};

static struct world world_new(void) {
  struct world w = {.good = listener("tcp4", "127.0.0.1:0")};
  w.port = port_of(w.good);
  struct sockaddr_in a = {.sin_family = AF_INET,
                          .sin_port = htons((uint16_t)w.port)};
  inet_pton(AF_INET, "127.0.0.2", &a.sin_addr);
  w.slow = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ok(bind(w.slow, (struct sockaddr *)&a, sizeof a));
  ok(listen(w.slow, 0));
  for (int i = 0; i < 8; i++) {
    w.clog[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    connect(w.clog[i], (struct sockaddr *)&a, sizeof a);
  }
  await_poller(w.good);
  atomic_store(&connects, 0);
  return w;
}

static void world_end(struct world *w) {
  gch_io_close(w->good);
  close(w->slow);
  for (int i = 0; i < 8; i++)
    close(w->clog[i]);
}

static int dial_list(const gch_ctx *ctx, const struct world *w,
                     const char *list, int *fd) {
  char address[512];
  snprintf(address, sizeof address, "list-%s:%d", list, w->port);
  return gch_net_dial(ctx, "tcp4", address, fd);
}

START_TEST(TestProhibitionaryDialArg) {
  struct world w = world_new();
  int fd;
  ck_assert_int_ne(gch_net_dial(bg(), "tcp6", "127.0.0.1:1", &fd), 0);
  ck_assert_int_ne(gch_net_dial(bg(), "tcp4", "[::1]:1", &fd), 0);
  ck_assert_int_ne(gch_net_dial(bg(), "tcp6", "[::ffff:127.0.0.1]:1", &fd), 0);
  world_end(&w);
}
END_TEST

START_TEST(TestDialLocal) {
  int ln = listener("tcp", "127.0.0.1:0"), fd;
  char address[32];
  snprintf(address, sizeof address, ":%d", port_of(ln));
  ok(gch_net_dial(bg(), "tcp", address, &fd));
  gch_io_close(fd);
  gch_io_close(ln);
}
END_TEST

START_TEST(TestDialerDualStackFDLeak) {
  struct world w = world_new();
  int before = fd_count();
  for (int i = 0; i < scaled(20); i++) {
    int fd;
    ok(dial_list(bg(), &w, "127.0.0.3,127.0.0.1,127.0.0.1,127.0.0.1", &fd));
    gch_io_close(fd);
  }
  ck_assert_int_eq(fd_count(), before);
  world_end(&w);
}
END_TEST

struct canceller {
  gch_ctx *ctx;
  int64_t after;
};

static void cancel_after(void *arg) {
  struct canceller *c = arg;
  gch_sleep(c->after);
  gch_ctx_cancel(c->ctx);
}

static const struct {
  const char *list;
  bool good, late; /* late: not before the head start of one or more */
} parallel[] = {
    {"127.0.0.1", true, false},
    {"127.0.0.1,127.0.0.1,127.0.0.2", true, false},
    {"127.0.0.2,127.0.0.1", true, true},
    {"127.0.0.3,127.0.0.1", true, false},
    {"127.0.0.2,127.0.0.3,127.0.0.1", true, true},
    {"127.0.0.3", false, false},
    {"127.0.0.3,127.0.0.3,127.0.0.3", false, false},
};
enum { PARALLEL = sizeof parallel / sizeof *parallel };

START_TEST(TestDialParallel) {
  struct world w = world_new();
  int64_t begun = gch_now();
  int fd, before = fd_count();
  int err = dial_list(bg(), &w, parallel[_i].list, &fd);
  ck_assert_int_eq(err, parallel[_i].good ? 0 : ECONNREFUSED);
  if (err == 0)
    gch_io_close(fd);
  if (parallel[_i].late)
    ck_assert_int_ge(gch_now() - begun, 299 * MS);

  /* Each can be cancelled. */
  struct canceller c = {gch_ctx_with_cancel(bg()), 2 * MS};
  test_thread *t = thread_start(cancel_after, &c);
  if (dial_list(c.ctx, &w, parallel[_i].list, &fd) == 0)
    gch_io_close(fd);
  thread_join(t);
  gch_ctx_end(c.ctx);
  ck_assert_int_eq(fd_count(), before);
  world_end(&w);
}
END_TEST

/* Both answer: one is given, the other closed, without a byte. */
START_TEST(TestDialParallelSpuriousConnection) {
  struct world w = world_new();
  int fd, got[2];
  char c;
  size_t n = 9;
  atomic_store(&gate, 2);
  ok(dial_list(bg(), &w, "127.0.0.1,127.0.0.1", &fd));
  atomic_store(&gate, 0);
  gch_io_close(fd);
  for (int i = 0; i < 2; i++) {
    got[i] = accepted(w.good);
    ok(gch_io_read(got[i], &c, 1, &n));
    ck_assert_uint_eq(n, 0);
    gch_io_close(got[i]);
  }
  world_end(&w);
}
END_TEST

START_TEST(TestDialCancel) {
  struct world w = world_new();
  struct canceller c = {gch_ctx_with_cancel(bg()), 5 * MS};
  char address[64];
  int fd;
  snprintf(address, sizeof address, "127.0.0.2:%d", w.port);
  test_thread *t = thread_start(cancel_after, &c);
  ck_assert_int_eq(gch_net_dial(c.ctx, "tcp", address, &fd), ECANCELED);
  thread_join(t);
  gch_ctx_end(c.ctx);
  world_end(&w);
}
END_TEST

/* A context that ends later does nothing to the connection. */
START_TEST(TestCancelAfterDial) {
  struct world w = world_new();
  char text[128];
  for (int i = 0; i < 10; i++) {
    gch_ctx *ctx = gch_ctx_with_timeout(bg(), GCH_HOUR);
    int fd, got;
    ok(gch_net_dial(ctx, "tcp", name_of(w.good, text), &fd));
    gch_ctx_end(ctx);
    got = accepted(w.good);
    expect_joined(fd, got);
    expect_joined(got, fd);
    gch_io_close(fd);
    gch_io_close(got);
  }
  world_end(&w);
}
END_TEST

START_TEST(TestDialWithNonZeroDeadline) {
  struct world w = world_new();
  char text[128];
  int fd;
  gch_ctx *ctx = gch_ctx_with_deadline(bg(), gch_in(GCH_HOUR));
  ok(gch_net_dial(ctx, "tcp", name_of(w.good, text), &fd));
  gch_io_close(fd);
  gch_ctx_end(ctx);
  world_end(&w);
}
END_TEST

/* lookup_test.go */

START_TEST(TestLookupContextCancel) {
  struct canceller c = {gch_ctx_with_cancel(bg()), 2 * MS};
  struct addrinfo *ai = NULL;
  test_thread *t = thread_start(cancel_after, &c);
  ck_assert_int_eq(gch_net_lookup(c.ctx, "hang", NULL, NULL, &ai), ECANCELED);
  ck_assert_ptr_null(ai);
  thread_join(t);
  gch_ctx_end(c.ctx);
  fake_open(true);
}
END_TEST

/* Giving up, again and again, leaves nothing behind. */
START_TEST(TestLookupHostCancel) {
  for (int i = 0; i < scaled(300); i++) {
    gch_ctx *ctx = gch_ctx_with_timeout(bg(), i % 5 * 20 * GCH_MICROSECOND);
    struct addrinfo *ai = NULL;
    int err = gch_net_lookup(ctx, "list-127.0.0.1", NULL, NULL, &ai);
    ck_assert(err == 0 || err == ETIMEDOUT);
    if (err == 0)
      freeaddrinfo(ai);
    gch_ctx_end(ctx);
  }
  while (atomic_load(&fake_lists) > 0)
    gch_sleep(100 * GCH_MICROSECOND);
}
END_TEST

START_TEST(TestLookupPort) {
  static const struct {
    const char *port;
    bool good;
  } of[] = {{"0", true},       {"echo", true},
            {"discard", true}, {"http", true},
            {"123", true},     {"65535", true},
            {"-1", false},     {"--badport--", false},
            {"65536", false},  {"123456789", false},
            {"", true}};
  for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
    char address[64];
    int fd;
    snprintf(address, sizeof address, "127.0.0.9:%s", of[i].port);
    int err = gch_net_dial(bg(), "tcp", address, &fd);
    ck_assert_msg((err == EINVAL) == !of[i].good, "%s: %s", of[i].port,
                  gch_strerror(err));
    if (err == 0)
      gch_io_close(fd);
  }
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("golang net/dial_test");
  TCase *t = test_case(s, "dial");
  tcase_add_test(t, TestProhibitionaryDialArg);
  tcase_add_test(t, TestDialLocal);
  tcase_add_test(t, TestDialerDualStackFDLeak);
  tcase_add_loop_test(t, TestDialParallel, 0, PARALLEL);
  tcase_add_test(t, TestDialParallelSpuriousConnection);
  tcase_add_test(t, TestDialCancel);
  tcase_add_test(t, TestCancelAfterDial);
  tcase_add_test(t, TestDialWithNonZeroDeadline);
  t = test_case(s, "lookup");
  tcase_add_test(t, TestLookupContextCancel);
  tcase_add_test(t, TestLookupHostCancel);
  tcase_add_test(t, TestLookupPort);
  return s;
}
