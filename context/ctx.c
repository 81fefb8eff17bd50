/* SPDX-License-Identifier: BSD-3-Clause */
/* Roots, values, without_cancel; references. */
#include "context/impl.h"
#include "park/fork.h"
#include "park/strict.h"

#include <stdlib.h>

static const gch_ctx background = {.kind = GCH_CTX_ROOT};
static const gch_ctx todo = {.kind = GCH_CTX_ROOT};

const gch_ctx *gch_ctx_background(void) {
  return &background;
}

const gch_ctx *gch_ctx_todo(void) {
  return &todo;
}

bool gch__parent_ok(const gch_ctx *parent) {
  if (parent)
    return true;
  gch__go_panics(EINVAL, EINVAL, "cannot create context from nil parent");
  errno = EINVAL;
  return false;
}

void gch__ctx_init(gch_ctx *ctx, enum gch_ctx_kind kind,
                   const gch_ctx *parent) {
  ctx->kind = kind;
  atomic_init(&ctx->refs, 1);
  ctx->parent = gch_ctx_ref(parent);
}

static const gch_ctx *with_value(const gch_ctx *parent, const void *key,
                                 const void *value, void (*drop)(void *)) {
  if (!gch__parent_ok(parent))
    return NULL;
  if (!key) {
    gch__go_panics(EINVAL, EINVAL, "nil key");
    errno = EINVAL;
    return NULL;
  }
  if (drop)
    gch__job_expect();
  struct gch_value_ctx *v = malloc(sizeof *v);
  if (!v) {
    errno = ENOMEM;
    return NULL;
  }
  gch__ctx_init(&v->base, GCH_CTX_VALUE, parent);
  v->key = key;
  v->value = value;
  v->drop = drop;
  return &v->base;
}

const gch_ctx *gch_ctx_with_value(const gch_ctx *parent, const void *key,
                                  const void *value) {
  return with_value(parent, key, value, NULL);
}

const gch_ctx *gch_ctx_with_value_drop(const gch_ctx *parent, const void *key,
                                       void *value, void (*drop)(void *value)) {
  if (!drop && parent) {
    errno = EINVAL;
    return NULL;
  }
  return with_value(parent, key, value, drop);
}

const gch_ctx *gch_ctx_without_cancel(const gch_ctx *parent) {
  if (!gch__parent_ok(parent))
    return NULL;
  gch_ctx *ctx = malloc(sizeof *ctx);
  if (!ctx) {
    errno = ENOMEM;
    return NULL;
  }
  gch__ctx_init(ctx, GCH_CTX_DETACHED, parent);
  return ctx;
}

static _Atomic uint32_t *refs_of(const gch_ctx *ctx) {
  return &((gch_ctx *)(uintptr_t)ctx)->refs;
}

const gch_ctx *gch_ctx_ref(const gch_ctx *ctx) {
  /* Relaxed: the caller's own reference keeps ctx alive. */
  if (ctx && ctx->kind != GCH_CTX_ROOT &&
      atomic_fetch_add_explicit(refs_of(ctx), 1, memory_order_relaxed) == 0)
    gch_panic("gulch: reference to a context that was freed");
  return ctx;
}

gch_ctx *gch_ctx_ref_cancel(gch_ctx *ctx) {
  gch_ctx_ref(ctx);
  return ctx;
}

static void destroy(const gch_ctx *ctx) {
  switch (ctx->kind) {
  case GCH_CTX_CANCEL:
    gch__cancel_destroy(gch__as_cancel(ctx));
    return;
  case GCH_CTX_CUSTOM:
    gch__custom_destroy(gch__as_custom(ctx));
    return;
  case GCH_CTX_VALUE: {
    const struct gch_value_ctx *v = gch__as_value(ctx);
    if (v->drop)
      v->drop((void *)(uintptr_t)v->value);
    break;
  }
  case GCH_CTX_ROOT:
  case GCH_CTX_DETACHED:
    break;
  }
  free((void *)(uintptr_t)ctx);
}

/* The last reference to ctx is gone. */
static void end(const gch_ctx *ctx) {
  const gch_ctx *parent = ctx->parent;
  destroy(ctx);
  gch_ctx_unref(parent);
}

bool gch__unref_last(const gch_ctx *ctx) {
  uint32_t last = 1;
  /* As in gch_ctx_unref. */
  if (!atomic_compare_exchange_strong_explicit(
          refs_of(ctx), &last, 0, memory_order_acq_rel, memory_order_relaxed))
    return false;
  end(ctx);
  return true;
}

static void end_in_task(struct gch_job *job) {
  int forks = gch__forks();
  end(&gch__container_of(job, struct gch_cancel_ctx, last)->base);
  gch__exit_in_child(forks);
}

void gch__unref_over(struct gch_cancel_ctx *c, struct gch_wakes *k) {
  if (!k->by_service) {
    gch_ctx_unref(&c->base);
    return;
  }
  /* As in gch_ctx_unref. */
  if (atomic_fetch_sub_explicit(&c->base.refs, 1, memory_order_acq_rel) > 1)
    return;
  c->last = (struct gch_job){.run = end_in_task};
  gch__job_start(&c->last);
}

void gch__cancel_unref(struct gch_cancel_ctx *c, int err, int cause,
                       struct gch_job *rest, struct gch_wakes *k) {
  if (gch__cancel_begin(c, err, cause, k) == GCH_WALKS_OWN)
    gch__service_run(rest);
  else
    gch__unref_over(c, k);
}

void gch__cancel_rest(struct gch_cancel_ctx *c, struct gch_job *rest) {
  struct gch_wakes wakes = {.by_service = true};
  if (gch__walk_step(&c->hub, &c->node, &c->base, &wakes))
    gch__service_run(rest);
  else
    gch__unref_over(c, &wakes);
  gch__wakes_flush(&wakes);
}

/* A loop, so that a chain of any length takes no deep stack. */
void gch_ctx_unref(const gch_ctx *ctx) {
  while (ctx && ctx->kind != GCH_CTX_ROOT) {
    /* Acquire-release: what each thread did to ctx is before its end. */
    uint32_t refs =
        atomic_fetch_sub_explicit(refs_of(ctx), 1, memory_order_acq_rel);
    if (refs == 0)
      gch_panic("gulch: unref of a context that was freed");
    if (refs > 1)
      return;
    const gch_ctx *parent = ctx->parent;
    destroy(ctx);
    ctx = parent;
  }
}
