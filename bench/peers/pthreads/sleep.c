/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of bench/edge_sleep.c in pthreads. */
#include "bench/peers/pthreads/threads.h"

#include <sched.h>

struct scene {
  int64_t piece;
  atomic_bool over;
};

static void *compute_and_yield(void *arg) {
  struct scene *s = arg;
  for (; !s->over; sched_yield())
    edge_spin(s->piece);
  return NULL;
}

static void sleep_on(struct edge_run *r, int64_t ns) {
  while (edge_more(r)) {
    int64_t due = edge_now() + ns;
    edge_nap(ns);
    edge_take(r, edge_now() - due);
  }
}

static void beside_yielding(struct edge_run *r) {
  struct scene s = {.piece = r->arg};
  pthread_t t[2];
  for (int i = 0; i < 2; i++)
    t[i] = start_thread(compute_and_yield, &s);
  sleep_on(r, MS);
  s.over = true;
  join_threads(t, 2);
}

struct pair {
  struct signal ping, pong;
  atomic_bool over;
};

static void *serve(void *arg) {
  struct pair *p = arg;
  while (signal_wait(&p->ping) && !p->over)
    signal_raise(&p->pong);
  return NULL;
}

static void *play(void *arg) {
  struct pair *p = arg;
  while (signal_wait(&p->pong) && !p->over)
    signal_raise(&p->ping);
  return NULL;
}

static void beside_pingpong(struct edge_run *r) {
  struct pair p[2];
  pthread_t t[4];
  for (int i = 0; i < 2; i++) {
    p[i] = (struct pair){SIGNAL_INIT, SIGNAL_INIT, false};
    t[2 * i] = start_thread(serve, &p[i]);
    t[2 * i + 1] = start_thread(play, &p[i]);
    signal_raise(&p[i].ping);
  }
  sleep_on(r, 100 * US);
  for (int i = 0; i < 2; i++)
    p[i].over = true;
  for (int i = 0; i < 2; i++) {
    signal_close(&p[i].ping);
    signal_close(&p[i].pong);
  }
  join_threads(t, 4);
}

const struct edge sleep_rows[] = {
    {.name = "sleep-yield-1ms",
     .fn = beside_yielding,
     .latency = true,
     .arg = MS},
    {.name = "sleep-yield-3ms",
     .fn = beside_yielding,
     .latency = true,
     .arg = 3 * MS},
    {.name = "sleep-pingpong", .fn = beside_pingpong, .latency = true},
    {0}};
