/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A context's end as a second way out for who sleeps on a lock, a cond or a
 * wait group (park/sleepers.h). No allocation, no thread.
 *
 *     int err = gch__way_out_init(&o, ctx);
 *     if (err || there is nothing to wait for)
 *       return err;
 *     return gch__way_out_err(&o, sleep with o.way);
 */
#ifndef GCH_CONTEXT_WAY_OUT_H
#define GCH_CONTEXT_WAY_OUT_H

#include "chan/impl.h"
#include "park/sleepers.h"

#include <gulch/ctx.h>

struct gch_ctx_way_out {
  struct gch_way_out out;
  struct gch_way_out *way; /* to sleep with: out; NULL: ctx is never done */
  const gch_ctx *ctx;      /* held by the caller */
  gch_chan *done;
  bool queued; /* on done, since enter */
  struct gch_group group;
  struct gch_waiter waiter;
};

/* Queues w as a receiver on done, unless that is closed (or, which it should
   not be, can be received from): whether it has. Wakes who is to be woken. */
bool gch__done_queue(gch_chan *done, struct gch_waiter *w);

/* Takes it out again, where nobody has claimed it. */
void gch__done_leave(gch_chan *done, struct gch_waiter *w);

/* 0; or the error of ctx, which is done: then there is nothing else to do. */
int gch__way_out_init(struct gch_ctx_way_out *o, const gch_ctx *ctx);

/* What to return: 0 for 0, else the context's error. Asks it, which may be user
   code: with nothing listed. */
int gch__way_out_err(struct gch_ctx_way_out *o, int err);

#endif
