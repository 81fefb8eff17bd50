/* SPDX-License-Identifier: BSD-3-Clause */
/* The program of the rows in plain C, and what threads.h promises. */
#include "bench/peers/pthreads/threads.h"

#include "bench/io_echo.h"

#include <sched.h>

enum { STACK_SIZE = 256 * 1024 }; /* as a task's */

static const struct edge *const edges[] = {block_rows, wake_rows, compute_rows,
                                           sleep_rows, hand_rows, lock_rows,
                                           NULL};

static const struct edge *const io[] = {io_echo_rows, call_rows, readyfd_rows,
                                        NULL};

const struct edge_group edge_groups[] = {{"edges", edges}, {"io", io}, {0}};

/* One processor: the process is pinned to the first that it may use. */
static void pin(void) {
  cpu_set_t may, one;
  CPU_ZERO(&one);
  sched_getaffinity(0, sizeof may, &may);
  for (size_t i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
    if (CPU_ISSET(i, &may))
      CPU_SET(i, &one);
  sched_setaffinity(0, sizeof one, &one);
}

void edge_enter(const struct edge *e, struct edge_run *r) {
  if (e->procs == 1)
    pin();
  e->fn(r);
}

pthread_t start_thread(void *(*fn)(void *), void *arg) {
  pthread_attr_t attr;
  pthread_t t;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, STACK_SIZE);
  if (pthread_create(&t, &attr, fn, arg) != 0)
    edge_fail("no thread");
  pthread_attr_destroy(&attr);
  return t;
}

void join_threads(const pthread_t *t, long n) {
  for (long i = 0; i < n; i++)
    pthread_join(t[i], NULL);
}

void signal_raise(struct signal *s) {
  pthread_mutex_lock(&s->mutex);
  s->count++;
  pthread_cond_signal(&s->changed);
  pthread_mutex_unlock(&s->mutex);
}

void signal_close(struct signal *s) {
  pthread_mutex_lock(&s->mutex);
  s->closed = true;
  pthread_cond_broadcast(&s->changed);
  pthread_mutex_unlock(&s->mutex);
}

bool signal_wait(struct signal *s) {
  pthread_mutex_lock(&s->mutex);
  s->waiting++;
  while (s->count == 0 && !s->closed)
    pthread_cond_wait(&s->changed, &s->mutex);
  s->waiting--;
  bool got = s->count > 0;
  if (got)
    s->count--;
  pthread_mutex_unlock(&s->mutex);
  return got;
}

void signal_settle(struct signal *s, long n) {
  for (long waiting = -1; waiting != n;) {
    edge_nap(20 * US);
    pthread_mutex_lock(&s->mutex);
    waiting = s->waiting;
    pthread_mutex_unlock(&s->mutex);
  }
}

void queue_init(struct queue *q, unsigned cap) {
  pthread_mutex_init(&q->mutex, NULL);
  pthread_cond_init(&q->not_empty, NULL);
  pthread_cond_init(&q->not_full, NULL);
  q->cap = cap;
  q->head = q->len = 0;
  q->closed = false;
}

/* The mutex is held, and there is room, or a value. */
static void put(struct queue *q, long v) {
  q->slot[(q->head + q->len++) % q->cap] = v;
  pthread_cond_signal(&q->not_empty);
}

static void take(struct queue *q, long *v) {
  *v = q->slot[q->head];
  q->head = (q->head + 1) % q->cap;
  q->len--;
  pthread_cond_signal(&q->not_full);
}

void queue_put(struct queue *q, long v) {
  pthread_mutex_lock(&q->mutex);
  while (q->len == q->cap)
    pthread_cond_wait(&q->not_full, &q->mutex);
  put(q, v);
  pthread_mutex_unlock(&q->mutex);
}

bool queue_take(struct queue *q, long *v) {
  pthread_mutex_lock(&q->mutex);
  while (q->len == 0 && !q->closed)
    pthread_cond_wait(&q->not_empty, &q->mutex);
  bool got = q->len > 0;
  if (got)
    take(q, v);
  pthread_mutex_unlock(&q->mutex);
  return got;
}

bool queue_try_put(struct queue *q, long v) {
  pthread_mutex_lock(&q->mutex);
  bool fits = q->len < q->cap;
  if (fits)
    put(q, v);
  pthread_mutex_unlock(&q->mutex);
  return fits;
}

bool queue_try_take(struct queue *q, long *v) {
  pthread_mutex_lock(&q->mutex);
  bool got = q->len > 0;
  if (got)
    take(q, v);
  pthread_mutex_unlock(&q->mutex);
  return got;
}

void queue_close(struct queue *q) {
  pthread_mutex_lock(&q->mutex);
  q->closed = true;
  pthread_cond_broadcast(&q->not_empty);
  pthread_mutex_unlock(&q->mutex);
}
