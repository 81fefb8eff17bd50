/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of bench/edge_wake.c in pthreads. */
#include "bench/peers/pthreads/threads.h"

enum { COMPUTE = 2 * MS, REST = MS };

struct other {
  struct signal signal;
  _Atomic int64_t ran;
};

static void *woken(void *arg) {
  struct other *o = arg;
  while (signal_wait(&o->signal))
    o->ran = edge_now();
  return NULL;
}

static void *woken_by_close(void *arg) {
  struct other *o = arg;
  signal_wait(&o->signal);
  o->ran = edge_now();
  return NULL;
}

static void *started(void *arg) {
  ((struct other *)arg)->ran = edge_now();
  return NULL;
}

static void compute_and_take(struct edge_run *r, struct other *o,
                             int64_t start) {
  edge_spin(COMPUTE);
  while (!o->ran)
    edge_nap(20 * US);
  edge_take(r, o->ran - start);
  o->ran = 0;
}

static void wake_send(struct edge_run *r) {
  struct other o = {SIGNAL_INIT, 0};
  pthread_t t = start_thread(woken, &o);
  while (edge_more(r)) {
    signal_settle(&o.signal, 1);
    edge_nap(REST);
    int64_t start = edge_now();
    signal_raise(&o.signal);
    compute_and_take(r, &o, start);
  }
  signal_close(&o.signal);
  pthread_join(t, NULL);
}

static void wake_close(struct edge_run *r) {
  while (edge_more(r)) {
    struct other o = {SIGNAL_INIT, 0};
    pthread_t t = start_thread(woken_by_close, &o);
    signal_settle(&o.signal, 1);
    edge_nap(REST);
    int64_t start = edge_now();
    signal_close(&o.signal);
    compute_and_take(r, &o, start);
    pthread_join(t, NULL);
  }
}

static void wake_start(struct edge_run *r) {
  while (edge_more(r)) {
    struct other o = {SIGNAL_INIT, 0};
    edge_nap(REST);
    int64_t start = edge_now();
    pthread_t t = start_thread(started, &o);
    compute_and_take(r, &o, start);
    pthread_join(t, NULL);
  }
}

const struct edge wake_rows[] = {
    {.name = "wake-send", .fn = wake_send, .latency = true},
    {.name = "wake-close", .fn = wake_close, .latency = true},
    {.name = "wake-start", .fn = wake_start, .latency = true},
    {.name = "main-wake-send", .fn = wake_send, .latency = true},
    {.name = "main-wake-close", .fn = wake_close, .latency = true},
    {.name = "main-wake-start", .fn = wake_start, .latency = true},
    {0}};
