/* SPDX-License-Identifier: BSD-3-Clause */
/* Dialling: one address, several that race (RFC 8305), and giving up. */
#include "net_facts.h"
#include "net_fake.h"

#include <fcntl.h>
#include <sys/socket.h>

/* Takes the place of the C library's, and notes whom it was to reach. */
enum { NOTED = 32 };
static char noted[NOTED][INET6_ADDRSTRLEN];
static int64_t noted_at[NOTED];
static atomic_int connects;
static atomic_bool meets_self, met_self;

int connect(int fd, const struct sockaddr *sa, socklen_t len) {
  static int (*real)(int, const struct sockaddr *, socklen_t);
  if (!real)
    *(void **)&real = dlsym(RTLD_NEXT, "connect");
  int i = atomic_fetch_add(&connects, 1);
  if (i < NOTED && (sa->sa_family == AF_INET || sa->sa_family == AF_INET6)) {
    noted_at[i] = gch_now();
    inet_ntop(sa->sa_family,
              sa->sa_family == AF_INET
                  ? (const void *)&((const struct sockaddr_in *)sa)->sin_addr
                  : (const void *)&((const struct sockaddr_in6 *)sa)->sin6_addr,
              noted[i], sizeof noted[i]);
  }
  if (i == 0 && atomic_load(&meets_self))
    atomic_store(&met_self, bind(fd, sa, len) == 0);
  return real(fd, sa, len);
}

static void expect_order(const char *const *ips, int n) {
  ck_assert_int_eq(atomic_load(&connects), n);
  for (int i = 0; i < n; i++)
    ck_assert_str_eq(noted[i], ips[i]);
}

/* A port where 127.0.0.1 listens, nobody gets through at 127.0.0.2 and .7, as
   their backlogs are full, and others refuse. */
struct full {
  int fd, clog[8];
};

struct place {
  int good, port;
  struct full full[2];
};

static struct full fill(const char *ip, int port) {
  struct full f = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  struct sockaddr_in a = {.sin_family = AF_INET,
                          .sin_port = htons((uint16_t)port)};
  inet_pton(AF_INET, ip, &a.sin_addr);
  ck_assert_int_eq(bind(f.fd, (struct sockaddr *)&a, sizeof a), 0);
  ck_assert_int_eq(listen(f.fd, 0), 0);
  for (int i = 0; i < 8; i++) {
    f.clog[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    connect(f.clog[i], (struct sockaddr *)&a, sizeof a);
  }
  return f;
}

static struct place place_new(void) {
  struct place p = {.good = listener("tcp4", "127.0.0.1:0")};
  p.port = port_of(p.good);
  p.full[0] = fill("127.0.0.2", p.port);
  p.full[1] = fill("127.0.0.7", p.port);
  await_poller(p.good);
  atomic_store(&connects, 0);
  return p;
}

static void place_end(struct place *p) {
  gch_io_close(p->good);
  for (int k = 0; k < 2; k++) {
    close(p->full[k].fd);
    for (int i = 0; i < 8; i++)
      close(p->full[k].clog[i]);
  }
}

static int dial_list(const gch_ctx *ctx, const struct place *p,
                     const char *network, const char *list, int *fd) {
  char address[256];
  snprintf(address, sizeof address,
           strchr(list, ':') ? "[list-%s]:%d" : "list-%s:%d", list, p->port);
  return gch_net_dial(ctx, network, address, fd);
}

/* One address */

START_TEST(what_is_dialled_is_joined) {
  int fd = listener("tcp", "127.0.0.1:0");
  char text[128], other[128];
  int conn = dialled("tcp", name_of(fd, text)), got = accepted(fd);
  expect_joined(conn, got);
  expect_joined(got, conn);
  ok(gch_net_addr(conn, true, other, sizeof other));
  ck_assert_str_eq(other, text);
  gch_io_close(conn);
  gch_io_close(got);
  ok(gch_net_dial(bg(), "tcp", text, NULL)); /* and closed */
  gch_io_close(accepted(fd));
  gch_io_close(fd);
}
END_TEST

START_TEST(a_datagram_socket_is_dialled_too) {
  struct sockaddr_in a = {.sin_family = AF_INET};
  char text[128];
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
  ok(bind(fd, (struct sockaddr *)&a, sizeof a));
  int conn = dialled("udp", name_of(fd, text));
  expect_joined(conn, fd);
  gch_io_close(conn);
  close(fd);
}
END_TEST

START_TEST(what_is_not_there_is_told) {
  struct place p = place_new();
  char address[64];
  int fd = -7, before = fd_count();
  snprintf(address, sizeof address, "127.0.0.3:%d", p.port);
  errno = 77;
  ck_assert_int_eq(gch_net_dial(bg(), "tcp", address, &fd), ECONNREFUSED);
  ck_assert_int_eq(gch_net_dial(bg(), "unix", "/no/such/path", &fd), ENOENT);
  ck_assert_int_eq(gch_net_dial(bg(), "unix", "@no.such", &fd), ECONNREFUSED);
  ck_assert_int_eq(errno, 77);
  ck_assert_int_eq(fd, -7);
  ck_assert_int_eq(fd_count(), before);
  place_end(&p);
}
END_TEST

START_TEST(a_done_context_wins) {
  struct place p = place_new();
  gch_ctx *ctx = gch_ctx_with_cancel(bg());
  char text[128];
  int fd;
  gch_ctx_cancel(ctx);
  ck_assert_int_eq(gch_net_dial(ctx, "tcp", name_of(p.good, text), &fd),
                   ECANCELED);
  ck_assert_int_eq(gch_net_dial(ctx, "nonsense", "nonsense", &fd), ECANCELED);
  ck_assert_int_eq(atomic_load(&connects), 0);
  gch_ctx_end(ctx);
  place_end(&p);
}
END_TEST

START_TEST(who_gives_up_leaves_nothing_open) {
  struct place p = place_new();
  char address[64];
  int before = fd_count(), fd;
  snprintf(address, sizeof address, "127.0.0.2:%d", p.port);
  gch_ctx *ctx = gch_ctx_with_timeout(bg(), 10 * GCH_MILLISECOND);
  ck_assert_int_eq(gch_net_dial(ctx, "tcp", address, &fd), ETIMEDOUT);
  gch_ctx_end(ctx);
  ctx = gch_ctx_with_timeout(bg(), 400 * GCH_MILLISECOND);
  ck_assert_int_eq(dial_list(ctx, &p, "tcp", "127.0.0.2,127.0.0.2", &fd),
                   ETIMEDOUT);
  gch_ctx_end(ctx);
  ck_assert_int_eq(fd_count(), before);
  place_end(&p);
}
END_TEST

static void cancel_it(void *ctx) {
  await_count(&connects, 1);
  gch_ctx_cancel(ctx);
}

START_TEST(a_cancel_ends_it) {
  struct place p = place_new();
  int before = fd_count(), fd;
  for (int i = 0; i < 2; i++) {
    atomic_store(&connects, 0);
    gch_ctx *ctx = gch_ctx_with_cancel(bg());
    test_thread *t = thread_start(cancel_it, ctx);
    ck_assert_int_eq(
        dial_list(ctx, &p, "tcp", i ? "127.0.0.2,127.0.0.2" : "127.0.0.2", &fd),
        ECANCELED);
    thread_join(t);
    gch_ctx_end(ctx);
  }
  ck_assert_int_eq(fd_count(), before);
  place_end(&p);
}
END_TEST

/* Unless another process has just taken the port. */
START_TEST(a_connection_with_itself_is_none) {
  atomic_store(&meets_self, true);
  while (!atomic_load(&met_self)) {
    struct place p = place_new();
    char address[64];
    int fd, before = fd_count();
    snprintf(address, sizeof address, "127.0.0.4:%d", p.port);
    ck_assert_int_eq(gch_net_dial(bg(), "tcp", address, &fd), ECONNREFUSED);
    if (atomic_load(&met_self))
      ck_assert_int_eq(atomic_load(&connects), 2);
    ck_assert_int_eq(fd_count(), before);
    place_end(&p);
  }
}
END_TEST

/* Several */

START_TEST(one_that_refuses_makes_way_for_the_next) {
  struct place p = place_new();
  static const char *const order[] = {"127.0.0.3", "127.0.0.4", "127.0.0.1"};
  int fd, before = fd_count();
  ok(dial_list(bg(), &p, "tcp", "127.0.0.3,127.0.0.4,127.0.0.1,127.0.0.1",
               &fd));
  expect_order(order, 3);
  int got = accepted(p.good);
  expect_joined(fd, got);
  gch_io_close(fd);
  gch_io_close(got);
  ck_assert_int_eq(fd_count(), before);
  place_end(&p);
}
END_TEST

START_TEST(one_that_hangs_is_overtaken_after_300_ms) {
  struct place p = place_new();
  static const char *const order[] = {"127.0.0.2", "127.0.0.1"};
  int fd, before = fd_count();
  int64_t begun = gch_now();
  ok(dial_list(bg(), &p, "tcp", "127.0.0.2,127.0.0.1,127.0.0.3", &fd));
  expect_order(order, 2);
  ck_assert_int_ge(noted_at[1] - begun, 299 * GCH_MILLISECOND);
  ck_assert_int_eq(fd_count(), before + 1); /* the other is closed */
  int got = accepted(p.good);
  expect_joined(fd, got);
  gch_io_close(fd);
  gch_io_close(got);
  place_end(&p);
}
END_TEST

static void stop_listening(void *f) {
  await_count(&connects, 2);
  shutdown(((struct full *)f)->fd, SHUT_RDWR);
}

static void cancel_after_five(void *ctx) {
  await_count(&connects, 5);
  gch_ctx_cancel(ctx);
}

/* The first fails a second after its start: its SYN is sent once more, and now
   refused. The fourth has run for 100 ms then. */
START_TEST(one_that_fails_late_does_not_hurry_the_next) {
  struct place p = place_new();
  gch_ctx *ctx = gch_ctx_with_cancel(bg());
  test_thread *stop = thread_start(stop_listening, &p.full[0]);
  test_thread *end = thread_start(cancel_after_five, ctx);
  int64_t begun = gch_now();
  int fd;
  ck_assert_int_eq(
      dial_list(ctx, &p, "tcp",
                "127.0.0.2,127.0.0.7,127.0.0.7,127.0.0.7,127.0.0.7", &fd),
      ECANCELED);
  thread_join(stop);
  thread_join(end);
  for (int i = 1; i < 5; i++)
    ck_assert_int_ge(noted_at[i] - begun, i * 300 * GCH_MILLISECOND);
  gch_ctx_end(ctx);
  place_end(&p);
}
END_TEST

START_TEST(the_families_take_turns) {
  struct place p = place_new();
  static const char *const order[] = {"127.0.0.3", "::1",       "127.0.0.4",
                                      "::1",       "127.0.0.5", "127.0.0.6"};
  int fd;
  ck_assert_int_eq(dial_list(bg(), &p, "tcp",
                             "127.0.0.3,127.0.0.4,127.0.0.5,127.0.0.6,::1,::1",
                             &fd),
                   ECONNREFUSED);
  if (atomic_load(&connects) == 6) /* there is IPv6 */
    expect_order(order, 6);
  place_end(&p);
}
END_TEST

START_TEST(the_first_error_is_told) {
  struct place p = place_new();
  int fd;
  /* a network that can't be reached, or else one that may not be */
  int first = dial_list(bg(), &p, "tcp", "255.255.255.255", &fd);
  ck_assert_int_ne(first, ECONNREFUSED);
  ck_assert_int_eq(dial_list(bg(), &p, "tcp", "255.255.255.255,127.0.0.3", &fd),
                   first);
  ck_assert_int_eq(dial_list(bg(), &p, "tcp", "127.0.0.3,255.255.255.255", &fd),
                   ECONNREFUSED);
  place_end(&p);
}
END_TEST

struct many {
  struct place *p;
  int won;
};

static void dial_many(void *arg) {
  struct many *m = arg;
  for (int i = 0; i < scaled(30); i++) {
    gch_ctx *ctx = gch_ctx_with_timeout(bg(), i % 3 * 300 * GCH_MICROSECOND);
    int fd;
    int err = dial_list(i % 2 ? ctx : bg(), m->p, "tcp",
                        "127.0.0.3,127.0.0.1,127.0.0.1", &fd);
    ck_assert(err == 0 || (err == ETIMEDOUT && i % 2));
    if (err == 0)
      gch_io_close(fd);
    m->won += err == 0;
    gch_ctx_end(ctx);
  }
}

START_TEST(races_leave_nothing_open) {
  struct place p = place_new();
  enum { N = 4 };
  struct many m[N];
  test_thread *t[N];
  int before = fd_count();
  for (int i = 0; i < N; i++) {
    m[i] = (struct many){&p, 0};
    t[i] = thread_start(dial_many, &m[i]);
  }
  for (int i = 0; i < N; i++) {
    thread_join(t[i]);
    ck_assert_int_gt(m[i].won, 0);
  }
  ck_assert_int_eq(fd_count(), before);
  place_end(&p);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("net, dialling");
  TCase *t = test_case(s, "one address");
  tcase_add_test(t, what_is_dialled_is_joined);
  tcase_add_test(t, a_datagram_socket_is_dialled_too);
  tcase_add_test(t, what_is_not_there_is_told);
  tcase_add_test(t, a_done_context_wins);
  tcase_add_test(t, who_gives_up_leaves_nothing_open);
  tcase_add_test(t, a_cancel_ends_it);
  tcase_add_test(t, a_connection_with_itself_is_none);
  t = test_case(s, "several");
  tcase_add_test(t, one_that_refuses_makes_way_for_the_next);
  tcase_add_test(t, one_that_hangs_is_overtaken_after_300_ms);
  tcase_add_test(t, one_that_fails_late_does_not_hurry_the_next);
  tcase_add_test(t, the_families_take_turns);
  tcase_add_test(t, the_first_error_is_told);
  tcase_add_test(t, races_leave_nothing_open);
  return s;
}
