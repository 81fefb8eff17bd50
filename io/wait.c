/* SPDX-License-Identifier: BSD-3-Clause */
/* Waiting for readiness alone: nothing is tried but poll. */
#include "io/sleep.h"
#include "park/strict.h"

_Static_assert(GCH_IO_READ == 1 << GCH_FD_READ &&
                   GCH_IO_WRITE == 1 << GCH_FD_WRITE,
               "events are ways, as bits");

/* 0: *ready is which; EAGAIN: none is. woken: something has come; where the
   kernel refuses to tell what, that is the answer. */
static int look(struct gch_io_call *c, int events, bool woken, int *ready) {
  bool refused = false;
  for (int way = 0; way < GCH_FD_WAYS; way++)
    gch__io_look_at(c, way);
  *ready = events;
  if (!c->always)
    *ready = gch__fd_ask(c->fd, (unsigned)events, &refused);
  if (*ready < 0)
    return EBADF;
  return *ready && (!refused || woken) ? 0 : EAGAIN;
}

static int wait_for(int fd, int events, int *ready, int64_t deadline,
                    const gch_ctx *ctx) {
  struct gch_io_call c;
  const int both = GCH_IO_READ | GCH_IO_WRITE;
  int now = 0;
  if (!(events & both) || events & ~both) {
    int over = ctx ? gch_ctx_err(ctx) : 0;
    return over ? over : EINVAL;
  }
  int way = events & GCH_IO_READ ? GCH_FD_READ : GCH_FD_WRITE;
  int err =
      gch__io_begin(&c, "wait", fd, way, GCH_IO_NO_TURN, deadline, ctx);
  c.both = events == both;
  if (err == 0 && gch__io_is_late(&c))
    err = ETIMEDOUT;
  if (err == 0 && !gch__fd_has_ways(c.record, (unsigned)events))
    err = EBADF;
  for (bool woken = false; err == 0; woken = true) {
    err = look(&c, events, woken, &now);
    if (err != EAGAIN)
      break;
    err = gch__io_await(&c);
  }
  if (ready)
    *ready = err ? 0 : now;
  return gch__io_end(&c, err);
}

int gch_io_wait(int fd, int events, int *ready) {
  return wait_for(fd, events, ready, GCH__FOREVER, NULL);
}

int gch_io_wait_until(int fd, int events, int *ready, int64_t deadline) {
  gch__check_deadline(deadline);
  return wait_for(fd, events, ready, deadline, NULL);
}

int gch_io_wait_ctx(const gch_ctx *ctx, int fd, int events, int *ready) {
  gch__check_ctx(ctx);
  return wait_for(fd, events, ready, GCH__FOREVER, ctx);
}
