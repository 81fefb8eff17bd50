/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The echo rows, which are the same for gulch and for the loop by hand
 * (peers/pthreads/io_talk.c): pairs of connected sockets, in each a client that
 * writes, and reads it back. The programs have their own ways to talk.
 *
 *     echo-…    the wall time a round trip, all pairs together
 *     trip-…    how long one takes, as its client sees it
 */
#ifndef GULCH_BENCH_IO_ECHO_H
#define GULCH_BENCH_IO_ECHO_H

#include "edge.h"

enum { ECHO_MOST = 4096, ECHO_COMPUTING = 2 };

struct echo;

struct echo_pair {
  _Alignas(64) struct echo *echo;
  int client, server; /* descriptors */
  atomic_long trips;  /* written by the client only, as what follows */
  int64_t *took;
  size_t taken;
};

struct echo {
  long n;
  size_t size;    /* of a message, bytes, at most ECHO_MOST */
  bool computing; /* beside ECHO_COMPUTING that compute until over */
  atomic_bool timed, over;
  size_t room; /* for figures, a pair */
  struct echo_pair *pair;
};

extern const struct edge io_echo_rows[];

/* The program's own: begins to talk; ends it, over being set, and closes the
   descriptors. Both are called by a plain thread. */
void echo_start(struct echo *e);
void echo_stop(struct echo *e);

static inline bool echo_is_over(struct echo *e) {
  return atomic_load_explicit(&e->over, memory_order_relaxed);
}

/* The time at which a message leaves, or 0 where it does not matter. */
static inline int64_t echo_leave(struct echo_pair *p) {
  return atomic_load_explicit(&p->echo->timed, memory_order_relaxed)
             ? edge_now()
             : 0;
}

/* It is back. */
static inline void echo_back(struct echo_pair *p, int64_t left) {
  long trips = atomic_load_explicit(&p->trips, memory_order_relaxed);
  atomic_store_explicit(&p->trips, trips + 1, memory_order_relaxed);
  if (left != 0)
    p->took[p->taken++ % p->echo->room] = edge_now() - left;
}

#endif
