/* SPDX-License-Identifier: BSD-3-Clause */
/* Many connections, each with a task that waits for it: they are served, by a
   few threads; and while nothing comes they use no processor. */
#define _GNU_SOURCE
#include "fork_life.h"
#include "io_facts.h"

#include <sys/resource.h>
#include <sys/un.h>
#include <time.h>

/* How many of n connections can be had: of descriptors some are needed for
   other things. The limit is raised as far as it may be. */
static int raise_limit(int n) {
  const rlim_t others = 100;
  rlim_t want = (rlim_t)n + others;
  struct rlimit r, more = {want, want};
  ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &r), 0);
  if (r.rlim_cur >= want)
    return n;
  if (r.rlim_max >= want || setrlimit(RLIMIT_NOFILE, &more) != 0) {
    r.rlim_cur = r.rlim_max < want ? r.rlim_max : want;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &r), 0);
    more = r;
  }
  return more.rlim_cur >= want ? n : (int)(more.rlim_cur - others);
}

/* The clients are another process, which has descriptors of its own, and only
   makes system calls. It takes a step for each byte that comes by `steps`. */

struct clients {
  struct sockaddr_un server;
  socklen_t len;
  int n, steps[2];
  pid_t pid;
};

static void must(bool done, int line) {
  if (!done) {
    fprintf(stderr, "clients: line %d: %s\n", line, strerror(errno));
    _exit(1);
  }
}
#define MUST(done) must((done), __LINE__)

static char letter(int i) {
  return (char)('a' + i % 26);
}

static _Noreturn void be_clients(const struct clients *c) {
  char byte;
  int *fd = calloc((size_t)c->n, sizeof *fd);
  MUST(fd);
  for (int i = 0; i < c->n; i++) {
    MUST((fd[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) >= 0);
    MUST(connect(fd[i], (const void *)&c->server, c->len) == 0);
  }
  MUST(read(c->steps[0], &byte, 1) == 1);
  for (int i = 0; i < c->n; i++)
    MUST(write(fd[i], &(char){letter(i)}, 1) == 1);
  for (int i = 0; i < c->n; i++)
    MUST(read(fd[i], &byte, 1) == 1 && byte == letter(i));
  MUST(read(c->steps[0], &byte, 1) == 1);
  _exit(0);
}

static void start_clients(struct clients *c, int listener, int n) {
  c->n = n;
  c->len = sizeof c->server;
  ck_assert_int_eq(getsockname(listener, (void *)&c->server, &c->len), 0);
  ck_assert_int_eq(pipe(c->steps), 0);
  c->pid = fork_with_parent();
  if (c->pid == 0)
    be_clients(c);
}

static void let_go_on(const struct clients *c) {
  ck_assert_int_eq(write(c->steps[1], "", 1), 1);
}

/* Of the server */

struct conn {
  int fd;
  size_t echoed;
};

static void echo(void *arg) {
  struct conn *c = arg;
  char buf[16];
  size_t n;
  while (gch_io_read(c->fd, buf, sizeof buf, &n) == 0 && n > 0) {
    ck_assert_int_eq(gch_io_write(c->fd, buf, n, NULL), 0);
    c->echoed += n;
  }
  ck_assert_int_eq(gch_io_close(c->fd), 0);
}

static int connections_wanted(void) {
#ifdef GULCH_NO_EPOLL
  return scaled(1000); /* poll(2) looks at all of them for each event */
#else
  return scaled(SANITIZED ? 2000 : 20000);
#endif
}

START_TEST(twenty_thousand_connections_are_served_by_a_few_threads) {
  char address[64];
  struct clients clients;
  int listener, n = raise_limit(connections_wanted());
  snprintf(address, sizeof address, "@gulch-many-%d", (int)getpid());
  ck_assert_int_eq(gch_net_listen("unix", address, &listener), 0);
  start_clients(&clients, listener, n);
  struct conn *conns = calloc((size_t)n, sizeof *conns);
  ck_assert_ptr_nonnull(conns);
  gch_wg wg = {0};
  for (int i = 0; i < n; i++) {
    ck_assert_int_eq(gch_io_accept(listener, &conns[i].fd, NULL, NULL), 0);
    ck_assert_int_eq((gch_wg_go)(&wg, echo, &conns[i]), 0);
  }
  for (int i = 0; i < n; i++)
    await_io(conns[i].fd, 1, 0);
  ck_assert_int_lt(thread_count(), 100);
  let_go_on(&clients);
  let_go_on(&clients);
  gch_wg_wait(&wg);
  ck_assert_int_eq(status_of(clients.pid), OK);
  for (int i = 0; i < n; i++)
    ck_assert_uint_eq(conns[i].echoed, 1);
  free(conns);
  ck_assert_int_eq(gch_io_close(listener), 0);
}
END_TEST

/* Idle */

static void wait_for_more(const gch_ctx *ctx, int conn, void *arg) {
  char byte;
  size_t n;
  (void)arg;
  ck_assert_int_eq(gch_io_read_ctx(ctx, conn, &byte, 1, &n), 0);
  ck_assert_uint_eq(n, 0);
}

struct server {
  gch_ctx *ctx;
  int listener;
};

static void serve(void *arg) {
  struct server *s = arg;
  ck_assert_int_eq(gch_net_serve(s->ctx, s->listener, 0, wait_for_more, NULL),
                   0);
}

static int64_t processor_time(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * GCH_SECOND + t.tv_nsec;
}

/* What the process used of 300 ms of sleep at least, of many such: what comes
   first may still be ending, and there is the monitor. */
static int64_t least_used(int64_t enough) {
  int64_t least = GCH_FOREVER;
  for (int i = 0; i < 40 && least > enough; i++) {
    int64_t before = processor_time();
    gch_sleep(300 * GCH_MILLISECOND);
    int64_t used = processor_time() - before;
    least = used < least ? used : least;
  }
  return least;
}

START_TEST(a_thousand_connections_that_wait_use_no_processor) {
  int n = raise_limit(2 * scaled(1000)) / 2;
  char address[64];
  struct server s = {.ctx = gch_ctx_with_cancel(gch_ctx_background())};
  ck_assert_int_eq(gch_net_listen("tcp4", "127.0.0.1:0", &s.listener), 0);
  gch_net_addr(s.listener, false, address, sizeof address);
  gch_wg wg = {0};
  ck_assert_int_eq((gch_wg_go)(&wg, serve, &s), 0);
  int *fds = calloc((size_t)n, sizeof *fds);
  ck_assert_ptr_nonnull(fds);
  for (int i = 0; i < n; i++)
    ck_assert_int_eq(gch_net_dial(s.ctx, "tcp", address, &fds[i]), 0);
  while ((gch_num_tasks)() < (size_t)n + 1) /* the server too */
    gch_sleep(50 * GCH_MICROSECOND);
  const int64_t bound = GCH_MILLISECOND; /* three in a thousand */
  if (!SANITIZED) /* they have a thread of their own */
    ck_assert_int_le(least_used(bound), bound);
  for (int i = 0; i < n; i++)
    ck_assert_int_eq(gch_io_close(fds[i]), 0);
  while ((gch_num_tasks)() > 2) /* the server, and perhaps this */
    gch_sleep(50 * GCH_MICROSECOND);
  gch_ctx_cancel(s.ctx);
  gch_wg_wait(&wg);
  ck_assert_int_eq(gch_io_close(s.listener), 0);
  gch_ctx_end(s.ctx);
  free(fds);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("io_many");
  TCase *t = fork_case(s, "many");
  tcase_add_test(t, twenty_thousand_connections_are_served_by_a_few_threads);
  t = test_case(s, "idle");
  tcase_add_test(t, a_thousand_connections_that_wait_use_no_processor);
  return s;
}
