/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows about contexts, timers and groups. */
#include "bench.h"

#include <stdlib.h>

static gch_ctx *child(const gch_ctx *parent) {
  gch_ctx *ctx = gch_ctx_with_cancel(parent);
  if (!ctx)
    gch_panic("no memory");
  return ctx;
}

static gch_ctx *root(void) {
  return child(gch_ctx_background());
}

static void with_cancel(struct run *r) {
  gch_ctx *parent = root();
  run_begin(r);
  for (long i = 0; i < r->ops; i++)
    gch_ctx_end(gch_ctx_with_cancel(parent));
  run_end(r);
  gch_ctx_end(parent);
}

static void with_timeout(struct run *r) {
  gch_ctx *parent = root();
  run_begin(r);
  for (long i = 0; i < r->ops; i++)
    gch_ctx_end(gch_ctx_with_timeout(parent, GCH_HOUR));
  run_end(r);
  gch_ctx_end(parent);
}

static void value(struct run *r) {
  char key[10];
  const gch_ctx *ctx = gch_ctx_background();
  for (size_t i = 0; i < sizeof key; i++) {
    const gch_ctx *parent = ctx;
    ctx = gch_ctx_with_value(parent, &key[i], key);
    gch_ctx_unref(parent);
  }
  run_begin(r);
  for (long i = 0; i < r->ops; i++)
    gch_ctx_value(ctx, &key[0]);
  run_end(r);
  gch_ctx_unref(ctx);
}

static void poll_err(struct run *r) {
  gch_ctx *ctx = root();
  run_begin(r);
  for (long i = 0; i < r->ops; i++)
    gch_ctx_err(ctx);
  run_end(r);
  gch_ctx_end(ctx);
}

static void poll_done(struct run *r) {
  gch_ctx *ctx = root();
  run_begin(r);
  for (long i = 0; i < r->ops; i++)
    gch_select(GCH_RECV(gch_ctx_done(ctx), NULL), GCH_DEFAULT);
  run_end(r);
  gch_ctx_end(ctx);
}

/* n children at a time: what is measured is that they are made, or that their
   parent is cancelled. */
static void family(struct run *r, bool cancel) {
  gch_ctx **kids = zeroed((size_t)r->n, sizeof(gch_ctx *));
  for (long done = 0; done < r->ops; done += r->n) {
    gch_ctx *parent = root();
    if (!cancel)
      run_begin(r);
    for (long i = 0; i < r->n; i++)
      kids[i] = child(parent);
    if (cancel)
      run_begin(r);
    else
      run_end(r);
    gch_ctx_cancel(parent);
    if (cancel)
      run_end(r);
    for (long i = 0; i < r->n; i++)
      gch_ctx_unref(kids[i]);
    gch_ctx_unref(parent);
  }
  free(kids);
}

static void add_children(struct run *r) {
  family(r, false);
}

static void cancel_children(struct run *r) {
  family(r, true);
}

static void chain(struct run *r) {
  for (long done = 0; done < r->ops; done += r->n) {
    gch_ctx *top = root();
    const gch_ctx *last = gch_ctx_ref(top);
    for (long i = 1; i < r->n; i++) {
      const gch_ctx *parent = last;
      last = child(parent);
      gch_ctx_unref(parent);
    }
    run_begin(r);
    gch_ctx_cancel(top);
    run_end(r);
    gch_ctx_unref(last);
    gch_ctx_unref(top);
  }
}

/* One more and less, beside n others. */
static void sibling(struct run *r) {
  gch_ctx **kids = zeroed((size_t)r->n, sizeof(gch_ctx *));
  gch_ctx *parent = root();
  for (long i = 0; i < r->n; i++)
    kids[i] = child(parent);
  run_begin(r);
  for (long i = 0; i < r->ops; i++)
    gch_ctx_end(gch_ctx_with_cancel(parent));
  run_end(r);
  for (long i = 0; i < r->n; i++)
    gch_ctx_end(kids[i]);
  gch_ctx_end(parent);
  free(kids);
}

/* The new timer's place among the n others differs from time to time. */
static int64_t some_time(uint32_t *state) {
  *state = *state * 1664525 + 1013904223;
  return GCH_HOUR + *state;
}

static void timer(struct run *r) {
  gch_timer **others = zeroed((size_t)r->n, sizeof(gch_timer *));
  uint32_t state = 1;
  for (long i = 0; i < r->n; i++)
    others[i] = gch_timer_new(some_time(&state));
  run_begin(r);
  for (long i = 0; i < r->ops; i++)
    gch_timer_free(gch_timer_new(some_time(&state)));
  run_end(r);
  for (long i = 0; i < r->n; i++)
    gch_timer_free(others[i]);
  free(others);
}

static void wait_group(struct run *r) {
  gch_wg wg = GCH_WG_INIT;
  gch_wg_add(&wg, 1);
  run_begin(r);
  for (long i = 0; i < r->ops; i++) {
    gch_wg_add(&wg, 1);
    gch_wg_done(&wg);
  }
  run_end(r);
  gch_wg_done(&wg);
}

static int succeed(const gch_ctx *ctx, void *arg) {
  (void)ctx, (void)arg;
  return 0;
}

static void error_group(struct run *r) {
  for (long done = 0; done < r->ops; done += r->n) {
    gch_errgroup *g = gch_errgroup_with_ctx(gch_ctx_background());
    run_begin(r);
    for (long i = 0; i < r->n; i++)
      gch_must(gch_errgroup_go(g, succeed, NULL));
    gch_errgroup_wait(g);
    run_end(r);
    gch_errgroup_free(g);
  }
}

#define CTX(name_, fn_, n_, what_)                                             \
  {                                                                            \
    .group = "contexts", .name = name_, .what = what_, .fn = fn_,              \
    .kinds = THREADS, .exact = THREADS, .n = n_                                \
  }
#define CTX_BY(name_, exact_, fn_, n_, what_)                                  \
  {                                                                            \
    .group = "contexts", .name = name_, .what = what_, .fn = fn_,              \
    .kinds = THREADS, .exact = exact_, .n = n_, .by_n = true                   \
  }

const struct row ctx_rows[] = {
    CTX("ctx-cancel", with_cancel, 1,
        "with_cancel under a cancellable parent, and end"),
    CTX("ctx-timeout", with_timeout, 1,
        "with_timeout of an hour under a cancellable parent, and end"),
    CTX("ctx-value", value, 10, "value: ten deep"),
    CTX("ctx-err", poll_err, 1, "err of a context that is not done"),
    CTX("ctx-done", poll_done, 1,
        "a select with default over Done of a context that is not done"),
    CTX_BY("ctx-add-1000", THREADS, add_children, 1000,
           "a child added to the same parent, each of 1000"),
    CTX_BY("ctx-fall-1000", 0, cancel_children, 1000,
           "a child cancelled with its parent, each of 1000"),
    CTX_BY("ctx-add-100k", 0, add_children, 100000,
           "a child added to the same parent, each of 100 000"),
    CTX_BY("ctx-fall-100k", 0, cancel_children, 100000,
           "a child cancelled with its parent, each of 100 000"),
    CTX_BY("ctx-chain", THREADS, chain, 1000,
           "a context cancelled with the top of its chain, 1000 deep, each"),
    CTX("ctx-sibling", sibling, 1,
        "with_cancel and end, the parent having one other child"),
    CTX("timer", timer, 1, "a timer made and freed, one other pending"),
    CTX("wg", wait_group, 1,
        "add and done of a wait group that does not get to zero"),
    {.group = "contexts",
     .name = "errgroup",
     .what = "an error group's go, and the return, each of 1000 with the wait",
     .fn = error_group,
     .kinds = TASKS,
     .exact = TASKS,
     .n = 1000,
     .by_n = true},
    {0}};
