/* SPDX-License-Identifier: BSD-3-Clause */
/* What rows are made of: the clock, the parties, channels and memory. */
#include "bench.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { STACK_SIZE = 256 * 1024 }; /* as a task's */

static int64_t cpu_time(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (int64_t)t.tv_sec * GCH_SECOND + t.tv_nsec;
}

/* Wall time is read inside of CPU time, which takes a system call. */
void run_begin(struct run *r) {
  r->cpu -= cpu_time();
  r->wall -= gch_now();
}

void run_end(struct run *r) {
  r->wall += gch_now();
  r->cpu += cpu_time();
}

struct start { /* the party's, once it runs */
  gch_wg *wg;
  void (*fn)(void *);
  void *arg;
  gch_chan *gate; /* or NULL */
};

static struct start *start_new(gch_wg *wg, void (*fn)(void *), void *arg,
                               gch_chan *gate) {
  struct start *s = zeroed(1, sizeof *s);
  *s = (struct start){wg, fn, arg, gch_ref(gate)};
  return s;
}

static void party_main(void *arg) {
  struct start s = *(struct start *)arg;
  free(arg);
  if (s.gate) {
    gch_recv(s.gate, NULL);
    gch_unref(s.gate);
  }
  s.fn(s.arg);
}

static void *thread_main(void *arg) {
  gch_wg *wg = ((struct start *)arg)->wg;
  party_main(arg);
  gch_wg_done(wg);
  return NULL;
}

static int start_thread(struct start *s) {
  pthread_attr_t attr;
  pthread_t thread;
  gch_wg_add(s->wg, 1);
  pthread_attr_init(&attr);
  pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attr, STACK_SIZE);
  int err = pthread_create(&thread, &attr, thread_main, s);
  pthread_attr_destroy(&attr);
  return err;
}

void run_start(struct run *r, gch_wg *wg, void (*fn)(void *), void *arg) {
  int err = r->tasks ? gch_wg_go(wg, fn, arg)
                     : start_thread(start_new(wg, fn, arg, NULL));
  gch_must(err);
}

void run_hold(struct run *r, gch_wg *wg, void (*fn)(void *), void *arg) {
  if (!r->gate)
    r->gate = gch_make(0, 0);
  struct start *s = start_new(wg, fn, arg, r->gate);
  int err = r->tasks ? gch_wg_go(wg, party_main, s) : start_thread(s);
  gch_must(err);
  r->held++;
}

void run_release(struct run *r) {
  settle(r->gate, r->held, GCH_MILLISECOND);
  run_begin(r);
  gch_close(r->gate);
  gch_unref(r->gate);
  r->gate = NULL;
  r->held = 0;
}

gch_chan *make(const struct run *r) {
  gch_chan *c = gch_make(r->payload, r->row->cap);
  if (!c)
    gch_panic("no memory");
  return c;
}

void *zeroed(size_t n, size_t size) {
  void *p = calloc(n, size);
  if (!p)
    gch_panic("no memory");
  return p;
}

void settle(const gch_chan *c, size_t n, int64_t ns) {
  size_t senders = 0, receivers = 0;
  while (senders + receivers != n) {
    gch_sleep(GCH_MILLISECOND / 4);
    gch_waiting(c, &senders, &receivers);
  }
  gch_sleep(ns);
}
