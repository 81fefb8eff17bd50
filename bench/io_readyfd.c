/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows of the group "io" about values that come through a poll loop. */
#include "edge_gulch.h"

#include <poll.h>
#include <pthread.h>

enum { VALUES = 100 }; /* a figure */

/* A channel, and what a poll loop watches it by. */
struct way {
  gch_chan *chan;
  gch_readyfd *ready;
};

static struct way way(void) {
  struct way w = {gch_make_of(long, 16), gch_readyfd_new()};
  if (!w.chan || !w.ready)
    edge_fail("no readyfd");
  gch_must(gch_readyfd_add(w.ready, w.chan, GCH_CAN_RECV, NULL));
  return w;
}

static void way_end(struct way w) {
  gch_readyfd_free(w.ready);
  gch_unref(w.chan);
}

/* As a loop does it: it takes what there is. False: it was closed. */
static bool take(struct way w, long *v) {
  struct pollfd p = {.fd = gch_readyfd_fd(w.ready), .events = POLLIN};
  int err = EAGAIN;
  for (bool got = false; !got;) {
    poll(&p, 1, -1);
    while ((err = gch_try_recv(w.chan, v)) == 0)
      got = true;
    if (err != EAGAIN)
      return got;
  }
  return true;
}

/* The whole way in one thread. */
static void readyfd(struct edge_run *r) {
  struct way w = way();
  while (edge_more(r)) {
    int64_t start = edge_now();
    for (long i = 0, v; i < VALUES; i++) {
      gch_send(w.chan, &i);
      if (!take(w, &v) || v != i)
        edge_fail("another value");
    }
    edge_take(r, (edge_now() - start) / VALUES);
  }
  way_end(w);
}

/* To another thread, which polls too, and back. */

struct both {
  struct way to, from;
};

static void *give_back(void *arg) {
  struct both *b = arg;
  for (long v; take(b->to, &v);)
    gch_send(b->from.chan, &v);
  return NULL;
}

static void readyfd_threads(struct edge_run *r) {
  struct both b = {way(), way()};
  pthread_t other;
  if (pthread_create(&other, NULL, give_back, &b) != 0)
    edge_fail("no thread");
  while (edge_more(r)) {
    int64_t start = edge_now();
    for (long i = 0, v; i < VALUES; i++) {
      gch_send(b.to.chan, &i);
      if (!take(b.from, &v) || v != i)
        edge_fail("another value");
    }
    edge_take(r, (edge_now() - start) / VALUES);
  }
  gch_close(b.to.chan);
  pthread_join(other, NULL);
  way_end(b.to);
  way_end(b.from);
}

const struct edge io_readyfd_rows[] = {
    {.name = "readyfd",
     .what = "a value into a channel, and out of it after poll(2) said so, in "
             "one thread (by hand: a ring under a mutex, and an eventfd)",
     .fn = readyfd,
     .plain = true},
    {.name = "readyfd-threads",
     .what = "a value to another thread that polls, and back in the same way",
     .fn = readyfd_threads,
     .plain = true},
    {0}};
