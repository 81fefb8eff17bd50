/* SPDX-License-Identifier: BSD-3-Clause */
/* Waiting for readiness alone: nothing is tried but poll. */
#include "io/call.h"
#include "park/strict.h"

_Static_assert(GCH_IO_READ == 1 << GCH_FD_READ &&
                   GCH_IO_WRITE == 1 << GCH_FD_WRITE,
               "events are ways, as bits");

/* 0: *ready is which; EAGAIN: none is. */
static int look(struct gch_io_call *c, int events, int *ready) {
  for (int way = 0; way < GCH_FD_WAYS; way++)
    gch__io_look_at(c, way);
  *ready = c->always ? events : gch__fd_look(c->fd, (unsigned)events);
  if (*ready < 0)
    return EBADF;
  return *ready ? 0 : EAGAIN;
}

static int wait_for(int fd, int events, int *ready, int64_t deadline,
                    const gch_ctx *ctx) {
  struct gch_io_call c;
  const int both = GCH_IO_READ | GCH_IO_WRITE;
  int now = 0;
  if (!(events & both) || events & ~both)
    return EINVAL;
  int way = events & GCH_IO_READ ? GCH_FD_READ : GCH_FD_WRITE;
  int err = gch__io_begin(&c, "wait", fd, way, false, deadline, ctx);
  c.both = events == both;
  while (err == 0 && (err = look(&c, events, &now)) == EAGAIN)
    err = gch__io_await(&c);
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
