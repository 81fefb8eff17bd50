/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of bench/edge_block.c in pthreads. */
#include "bench/peers/pthreads/threads.h"

#include <stdlib.h>

enum { POOL = 100 };

struct pool {
  struct queue jobs, results;
  int64_t block;
  long n;
};

static void *take_jobs(void *arg) {
  struct pool *p = arg;
  for (long job; queue_take(&p->jobs, &job);) {
    edge_nap(p->block);
    queue_put(&p->results, job);
  }
  return NULL;
}

static void *give_jobs(void *arg) {
  struct pool *p = arg;
  for (long job = 0; job < p->n; job++)
    queue_put(&p->jobs, job);
  queue_close(&p->jobs);
  return NULL;
}

static void pool(struct edge_run *r) {
  static struct pool p;
  while (edge_more(r)) {
    pthread_t t[POOL + 1];
    queue_init(&p.jobs, 64);
    queue_init(&p.results, 64);
    p.block = r->arg;
    p.n = r->n;
    int64_t start = edge_now();
    for (int i = 0; i < POOL; i++)
      t[i] = start_thread(take_jobs, &p);
    t[POOL] = start_thread(give_jobs, &p);
    for (long i = 0, job; i < r->n; i++)
      queue_take(&p.results, &job);
    edge_take(r, edge_now() - start);
    join_threads(t, POOL + 1);
  }
}

struct crowd {
  struct edge_pipe pipe;
  atomic_long arrived;
  long n;
  _Atomic int64_t all_in, last_ran;
  pthread_t *t;
};

static void *read_pipe(void *arg) {
  struct crowd *c = arg;
  if (atomic_fetch_add(&c->arrived, 1) == c->n - 1)
    c->all_in = edge_now();
  edge_read(&c->pipe);
  return NULL;
}

static void crowd_come(struct crowd *c, long n) {
  *c = (struct crowd){.pipe = edge_pipe(), .n = n};
  c->t = edge_zeroed((size_t)n, sizeof *c->t);
  for (long i = 0; i < n; i++)
    c->t[i] = start_thread(read_pipe, c);
}

static void crowd_leave(struct crowd *c) {
  while (!c->all_in)
    edge_nap(MS / 2);
  edge_unblock(&c->pipe);
  join_threads(c->t, c->n);
  edge_close(&c->pipe);
  free(c->t);
}

static void into_read(struct edge_run *r) {
  while (edge_more(r)) {
    struct crowd c;
    int64_t start = edge_now();
    crowd_come(&c, r->n);
    crowd_leave(&c);
    edge_take(r, c.all_in - start);
  }
}

static void *only_return(void *arg) {
  *(_Atomic int64_t *)arg = edge_now();
  return NULL;
}

static void behind_blocked(struct edge_run *r) {
  while (edge_more(r)) {
    struct crowd c;
    crowd_come(&c, r->n);
    int64_t start = edge_now();
    pthread_join(start_thread(only_return, &c.last_ran), NULL);
    edge_take(r, c.last_ran - start);
    crowd_leave(&c);
  }
}

const struct edge block_rows[] = {
    {.name = "pool-0.3ms", .fn = pool, .n = 5000, .arg = 300 * US},
    {.name = "pool-1ms", .fn = pool, .n = 5000, .arg = MS},
    {.name = "pool-1ms-told", .fn = pool, .n = 5000, .arg = MS},
    {.name = "pool-5ms", .fn = pool, .n = 1000, .arg = 5 * MS},
    {.name = "into-read-200", .fn = into_read, .n = 200},
    {.name = "into-read-1000", .fn = into_read, .n = 1000},
    {.name = "behind-blocked-10",
     .fn = behind_blocked,
     .n = 10,
     .latency = true},
    {.name = "behind-blocked-100",
     .fn = behind_blocked,
     .n = 100,
     .latency = true},
    {.name = "behind-blocked-1000",
     .fn = behind_blocked,
     .n = 1000,
     .latency = true},
    {0}};
