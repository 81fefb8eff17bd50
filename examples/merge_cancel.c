/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Several contexts merged into one, which is done when the first of them is,
 * with its cause.
 *
 *     func Merge(sources ...context.Context) (context.Context, func()) {
 *         ctx, cancel := context.WithCancelCause(context.Background())
 *         var stops []func() bool
 *         for _, s := range sources {
 *             stops = append(stops, context.AfterFunc(s, func() {
 *                 cancel(context.Cause(s))
 *             }))
 *         }
 *         return ctx, func() {
 *             for _, stop := range stops {
 *                 stop()
 *             }
 *             cancel(nil)
 *         }
 *     }
 */
#include "example.h"

enum { MAX_SOURCES = 8 };

struct merged {
  gch_ctx *ctx;
  gch_wg running; /* callbacks that have run or may yet do so */
  size_t n;
  struct source {
    struct merged *into;
    const gch_ctx *ctx;
    gch_after_func *watch;
  } source[MAX_SOURCES];
};

static void source_done(void *arg) {
  struct source *s = arg;
  gch_ctx_cancel_cause(s->into->ctx, gch_ctx_cause(s->ctx));
  gch_wg_done(&s->into->running);
}

/* Undoes merge; the callbacks hold nothing of m when it returns. */
static void unmerge(struct merged *m) {
  for (size_t i = 0; i < m->n; i++)
    if (gch_after_func_stop(m->source[i].watch))
      gch_wg_done(&m->running);
  gch_wg_wait(&m->running);
  gch_ctx_end(m->ctx);
}

/* n is at most MAX_SOURCES. 0, or ENOMEM: nothing to undo. */
static int merge(struct merged *m, gch_ctx *const *sources, size_t n) {
  *m = (struct merged){.ctx = gch_ctx_with_cancel(gch_ctx_background())};
  if (!m->ctx)
    return ENOMEM;
  for (; m->n < n; m->n++) {
    struct source *s = &m->source[m->n];
    *s = (struct source){.into = m, .ctx = sources[m->n]};
    gch_wg_add(&m->running, 1);
    s->watch = gch_ctx_after_func(s->ctx, source_done, s);
    if (!s->watch) {
      gch_wg_done(&m->running);
      unmerge(m);
      return ENOMEM;
    }
  }
  return 0;
}

/* Merges the sources and waits for the first. */
static int show(gch_ctx *const *sources, size_t n) {
  struct merged m;
  int err = merge(&m, sources, n);
  if (err)
    return fail("merge", err);
  gch_recv(gch_ctx_done(m.ctx), NULL);
  printf("%s, because of: %s\n", gch_strerror(gch_ctx_err(m.ctx)),
         gch_strerror(gch_ctx_cause(m.ctx)));
  unmerge(&m);
  return 0;
}

GCH_MAIN(argc, argv) {
  const gch_ctx *root = gch_ctx_background();
  GCH_CTX_AUTO gch_ctx *user = gch_ctx_with_cancel(root);
  GCH_CTX_AUTO gch_ctx *peer = gch_ctx_with_cancel(root);
  GCH_CTX_AUTO gch_ctx *limit =
      gch_ctx_with_timeout(root, 10 * GCH_MILLISECOND);
  if (!user || !peer || !limit)
    return fail("cannot make the sources", ENOMEM);

  int status = show((gch_ctx *[]){user, peer, limit}, 3);
  if (status == 0) {
    gch_ctx_cancel_cause(peer, ECONNRESET);
    status = show((gch_ctx *[]){user, peer}, 2);
  }
  return status;
}
