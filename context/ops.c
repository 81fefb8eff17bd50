/* SPDX-License-Identifier: BSD-3-Clause */
/* Operations that end when a context is done. */
#include "context/impl.h"
#include "park/strict.h"

#include <gulch/ctx.h>
#include <gulch/timer.h>

/* done first: once it is closed the error is there, unless a custom context
   never stored one. */
int gch__ctx_over(const gch_ctx *ctx, const gch_chan *done) {
  bool closed = done && gch__is_closed(done);
  int err = gch_ctx_err(ctx);
  return err == 0 && closed ? ECANCELED : err;
}

int gch_send_ctx(const gch_ctx *ctx, gch_chan *c, const void *elem) {
  gch_chan *done = gch_ctx_done(ctx);
  int err = gch__ctx_over(ctx, done);
  if (err == 0 && c)
    err = gch__send_refused(c, elem);
  if (err)
    return err;
  err = done ? gch_try_send(c, elem) : gch_send(c, elem);
  if (err != EAGAIN)
    return err;
  if (gch_select_ordered(GCH_RECV(done, NULL), GCH_SEND_ERR(c, elem, &err)) ==
      0)
    return gch__ctx_over(ctx, done);
  return gch__go_panics(err, EPIPE, "send on closed channel");
}

int gch_recv_ctx(const gch_ctx *ctx, gch_chan *c, void *elem) {
  gch_chan *done = gch_ctx_done(ctx);
  int err = gch__ctx_over(ctx, done);
  if (err)
    return err;
  err = done ? gch_try_recv(c, elem) : gch_recv(c, elem);
  if (err != EAGAIN)
    return err;
  if (gch_select_ordered(GCH_RECV(done, NULL), GCH_RECV_ERR(c, elem, &err)) ==
      0)
    return gch__ctx_over(ctx, done);
  return err;
}

int gch_sleep_ctx(const gch_ctx *ctx, int64_t ns) {
  gch_chan *done = gch_ctx_done(ctx);
  int err = gch__ctx_over(ctx, done);
  if (err || ns <= 0)
    return err;
  if (gch_select(GCH_RECV(done, NULL), GCH_TIMEOUT(ns)) == 0)
    return gch__ctx_over(ctx, done);
  return 0;
}
