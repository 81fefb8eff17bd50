/* SPDX-License-Identifier: BSD-3-Clause */
/* Plain threads beside who measures: storms, of many that do the same, and one
   that looks for the worst that happens to it. */
#include "edge.h"

enum { MOST = 64, STEP = 50 * MS };

struct party {
  pthread_t thread;
  struct edge_storm *storm;
  long i, count;
};

static void *party_main(void *arg) {
  struct party *p = arg;
  p->count = p->storm->work(p->storm, p->i);
  return NULL;
}

static void start(struct edge_storm *s, struct party *p, long n) {
  atomic_store(&s->over, false);
  for (long i = 0; i < n; i++) {
    p[i] = (struct party){.storm = s, .i = i};
    if (n > MOST || pthread_create(&p[i].thread, NULL, party_main, &p[i]) != 0)
      edge_fail("no thread");
  }
}

static long end(struct edge_storm *s, struct party *p, long n) {
  long total = 0;
  atomic_store(&s->over, true);
  for (long i = 0; i < n; i++) {
    pthread_join(p[i].thread, NULL);
    total += p[i].count;
  }
  return total > 0 ? total : 1;
}

void edge_storm(struct edge_run *r, struct edge_storm *s) {
  struct party p[MOST];
  while (edge_more(r)) {
    int64_t began = edge_now();
    start(s, p, r->n);
    edge_nap(STEP);
    long total = end(s, p, r->n);
    edge_take(r, (edge_now() - began) / total);
  }
}

void edge_meanwhile(struct edge_run *r, struct edge_storm *s,
                    void (*fn)(struct edge_run *r, struct edge_storm *s)) {
  struct party p[MOST];
  start(s, p, r->n);
  edge_nap(MS);
  fn(r, s);
  end(s, p, r->n);
}

static void come_round(struct edge_worst *w) {
  for (long seen = w->rounds; w->rounds < seen + 3;)
    edge_nap(MS);
}

void edge_worst_begin(struct edge_worst *w, void *(*fn)(void *)) {
  if (pthread_create(&w->thread, NULL, fn, w) != 0)
    edge_fail("no thread");
  come_round(w);
  w->worst = 0;
}

void edge_worst_take(struct edge_worst *w, int64_t ns) {
  if (ns > w->worst)
    w->worst = ns;
  w->rounds++;
}

void edge_worst_end(struct edge_worst *w, struct edge_run *r) {
  come_round(w);
  edge_take(r, w->worst);
  w->over = true;
  pthread_join(w->thread, NULL);
}
