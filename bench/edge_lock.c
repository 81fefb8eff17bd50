/* SPDX-License-Identifier: BSD-3-Clause */
/* Edges rows about locks under contention: plain threads, for a given time. */
#include "edge_gulch.h"

#include <pthread.h>

enum { CAP = 1024, MOST = 64, STEP = 50 * MS };

/* n threads run fn(scene), which counts in total until over: a figure is the
   wall time an operation, during a step. */
struct storm {
  gch_rwmutex rw;
  gch_chan *chan;
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
      if (pthread_create(&t[i], NULL, fn, s) != 0)
        edge_fail("no thread");
    edge_nap(STEP);
    s->over = true;
    for (long i = 0; i < r->n; i++)
      pthread_join(t[i], NULL);
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
      gch_rwmutex_rlock(&s->rw);
      (void)s->table;
      gch_rwmutex_runlock(&s->rw);
    } else {
      gch_rwmutex_lock(&s->rw);
      s->table = s->table + 1;
      gch_rwmutex_unlock(&s->rw);
    }
    for (volatile int i = 0; i < 20; i++)
      ;
  }
  s->total += n;
  return NULL;
}

static void rwmutex(struct edge_run *r) {
  struct storm s = {.rw = GCH_RWMUTEX_INIT, .reads = (unsigned)r->arg};
  storm(r, &s, read_or_write);
}

static void *try_both(void *arg) {
  struct storm *s = arg;
  long n = 0;
  for (long v = 1; !is_over(s); n++) {
    gch_try_send(s->chan, &v);
    gch_try_recv(s->chan, &v);
  }
  s->total += n;
  return NULL;
}

static void try_storm(struct edge_run *r) {
  struct storm s = {.chan = gch_make_of(long, CAP)};
  for (long i = 0; i < CAP / 2; i++)
    gch_send(s.chan, &i);
  storm(r, &s, try_both);
  gch_unref(s.chan);
}

const struct edge edge_lock_rows[] = {
    {.name = "rwmutex-90",
     .what = "an operation under an rwmutex, 8 threads, 90 % reads",
     .fn = rwmutex,
     .plain = true,
     .n = 8,
     .arg = 90},
    {.name = "rwmutex-write",
     .what = "the same, writers only",
     .fn = rwmutex,
     .plain = true,
     .n = 8,
     .arg = 0},
    {.name = "try-storm-4",
     .what = "a try-send and a try-receive at one channel of 1024, half full, "
             "by 4 threads (pthreads: a ring under a mutex)",
     .fn = try_storm,
     .plain = true,
     .n = 4},
    {.name = "try-storm-64",
     .what = "the same by 64 threads",
     .fn = try_storm,
     .plain = true,
     .n = 64},
    {0}};
