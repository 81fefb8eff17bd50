/* SPDX-License-Identifier: BSD-3-Clause */
/* A server whose requests end with their clients: http.h. */
#include "example.h"
#include "http.h"

#include <signal.h>
#include <sys/socket.h>

/* Seconds for a request to come. */
enum { PATIENCE = 30 };

struct service {
  void (*handle)(const gch_ctx *ctx, struct http *h, void *arg);
  void *arg;
};

struct watch {
  gch_ctx *ctx; /* of the request */
  int fd;
};

/* Whether that end of the connection is still there, which is readable. */
static bool is_there(int fd) {
  char byte;
  return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* Beside the handler: cancels ctx when its client goes away. Reads nothing. */
static void watch(void *arg) {
  struct watch *w = arg;
  switch (
      gch_select(GCH_RECV(gch_ctx_done(w->ctx), NULL), GCH_READABLE(w->fd))) {
  case 1:
    if (!is_there(w->fd))
      gch_ctx_cancel(w->ctx);
  }
}

/* Whether the connection is good for more. */
static bool serve_one(const gch_ctx *parent, struct http *h,
                      const struct service *s) {
  GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_cancel(parent);
  struct watch w = {ctx, h->fd};
  gch_wg wg = GCH_WG_INIT;
  if (!ctx || gch_wg_go(&wg, watch, &w) != 0)
    return false;
  s->handle(ctx, h, s->arg);
  bool gone = gch_ctx_err(ctx) != 0;
  gch_ctx_cancel(ctx);
  gch_wg_wait(&wg);
  return !gone && !h->last;
}

static void serve(const gch_ctx *ctx, int conn, void *arg) {
  const struct service *s = arg;
  struct http h;
  int err;
  http_init(&h, conn, HTTP_REQUEST, true);
  do {
    gch_io_set_deadline(conn, GCH_IO_READ, gch_in(PATIENCE * GCH_SECOND));
    err = http_next(ctx, &h);
    h.last |= h.too_long;
    if (err == EBADMSG)
      http_answer(ctx, &h, 400, "Bad Request", "", "");
    else if (err == 0 && h.too_long)
      http_answer(ctx, &h, 431, "Request Header Fields Too Large", "", "");
  } while (err == 0 && !h.too_long && serve_one(ctx, &h, s));
}

int http_main(const char *address,
              void (*handle)(const gch_ctx *ctx, struct http *h, void *arg),
              void *arg) {
  char name[128];
  struct service s = {handle, arg};
  GCH_CTX_AUTO gch_ctx *ctx =
      gch_signal_notify_ctx(gch_ctx_background(), (int[]){SIGINT, SIGTERM}, 2);
  if (!ctx)
    return fail("gch_signal_notify_ctx", ENOMEM);
  int listener, err = gch_net_listen("tcp", address, &listener);
  if (err)
    return fail(address, err);
  gch_net_addr(listener, false, name, sizeof name);
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("listening on %s\n", name);
  err = gch_net_serve(ctx, listener, 0, serve, &s);
  gch_io_close(listener);
  return err ? fail("gch_net_serve", err) : 0;
}
