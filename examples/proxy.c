/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A TCP proxy: passes each connection on to another server, in both directions,
 * until both have ended; who sends no more is told on (half-close). Nothing
 * passes through the program's memory where the kernel can do without.
 *
 *     proxy TARGET [ADDRESS]
 *
 *     func pass(dst, src *net.TCPConn) {
 *         if _, err := io.Copy(dst, src); err != nil {
 *             src.Close()
 *             dst.Close()
 *         }
 *         dst.CloseWrite()
 *     }
 *
 *     func handle(ctx context.Context, client *net.TCPConn) {
 *         defer client.Close()
 *         server, err := dialer.DialContext(ctx, "tcp", target)
 *         if err != nil {
 *             return
 *         }
 *         defer server.Close()
 *         var wg sync.WaitGroup
 *         wg.Add(2)
 *         go func() { defer wg.Done(); pass(server, client) }()
 *         go func() { defer wg.Done(); pass(client, server) }()
 *         wg.Wait()
 *     }
 */
#include "example.h"

#include <signal.h>
#include <sys/socket.h>

struct way {
  gch_ctx *ctx; /* of both ways: an error in one ends the other */
  int to, from;
  uint64_t bytes;
};

static void pass(void *arg) {
  struct way *w = arg;
  if (gch_io_copy_ctx(w->ctx, w->to, w->from, &w->bytes) != 0)
    gch_ctx_cancel(w->ctx);
  shutdown(w->to, SHUT_WR);
}

static void pass_both(gch_ctx *ctx, int client, int server) {
  struct way up = {ctx, server, client, 0}, down = {ctx, client, server, 0};
  gch_wg wg = GCH_WG_INIT;
  if (gch_wg_go(&wg, pass, &up) != 0)
    return;
  pass(&down);
  gch_wg_wait(&wg);
  printf("%d bytes up, %d down\n", (int)up.bytes, (int)down.bytes);
}

static void handle(const gch_ctx *ctx, int client, void *arg) {
  int server;
  GCH_CTX_AUTO gch_ctx *both = gch_ctx_with_cancel(ctx);
  GCH_CTX_AUTO gch_ctx *soon = gch_ctx_with_timeout(ctx, 10 * GCH_SECOND);
  if (!both || !soon)
    return;
  int err = gch_net_dial(soon, "tcp", arg, &server);
  if (err) {
    printf("%s: %s\n", (const char *)arg, gch_strerror(err));
    return;
  }
  pass_both(both, client, server);
  gch_io_close(server);
}

GCH_MAIN(argc, argv) {
  GCH_CTX_AUTO gch_ctx *ctx =
      gch_signal_notify_ctx(gch_ctx_background(), (int[]){SIGINT, SIGTERM}, 2);
  if (argc < 2 || !ctx)
    return fail("usage: proxy TARGET [ADDRESS]", argc < 2 ? EINVAL : ENOMEM);
  int ln, err = gch_net_listen("tcp", argc > 2 ? argv[2] : "127.0.0.1:0", &ln);
  if (err)
    return fail("gch_net_listen", err);
  char name[64];
  gch_net_addr(ln, false, name, sizeof name);
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("listening on %s\n", name);
  err = gch_net_serve(ctx, ln, 0, handle, argv[1]);
  gch_io_close(ln);
  return err ? fail("gch_net_serve", err) : 0;
}
