/* SPDX-License-Identifier: BSD-3-Clause */
/* Edges rows about calls that block a thread: pools, crowds, who is behind. */
#include "edge_gulch.h"

/* POOL tasks take n jobs, each a call that blocks for arg; what it takes. */

enum { POOL = 100 };

struct pool {
  gch_chan *jobs, *results;
  int64_t block;
  bool told;
  gch_wg wg;
};

static void block(void *arg) {
  edge_nap(((struct pool *)arg)->block);
}

static void take_jobs(void *arg) {
  struct pool *p = arg;
  for (long job; gch_recv(p->jobs, &job) == 0;) {
    if (p->told)
      gch_blocking(block, p);
    else
      block(p);
    gch_send(p->results, &job);
  }
}

struct feed {
  gch_chan *jobs;
  long n;
};

static void give_jobs(void *arg) {
  struct feed *f = arg;
  for (long job = 0; job < f->n; job++)
    gch_send(f->jobs, &job);
  gch_close(f->jobs);
}

static void run_pool(struct edge_run *r, bool told) {
  while (edge_more(r)) {
    struct pool p = {gch_make_of(long, 64), gch_make_of(long, 64), r->arg, told,
                     GCH_WG_INIT};
    struct feed f = {p.jobs, r->n};
    int64_t start = edge_now();
    for (int i = 0; i < POOL; i++)
      gch_must(gch_wg_go(&p.wg, take_jobs, &p));
    gch_must(gch_wg_go(&p.wg, give_jobs, &f));
    for (long i = 0; i < r->n; i++)
      gch_recv(p.results, NULL);
    edge_take(r, edge_now() - start);
    gch_wg_wait(&p.wg);
    gch_unref(p.jobs);
    gch_unref(p.results);
  }
}

static void pool(struct edge_run *r) {
  run_pool(r, false);
}

static void pool_told(struct edge_run *r) {
  run_pool(r, true);
}

/* n tasks that come at once and all read a pipe; who is last takes the time. */

struct crowd {
  struct edge_pipe pipe;
  atomic_long arrived;
  long n;
  _Atomic int64_t all_in, last_ran;
  gch_wg wg;
};

static void read_pipe(void *arg) {
  struct crowd *c = arg;
  if (atomic_fetch_add(&c->arrived, 1) == c->n - 1)
    c->all_in = edge_now();
  edge_read(&c->pipe);
}

static void crowd_come(struct crowd *c, long n) {
  *c = (struct crowd){.pipe = edge_pipe(), .n = n, .wg = GCH_WG_INIT};
  for (long i = 0; i < n; i++)
    gch_must(gch_wg_go(&c->wg, read_pipe, c));
}

static void crowd_leave(struct crowd *c) {
  while (!c->all_in)
    gch_sleep(MS / 2);
  edge_unblock(&c->pipe);
  gch_wg_wait(&c->wg);
  edge_close(&c->pipe);
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

static void only_return(void *arg) {
  *(_Atomic int64_t *)arg = edge_now();
}

static void nothing(void *arg) {
  (void)arg;
}

/* From the start of a task until it runs, n before it being about to block.
   Another is started after it: a scheduler that prefers the newest would not
   have it wait behind anybody. */
static void behind_blocked(struct edge_run *r) {
  while (edge_more(r)) {
    struct crowd c;
    gch_wg last = GCH_WG_INIT;
    crowd_come(&c, r->n);
    int64_t start = edge_now();
    gch_must(gch_wg_go(&last, only_return, &c.last_ran));
    gch_must(gch_wg_go(&last, nothing, NULL));
    gch_wg_wait(&last);
    edge_take(r, c.last_ran - start);
    crowd_leave(&c);
  }
}

const struct edge edge_block_rows[] = {
    {.name = "pool-0.3ms",
     .what = "5000 jobs that block for 0.3 ms each, by a pool of 100 (15 ms "
             "would be ideal)",
     .fn = pool,
     .n = 5000,
     .arg = 300 * US},
    {.name = "pool-1ms",
     .what = "the same, 1 ms each (50 ms)",
     .fn = pool,
     .n = 5000,
     .arg = MS},
    {.name = "pool-1ms-told",
     .what = "the same, each call made by gch_blocking",
     .fn = pool_told,
     .n = 5000,
     .arg = MS},
    {.name = "pool-5ms",
     .what = "1000 jobs that block for 5 ms each, by a pool of 100 (50 ms)",
     .fn = pool,
     .n = 1000,
     .arg = 5 * MS},
    {.name = "into-read-200",
     .what = "200 start at once, and each reads an empty pipe: until all do",
     .fn = into_read,
     .n = 200},
    {.name = "into-read-1000",
     .what = "the same with 1000",
     .fn = into_read,
     .n = 1000},
    {.name = "behind-blocked-10",
     .what = "from the start of one that only returns until it runs, 10 that "
             "read an empty pipe started just before it, and one that does "
             "nothing after it",
     .fn = behind_blocked,
     .latency = true,
     .n = 10},
    {.name = "behind-blocked-100",
     .what = "the same behind 100",
     .fn = behind_blocked,
     .latency = true,
     .n = 100},
    {.name = "behind-blocked-1000",
     .what = "the same behind 1000",
     .fn = behind_blocked,
     .latency = true,
     .n = 1000},
    {0}};
