/* SPDX-License-Identifier: BSD-3-Clause */
/* The echo rows' talking by hand: one thread with a bare epoll loop, that never
   writes more than there is room for, and so never waits but in epoll. */
#include "bench/io_echo.h"
#include "bench/peers/pthreads/threads.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { BATCH = 128 };

struct end {
  struct echo_pair *pair;
  int fd;
  size_t got;   /* a client's: bytes of the message that are back */
  int64_t left; /* a client's */
};

static pthread_t loop_thread, computing[ECHO_COMPUTING];

static char buf[ECHO_MOST];

static void put(int fd, size_t n) {
  if (write(fd, buf, n) != (ssize_t)n)
    edge_fail("a write did not fit");
}

static size_t get(int fd, size_t most) {
  ssize_t n = read(fd, buf, most);
  if (n <= 0)
    edge_fail("a read that is ready gave nothing");
  return (size_t)n;
}

static void send_message(struct end *c) {
  c->got = 0;
  c->left = echo_leave(c->pair);
  put(c->fd, c->pair->echo->size);
}

static void handle(struct end *x, size_t size) {
  if (x->fd == x->pair->server) {
    put(x->fd, get(x->fd, sizeof buf));
    return;
  }
  x->got += get(x->fd, size - x->got);
  if (x->got == size) {
    echo_back(x->pair, x->left);
    send_message(x);
  }
}

static void watch(int poller, struct end *x, struct echo_pair *p, int fd) {
  struct epoll_event what = {.events = EPOLLIN, .data.ptr = x};
  *x = (struct end){.pair = p, .fd = fd};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &what) != 0)
    edge_fail("epoll_ctl");
}

static void *loop(void *arg) {
  struct echo *e = arg;
  struct epoll_event event[BATCH];
  struct end *end = edge_zeroed((size_t)e->n * 2, sizeof *end);
  int poller = epoll_create1(EPOLL_CLOEXEC);
  for (long i = 0; i < e->n; i++) {
    struct echo_pair *p = &e->pair[i];
    watch(poller, &end[2 * i], p, p->server);
    watch(poller, &end[2 * i + 1], p, p->client);
    send_message(&end[2 * i + 1]);
  }
  while (!echo_is_over(e)) {
    int n = epoll_wait(poller, event, BATCH, -1);
    for (int i = 0; i < n; i++)
      handle(event[i].data.ptr, e->size);
  }
  close(poller);
  free(end);
  return NULL;
}

static void *compute(void *arg) {
  while (!echo_is_over(arg))
    edge_spin(20 * US);
  return NULL;
}

void echo_start(struct echo *e) {
  loop_thread = start_thread(loop, e);
  for (int i = 0; e->computing && i < ECHO_COMPUTING; i++)
    computing[i] = start_thread(compute, e);
}

void echo_stop(struct echo *e) {
  pthread_join(loop_thread, NULL);
  if (e->computing)
    join_threads(computing, ECHO_COMPUTING);
  for (long i = 0; i < e->n; i++) {
    close(e->pair[i].client);
    close(e->pair[i].server);
  }
}
