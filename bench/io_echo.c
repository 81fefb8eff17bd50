/* SPDX-License-Identifier: BSD-3-Clause */
/* The echo rows: their sockets, and what is measured of them. */
#include "io_echo.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* What a row's arg says. */
enum { TCP = 1, BIG = 2, TRIP = 4, BUSY = 8 };

enum { WARM = 50 * MS, WINDOW = 20 * MS };

static void unix_pair(struct echo_pair *p) {
  int fd[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) != 0)
    edge_fail("no socketpair");
  p->client = fd[0];
  p->server = fd[1];
}

static int listener(struct sockaddr_in *a) {
  socklen_t len = sizeof *a;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  *a = (struct sockaddr_in){.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (fd < 0 || bind(fd, (struct sockaddr *)a, len) != 0 ||
      listen(fd, SOMAXCONN) != 0 ||
      getsockname(fd, (struct sockaddr *)a, &len) != 0)
    edge_fail("can't listen");
  return fd;
}

static void tcp_pair(struct echo_pair *p, int l, const struct sockaddr_in *a) {
  int one = 1;
  p->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (p->client < 0 ||
      connect(p->client, (const struct sockaddr *)a, sizeof *a) != 0)
    edge_fail("can't connect");
  p->server = accept4(l, NULL, NULL, SOCK_CLOEXEC);
  if (p->server < 0)
    edge_fail("can't accept");
  setsockopt(p->client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  setsockopt(p->server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static void connect_all(struct echo *e, bool tcp) {
  struct sockaddr_in a;
  int l = tcp ? listener(&a) : -1;
  for (long i = 0; i < e->n; i++) {
    struct echo_pair *p = &e->pair[i];
    p->echo = e;
    p->took = edge_zeroed(e->room, sizeof *p->took);
    if (tcp)
      tcp_pair(p, l, &a);
    else
      unix_pair(p);
  }
  if (tcp)
    close(l);
}

static long trips(struct echo *e) {
  long sum = 0;
  for (long i = 0; i < e->n; i++)
    sum += atomic_load_explicit(&e->pair[i].trips, memory_order_relaxed);
  return sum;
}

/* A figure is the wall time a round trip in a window. */
static void take_windows(struct edge_run *r, struct echo *e) {
  while (edge_more(r)) {
    int64_t began = edge_now();
    long before = trips(e);
    edge_nap(WINDOW);
    long after = trips(e);
    edge_take(r, (edge_now() - began) / (after > before ? after - before : 1));
  }
}

/* Until each has come round, however slow the machine is. */
static void time_trips(struct edge_run *r, struct echo *e) {
  long before = trips(e);
  atomic_store(&e->timed, true);
  do
    edge_nap(r->budget);
  while (trips(e) < before + 2 * e->n);
}

static void take_trips(struct edge_run *r, struct echo *e) {
  for (long i = 0; i < e->n; i++) {
    const struct echo_pair *p = &e->pair[i];
    for (size_t k = 0; k < p->taken && k < e->room; k++)
      edge_take(r, p->took[k]);
  }
}

static void echo(struct edge_run *r) {
  struct echo e = {.n = r->n,
                   .size = r->arg & BIG ? ECHO_MOST : 1,
                   .computing = r->arg & BUSY,
                   .room = r->room / (size_t)r->n};
  size_t bytes = (size_t)e.n * sizeof *e.pair;
  e.pair = aligned_alloc(_Alignof(struct echo_pair), bytes);
  if (!e.pair)
    edge_fail("no memory");
  for (long i = 0; i < e.n; i++)
    e.pair[i] = (struct echo_pair){0};
  connect_all(&e, r->arg & TCP);
  echo_start(&e);
  edge_nap(WARM);
  r->began = edge_now();
  if (r->arg & TRIP)
    time_trips(r, &e);
  else
    take_windows(r, &e);
  atomic_store(&e.over, true);
  echo_stop(&e);
  take_trips(r, &e);
  for (long i = 0; i < e.n; i++)
    free(e.pair[i].took);
  free(e.pair);
}

#define ROW(KIND, NAME, N, ARG, WHAT)                                          \
  {                                                                            \
    .name = KIND NAME, .what = WHAT, .fn = echo, .plain = true, .n = N,        \
    .arg = ARG, .latency = (ARG)&TRIP                                          \
  }
#define ECHO(NAME, N, ARG, WHAT)                                               \
  ROW("echo-", NAME, N, ARG, "the wall time a round trip: " WHAT)
#define TRIP_OF(NAME, N, ARG, WHAT)                                            \
  ROW("trip-", NAME, N, (ARG) | TRIP, "how long one takes: " WHAT)
#define BUSY_TRIP(NAME, N, ARG, WHAT)                                          \
  ROW("busy-", NAME, N, (ARG) | TRIP | BUSY,                                   \
      "the same beside two that compute: " WHAT)
#define SCENES(X)                                                              \
  X("1", 1, 0, "1 byte, 1 socketpair"),                                        \
      X("16", 16, 0, "1 byte, 16 socketpairs"),                                \
      X("128", 128, 0, "1 byte, 128 socketpairs"),                             \
      X("512", 512, 0, "1 byte, 512 socketpairs"),                             \
      X("4k-1", 1, BIG, "4096 bytes, 1 socketpair"),                           \
      X("4k-128", 128, BIG, "4096 bytes, 128 socketpairs"),                    \
      X("tcp-100", 100, TCP, "1 byte, 100 TCP connections"),                   \
      X("tcp-1000", 1000, TCP, "1 byte, 1000 TCP connections")

const struct edge io_echo_rows[] = {
    SCENES(ECHO), SCENES(TRIP_OF), SCENES(BUSY_TRIP), {0}};
