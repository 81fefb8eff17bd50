/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of bench/edge_lock.c in pthreads. */
#include "bench/peers/pthreads/threads.h"

enum { CAP = 1024, MOST = 64, STEP = 50 * MS };

struct storm {
  pthread_rwlock_t rw;
  struct queue queue;
  unsigned reads; /* percent */
  volatile long table;
  atomic_bool over;
  atomic_long total;
};

static void storm(struct edge_run *r, struct storm *s, void *(*fn)(void *)) {
  pthread_t t[MOST];
  while (edge_more(r)) {
    s->over = false;
    s->total = 0;
    int64_t start = edge_now();
    for (long i = 0; i < r->n; i++)
      t[i] = start_thread(fn, s);
    edge_nap(STEP);
    s->over = true;
    join_threads(t, r->n);
    edge_take(r, (edge_now() - start) / (s->total > 0 ? s->total : 1));
  }
}

static bool is_over(struct storm *s) {
  return atomic_load_explicit(&s->over, memory_order_relaxed);
}

static void *read_or_write(void *arg) {
  struct storm *s = arg;
  unsigned random = (unsigned)edge_now();
  long n = 0;
  for (; !is_over(s); n++) {
    random = random * 1664525u + 1013904223u;
    if ((random >> 16) % 100 < s->reads) {
      pthread_rwlock_rdlock(&s->rw);
      (void)s->table;
    } else {
      pthread_rwlock_wrlock(&s->rw);
      s->table = s->table + 1;
    }
    pthread_rwlock_unlock(&s->rw);
    for (volatile int i = 0; i < 20; i++)
      ;
  }
  s->total += n;
  return NULL;
}

static void rwmutex(struct edge_run *r) {
  static struct storm s = {.rw = PTHREAD_RWLOCK_INITIALIZER};
  s.reads = (unsigned)r->arg;
  storm(r, &s, read_or_write);
}

static void *try_both(void *arg) {
  struct storm *s = arg;
  long n = 0;
  for (long v = 1; !is_over(s); n++) {
    queue_try_put(&s->queue, v);
    queue_try_take(&s->queue, &v);
  }
  s->total += n;
  return NULL;
}

static void try_storm(struct edge_run *r) {
  static struct storm s;
  queue_init(&s.queue, CAP);
  for (long i = 0; i < CAP / 2; i++)
    queue_put(&s.queue, i);
  storm(r, &s, try_both);
}

const struct edge lock_rows[] = {
    {.name = "rwmutex-90", .fn = rwmutex, .n = 8, .arg = 90},
    {.name = "rwmutex-write", .fn = rwmutex, .n = 8, .arg = 0},
    {.name = "try-storm-4", .fn = try_storm, .n = 4},
    {.name = "try-storm-64", .fn = try_storm, .n = 64},
    {0}};
