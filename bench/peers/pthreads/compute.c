/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of bench/edge_compute.c in pthreads. */
#include "bench/peers/pthreads/threads.h"

enum { SHORT = 20 * US, WARM = 100 * MS, MOST = 200 };
#define LIMIT (3000 * (int64_t)MS)

struct scene {
  atomic_bool over;
  int64_t end;
};

static void *compute(void *arg) {
  struct scene *s = arg;
  while (!s->over && edge_now() < s->end)
    edge_spin(SHORT);
  return NULL;
}

static void start_computing(struct scene *s, pthread_t *t, long n) {
  s->over = false;
  s->end = edge_now() + LIMIT;
  for (long i = 0; i < n; i++)
    t[i] = start_thread(compute, s);
}

static void *be_short(void *arg) {
  edge_spin(SHORT);
  return arg;
}

static void warm_up(void) {
  for (int64_t end = edge_now() + WARM; edge_now() < end;) {
    pthread_t t[10];
    for (int i = 0; i < 10; i++)
      t[i] = start_thread(be_short, NULL);
    join_threads(t, 10);
  }
}

static void *say_when(void *arg) {
  *(_Atomic int64_t *)arg = edge_now();
  return NULL;
}

static void behind_computing(struct edge_run *r) {
  while (edge_more(r)) {
    pthread_t t[MOST];
    struct scene s;
    _Atomic int64_t ran = 0;
    warm_up();
    start_computing(&s, t, r->n);
    int64_t start = edge_now();
    pthread_join(start_thread(say_when, &ran), NULL);
    edge_take(r, ran - start);
    s.over = true;
    join_threads(t, r->n);
  }
}

struct woken {
  struct signal signal;
  _Atomic int64_t ran;
};

static void *be_woken(void *arg) {
  struct woken *w = arg;
  while (signal_wait(&w->signal))
    w->ran = edge_now();
  return NULL;
}

static void thread_wakes(struct edge_run *r) {
  struct woken w = {SIGNAL_INIT, 0};
  pthread_t t[MOST], other = start_thread(be_woken, &w);
  struct scene s;
  signal_settle(&w.signal, 1);
  start_computing(&s, t, r->n);
  while (edge_more(r)) {
    edge_nap(MS);
    w.ran = 0;
    int64_t start = edge_now();
    signal_raise(&w.signal);
    while (!w.ran)
      edge_nap(100 * US);
    edge_take(r, w.ran - start);
  }
  s.over = true;
  signal_close(&w.signal);
  pthread_join(other, NULL);
  join_threads(t, r->n);
}

const struct edge compute_rows[] = {
    {.name = "behind-computing-1",
     .fn = behind_computing,
     .latency = true,
     .procs = 1,
     .n = 2},
    {.name = "behind-computing-2",
     .fn = behind_computing,
     .latency = true,
     .n = 2},
    {.name = "behind-computing-200",
     .fn = behind_computing,
     .latency = true,
     .n = 200},
    {.name = "thread-wakes-2", .fn = thread_wakes, .latency = true, .n = 2},
    {.name = "thread-wakes-8", .fn = thread_wakes, .latency = true, .n = 8},
    {0}};
