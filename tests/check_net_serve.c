/* SPDX-License-Identifier: BSD-3-Clause */
/* A server's loop: whom it serves, how many at once, what it does where
   something is short, and when it returns. */
#include "net_facts.h"

#include <stdatomic.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

/* One that runs. */
struct server {
  gch_ctx *ctx;
  int fd, limit, err;
  void (*handler)(const gch_ctx *ctx, int conn, void *arg);
  void *arg;
  char name[128];
  gch_chan *over;
};

static void run(void *arg) {
  struct server *s = arg;
  s->err = gch_net_serve(s->ctx, s->fd, s->limit, s->handler, s->arg);
  gch_close(s->over);
}

static void start_below(const gch_ctx *parent, struct server *s, int limit,
                        void (*handler)(const gch_ctx *ctx, int conn,
                                        void *arg),
                        void *arg) {
  s->ctx = gch_ctx_with_cancel(parent);
  s->fd = listener("tcp", "127.0.0.1:0");
  name_of(s->fd, s->name);
  s->limit = limit;
  s->handler = handler;
  s->arg = arg;
  s->over = gch_make(0, 0);
  ok(gch_go(run, s));
}

static void start(struct server *s, int limit,
                  void (*handler)(const gch_ctx *ctx, int conn, void *arg),
                  void *arg) {
  start_below(bg(), s, limit, handler, arg);
}

/* What it returned. */
static int stop(struct server *s) {
  gch_ctx_cancel(s->ctx);
  gch_recv(s->over, NULL);
  gch_io_close(s->fd);
  gch_unref(s->over);
  gch_ctx_end(s->ctx);
  return s->err;
}

static void echo(const gch_ctx *ctx, int conn, void *arg) {
  char buf[64];
  size_t n;
  (void)arg;
  while (gch_io_read_ctx(ctx, conn, buf, sizeof buf, &n) == 0 && n > 0)
    ok(gch_io_write(conn, buf, n, NULL));
}

static void expect_echo(int fd) {
  char c = 'y';
  size_t n;
  ok(gch_io_write(fd, "x", 1, NULL));
  ok(gch_io_read(fd, &c, 1, &n));
  ck_assert_uint_eq(n, 1);
  ck_assert_int_eq(c, 'x');
}

static void expect_end(int fd) {
  char c;
  size_t n = 9;
  int err = gch_io_read(fd, &c, 1, &n);
  ck_assert(err == ECONNRESET || (err == 0 && n == 0));
}

/* Serving */

static void be_client(void *arg) {
  struct server *s = arg;
  for (int i = 0; i < scaled(20); i++) {
    int fd = dialled("tcp", s->name);
    for (int k = 0; k < 5; k++)
      expect_echo(fd);
    gch_io_close(fd);
  }
}

START_TEST(all_are_served) {
  struct server s;
  test_thread *t[8];
  start(&s, _i, echo, NULL);
  for (int i = 0; i < 8; i++)
    t[i] = thread_start(be_client, &s);
  for (int i = 0; i < 8; i++)
    thread_join(t[i]);
  ok(stop(&s));
}
END_TEST

START_TEST(wrong_arguments_are_told) {
  int fd = listener("tcp", "127.0.0.1:0");
  ck_assert_int_eq(gch_net_serve(bg(), fd, 0, NULL, NULL), EINVAL);
  ck_assert_int_eq(gch_net_serve(bg(), fd, -1, echo, NULL), EINVAL);
  gch_io_close(fd);
  ck_assert_int_eq(gch_net_serve(bg(), fd, 0, echo, NULL), EBADF);
  int p[2];
  ok(pipe(p));
  ck_assert_int_eq(gch_net_serve(bg(), p[0], 0, echo, NULL), ENOTSOCK);
  close(p[0]);
  close(p[1]);
}
END_TEST

struct crowd {
  atomic_int in, most, all;
  gch_chan *gate;
};

static void enter(struct crowd *c) {
  int n = atomic_fetch_add(&c->in, 1) + 1, most = atomic_load(&c->most);
  while (n > most && !atomic_compare_exchange_weak(&c->most, &most, n))
    ;
  atomic_fetch_add(&c->all, 1);
}

static void stay(const gch_ctx *ctx, int conn, void *arg) {
  struct crowd *c = arg;
  (void)ctx;
  (void)conn;
  enter(c);
  gch_recv(c->gate, NULL);
  atomic_fetch_sub(&c->in, 1);
}

START_TEST(no_more_than_the_limit_at_once) {
  enum { LIMIT = 3, MANY = 20 };
  struct crowd c = {.gate = gch_make(0, 0)};
  struct server s;
  int fd[MANY];
  start(&s, LIMIT, stay, &c);
  for (int i = 0; i < MANY; i++)
    fd[i] = dialled("tcp", s.name);
  await_waiting(c.gate, 0, LIMIT);
  for (int i = 0; i < MANY; i++)
    gch_send(c.gate, NULL);
  for (int i = 0; i < MANY; i++)
    expect_end(fd[i]);
  ck_assert_int_eq(atomic_load(&c.most), LIMIT);
  ck_assert_int_eq(atomic_load(&c.all), MANY);
  ok(stop(&s));
  for (int i = 0; i < MANY; i++)
    gch_io_close(fd[i]);
  gch_unref(c.gate);
}
END_TEST

/* The handlers' contexts and connections */

static int key;

struct seen {
  const void *value;
  const gch_ctx *ctx;
  gch_chan *entered, *done;
  int dup;
};

static void look(const gch_ctx *ctx, int conn, void *arg) {
  struct seen *seen = arg;
  seen->value = gch_ctx_value(ctx, &key);
  seen->ctx = gch_ctx_ref(ctx);
  seen->dup = dup(conn);
  gch_close(seen->entered);
  gch_recv(seen->done, NULL);
  ck_assert_int_eq(gch_ctx_err(ctx), 0);
}

START_TEST(a_handlers_context_is_a_child_and_ends_with_it) {
  struct seen seen = {.entered = gch_make(0, 0), .done = gch_make(0, 0)};
  const gch_ctx *parent = gch_ctx_with_value(bg(), &key, "value");
  struct server s;
  start_below(parent, &s, 0, look, &seen);
  int fd = dialled("tcp", s.name);
  gch_recv(seen.entered, NULL);
  ck_assert_str_eq(seen.value, "value");
  gch_close(seen.done);
  gch_recv(gch_ctx_done(seen.ctx), NULL);
  ck_assert_int_eq(gch_ctx_err(seen.ctx), ECANCELED);
  ck_assert_int_eq(gch_ctx_err(s.ctx), 0);
  gch_ctx_unref(seen.ctx);

  /* conn is closed, the dup is not */
  ck_assert_int_eq(write(seen.dup, "x", 1), 1);
  char c;
  size_t n;
  ok(gch_io_read(fd, &c, 1, &n));
  ck_assert_uint_eq(n, 1);
  close(seen.dup);
  expect_end(fd);
  ok(stop(&s));
  gch_io_close(fd);
  gch_ctx_unref(parent);
  gch_unref(seen.entered);
  gch_unref(seen.done);
}
END_TEST

/* The end */

static void until_done(const gch_ctx *ctx, int conn, void *arg) {
  struct crowd *c = arg;
  (void)conn;
  enter(c);
  gch_recv(gch_ctx_done(ctx), NULL);
  gch_recv(c->gate, NULL);
  atomic_fetch_sub(&c->in, 1);
}

START_TEST(it_returns_after_its_handlers) {
  struct crowd c = {.gate = gch_make(0, 0)};
  struct server s;
  int fd[3];
  start(&s, 0, until_done, &c);
  for (int i = 0; i < 3; i++)
    fd[i] = dialled("tcp", s.name);
  await_count(&c.in, 3);
  gch_ctx_cancel(s.ctx); /* which the handlers hear too */
  await_waiting(c.gate, 0, 3);
  for (int i = 0; i < 3; i++) {
    ck_assert_int_eq(gch_try_recv(s.over, NULL), EAGAIN);
    gch_send(c.gate, NULL);
  }
  ok(stop(&s));
  ck_assert_int_eq(atomic_load(&c.in), 0);
  for (int i = 0; i < 3; i++) {
    expect_end(fd[i]);
    gch_io_close(fd[i]);
  }
  gch_unref(c.gate);
}
END_TEST

START_TEST(a_listener_that_fails_ends_it_after_its_handlers) {
  struct crowd c = {.gate = gch_make(0, 0)};
  struct server s;
  start(&s, _i, stay, &c);
  int fd = dialled("tcp", s.name);
  await_waiting(c.gate, 0, 1);
  gch_io_close(s.fd);
  ck_assert_int_eq(gch_try_recv(s.over, NULL), EAGAIN);
  gch_send(c.gate, NULL);
  gch_recv(s.over, NULL);
  ck_assert_int_eq(s.err, EBADF);
  gch_unref(s.over);
  gch_ctx_end(s.ctx);
  gch_io_close(fd);
  gch_unref(c.gate);
}
END_TEST

START_TEST(a_deadline_ends_it_as_a_cancel_does) {
  int fd = listener("tcp", "127.0.0.1:0");
  gch_ctx *ctx = gch_ctx_with_timeout(bg(), 5 * GCH_MILLISECOND);
  ok(gch_net_serve(ctx, fd, 1, echo, NULL));
  ok(gch_net_serve(ctx, fd, 0, echo, NULL));
  gch_ctx_end(ctx);
  /* the listener stays the caller's */
  char text[128];
  int conn = dialled("tcp", name_of(fd, text)), got = accepted(fd);
  expect_joined(conn, got);
  gch_io_close(conn);
  gch_io_close(got);
  gch_io_close(fd);
}
END_TEST

START_TEST(it_ends_at_its_limit_too) {
  struct crowd c = {.gate = gch_make(0, 0)};
  struct server s;
  start(&s, 1, until_done, &c);
  int a = dialled("tcp", s.name), b = dialled("tcp", s.name);
  await_count(&c.in, 1);
  gch_ctx_cancel(s.ctx);
  gch_send(c.gate, NULL);
  ok(stop(&s));
  ck_assert_int_eq(atomic_load(&c.all), 1);
  gch_io_close(a);
  gch_io_close(b);
  gch_unref(c.gate);
}
END_TEST

/* Nothing left */

/* So many descriptors are all there may be. */
static struct rlimit limit_fds(rlim_t n) {
  struct rlimit old, now;
  ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
  now = old;
  now.rlim_cur = n;
  ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &now), 0);
  return old;
}

START_TEST(without_descriptors_it_waits) {
  struct server s;
  start(&s, _i ? 2 : 0, echo, NULL);
  int first = dialled("tcp", s.name), second;
  expect_echo(first);
  second = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct rlimit old = limit_fds((rlim_t)second + 1);
  struct sockaddr_storage sa;
  socklen_t len = sizeof sa;
  ok(getpeername(first, (struct sockaddr *)&sa, &len));
  ok(gch_io_connect(second, (struct sockaddr *)&sa, len));
  ok(gch_io_write(second, "x", 1, NULL));
  char c;
  ck_assert_int_eq(
      gch_io_read_until(second, &c, 1, NULL, gch_in(30 * GCH_MILLISECOND)),
      ETIMEDOUT); /* nobody could accept it */
  expect_echo(first);
  ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
  ok(gch_io_read(second, &c, 1, NULL));
  expect_echo(second);
  ok(stop(&s));
  gch_io_close(first);
  gch_io_close(second);
}
END_TEST

START_TEST(a_cancel_ends_that_wait) {
  struct server s;
  start(&s, 2, echo, NULL);
  int first = dialled("tcp", s.name);
  expect_echo(first);
  int conn = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct rlimit old = limit_fds((rlim_t)conn + 1);
  struct sockaddr_storage sa;
  socklen_t len = sizeof sa;
  ok(getsockname(s.fd, (struct sockaddr *)&sa, &len));
  ok(gch_io_connect(conn, (struct sockaddr *)&sa, len));
  char c;
  ck_assert_int_eq(
      gch_io_read_until(conn, &c, 1, NULL, gch_in(20 * GCH_MILLISECOND)),
      ETIMEDOUT);
  ok(stop(&s));
  ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
  gch_io_close(first);
  gch_io_close(conn);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("net, serving");
  TCase *t = test_case(s, "serving");
  tcase_add_loop_test(t, all_are_served, 0, 3);
  tcase_add_test(t, wrong_arguments_are_told);
  tcase_add_test(t, no_more_than_the_limit_at_once);
  tcase_add_test(t, a_handlers_context_is_a_child_and_ends_with_it);
  t = test_case(s, "the end");
  tcase_add_test(t, it_returns_after_its_handlers);
  tcase_add_loop_test(t, a_listener_that_fails_ends_it_after_its_handlers, 0,
                      3);
  tcase_add_test(t, a_deadline_ends_it_as_a_cancel_does);
  tcase_add_test(t, it_ends_at_its_limit_too);
  t = test_case(s, "nothing left");
  tcase_add_loop_test(t, without_descriptors_it_waits, 0, 2);
  tcase_add_test(t, a_cancel_ends_that_wait);
  return s;
}
