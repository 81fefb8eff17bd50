/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A context that a signal cancels: a listener that belongs to the context and
 * goes with it. It does not hold the context; a delivery takes a reference if
 * there still is one, and gives it back after the cancel. Only the first
 * delivery cancels, so the call is listed once.
 */
#include "context/impl.h"
#include "signal/registry.h"

#include <stdlib.h>

struct ctx_listener {
  struct gch_listener listener;
  struct gch_ctx_end_hook hook;
  struct gch_deferred call;
  struct gch_job rest; /* of the cancel */
  gch_ctx *ctx;
  bool fired; /* guarded by the registry's lock */
};

static struct ctx_listener *of_hook(struct gch_ctx_end_hook *h) {
  return gch__container_of(h, struct ctx_listener, hook);
}

static void cancel(struct gch_deferred *d, struct gch_wakes *k) {
  struct ctx_listener *l = gch__container_of(d, struct ctx_listener, call);
  struct gch_cancel_ctx *c = gch__as_cancel(l->ctx);
  gch__cancel_unref(c, ECANCELED, ECANCELED, &l->rest, k);
}

static void go_on(struct gch_job *rest) {
  struct ctx_listener *l = gch__container_of(rest, struct ctx_listener, rest);
  gch__cancel_rest(gch__as_cancel(l->ctx), rest);
}

static void deliver(struct gch_listener *listener, struct gch_wakes *k) {
  struct ctx_listener *l = (struct ctx_listener *)listener;
  if (l->fired || !gch__ref_alive(&l->ctx->refs))
    return;
  l->fired = true;
  gch__wakes_defer(k, &l->call);
}

static void end(struct gch_ctx_end_hook *h) {
  struct gch_wakes wakes = GCH_WAKES_INIT;
  struct gch_listener *l = &of_hook(h)->listener;
  gch__signals_lock();
  gch__unlisten(l, UINT64_MAX, &wakes);
  gch__signals_unlock();
  gch__wakes_flush(&wakes);
}

static void free_hook(struct gch_ctx_end_hook *h) {
  free(of_hook(h));
}

gch_ctx *gch_signal_notify_ctx(const gch_ctx *parent, const int *sigs,
                               size_t n) {
  gch_sigset set;
  gch__free_gone();
  if (!gch__parent_ok(parent))
    return NULL;
  if (gch__sigset(sigs, n, &set) != 0) {
    errno = EINVAL;
    return NULL;
  }
  struct ctx_listener *l = calloc(1, sizeof *l);
  gch_ctx *ctx = NULL;
  if (l) {
    l->listener.deliver = deliver;
    l->hook = (struct gch_ctx_end_hook){end, free_hook};
    l->call.run = cancel;
    l->rest.run = go_on;
    if (gch__signals_start() == 0)
      ctx = gch__ctx_new_cancel(parent, &l->hook);
  }
  if (!ctx) {
    free(l);
    errno = ENOMEM;
    return NULL;
  }
  l->ctx = ctx;
  gch__signals_lock();
  gch__listen(&l->listener, set);
  gch__signals_unlock();
  return ctx;
}
