/* SPDX-License-Identifier: BSD-3-Clause */
/* Edges rows about timers: due at once, a million of them, tickers that nobody
   reads. */
#include "edge_gulch.h"

#include <pthread.h>
#include <stdlib.h>

/* How late a timer is seen by who asks for it all the time. */
static void timer_asked(struct edge_run *r) {
  while (edge_more(r)) {
    int64_t due = edge_now() + r->arg;
    gch_chan *c = gch_after(r->arg);
    while (gch_try_recv(c, NULL) != 0)
      ;
    edge_take(r, edge_now() - due);
    gch_unref(c);
  }
}

static void after_0(struct edge_run *r) {
  while (edge_more(r)) {
    int64_t start = edge_now();
    gch_chan *c = gch_after(0);
    gch_recv(c, NULL);
    gch_unref(c);
    edge_take(r, edge_now() - start);
  }
}

/* Millionths in which the first of two is chosen. */
static void after_0_twice(struct edge_run *r) {
  int64_t first = 0, all = 0;
  for (; all < 100000 && edge_now() - r->began < r->budget; all++) {
    gch_chan *a = gch_after(0), *b = gch_after(0);
    first += gch_select(GCH_RECV(a, NULL), GCH_RECV(b, NULL)) == 0;
    gch_unref(a);
    gch_unref(b);
  }
  edge_take(r, first * 1000000 / (all > 0 ? all : 1));
}

enum { STOPS = 1000 };

static gch_timer **pending(long n) {
  gch_timer **t = edge_zeroed((size_t)n, sizeof *t);
  for (long i = 0; i < n; i++)
    if (!(t[i] = gch_timer_new(GCH_HOUR + i * GCH_MICROSECOND)))
      edge_fail("no timer");
  return t;
}

static void end_pending(gch_timer **t, long n) {
  for (long i = n; i-- > 0;)
    gch_timer_free(t[i]);
  free(t);
}

static void stop_earliest(struct edge_run *r) {
  gch_timer **t = pending(r->n);
  int64_t worst = 0;
  for (long i = 0; i < STOPS; i++) {
    int64_t start = edge_now();
    gch_timer_stop(t[i]);
    int64_t took = edge_now() - start;
    worst = took > worst ? took : worst;
  }
  edge_take(r, worst);
  end_pending(t, r->n);
}

static void *make_and_end(void *arg) {
  struct edge_worst *w = arg;
  for (; !w->over; edge_nap(100 * US)) {
    int64_t start = edge_now();
    gch_ctx_end(gch_ctx_with_timeout(gch_ctx_background(), GCH_HOUR));
    edge_worst_take(w, edge_now() - start);
  }
  return NULL;
}

static void stop_others(struct edge_run *r) {
  gch_timer **t = pending(r->n);
  struct edge_worst w = {0};
  edge_worst_begin(&w, make_and_end);
  for (long i = 0; i < STOPS; i++) {
    gch_timer_stop(t[i]);
    if (i % 100 == 0)
      edge_nap(100 * US);
  }
  edge_worst_end(&w, r);
  end_pending(t, r->n);
}

/* Millionths of a processor. */
static void ticker_unread(struct edge_run *r) {
  gch_ticker *t = gch_ticker_new(r->arg);
  int64_t start = edge_now(), cpu = edge_cpu();
  edge_nap(r->budget);
  edge_take(r, (edge_cpu() - cpu) * 1000000 / (edge_now() - start));
  gch_ticker_free(t);
}

const struct edge edge_timer_rows[] = {
    {.name = "timer-asked",
     .what = "how late a timer of 200 us is seen by try-receives without end",
     .fn = timer_asked,
     .latency = true,
     .arg = 200 * US},
    {.name = "after-0",
     .what = "an after of 0 and the receive from it",
     .fn = after_0,
     .latency = true},
    {.name = "after-0-twice",
     .what = "share of the first of two such afters in a select (50 % is fair)",
     .fn = after_0_twice,
     .unit = "share"},
    {.name = "stop-earliest",
     .what = "the stop of the earliest of 1 000 000 timers, the worst of 1000",
     .fn = stop_earliest,
     .n = 1000000},
    {.name = "stop-others",
     .what = "the worst with_timeout and end in another thread meanwhile",
     .fn = stop_others,
     .plain = true,
     .n = 1000000},
    {.name = "ticker-unread-100us",
     .what = "processor time for a ticker of 100 us that nobody reads",
     .fn = ticker_unread,
     .plain = true,
     .unit = "ppm",
     .arg = 100 * US},
    {.name = "ticker-unread-1ns",
     .what = "the same for a ticker of 1 ns",
     .fn = ticker_unread,
     .plain = true,
     .unit = "ppm",
     .arg = 1},
    {0}};
