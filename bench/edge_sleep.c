/* SPDX-License-Identifier: BSD-3-Clause */
/* Edges rows about sleepers: how late they are while others use both
   processors. */
#include "edge_gulch.h"

struct scene {
  int64_t piece; /* that is computed between two yields */
  atomic_bool over;
  gch_wg wg;
};

static void compute_and_yield(void *arg) {
  struct scene *s = arg;
  for (; !s->over; gch_yield())
    edge_spin(s->piece);
}

/* Sleeps for so long again and again: how late it is. */
static void sleep_on(struct edge_run *r, int64_t ns) {
  while (edge_more(r)) {
    int64_t due = edge_now() + ns;
    gch_sleep(ns);
    edge_take(r, edge_now() - due);
  }
}

static void beside_yielding(struct edge_run *r) {
  struct scene s = {.piece = r->arg, .wg = GCH_WG_INIT};
  for (int i = 0; i < 2; i++)
    gch_must(gch_wg_go(&s.wg, compute_and_yield, &s));
  sleep_on(r, MS);
  s.over = true;
  gch_wg_wait(&s.wg);
}

struct pair {
  gch_chan *ping, *pong;
};

static void serve(void *arg) {
  struct pair *p = arg;
  while (gch_recv(p->ping, NULL) == 0)
    gch_send(p->pong, NULL);
  gch_close(p->ping);
}

static void play(void *arg) {
  struct pair *p = arg;
  while (gch_recv(p->pong, NULL) == 0)
    if (gch_send(p->ping, NULL) != 0)
      return;
}

static void beside_pingpong(struct edge_run *r) {
  struct pair p[2];
  gch_wg wg = GCH_WG_INIT;
  for (int i = 0; i < 2; i++) {
    p[i] = (struct pair){gch_make(0, 0), gch_make(0, 0)};
    gch_must(gch_wg_go(&wg, serve, &p[i]));
    gch_must(gch_wg_go(&wg, play, &p[i]));
    gch_send(p[i].ping, NULL);
  }
  sleep_on(r, 100 * US);
  for (int i = 0; i < 2; i++) {
    gch_close(p[i].ping);
    gch_close(p[i].pong);
  }
  gch_wg_wait(&wg);
  for (int i = 0; i < 2; i++) {
    gch_unref(p[i].ping);
    gch_unref(p[i].pong);
  }
}

const struct edge edge_sleep_rows[] = {
    {.name = "sleep-yield-1ms",
     .what = "how late a sleep of 1 ms ends, beside two that compute and yield "
             "each ms",
     .fn = beside_yielding,
     .latency = true,
     .arg = MS},
    {.name = "sleep-yield-3ms",
     .what = "the same, the two yielding each 3 ms",
     .fn = beside_yielding,
     .latency = true,
     .arg = 3 * MS},
    {.name = "sleep-pingpong",
     .what = "how late a sleep of 100 us ends, beside two pairs that play ping "
             "and pong",
     .fn = beside_pingpong,
     .latency = true},
    {0}};
