/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A server's loop: a place, if they are limited; a connection; a task for it;
 * again. Until ctx is done or accepting fails. Then it waits for the tasks, so
 * all that they share is on its stack.
 */
#include <gulch/ctx.h>
#include <gulch/net.h>
#include <gulch/timer.h>
#include <gulch/wg.h>

#include <errno.h>

#define PAUSE_MIN (5 * GCH_MILLISECOND)
#define PAUSE_MAX GCH_SECOND

struct server {
  void (*handler)(const gch_ctx *ctx, int conn, void *arg);
  void *arg;
  gch_chan *places; /* taken by a send; NULL: no limit */
  gch_wg wg;
};

struct conn {
  struct server *server;
  gch_ctx *ctx;
  int fd;
};

static void leave_place(struct server *s) {
  if (s->places)
    gch_recv(s->places, NULL);
}

static void handle(void *arg) {
  struct conn *c = arg;
  c->server->handler(c->ctx, c->fd, c->server->arg);
  gch_ctx_end(c->ctx);
  gch_io_close(c->fd);
  leave_place(c->server);
}

static bool passes(int err) {
  return err == EMFILE || err == ENFILE || err == ENOBUFS || err == ENOMEM;
}

/* Accepts one, and gives it a task. */
static int serve_one(struct server *s, const gch_ctx *ctx, int fd) {
  struct conn c = {.server = s};
  int err = gch_io_accept_ctx(ctx, fd, &c.fd, NULL, NULL);
  if (err)
    return err;
  c.ctx = gch_ctx_with_cancel(ctx);
  err = c.ctx ? gch_wg_go_copy(&s->wg, handle, &c, sizeof c) : ENOMEM;
  if (err) {
    gch_ctx_end(c.ctx);
    gch_io_close(c.fd);
  }
  return err;
}

static int serve(struct server *s, const gch_ctx *ctx, int fd) {
  int64_t pause = 0;
  for (;;) {
    int err = s->places ? gch_send_ctx(ctx, s->places, NULL) : 0;
    if (err)
      return err;
    err = serve_one(s, ctx, fd);
    if (err == 0) {
      pause = 0;
      continue;
    }
    leave_place(s);
    if (!passes(err))
      return err;
    pause = pause == 0 ? PAUSE_MIN : pause * 2;
    pause = pause < PAUSE_MAX ? pause : PAUSE_MAX;
    err = gch_sleep_ctx(ctx, pause);
    if (err)
      return err;
  }
}

int gch_net_serve(const gch_ctx *ctx, int fd, int limit,
                  void (*handler)(const gch_ctx *ctx, int conn, void *arg),
                  void *arg) {
  struct server s = {handler, arg, NULL, GCH_WG_INIT};
  int saved = errno;
  if (!handler || limit < 0)
    return EINVAL;
  if (limit > 0 && !(s.places = gch_make(0, (size_t)limit))) {
    errno = saved;
    return ENOMEM;
  }
  int err = serve(&s, ctx, fd);
  if (gch_ctx_err(ctx) != 0)
    err = 0;
  gch_wg_wait(&s.wg);
  gch_unref(s.places);
  errno = saved;
  return err;
}
