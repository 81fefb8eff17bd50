/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows about channels alone. */
#include "bench.h"

#include <semaphore.h>
#include <stdlib.h>

union elem {
  uint64_t i;
  unsigned char bytes[MAX_PAYLOAD];
};

static void uncontended(struct run *r) {
  gch_chan *c = make(r);
  union elem e = {0};
  run_begin(r);
  for (long i = 0; i < r->ops; i++) {
    e.i = (uint64_t)i;
    gch_send(c, &e);
    gch_recv(c, &e);
  }
  run_end(r);
  gch_unref(c);
}

static void try_recv(struct run *r) {
  gch_chan *c = make(r);
  union elem e;
  run_begin(r);
  for (long i = 0; i < r->ops; i++)
    gch_try_recv(c, &e);
  run_end(r);
  gch_unref(c);
}

struct end { /* of a stream */
  gch_chan *c;
  long count;
};

static void produce(void *arg) {
  struct end *s = arg;
  union elem e = {0};
  for (long i = 0; i < s->count; i++) {
    e.i = (uint64_t)i;
    gch_send(s->c, &e);
  }
}

static void consume(void *arg) {
  struct end *s = arg;
  union elem e;
  while (gch_recv(s->c, &e) == 0)
    ;
}

/* n producers that share the operations, and n consumers. */
static void stream(struct run *r) {
  gch_wg producers = GCH_WG_INIT, consumers = GCH_WG_INIT;
  struct end *ends = zeroed((size_t)r->n, sizeof *ends);
  gch_chan *c = make(r);
  for (long i = 0; i < r->n; i++) {
    ends[i] = (struct end){c, (r->ops + i) / r->n};
    run_hold(r, &consumers, consume, &ends[i]);
    run_hold(r, &producers, produce, &ends[i]);
  }
  run_release(r);
  gch_wg_wait(&producers);
  gch_close(c);
  gch_wg_wait(&consumers);
  run_end(r);
  gch_unref(c);
  free(ends);
}

struct table { /* tennis */
  gch_chan *ping, *pong;
};

static void answer(void *arg) {
  struct table *t = arg;
  union elem e;
  while (gch_recv(t->ping, &e) == 0)
    gch_send(t->pong, &e);
}

static void pingpong(struct run *r) {
  struct table t = {make(r), make(r)};
  gch_wg wg = GCH_WG_INIT;
  union elem e = {0};
  run_start(r, &wg, answer, &t);
  run_begin(r);
  for (long i = 0; i < r->ops; i++) {
    e.i = (uint64_t)i;
    gch_send(t.ping, &e);
    gch_recv(t.pong, &e);
  }
  run_end(r);
  gch_close(t.ping);
  gch_wg_wait(&wg);
  gch_unref(t.ping);
  gch_unref(t.pong);
}

struct crowd {
  gch_chan *c;
  gch_wg woken;
  sem_t leave;
};

/* (A union elem here would put two pages into each party's stack.) */
static void stand(void *c) {
  uint64_t e;
  gch_recv(c, &e);
}

static gch_chan *make_small(void) {
  gch_chan *c = gch_make_of(uint64_t, 0);
  if (!c)
    gch_panic("no memory");
  return c;
}

/* A woken thread sleeps again, until the measuring is over, because it costs
   less than to end; a task ends. */
static void stand_and_stay(void *arg) {
  struct crowd *crowd = arg;
  stand(crowd->c);
  gch_wg_done(&crowd->woken);
  sem_wait(&crowd->leave);
}

static void close_on(struct run *r, gch_chan *c, gch_wg *woken) {
  settle(c, (size_t)r->n, 20 * GCH_MILLISECOND);
  run_begin(r);
  gch_close(c);
  gch_wg_wait(woken);
  run_end(r);
}

static void close_on_threads(struct run *r, gch_chan *c) {
  struct crowd crowd = {.c = c};
  gch_wg wg = GCH_WG_INIT;
  sem_init(&crowd.leave, 0, 0);
  gch_wg_add(&crowd.woken, (int)r->n);
  for (long i = 0; i < r->n; i++)
    run_start(r, &wg, stand_and_stay, &crowd);
  close_on(r, c, &crowd.woken);
  for (long i = 0; i < r->n; i++)
    sem_post(&crowd.leave);
  gch_wg_wait(&wg);
  sem_destroy(&crowd.leave);
}

static void close_on_tasks(struct run *r, gch_chan *c) {
  gch_wg wg = GCH_WG_INIT;
  for (long i = 0; i < r->n; i++)
    run_start(r, &wg, stand, c);
  close_on(r, c, &wg);
}

/* The tasks are woken before the processor has forgotten their stacks. */
static void close_wakes_warm(struct run *r) {
  for (long done = 0; done < r->ops; done += r->n) {
    gch_chan *c = make_small();
    gch_wg wg = GCH_WG_INIT;
    for (long i = 0; i < r->n; i++)
      run_start(r, &wg, stand, c);
    for (size_t none, n = 0; n != (size_t)r->n; gch_waiting(c, &none, &n))
      gch_yield();
    run_begin(r);
    gch_close(c);
    gch_wg_wait(&wg);
    run_end(r);
    gch_unref(c);
  }
}

static void close_wakes(struct run *r) {
  for (long done = 0; done < r->ops; done += r->n) {
    gch_chan *c = make_small();
    if (r->tasks)
      close_on_tasks(r, c);
    else
      close_on_threads(r, c);
    gch_unref(c);
  }
}

#define CHAN(name_, kinds_, exact_, fn_, cap_, n_, what_)                      \
  {                                                                            \
    .group = "channels", .name = name_, .what = what_, .fn = fn_,              \
    .kinds = kinds_, .exact = exact_, .cap = cap_, .n = n_                     \
  }

const struct row chan_rows[] = {
    CHAN("uncontended", BOTH, BOTH, uncontended, 64, 1,
         "a send and a receive, buffered, nobody else at the channel"),
    CHAN("spsc-1", BOTH, TASKS, stream, 1, 1,
         "a message from one party to one, capacity 1"),
    CHAN("spsc-64", BOTH, TASKS, stream, 64, 1,
         "a message from one party to one, capacity 64"),
    CHAN("spsc-1024", BOTH, TASKS, stream, 1024, 1,
         "a message from one party to one, capacity 1024"),
    CHAN("mpmc-64", BOTH, TASKS, stream, 64, 4,
         "a message from four parties to four, capacity 64"),
    CHAN("mpmc-1024", BOTH, TASKS, stream, 1024, 4,
         "a message from four parties to four, capacity 1024"),
    CHAN("pingpong", BOTH, TASKS, pingpong, 0, 1,
         "a round trip between two parties over two unbuffered channels"),
    CHAN("spsc-0", BOTH, TASKS, stream, 0, 1,
         "a message from one party to one, unbuffered"),
    CHAN("mpmc-0", BOTH, TASKS, stream, 0, 4,
         "a message from four parties to four, unbuffered"),
    CHAN("try-recv", BOTH, BOTH, try_recv, 64, 1,
         "a try-receive from an empty channel"),
    {.group = "channels",
     .name = "close-1000",
     .what = "a party woken by the close of the channel on which 1000 sleep",
     .fn = close_wakes,
     .kinds = BOTH,
     .n = 1000,
     .by_n = true},
    {.group = "channels",
     .name = "close-1000-warm",
     .what = "the same, by a close as soon as all sleep",
     .fn = close_wakes_warm,
     .kinds = TASKS,
     .exact = TASKS,
     .n = 1000,
     .by_n = true},
    {0}};
