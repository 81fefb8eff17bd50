/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What power series are made of in powser1.c: rational numbers, series, and
 * the tasks that compute them.
 *
 * All channels are closed at the end of a test: then every receive gives zero
 * bytes, which is the end mark of a series, and all tasks end.
 */
#ifndef GULCH_TESTS_POWSER_H
#define GULCH_TESTS_POWSER_H

#include "chan_checks.h"

#include <pthread.h>

/* Rational numbers */

struct rat {
  int64_t num, den; /* den 0: the end of a series */
};

static const struct rat zero = {0, 1}, one = {1, 1};

static inline int64_t gcd(int64_t u, int64_t v) {
  if (u < 0)
    return gcd(-u, v);
  return u == 0 ? v : gcd(v % u, u);
}

static inline struct rat ratio(int64_t u, int64_t v) {
  int64_t g = gcd(u, v);
  return v > 0 ? (struct rat){u / g, v / g} : (struct rat){-u / g, -v / g};
}

static inline struct rat add(struct rat u, struct rat v) {
  return ratio(u.num * v.den + v.num * u.den, u.den * v.den);
}

static inline struct rat mul(struct rat u, struct rat v) {
  return ratio(u.num * v.num, u.den * v.den);
}

static inline struct rat neg(struct rat u) {
  return (struct rat){-u.num, u.den};
}

/* Series, and the tasks that make them */

GCH_CHAN_TYPE(signals, char)
GCH_CHAN_TYPE(rats, struct rat)

struct ps {
  signals req;
  rats dat;
};

struct pair {
  struct ps out[2];
};

/* A task and all that it works on. */
struct op {
  void (*fn)(struct op *);
  struct ps u, v, z;
  struct pair out;
  signals wait;
  struct rat c;
  int n;
};

enum { MOST_CHANS = 20000 };

static struct {
  pthread_mutex_t lock;
  gch_chan *all[MOST_CHANS];
  int n;
  bool over; /* what is made now is closed at once */
  gch_wg tasks;
} world = {.lock = PTHREAD_MUTEX_INITIALIZER};

static inline gch_chan *kept(gch_chan *c) {
  require(c != NULL);
  pthread_mutex_lock(&world.lock);
  require(world.n < MOST_CHANS);
  world.all[world.n++] = c;
  if (world.over)
    gch_close(c);
  pthread_mutex_unlock(&world.lock);
  return c;
}

static inline signals new_signals(void) {
  signals c = signals_make(0);
  kept(c.c);
  return c;
}

static inline struct ps new_ps(void) {
  struct ps z = {new_signals(), rats_make(0)};
  kept(z.dat.c);
  return z;
}

static inline void world_end(void) {
  pthread_mutex_lock(&world.lock);
  world.over = true;
  for (int i = 0; i < world.n; i++)
    gch_close(world.all[i]);
  pthread_mutex_unlock(&world.lock);
  gch_wg_wait(&world.tasks);
  while (world.n > 0)
    gch_unref(world.all[--world.n]);
  world.over = false;
}

static inline void run(void *arg) {
  struct op *op = arg;
  op->fn(op);
  gch_wg_done(&world.tasks);
}

static inline void start(struct op op) {
  gch_wg_add(&world.tasks, 1);
  require(gch_go_copy(run, &op, sizeof op) == 0);
}

/* Starts op, which makes the series that is returned. */
static inline struct ps making(struct op op) {
  op.z = new_ps();
  start(op);
  return op.z;
}

static inline bool wanted(struct ps z) {
  return signals_recv(z.req, NULL) == 0;
}

static inline bool give(struct ps z, struct rat r) {
  return rats_send(z.dat, r) == 0;
}

static inline bool put_term(struct ps z, struct rat r) {
  return wanted(z) && give(z, r);
}

static inline struct rat get(struct ps u) {
  struct rat r;
  signals_send(u.req, 0);
  rats_recv(u.dat, &r);
  return r;
}

static inline bool ended(struct rat r) {
  return r.den == 0;
}

#endif
