/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the rows of the groups "edges" and "io" share, those of gulch (edge_*.c,
 * io_*.c) and their twins in plain C (peers/pthreads). Such a row is no loop of
 * equal operations: it sets a scene, takes what happens in it as figures, and
 * shows their median and, of a latency, their 99th percentile:
 *
 *     static void wake(struct edge_run *r) {
 *       while (edge_more(r)) {
 *         int64_t start = edge_now();
 *         ...
 *         edge_take(r, edge_now() - start);
 *       }
 *     }
 *
 * It is bounded by time, not by a count. Nothing here is gulch's.
 */
#ifndef GULCH_BENCH_EDGE_H
#define GULCH_BENCH_EDGE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { US = 1000, MS = 1000000 }; /* ns */

struct edge_run { /* one sample */
  long n;
  int64_t arg;
  int64_t began, budget; /* ns */
  int64_t *figure;
  size_t taken, room;
};

struct edge {
  const char *name;
  const char *what;
  void (*fn)(struct edge_run *r);
  long n;           /* the size */
  int64_t arg;      /* another number, mostly ns */
  int procs;        /* as many are allowed; 0: two */
  bool plain;       /* fn is called by plain main, else as its main task */
  bool latency;     /* a 99th percentile makes sense */
  const char *unit; /* NULL: ns */
};

/* Each program has its own groups, which end with one without a name; tables
   end with NULL, and a table with a row without a name. */
struct edge_group {
  const char *name;
  const struct edge *const *tables;
};
extern const struct edge_group edge_groups[];

/* Each program's own way to call a row, and to keep to so many processors. */
void edge_enter(const struct edge *e, struct edge_run *r);

/* Whether there is time for more: once in any case, and then no more often
   than there is room for figures. */
bool edge_more(const struct edge_run *r);
void edge_take(struct edge_run *r, int64_t figure);

int64_t edge_now(void);      /* monotonic, ns */
int64_t edge_cpu(void);      /* what the process has used, ns */
int64_t edge_resident(void); /* bytes */
void edge_spin(int64_t ns);  /* computes */
void edge_nap(int64_t ns);   /* blocks the thread, and is no call of gulch */
_Noreturn void edge_fail(const char *what);

/* What malloc gives, zeroed, or the program ends. */
void *edge_zeroed(size_t n, size_t size);

/* n plain threads, each in work(storm, its number), which counts what it does
   until edge_is_over: a figure is the wall time an operation. A scene begins
   with a storm. */
struct edge_storm {
  long (*work)(struct edge_storm *s, long i);
  atomic_bool over;
};
void edge_storm(struct edge_run *r, struct edge_storm *s);

/* Calls fn, which takes the figures, during the storm. */
void edge_meanwhile(struct edge_run *r, struct edge_storm *s,
                    void (*fn)(struct edge_run *r, struct edge_storm *s));

static inline bool edge_is_over(struct edge_storm *s) {
  return atomic_load_explicit(&s->over, memory_order_relaxed);
}

/* The worst that another plain thread finds, fn(worst), until over. begin waits
   until it has come round three times, which don't count, and end for three
   more. */
struct edge_worst {
  void *scene;
  atomic_bool over;
  _Atomic int64_t worst;
  atomic_long rounds;
  pthread_t thread;
};
void edge_worst_begin(struct edge_worst *w, void *(*fn)(void *));
void edge_worst_take(struct edge_worst *w, int64_t ns);
void edge_worst_end(struct edge_worst *w, struct edge_run *r);

/* A pipe that nobody writes to: who reads blocks until edge_unblock. */
struct edge_pipe {
  int in, out;
};
struct edge_pipe edge_pipe(void);
void edge_read(struct edge_pipe *p);
void edge_unblock(struct edge_pipe *p); /* all that read, now and later */
void edge_close(struct edge_pipe *p);   /* when nobody does any more */

#endif
