/* SPDX-License-Identifier: BSD-3-Clause */
/* Edges rows about main that hands to a task, and about 100 000 tasks. */
#include "edge_gulch.h"

enum { MESSAGES = 1000 }; /* a figure */

static void drain(void *arg) {
  while (gch_recv(arg, NULL) == 0)
    ;
}

static void send_on(struct edge_run *r) {
  gch_chan *c = gch_make_of(long, (size_t)r->n);
  gch_wg wg = GCH_WG_INIT;
  gch_must(gch_wg_go(&wg, drain, c));
  while (edge_more(r)) {
    int64_t start = edge_now();
    for (long i = 0; i < MESSAGES; i++)
      gch_send(c, &i);
    edge_take(r, (edge_now() - start) / MESSAGES);
  }
  gch_close(c);
  gch_wg_wait(&wg);
  gch_unref(c);
}

struct crowd {
  gch_chan *gate;
  atomic_long arrived;
  gch_wg wg;
};

static void stand(void *arg) {
  struct crowd *c = arg;
  atomic_fetch_add(&c->arrived, 1);
  gch_recv(c->gate, NULL);
}

static void come(struct crowd *c, long n) {
  *c = (struct crowd){.gate = gch_make(0, 0), .wg = GCH_WG_INIT};
  for (long i = 0; i < n; i++)
    gch_must(gch_wg_go(&c->wg, stand, c));
  while (c->arrived < n)
    gch_sleep(200 * US);
  edge_settle(c->gate, (size_t)n);
}

static void leave(struct crowd *c) {
  gch_close(c->gate);
  gch_wg_wait(&c->wg);
  gch_unref(c->gate);
}

static void alive(struct edge_run *r) {
  while (edge_more(r)) {
    struct crowd c;
    int64_t start = edge_now();
    come(&c, r->n);
    leave(&c);
    edge_take(r, (edge_now() - start) / r->n);
  }
}

static void alive_bytes(struct edge_run *r) {
  struct crowd c;
  int64_t before = edge_resident();
  come(&c, r->n);
  edge_take(r, (edge_resident() - before) / r->n);
  leave(&c);
}

const struct edge edge_hand_rows[] = {
    {.name = "main-send-0",
     .what = "a message from a plain main to a task, unbuffered",
     .fn = send_on,
     .plain = true,
     .n = 0},
    {.name = "main-send-16",
     .what = "the same with 16 slots",
     .fn = send_on,
     .plain = true,
     .n = 16},
    {.name = "gchmain-send-0",
     .what = "a message from a main that is a task (GCH_MAIN), unbuffered",
     .fn = send_on,
     .n = 0},
    {.name = "gchmain-send-16",
     .what = "the same with 16 slots",
     .fn = send_on,
     .n = 16},
    {.name = "alive-100k",
     .what = "one of 100 000 tasks started, parked, woken by a close and ended "
             "(pthreads: of 4000)",
     .fn = alive,
     .n = 100000},
    {.name = "alive-100k-bytes",
     .what = "resident memory of one of 100 000 tasks that are parked "
             "(pthreads: of 4000, without the kernel's)",
     .fn = alive_bytes,
     .unit = "B",
     .n = 100000},
    {0}};
