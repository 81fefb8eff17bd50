/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of bench/edge_lock.c in pthreads. */
#include "bench/peers/pthreads/threads.h"

enum { CAP = 1024, CALM = 256, FEW = 20 };

struct scene {
  struct edge_storm storm; /* first */
  pthread_rwlock_t rw;
  struct queue queue[4], calm[CALM];
  bool same;
  unsigned reads; /* percent */
  volatile long table;
};

static struct scene scene = {.rw = PTHREAD_RWLOCK_INITIALIZER};

static long read_or_write(struct edge_storm *s, long i) {
  unsigned random = (unsigned)edge_now() + (unsigned)i;
  long n = 0;
  for (; !edge_is_over(s); n++) {
    random = random * 1664525u + 1013904223u;
    if ((random >> 16) % 100 < scene.reads) {
      pthread_rwlock_rdlock(&scene.rw);
      (void)scene.table;
    } else {
      pthread_rwlock_wrlock(&scene.rw);
      scene.table = scene.table + 1;
    }
    pthread_rwlock_unlock(&scene.rw);
    for (volatile int k = 0; k < 20; k++)
      ;
  }
  return n;
}

static void rwmutex(struct edge_run *r) {
  scene.storm.work = read_or_write;
  scene.reads = (unsigned)r->arg;
  edge_storm(r, &scene.storm);
}

static long try_both(struct edge_storm *s, long i) {
  struct queue *q = &scene.queue[scene.same ? 0 : i % 4];
  long n = 0;
  for (long v = 1; !edge_is_over(s); n++) {
    queue_try_put(q, v);
    queue_try_take(q, &v);
  }
  return n;
}

static void fill(bool same) {
  scene.storm.work = try_both;
  scene.same = same;
  for (int i = 0; i < 4; i++) {
    queue_init(&scene.queue[i], CAP);
    for (long k = 0; k < CAP / 2; k++)
      queue_put(&scene.queue[i], k);
  }
}

static void try_storm(struct edge_run *r) {
  fill(true);
  edge_storm(r, &scene.storm);
}

static void use_calm(struct edge_run *r, struct edge_storm *s) {
  (void)s;
  for (long at = 0; edge_more(r); at++) {
    struct queue *q = &scene.calm[at % CALM];
    int64_t start = edge_now();
    for (long i = 0; i < FEW; i++) {
      queue_put(q, i);
      queue_take(q, &i);
    }
    edge_take(r, (edge_now() - start) / FEW);
  }
}

static void neighbour(struct edge_run *r) {
  fill(r->arg);
  for (int i = 0; i < CALM; i++)
    queue_init(&scene.calm[i], 1);
  edge_meanwhile(r, &scene.storm, use_calm);
}

const struct edge lock_rows[] = {
    {.name = "rwmutex-90", .fn = rwmutex, .n = 8, .arg = 90},
    {.name = "rwmutex-write", .fn = rwmutex, .n = 8, .arg = 0},
    {.name = "try-storm-4", .fn = try_storm, .n = 4},
    {.name = "try-storm-64", .fn = try_storm, .n = 64},
    {.name = "neighbour",
     .fn = neighbour,
     .n = 4,
     .arg = true,
     .latency = true},
    {.name = "neighbour-calm",
     .fn = neighbour,
     .n = 4,
     .arg = false,
     .latency = true},
    {0}};
