/* SPDX-License-Identifier: BSD-3-Clause */
/* Edges rows about tasks that compute and never stop: who comes behind them,
   who is woken from outside. */
#include "edge_gulch.h"

enum { SHORT = 20 * US, WARM = 100 * MS };
#define LIMIT (3 * GCH_SECOND)

struct scene {
  atomic_bool over;
  int64_t end; /* at the latest: they may hold up who would set over */
  gch_wg wg;
};

static void compute(void *arg) {
  struct scene *s = arg;
  while (!s->over && edge_now() < s->end)
    edge_spin(SHORT);
}

static void start_computing(struct scene *s, long n) {
  s->end = edge_now() + LIMIT;
  for (long i = 0; i < n; i++)
    gch_must(gch_wg_go(&s->wg, compute, s));
}

static void end_computing(struct scene *s) {
  s->over = true;
  gch_wg_wait(&s->wg);
}

static void be_short(void *arg) {
  (void)arg;
  edge_spin(SHORT);
}

/* Tasks as a server has them: many, and each soon over. */
static void warm_up(void) {
  for (int64_t end = edge_now() + WARM; edge_now() < end;) {
    gch_wg wg = GCH_WG_INIT;
    for (int i = 0; i < 10; i++)
      gch_must(gch_wg_go(&wg, be_short, NULL));
    gch_wg_wait(&wg);
  }
}

static void say_when(void *arg) {
  *(_Atomic int64_t *)arg = edge_now();
}

static void nothing(void *arg) {
  (void)arg;
}

/* Another is started after it, as in behind-blocked. */
static void behind_computing(struct edge_run *r) {
  while (edge_more(r)) {
    struct scene s = {.wg = GCH_WG_INIT};
    gch_wg last = GCH_WG_INIT;
    _Atomic int64_t ran = 0;
    warm_up();
    start_computing(&s, r->n);
    int64_t start = edge_now();
    gch_must(gch_wg_go(&last, say_when, &ran));
    gch_must(gch_wg_go(&last, nothing, NULL));
    gch_wg_wait(&last);
    edge_take(r, ran - start);
    end_computing(&s);
  }
}

struct woken {
  gch_chan *chan;
  _Atomic int64_t ran;
};

static void be_woken(void *arg) {
  struct woken *w = arg;
  while (gch_recv(w->chan, NULL) == 0)
    w->ran = edge_now();
}

/* The caller is a plain thread. */
static void thread_wakes(struct edge_run *r) {
  struct scene s = {.wg = GCH_WG_INIT};
  struct woken w = {.chan = gch_make(0, 0)};
  gch_must(gch_wg_go(&s.wg, be_woken, &w));
  edge_settle(w.chan, 1);
  start_computing(&s, r->n);
  while (edge_more(r)) {
    edge_nap(MS);
    w.ran = 0;
    int64_t start = edge_now();
    gch_send(w.chan, NULL);
    while (!w.ran)
      edge_nap(100 * US);
    edge_take(r, w.ran - start);
  }
  gch_close(w.chan);
  end_computing(&s);
  gch_unref(w.chan);
}

const struct edge edge_compute_rows[] = {
    {.name = "behind-computing-1",
     .what = "from the start of one that only returns until it runs, 2 that "
             "compute started before it, and short ones for 100 ms; 1 "
             "processor (they end after 3 s)",
     .fn = behind_computing,
     .latency = true,
     .procs = 1,
     .n = 2},
    {.name = "behind-computing-2",
     .what = "the same on 2 processors",
     .fn = behind_computing,
     .latency = true,
     .n = 2},
    {.name = "behind-computing-200",
     .what = "the same behind 200 that compute",
     .fn = behind_computing,
     .latency = true,
     .n = 200},
    {.name = "thread-wakes-2",
     .what = "from a send in a plain thread until the task that it wakes runs, "
             "2 tasks computing",
     .fn = thread_wakes,
     .plain = true,
     .latency = true,
     .n = 2},
    {.name = "thread-wakes-8",
     .what = "the same, 8 computing",
     .fn = thread_wakes,
     .plain = true,
     .latency = true,
     .n = 8},
    {0}};
