/* SPDX-License-Identifier: BSD-3-Clause */
/* What a context can be asked. Each answer is that of the nearest context
   upwards that has one; a DETACHED one answers values only. */
#include "context/impl.h"
#include "park/strict.h"

_Noreturn static void panic_null(void) {
  gch_panic("gulch: NULL context");
}

/* Looks through values. */
static inline const gch_ctx *scope_of(const gch_ctx *ctx) {
  if (!ctx)
    panic_null();
  while (ctx->kind == GCH_CTX_VALUE)
    ctx = ctx->parent;
  return ctx;
}

gch_chan *gch_ctx_done(const gch_ctx *ctx) {
  if (!ctx)
    panic_null();
  for (; __builtin_expect(ctx->kind != GCH_CTX_CANCEL, 0); ctx = ctx->parent) {
    const struct gch_custom_ctx *x = gch__as_custom(ctx);
    if (ctx->kind == GCH_CTX_ROOT || ctx->kind == GCH_CTX_DETACHED)
      return NULL;
    if (ctx->kind == GCH_CTX_CUSTOM && x->ops->done)
      return x->ops->done(x->self, ctx->parent);
  }
  return gch__done_of(gch__as_cancel(ctx));
}

/* A cancel is under way; when it lets go of the lock, done is closed. Or, in a
   forked child, c is below an orphan. */
static int await_err(struct gch_cancel_ctx *c, int err, int *cause) {
  gch__lock(c->hub.lock);
  *cause = c->cause;
  bool over = atomic_load_explicit(&c->over, memory_order_relaxed);
  gch__unlock(c->hub.lock);
  return over ? err : gch__orphan_err(&c->base, cause);
}

/* Apart: whoever finds no such thing needs no room on the stack. */
__attribute__((noinline)) static int awaited(struct gch_cancel_ctx *c,
                                             int err) {
  int cause;
  return await_err(c, err, &cause);
}

/* Acquire, all: they pair with the releases in finish_cancel. Who sees over
   sees done closed. */
static inline int err_of(struct gch_cancel_ctx *c) {
  int err = atomic_load_explicit(&c->err, memory_order_acquire);
  if (err == 0 || atomic_load_explicit(&c->over, memory_order_acquire))
    return err;
  return awaited(c, err);
}

/* c has an error. */
static int cause_of(struct gch_cancel_ctx *c, int err) {
  int cause;
  if (atomic_load_explicit(&c->over, memory_order_acquire))
    return c->cause;
  await_err(c, err, &cause);
  return cause;
}

int gch_ctx_err(const gch_ctx *ctx) {
  ctx = scope_of(ctx);
  while (ctx->kind == GCH_CTX_CUSTOM) {
    const struct gch_custom_ctx *x = gch__as_custom(ctx);
    if (x->ops->err)
      return x->ops->err(x->self, ctx->parent);
    ctx = scope_of(ctx->parent);
  }
  return ctx->kind == GCH_CTX_CANCEL ? err_of(gch__as_cancel(ctx)) : 0;
}

int gch_ctx_cause(const gch_ctx *ctx) {
  /* First: an error that is there has its cause already. */
  int err = gch_ctx_err(ctx);
  ctx = scope_of(ctx);
  while (ctx->kind == GCH_CTX_CUSTOM)
    ctx = scope_of(ctx->parent);
  if (ctx->kind == GCH_CTX_CANCEL) {
    struct gch_cancel_ctx *c = gch__as_cancel(ctx);
    int own = atomic_load_explicit(&c->err, memory_order_acquire);
    if (own != 0)
      return cause_of(c, own);
  }
  return err;
}

bool gch_ctx_deadline(const gch_ctx *ctx, int64_t *deadline) {
  int64_t unused;
  for (ctx = scope_of(ctx);; ctx = scope_of(ctx->parent)) {
    if (ctx->kind == GCH_CTX_CANCEL) {
      const struct gch_cancel_ctx *c = gch__as_cancel(ctx);
      if (!c->has_deadline)
        continue;
      if (deadline)
        *deadline = gch__as_timed(ctx)->deadline;
      return true;
    }
    if (ctx->kind != GCH_CTX_CUSTOM)
      return false;
    const struct gch_custom_ctx *x = gch__as_custom(ctx);
    if (x->ops->deadline)
      return x->ops->deadline(x->self, ctx->parent,
                              deadline ? deadline : &unused);
  }
}

const void *gch_ctx_value(const gch_ctx *ctx, const void *key) {
  if (!ctx)
    panic_null();
  for (; ctx; ctx = ctx->parent) {
    if (ctx->kind == GCH_CTX_VALUE) {
      if (gch__as_value(ctx)->key == key)
        return gch__as_value(ctx)->value;
    } else if (ctx->kind == GCH_CTX_CUSTOM) {
      const struct gch_custom_ctx *x = gch__as_custom(ctx);
      if (x->ops->value)
        return x->ops->value(x->self, ctx->parent, key);
    }
  }
  return NULL;
}
