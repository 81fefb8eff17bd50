/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of bench/io_calls.c by hand: plain system calls, and a loop over
   epoll that is both the server and its clients. */
#include "bench/peers/pthreads/threads.h"

#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READS = 200, BATCH = 128 };

static void ready(struct edge_run *r) {
  int fd[2];
  char c;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) != 0)
    edge_fail("no socketpair");
  while (edge_more(r)) {
    int64_t start = edge_now();
    for (int i = 0; i < READS; i++)
      if (write(fd[1], "", 1) != 1 || recv(fd[0], &c, 1, MSG_DONTWAIT) != 1)
        edge_fail("nothing is there");
    edge_take(r, (edge_now() - start) / READS);
  }
  close(fd[0]);
  close(fd[1]);
}

struct town {
  struct sockaddr_in address;
  int listener, poller;
  long served;
};

static void watch(struct town *t, int fd) {
  struct epoll_event what = {.events = EPOLLIN, .data.fd = fd};
  if (epoll_ctl(t->poller, EPOLL_CTL_ADD, fd, &what) != 0)
    edge_fail("epoll_ctl");
}

static void found(struct town *t) {
  struct sockaddr_in *a = &t->address;
  socklen_t len = sizeof *a;
  *a = (struct sockaddr_in){.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  t->poller = epoll_create1(EPOLL_CLOEXEC);
  t->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (t->listener < 0 || bind(t->listener, (struct sockaddr *)a, len) != 0 ||
      listen(t->listener, SOMAXCONN) != 0 ||
      getsockname(t->listener, (struct sockaddr *)a, &len) != 0)
    edge_fail("can't listen");
  watch(t, t->listener);
}

/* The kernel connects by itself: this does not wait for the loop. */
static void come(struct town *t) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 ||
      connect(fd, (struct sockaddr *)&t->address, sizeof t->address) != 0)
    edge_fail("can't connect");
  watch(t, fd);
}

static void greet(struct town *t) {
  int fd = accept4(t->listener, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0 || write(fd, "", 1) != 1)
    edge_fail("can't greet");
  close(fd);
}

/* A byte, and then the end. */
static void hear(struct town *t, int fd) {
  char c;
  if (read(fd, &c, 1) == 1)
    return;
  close(fd);
  t->served++;
  come(t);
}

static void go_round(struct town *t) {
  struct epoll_event event[BATCH];
  int n = epoll_wait(t->poller, event, BATCH, -1);
  for (int i = 0; i < n; i++)
    if (event[i].data.fd == t->listener)
      greet(t);
    else
      hear(t, event[i].data.fd);
}

static void accepting(struct edge_run *r) {
  struct town t = {.served = 0};
  found(&t);
  for (long i = 0; i < r->n; i++)
    come(&t);
  while (edge_more(r)) {
    long before = t.served;
    int64_t began = edge_now();
    while (edge_now() - began < r->arg)
      go_round(&t);
    long served = t.served - before;
    edge_take(r, (edge_now() - began) / (served > 0 ? served : 1));
  }
  close(t.listener); /* the clients' end with the process */
  close(t.poller);
}

const struct edge call_rows[] = {
    {.name = "accept", .fn = accepting, .n = 8, .arg = 20 * MS},
    {.name = "ready", .fn = ready},
    {0}};
