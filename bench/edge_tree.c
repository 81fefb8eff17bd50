/* SPDX-License-Identifier: BSD-3-Clause */
/* Edges rows about context trees: who else is held up by a large cancel, and
   threads in separate subtrees. */
#include "edge_gulch.h"

#include <pthread.h>
#include <stdlib.h>

enum { GROUP = 100, SUBTREES = 8 };

/* n contexts below crowd, each with a Done, in groups. */
static gch_ctx **descend(const gch_ctx *crowd, long n) {
  gch_ctx **c = edge_zeroed((size_t)n, sizeof *c);
  for (long i = 0; i < n; i++) {
    c[i] = gch_ctx_with_cancel(i % GROUP ? c[i - i % GROUP] : crowd);
    if (!c[i])
      edge_fail("no context");
    gch_ctx_done(c[i]);
  }
  return c;
}

static void end_all(gch_ctx **c, long n) {
  while (n-- > 0)
    gch_ctx_end(c[n]);
  free(c);
}

static void *add_and_end(void *arg) {
  struct edge_worst *w = arg;
  for (; !w->over; edge_nap(100 * US)) {
    int64_t start = edge_now();
    gch_ctx_end(gch_ctx_with_cancel(w->scene));
    edge_worst_take(w, edge_now() - start);
  }
  return NULL;
}

/* How late is a ticker's tick? */
static void *tick(void *arg) {
  struct edge_worst *w = arg;
  gch_ticker *t = gch_ticker_new(MS);
  for (int64_t last = 0, now; !w->over; last = now) {
    gch_recv(gch_ticker_chan(t), NULL);
    now = edge_now();
    edge_worst_take(w, last ? now - last - MS : 0);
  }
  gch_ticker_free(t);
  return NULL;
}

static void cancel_crowd(struct edge_run *r, void *(*other)(void *)) {
  gch_ctx *root = gch_ctx_with_cancel(gch_ctx_background());
  gch_ctx *crowd = gch_ctx_with_cancel(root), *side = gch_ctx_with_cancel(root);
  gch_ctx **c = descend(crowd, r->n);
  struct edge_worst w = {.scene = side};
  edge_worst_begin(&w, other);
  gch_ctx_cancel(crowd);
  edge_worst_end(&w, r);
  end_all(c, r->n);
  gch_ctx_end(side);
  gch_ctx_end(crowd);
  gch_ctx_end(root);
}

static void cancel_others(struct edge_run *r) {
  cancel_crowd(r, add_and_end);
}

static void cancel_tick(struct edge_run *r) {
  cancel_crowd(r, tick);
}

struct trees {
  struct edge_storm storm; /* first */
  gch_ctx *below[SUBTREES];
};

static long add_often(struct edge_storm *s, long i) {
  const gch_ctx *parent = ((struct trees *)s)->below[i];
  long n = 0;
  for (; !edge_is_over(s); n++)
    gch_ctx_end(gch_ctx_with_cancel(parent));
  return n;
}

/* arg: whether they are one tree. */
static void subtrees(struct edge_run *r) {
  struct trees t = {.storm = {.work = add_often}};
  gch_ctx *root = gch_ctx_with_cancel(gch_ctx_background());
  for (int i = 0; i < SUBTREES; i++)
    t.below[i] = gch_ctx_with_cancel(r->arg ? root : gch_ctx_background());
  edge_storm(r, &t.storm);
  for (int i = 0; i < SUBTREES; i++)
    gch_ctx_end(t.below[i]);
  gch_ctx_end(root);
}

const struct edge edge_tree_rows[] = {
    {.name = "cancel-others",
     .what = "the worst with_cancel and end elsewhere in a tree, while "
             "1 000 000 of its contexts are cancelled",
     .fn = cancel_others,
     .plain = true,
     .n = 1000000},
    {.name = "cancel-tick",
     .what = "how late a ticker of 1 ms is at worst meanwhile",
     .fn = cancel_tick,
     .plain = true,
     .n = 1000000},
    {.name = "subtrees-8",
     .what = "with_cancel and end by 8 threads, each in a subtree of one tree",
     .fn = subtrees,
     .plain = true,
     .n = SUBTREES,
     .arg = true},
    {.name = "trees-8",
     .what = "the same, each in a tree of its own",
     .fn = subtrees,
     .plain = true,
     .n = SUBTREES,
     .arg = false},
    {0}};
