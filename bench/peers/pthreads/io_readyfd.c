/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of bench/io_readyfd.c by hand: a ring under a mutex, and an eventfd
   that is readable while there is something in it. */
#include "bench/peers/pthreads/threads.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { VALUES = 100 };

struct way {
  struct queue queue;
  int event;
};

static void way_begin(struct way *w) {
  queue_init(&w->queue, 16);
  w->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (w->event < 0)
    edge_fail("no eventfd");
}

static void put(struct way *w, long v) {
  queue_put(&w->queue, v);
  eventfd_write(w->event, 1);
}

static bool is_closed(struct way *w) {
  pthread_mutex_lock(&w->queue.mutex);
  bool closed = w->queue.closed;
  pthread_mutex_unlock(&w->queue.mutex);
  return closed;
}

/* False: it was closed. */
static bool take(struct way *w, long *v) {
  struct pollfd p = {.fd = w->event, .events = POLLIN};
  for (;;) {
    eventfd_t count;
    poll(&p, 1, -1);
    eventfd_read(w->event, &count);
    bool got = false;
    while (queue_try_take(&w->queue, v))
      got = true;
    if (got || is_closed(w))
      return got;
  }
}

static void readyfd(struct edge_run *r) {
  static struct way w;
  way_begin(&w);
  while (edge_more(r)) {
    int64_t start = edge_now();
    for (long i = 0, v; i < VALUES; i++) {
      put(&w, i);
      if (!take(&w, &v) || v != i)
        edge_fail("another value");
    }
    edge_take(r, (edge_now() - start) / VALUES);
  }
  close(w.event);
}

struct both {
  struct way to, from;
};

static void *give_back(void *arg) {
  struct both *b = arg;
  for (long v; take(&b->to, &v);)
    put(&b->from, v);
  return NULL;
}

static void readyfd_threads(struct edge_run *r) {
  static struct both b;
  way_begin(&b.to);
  way_begin(&b.from);
  pthread_t other = start_thread(give_back, &b);
  while (edge_more(r)) {
    int64_t start = edge_now();
    for (long i = 0, v; i < VALUES; i++) {
      put(&b.to, i);
      if (!take(&b.from, &v) || v != i)
        edge_fail("another value");
    }
    edge_take(r, (edge_now() - start) / VALUES);
  }
  queue_close(&b.to.queue);
  eventfd_write(b.to.event, 1);
  pthread_join(other, NULL);
  close(b.to.event);
  close(b.from.event);
}

const struct edge readyfd_rows[] = {
    {.name = "readyfd", .fn = readyfd},
    {.name = "readyfd-threads", .fn = readyfd_threads},
    {0}};
