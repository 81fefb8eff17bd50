/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of bench/edge_hand.c in pthreads. */
#include "bench/peers/pthreads/threads.h"

#include <stdlib.h>

enum { MESSAGES = 1000, CROWD = 4000 };

/* A value handed over: who puts waits until it was taken. */
struct place {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  bool full, closed;
  long value;
};

static void place_put(struct place *p, long v) {
  pthread_mutex_lock(&p->mutex);
  p->value = v;
  p->full = true;
  pthread_cond_broadcast(&p->changed);
  while (p->full)
    pthread_cond_wait(&p->changed, &p->mutex);
  pthread_mutex_unlock(&p->mutex);
}

static void *place_drain(void *arg) {
  struct place *p = arg;
  pthread_mutex_lock(&p->mutex);
  while (!p->closed || p->full) {
    while (!p->full && !p->closed)
      pthread_cond_wait(&p->changed, &p->mutex);
    p->full = false;
    pthread_cond_broadcast(&p->changed);
  }
  pthread_mutex_unlock(&p->mutex);
  return NULL;
}

static void place_close(struct place *p) {
  pthread_mutex_lock(&p->mutex);
  p->closed = true;
  pthread_cond_broadcast(&p->changed);
  pthread_mutex_unlock(&p->mutex);
}

static void send_unbuffered(struct edge_run *r) {
  struct place p = {.mutex = PTHREAD_MUTEX_INITIALIZER,
                    .changed = PTHREAD_COND_INITIALIZER};
  pthread_t t = start_thread(place_drain, &p);
  while (edge_more(r)) {
    int64_t start = edge_now();
    for (long i = 0; i < MESSAGES; i++)
      place_put(&p, i);
    edge_take(r, (edge_now() - start) / MESSAGES);
  }
  place_close(&p);
  pthread_join(t, NULL);
}

static void *queue_drain(void *arg) {
  for (long v; queue_take(arg, &v);)
    ;
  return NULL;
}

static void send_buffered(struct edge_run *r) {
  static struct queue q;
  queue_init(&q, (unsigned)r->n);
  pthread_t t = start_thread(queue_drain, &q);
  while (edge_more(r)) {
    int64_t start = edge_now();
    for (long i = 0; i < MESSAGES; i++)
      queue_put(&q, i);
    edge_take(r, (edge_now() - start) / MESSAGES);
  }
  queue_close(&q);
  pthread_join(t, NULL);
}

static void *stand(void *gate) {
  signal_wait(gate);
  return NULL;
}

static void come(struct signal *gate, pthread_t *t, long n) {
  *gate = (struct signal)SIGNAL_INIT;
  for (long i = 0; i < n; i++)
    t[i] = start_thread(stand, gate);
  signal_settle(gate, n);
}

static void alive(struct edge_run *r) {
  pthread_t *t = edge_zeroed((size_t)r->n, sizeof *t);
  while (edge_more(r)) {
    struct signal gate;
    int64_t start = edge_now();
    come(&gate, t, r->n);
    signal_close(&gate);
    join_threads(t, r->n);
    edge_take(r, (edge_now() - start) / r->n);
  }
  free(t);
}

static void alive_bytes(struct edge_run *r) {
  pthread_t *t = edge_zeroed((size_t)r->n, sizeof *t);
  struct signal gate;
  int64_t before = edge_resident();
  come(&gate, t, r->n);
  edge_take(r, (edge_resident() - before) / r->n);
  signal_close(&gate);
  join_threads(t, r->n);
  free(t);
}

const struct edge hand_rows[] = {
    {.name = "main-send-0", .fn = send_unbuffered},
    {.name = "main-send-16", .fn = send_buffered, .n = 16},
    {.name = "gchmain-send-0", .fn = send_unbuffered},
    {.name = "gchmain-send-16", .fn = send_buffered, .n = 16},
    {.name = "alive-100k", .fn = alive, .n = CROWD},
    {.name = "alive-100k-bytes", .fn = alive_bytes, .n = CROWD},
    {0}};
