/* SPDX-License-Identifier: BSD-3-Clause */
/* Edges rows about locks that many plain threads want. */
#include "edge_gulch.h"

enum { CAP = 1024, CALM = 256, FEW = 20 };

struct scene {
  struct edge_storm storm; /* first */
  gch_rwmutex rw;
  gch_chan *chan[4];
  gch_chan *calm[CALM]; /* of nobody but who measures */
  unsigned reads;       /* percent */
  volatile long table;
};

static long read_or_write(struct edge_storm *s, long i) {
  struct scene *scene = (struct scene *)s;
  unsigned random = (unsigned)edge_now() + (unsigned)i;
  long n = 0;
  for (; !edge_is_over(s); n++) {
    random = random * 1664525u + 1013904223u;
    if ((random >> 16) % 100 < scene->reads) {
      gch_rwmutex_rlock(&scene->rw);
      (void)scene->table;
      gch_rwmutex_runlock(&scene->rw);
    } else {
      gch_rwmutex_lock(&scene->rw);
      scene->table = scene->table + 1;
      gch_rwmutex_unlock(&scene->rw);
    }
    for (volatile int k = 0; k < 20; k++)
      ;
  }
  return n;
}

static void rwmutex(struct edge_run *r) {
  struct scene s = {.storm = {.work = read_or_write},
                    .rw = GCH_RWMUTEX_INIT,
                    .reads = (unsigned)r->arg};
  edge_storm(r, &s.storm);
}

static long try_both(struct edge_storm *s, long i) {
  gch_chan *c = ((struct scene *)s)->chan[i % 4];
  long n = 0;
  for (long v = 1; !edge_is_over(s); n++) {
    gch_try_send(c, &v);
    gch_try_recv(c, &v);
  }
  return n;
}

/* Half full, the same for all or each another. */
static void fill(struct scene *s, bool the_same) {
  for (int i = 0; i < 4; i++) {
    if (i > 0 && the_same) {
      s->chan[i] = gch_ref(s->chan[0]);
      continue;
    }
    s->chan[i] = gch_make_of(long, CAP);
    for (long k = 0; k < CAP / 2; k++)
      gch_send(s->chan[i], &k);
  }
}

static void empty(struct scene *s) {
  for (int i = 0; i < 4; i++)
    gch_unref(s->chan[i]);
}

static void try_storm(struct edge_run *r) {
  struct scene s = {.storm = {.work = try_both}};
  fill(&s, true);
  edge_storm(r, &s.storm);
  empty(&s);
}

/* A send and a receive where nobody else is, channel after channel: a figure
   is the mean of a few at one. */
static void use_calm(struct edge_run *r, struct edge_storm *s) {
  struct scene *scene = (struct scene *)s;
  for (long at = 0; edge_more(r); at++) {
    gch_chan *c = scene->calm[at % CALM];
    int64_t start = edge_now();
    for (long i = 0; i < FEW; i++) {
      gch_send(c, &i);
      gch_recv(c, &i);
    }
    edge_take(r, (edge_now() - start) / FEW);
  }
}

/* arg: whether the storm is at one lock. */
static void neighbour(struct edge_run *r) {
  struct scene s = {.storm = {.work = try_both}};
  fill(&s, r->arg);
  for (int i = 0; i < CALM; i++)
    s.calm[i] = gch_make_of(long, 1);
  edge_meanwhile(r, &s.storm, use_calm);
  for (int i = 0; i < CALM; i++)
    gch_unref(s.calm[i]);
  empty(&s);
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
    {.name = "neighbour",
     .what = "a send and a receive at 256 other channels in turn, during "
             "try-storm-4 (pthreads: 256 other rings)",
     .fn = neighbour,
     .plain = true,
     .latency = true,
     .n = 4,
     .arg = true},
    {.name = "neighbour-calm",
     .what = "the same, each of those 4 threads having a channel of its own",
     .fn = neighbour,
     .plain = true,
     .latency = true,
     .n = 4,
     .arg = false},
    {0}};
