/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Graceful shutdown. SIGINT or SIGTERM cancels the root context: requests that
 * are being served are finished, under a second deadline. What still runs then
 * is cut off.
 *
 *     root, stop := signal.NotifyContext(context.Background(),
 *         syscall.SIGINT, syscall.SIGTERM)
 *     defer stop()
 *     work, cutOff := context.WithCancel(context.Background())
 *     defer cutOff()
 *     for i := range requests {
 *         wg.Add(1)
 *         go serve(root, work, &requests[i])
 *     }
 *
 *     <-root.Done()
 *     idle := make(chan struct{})
 *     go func() { wg.Wait(); close(idle) }()
 *     select {
 *     case <-idle:
 *     case <-time.After(50 * time.Millisecond):
 *         cutOff()
 *         <-idle
 *     }
 */
#include "example.h"

#include <signal.h>
#include <unistd.h>

enum { REQUESTS = 4, STUCK = 3 };

struct server {
  gch_ctx *root;     /* done: take no more requests */
  gch_ctx *work;     /* done: stop at once */
  gch_chan *started; /* of nothing */
};

struct request {
  struct server *server;
  int number;
  int result;
};

/* Each request lasts until the shutdown; one would last for ever. */
static void serve(void *arg) {
  struct request *r = arg;
  struct server *s = r->server;
  gch_send_ctx(s->work, s->started, NULL);
  gch_recv(gch_ctx_done(s->root), NULL);
  r->result = r->number == STUCK ? gch_sleep_ctx(s->work, GCH_FOREVER) : 0;
}

static int start(struct server *s, gch_wg *wg, struct request *requests) {
  for (int i = 0; i < REQUESTS; i++) {
    requests[i] = (struct request){.server = s, .number = i};
    int err = gch_wg_go(wg, serve, &requests[i]);
    if (err)
      return err;
  }
  for (int i = 0; i < REQUESTS; i++)
    gch_recv(s->started, NULL);
  return 0;
}

static void shut_down(struct server *s, gch_wg *wg) {
  gch_recv(gch_ctx_done(s->root), NULL);
  puts("shutting down");
  if (gch_wg_wait_until(wg, gch_now() + 50 * GCH_MILLISECOND) == ETIMEDOUT)
    gch_ctx_cancel(s->work);
  gch_wg_wait(wg);
}

GCH_MAIN(argc, argv) {
  GCH_CTX_AUTO gch_ctx *root =
      gch_signal_notify_ctx(gch_ctx_background(), (int[]){SIGINT, SIGTERM}, 2);
  GCH_CTX_AUTO gch_ctx *work = gch_ctx_with_cancel(gch_ctx_background());
  GCH_AUTO gch_chan *started = gch_make(0, 0);
  if (!root || !work || !started)
    return fail("cannot set up the server", ENOMEM);

  struct server s = {root, work, started};
  struct request requests[REQUESTS];
  gch_wg wg = GCH_WG_INIT;
  int err = start(&s, &wg, requests);
  if (err) {
    gch_ctx_cancel(root);
    gch_ctx_cancel(work);
    gch_wg_wait(&wg);
    return fail("gch_wg_go", err);
  }

  printf("%d requests are being served\n", REQUESTS);
  kill(getpid(), SIGTERM); /* what an operator would do */
  shut_down(&s, &wg);
  for (int i = 0; i < REQUESTS; i++)
    printf("request %d: %s\n", i, requests[i].result ? "cut off" : "finished");
  return 0;
}
