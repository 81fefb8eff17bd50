/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Edges rows about who wakes or starts another and goes on computing: how long
 * until the other runs. There is a second processor, and it is idle.
 */
#include "edge_gulch.h"

enum { COMPUTE = 2 * MS, REST = MS };

struct other {
  gch_chan *go, *closes; /* by which it is woken */
  _Atomic int64_t ran;
};

static void woken_by_send(void *arg) {
  struct other *o = arg;
  while (gch_recv(o->go, NULL) == 0)
    o->ran = edge_now();
}

static void woken_by_close(void *arg) {
  struct other *o = arg;
  gch_recv(o->closes, NULL);
  o->ran = edge_now();
}

static void started(void *arg) {
  ((struct other *)arg)->ran = edge_now();
}

/* Computes; how long after start the other ran, who may not have until now. */
static void compute_and_take(struct edge_run *r, struct other *o,
                             int64_t start) {
  edge_spin(COMPUTE);
  while (!o->ran)
    gch_sleep(20 * US);
  edge_take(r, o->ran - start);
  o->ran = 0;
}

static void wake_send(struct edge_run *r) {
  struct other o = {.go = gch_make(0, 0)};
  gch_wg wg = GCH_WG_INIT;
  gch_must(gch_wg_go(&wg, woken_by_send, &o));
  while (edge_more(r)) {
    edge_settle(o.go, 1);
    gch_sleep(REST);
    int64_t start = edge_now();
    gch_send(o.go, NULL);
    compute_and_take(r, &o, start);
  }
  gch_close(o.go);
  gch_wg_wait(&wg);
  gch_unref(o.go);
}

static void wake_close(struct edge_run *r) {
  while (edge_more(r)) {
    struct other o = {.closes = gch_make(0, 0)};
    gch_wg wg = GCH_WG_INIT;
    gch_must(gch_wg_go(&wg, woken_by_close, &o));
    edge_settle(o.closes, 1);
    gch_sleep(REST);
    int64_t start = edge_now();
    gch_close(o.closes);
    compute_and_take(r, &o, start);
    gch_wg_wait(&wg);
    gch_unref(o.closes);
  }
}

static void wake_start(struct edge_run *r) {
  while (edge_more(r)) {
    struct other o = {0};
    gch_wg wg = GCH_WG_INIT;
    gch_sleep(REST);
    int64_t start = edge_now();
    gch_must(gch_wg_go(&wg, started, &o));
    compute_and_take(r, &o, start);
    gch_wg_wait(&wg);
  }
}

const struct edge edge_wake_rows[] = {
    {.name = "wake-send",
     .what = "from a send that wakes another until that runs, the sender "
             "computing for 2 ms after it, a processor being idle",
     .fn = wake_send,
     .latency = true},
    {.name = "wake-close",
     .what = "the same by a close",
     .fn = wake_close,
     .latency = true},
    {.name = "wake-start",
     .what = "the same, the other being started",
     .fn = wake_start,
     .latency = true},
    {.name = "main-wake-send",
     .what = "as wake-send, the sender being a plain main",
     .fn = wake_send,
     .plain = true,
     .latency = true},
    {.name = "main-wake-close",
     .what = "as wake-close, from a plain main",
     .fn = wake_close,
     .plain = true,
     .latency = true},
    {.name = "main-wake-start",
     .what = "as wake-start, from a plain main",
     .fn = wake_start,
     .plain = true,
     .latency = true},
    {0}};
