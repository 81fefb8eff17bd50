/* SPDX-License-Identifier: BSD-3-Clause */
/* Locks, and the cond, until a context is done. */
#include "context/way_out.h"
#include "sync/impl.h"

int gch_mutex_lock_ctx(const gch_ctx *ctx, gch_mutex *m) {
  struct gch_ctx_way_out o;
  int err = gch__way_out_init(&o, ctx);
  if (err || gch_mutex_try_lock(m) == 0)
    return err;
  return gch__way_out_err(&o, gch__mutex_lock_slow(m, GCH__FOREVER, o.way));
}

int gch_rwmutex_lock_ctx(const gch_ctx *ctx, gch_rwmutex *rw) {
  struct gch_ctx_way_out o;
  int err = gch__way_out_init(&o, ctx);
  if (err)
    return err;
  return gch__way_out_err(&o, gch__rwmutex_lock(rw, GCH__FOREVER, o.way));
}

int gch_rwmutex_rlock_ctx(const gch_ctx *ctx, gch_rwmutex *rw) {
  struct gch_ctx_way_out o;
  int err = gch__way_out_init(&o, ctx);
  if (err)
    return err;
  return gch__way_out_err(&o, gch__rwmutex_rlock(rw, GCH__FOREVER, o.way));
}

/* The context is asked before m is locked again: its err may be user code, that
   wants m. */
int gch_cond_wait_ctx(const gch_ctx *ctx, gch_cond *c, gch_mutex *m) {
  struct gch_ctx_way_out o;
  gch__must_be_locked(m);
  int err = gch__way_out_init(&o, ctx);
  if (err)
    return err;
  err = gch__way_out_err(&o, gch__cond_sleep(c, m, GCH__FOREVER, o.way));
  gch_mutex_lock(m);
  return err;
}
