/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An echo server that ends gracefully. SIGINT or SIGTERM: it takes no more
 * connections, those that there are have a second to end by themselves (or what
 * is given in milliseconds), and then are cut off.
 *
 *     echo [ADDRESS [MILLISECONDS]]
 *
 *     root, stop := signal.NotifyContext(context.Background(),
 *         syscall.SIGINT, syscall.SIGTERM)
 *     defer stop()
 *     work, cutOff := context.WithCancel(context.Background())
 *     defer cutOff()
 *     ln, err := net.Listen("tcp", address)
 *     …
 *     context.AfterFunc(root, func() { ln.Close() })
 *     for {
 *         conn, err := ln.Accept()
 *         if err != nil {
 *             break
 *         }
 *         wg.Add(1)
 *         go func() {
 *             defer wg.Done()
 *             defer conn.Close()
 *             defer context.AfterFunc(work, func() { conn.Close() })()
 *             io.Copy(conn, conn)
 *         }()
 *     }
 *     idle := make(chan struct{})
 *     go func() { wg.Wait(); close(idle) }()
 *     select {
 *     case <-idle:
 *     case <-time.After(grace):
 *         cutOff()
 *         <-idle
 *     }
 */
#include "example.h"

#include <signal.h>

struct shutdown {
  int ln;
  const gch_ctx *root; /* done: take no more connections */
  gch_ctx *work;       /* done: stop at once */
  gch_chan *idle;      /* closed: all have ended */
  int64_t grace;
};

static void echo(const gch_ctx *ctx, int conn, void *arg) {
  (void)ctx; /* is done as soon as root is */
  const struct shutdown *s = arg;
  uint64_t n = 0;
  puts("connected");
  int err = gch_io_copy_ctx(s->work, conn, conn, &n);
  printf("%s after %d bytes\n", err ? "cut off" : "ended", (int)n);
}

static void await_shutdown(void *arg) {
  struct shutdown *s = arg;
  gch_recv(gch_ctx_done(s->root), NULL);
  gch_io_close(s->ln);
  if (gch_recv_until(s->idle, NULL, gch_in(s->grace)) == ETIMEDOUT)
    gch_ctx_cancel(s->work);
}

GCH_MAIN(argc, argv) {
  GCH_CTX_AUTO gch_ctx *root =
      gch_signal_notify_ctx(gch_ctx_background(), (int[]){SIGINT, SIGTERM}, 2);
  GCH_CTX_AUTO gch_ctx *work = gch_ctx_with_cancel(gch_ctx_background());
  GCH_AUTO gch_chan *idle = gch_make(0, 0);
  if (!root || !work || !idle)
    return fail("cannot set up the server", ENOMEM);

  int ln, err = gch_net_listen("tcp", argc > 1 ? argv[1] : "127.0.0.1:0", &ln);
  if (err)
    return fail("gch_net_listen", err);
  char name[64];
  gch_net_addr(ln, false, name, sizeof name);
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("listening on %s\n", name);

  struct shutdown s = {ln, root, work, idle,
                       (argc > 2 ? atoi(argv[2]) : 1000) * GCH_MILLISECOND};
  gch_wg wg = GCH_WG_INIT;
  gch_must(gch_wg_go(&wg, await_shutdown, &s));
  err = gch_net_serve(root, ln, 0, echo, &s);
  gch_ctx_cancel(root);
  gch_close(idle);
  gch_wg_wait(&wg);
  puts("all have ended");
  return err ? fail("gch_net_serve", err) : 0;
}
