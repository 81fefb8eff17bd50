/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the rows are made of in plain pthreads: threads, a queue under a mutex,
 * a flag that can be waited for. As one writes them by hand.
 */
#ifndef GULCH_BENCH_THREADS_H
#define GULCH_BENCH_THREADS_H

#include "bench/edge.h"

#include <pthread.h>

extern const struct edge block_rows[], wake_rows[], compute_rows[],
    sleep_rows[], hand_rows[], lock_rows[], call_rows[], readyfd_rows[];

pthread_t start_thread(void *(*fn)(void *), void *arg);
void join_threads(const pthread_t *t, long n);

/* A number that is waited for: who waits gets one, or finds it closed. */
struct signal {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  long count;
  bool closed;
  long waiting;
};
#define SIGNAL_INIT                                                            \
  { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, false, 0 }

void signal_raise(struct signal *s);
void signal_close(struct signal *s);
bool signal_wait(struct signal *s);           /* false: closed */
void signal_settle(struct signal *s, long n); /* until n wait */

/* A ring of longs. */
enum { QUEUE_MOST = 1024 };
struct queue {
  pthread_mutex_t mutex;
  pthread_cond_t not_empty, not_full;
  unsigned cap, head, len;
  bool closed;
  long slot[QUEUE_MOST];
};
void queue_init(struct queue *q, unsigned cap);
void queue_put(struct queue *q, long v);
bool queue_take(struct queue *q, long *v); /* false: closed and empty */
void queue_close(struct queue *q);
bool queue_try_put(struct queue *q, long v);
bool queue_try_take(struct queue *q, long *v);

#endif
