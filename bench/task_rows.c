/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows about starting, switching and keeping parties. */
#include "bench.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void nothing(void *arg) {
  (void)arg;
}

static void go_join(struct run *r) {
  for (long done = 0; done < r->ops; done += r->n) {
    gch_wg wg = GCH_WG_INIT;
    run_begin(r);
    for (long i = 0; i < r->n; i++)
      run_start(r, &wg, nothing, NULL);
    gch_wg_wait(&wg);
    run_end(r);
  }
}

enum { COMPUTE = 50 * GCH_MICROSECOND };

static void begin(void *begun) {
  atomic_store((atomic_bool *)begun, true);
}

/* Who starts the party does not stop for it. */
static void spread(struct run *r) {
  for (long i = 0; i < r->ops; i++) {
    atomic_bool begun = false;
    gch_wg wg = GCH_WG_INIT;
    for (int64_t end = gch_now() + COMPUTE; gch_now() < end;)
      ;
    run_begin(r);
    run_start(r, &wg, begin, &begun);
    while (!atomic_load(&begun))
      ;
    run_end(r);
    gch_wg_wait(&wg);
  }
}

static void yield_often(void *arg) {
  for (long i = 0; i < *(long *)arg; i++)
    gch_yield();
}

static void yield(struct run *r) {
  long count[2] = {r->ops / 2, r->ops - r->ops / 2};
  gch_wg wg = GCH_WG_INIT;
  run_hold(r, &wg, yield_often, &count[0]);
  run_hold(r, &wg, yield_often, &count[1]);
  run_release(r);
  gch_wg_wait(&wg);
  run_end(r);
}

/* The sieve of examples/sieve.c: who reads hangs up at the end. */
struct stage { /* the generator has neither in nor prime */
  gch_chan *in, *out;
  int prime;
};

static void generate(void *arg) {
  struct stage *s = arg;
  for (int i = 2; gch_send(s->out, &i) == 0; i++)
    ;
}

static void filter(void *arg) {
  struct stage *s = arg;
  int n;
  while (gch_recv(s->in, &n) == 0)
    if (n % s->prime != 0 && gch_send(s->out, &n) != 0)
      break;
  gch_close(s->in);
  gch_close(s->out);
}

static void add_stage(struct run *r, struct stage *stage, long i, gch_wg *wg) {
  struct stage *s = &stage[i];
  s->out = gch_make_of(int, 0);
  if (i > 0) {
    s->in = stage[i - 1].out;
    gch_recv(s->in, &s->prime);
  }
  run_start(r, wg, i > 0 ? filter : generate, s);
}

static void sieve(struct run *r) {
  struct stage *stage = zeroed((size_t)r->n + 1, sizeof *stage);
  for (long op = 0; op < r->ops; op++) {
    gch_wg wg = GCH_WG_INIT;
    run_begin(r);
    for (long i = 0; i <= r->n; i++)
      add_stage(r, stage, i, &wg);
    run_end(r);
    gch_close(stage[r->n].out);
    gch_wg_wait(&wg);
    for (long i = 0; i <= r->n; i++)
      gch_unref(stage[i].out);
  }
  free(stage);
}

static void stand(void *arg) {
  gch_recv(arg, NULL);
}

/* n parties that sleep on the channel, which is then given to dismiss. */
static gch_chan *muster(struct run *r, gch_wg *wg) {
  gch_chan *c = make(r);
  for (long i = 0; i < r->n; i++)
    run_start(r, wg, stand, c);
  settle(c, (size_t)r->n, 20 * GCH_MILLISECOND);
  return c;
}

static void dismiss(gch_chan *c, gch_wg *wg) {
  gch_close(c);
  gch_wg_wait(wg);
  gch_unref(c);
}

static double resident(void) { /* bytes */
  double pages = 0;
  FILE *f = fopen("/proc/self/statm", "r");
  if (!f || fscanf(f, "%*s %lf", &pages) != 1)
    gch_panic("no /proc/self/statm");
  fclose(f);
  return pages * (double)sysconf(_SC_PAGESIZE);
}

static void memory(struct run *r) {
  gch_wg wg = GCH_WG_INIT;
  double before = resident();
  gch_chan *c = muster(r, &wg);
  r->value = (resident() - before) / (double)r->n;
  dismiss(c, &wg);
}

static int64_t cpu_of_sleep(struct run *r, int64_t ns) {
  r->cpu = r->wall = 0;
  run_begin(r);
  gch_sleep(ns);
  run_end(r);
  return r->cpu;
}

/* The difference of two sleeps: to ask a process of a thousand threads for its
   CPU time takes some. */
static void idle(struct run *r) {
  const int64_t some = GCH_SECOND / 20;
  gch_wg wg = GCH_WG_INIT;
  gch_chan *c = muster(r, &wg);
  int64_t cpu = cpu_of_sleep(r, some);
  cpu = cpu_of_sleep(r, GCH_SECOND + some) - cpu;
  r->value = cpu > 0 ? (double)cpu / 1000 : 0;
  dismiss(c, &wg);
}

const struct row task_rows[] = {
    {.group = "tasks",
     .name = "go-join",
     .what = "a party started and joined by a wait group, each of 10 000",
     .fn = go_join,
     .kinds = BOTH,
     .exact = TASKS,
     .n = 10000,
     .by_n = true},
    {.group = "tasks",
     .name = "spread",
     .what = "a party started by one that then computes, until it has begun",
     .fn = spread,
     .kinds = BOTH,
     .n = 1},
    {.group = "tasks",
     .name = "yield",
     .what = "a yield, two parties yielding all the time",
     .fn = yield,
     .kinds = BOTH,
     .exact = TASKS,
     .n = 2},
    {.group = "tasks",
     .name = "sieve",
     .what = "the first 1000 primes by a chain of filters, all of it",
     .fn = sieve,
     .kinds = TASKS,
     .n = 1000},
    {.group = "tasks",
     .name = "memory",
     .what = "resident memory of a party that sleeps on a channel, of 2000",
     .fn = memory,
     .kinds = BOTH,
     .n = 2000,
     .unit = "B"},
    {.group = "tasks",
     .name = "idle",
     .what = "CPU time in a second during which 1000 parties sleep on a "
             "channel",
     .fn = idle,
     .kinds = BOTH,
     .n = 1000,
     .unit = "us"},
    {0}};
