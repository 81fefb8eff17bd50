/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows about select. */
#include "bench.h"

#include <stdlib.h>

struct source {
  gch_chan *c;
  long count;
};

static void produce(void *arg) {
  struct source *s = arg;
  for (long i = 0; i < s->count; i++)
    gch_send(s->c, &i);
}

static void take_from_two(const struct source *s, long count) {
  uint64_t a, b;
  for (long i = 0; i < count; i++)
    gch_select(GCH_RECV(s[0].c, &a), GCH_RECV(s[1].c, &b));
}

static void take_from_all(const struct source *s, size_t n, long count) {
  gch_case *cases = zeroed(n, sizeof *cases);
  uint64_t e;
  for (size_t i = 0; i < n; i++)
    cases[i] = GCH_RECV(s[i].c, &e);
  for (long i = 0; i < count; i++)
    gch_select_cases(cases, n);
  free(cases);
}

/* n producers, each with its own channel, and one that selects over them. */
static void producers(struct run *r) {
  size_t n = (size_t)r->n;
  struct source *s = zeroed(n, sizeof *s);
  gch_wg wg = GCH_WG_INIT;
  for (size_t i = 0; i < n; i++) {
    s[i] = (struct source){make(r), (r->ops + (long)i) / r->n};
    run_hold(r, &wg, produce, &s[i]);
  }
  run_release(r);
  if (n == 2)
    take_from_two(s, r->ops);
  else
    take_from_all(s, n, r->ops);
  gch_wg_wait(&wg);
  run_end(r);
  for (size_t i = 0; i < n; i++)
    gch_unref(s[i].c);
  free(s);
}

static void worker(struct run *r) {
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  struct source jobs = {make(r), r->ops};
  gch_wg wg = GCH_WG_INIT;
  uint64_t job;
  run_hold(r, &wg, produce, &jobs);
  run_release(r);
  for (long i = 0; i < r->ops; i++)
    gch_select(GCH_RECV(jobs.c, &job), GCH_RECV(gch_ctx_done(ctx), NULL));
  gch_wg_wait(&wg);
  run_end(r);
  gch_unref(jobs.c);
  gch_ctx_end(ctx);
}

static void with_default(struct run *r) {
  gch_chan *a = make(r), *b = make(r);
  uint64_t x, y;
  run_begin(r);
  for (long i = 0; i < r->ops; i++)
    gch_select(GCH_RECV(a, &x), GCH_RECV(b, &y), GCH_DEFAULT);
  run_end(r);
  gch_unref(a);
  gch_unref(b);
}

/* The value is in another channel each time. */
static void one_ready(struct run *r) {
  size_t n = (size_t)r->n;
  gch_case *cases = zeroed(n, sizeof *cases);
  uint64_t e = 0;
  for (size_t i = 0; i < n; i++)
    cases[i] = GCH_RECV(make(r), &e);
  run_begin(r);
  for (size_t i = 0; i < (size_t)r->ops; i++) {
    gch_send(cases[i % n].chan, &e);
    gch_select_cases(cases, n);
  }
  run_end(r);
  for (size_t i = 0; i < n; i++)
    gch_unref(cases[i].chan);
  free(cases);
}

static void answer(void *arg) {
  gch_chan *const *c = arg; /* from, to */
  uint64_t e;
  while (gch_recv(c[0], &e) == 0)
    gch_send(c[1], &e);
}

/* Sends to a partner and parks over cases until the answer comes by last. */
static void ask(struct run *r, gch_case *cases, size_t n, gch_chan *last) {
  gch_chan *c[2] = {make(r), last};
  gch_wg wg = GCH_WG_INIT;
  uint64_t e = 0;
  run_start(r, &wg, answer, c);
  run_begin(r);
  for (long i = 0; i < r->ops; i++) {
    gch_send(c[0], &e);
    gch_select_cases(cases, n);
  }
  run_end(r);
  gch_close(c[0]);
  gch_wg_wait(&wg);
  gch_unref(c[0]);
}

static void parked(struct run *r) {
  size_t n = (size_t)r->n;
  gch_case *cases = zeroed(n, sizeof *cases);
  for (size_t i = 0; i < n; i++)
    cases[i] = GCH_RECV(make(r), NULL);
  ask(r, cases, n, cases[n - 1].chan);
  for (size_t i = 0; i < n; i++)
    gch_unref(cases[i].chan);
  free(cases);
}

static void stand(void *arg) {
  gch_recv(arg, NULL);
}

/* The select queues behind n others, and leaves from there. */
static void behind(struct run *r) {
  gch_chan *crowded = make(r), *mine = make(r);
  gch_case cases[] = {GCH_RECV(crowded, NULL), GCH_RECV(mine, NULL)};
  gch_wg wg = GCH_WG_INIT;
  for (long i = 0; i < r->n; i++)
    run_start(r, &wg, stand, crowded);
  settle(crowded, (size_t)r->n, 20 * GCH_MILLISECOND);
  ask(r, cases, 2, mine);
  gch_close(crowded);
  gch_wg_wait(&wg);
  gch_unref(crowded);
  gch_unref(mine);
}

#define SELECT(name_, kinds_, exact_, fn_, cap_, n_, what_)                    \
  {                                                                            \
    .group = "select", .name = name_, .what = what_, .fn = fn_,                \
    .kinds = kinds_, .exact = exact_, .cap = cap_, .n = n_                     \
  }

const struct row select_rows[] = {
    SELECT("select-2", BOTH, 0, producers, 64, 2,
           "a select over 2 channels of capacity 64, each with a producer"),
    SELECT("select-8", BOTH, 0, producers, 64, 8,
           "a select over 8 channels of capacity 64, each with a producer"),
    SELECT("worker", BOTH, TASKS, worker, 64, 1,
           "a select over jobs (capacity 64, one producer) and a context's "
           "Done that never fires"),
    SELECT("select-default", BOTH, BOTH, with_default, 64, 2,
           "a select with default over 2 empty channels"),
    SELECT("select-ready", BOTH, BOTH, one_ready, 1, 2,
           "a send and a select over 2 channels, of which one is ready"),
    SELECT("select-parked", BOTH, TASKS, parked, 0, 2,
           "a round trip to a party, the answer awaited in a select over 2"),
    SELECT("select-behind", BOTH, TASKS, behind, 0, 1,
           "the same, one of the 2 channels having a party parked on it"),
    {0}};
