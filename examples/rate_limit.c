/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A rate limiter: a ticker lets one request through a tick; with tokens saved
 * in a buffered channel a burst of three may go at once.
 *
 *     limiter := time.NewTicker(5 * time.Millisecond)
 *     defer limiter.Stop()
 *     for i := 1; i <= 5; i++ {
 *         <-limiter.C
 *         fmt.Println("request", i)
 *     }
 *
 *     tokens := make(chan struct{}, 3) // filled, then:
 *     go func() {
 *         for range limiter.C {
 *             select {
 *             case tokens <- struct{}{}:
 *             default: // no more than three are saved
 *             }
 *         }
 *     }()
 *     for i := 1; i <= 5; i++ {
 *         <-tokens
 *         fmt.Println("request", i)
 *     }
 */
#include "example.h"

#define TICK (5 * GCH_MILLISECOND)
enum { REQUESTS = 5, BURST = 3 };

/* Takes from c for each request, and says whether that took so many ticks. */
static void serve(gch_chan *c, int64_t start, int ticks) {
  for (int i = 1; i <= REQUESTS; i++) {
    gch_recv(c, NULL);
    printf("request %d\n", i);
  }
  printf("no sooner than after %d ticks: %s\n", ticks,
         yes_no(gch_now() - start >= ticks * TICK));
}

static int steady(void) {
  int64_t start = gch_now();
  gch_ticker *limiter = gch_ticker_new(TICK);
  if (!limiter)
    return fail("gch_ticker_new", errno);
  serve(gch_ticker_chan(limiter), start, REQUESTS);
  gch_ticker_free(limiter);
  return 0;
}

struct bucket {
  gch_ctx *ctx;
  gch_ticker *ticker;
  gch_chan *tokens; /* of nothing */
};

static void refill(void *arg) {
  struct bucket *b = arg;
  while (gch_recv_ctx(b->ctx, gch_ticker_chan(b->ticker), NULL) == 0)
    gch_try_send(b->tokens, NULL); /* where it is full the token is lost */
}

static int serve_bursts(struct bucket *b) {
  int64_t start = gch_now();
  while (gch_try_send(b->tokens, NULL) == 0)
    ;
  gch_wg wg = GCH_WG_INIT;
  int err = gch_wg_go(&wg, refill, b);
  if (!err)
    serve(b->tokens, start, REQUESTS - BURST);
  gch_ctx_cancel(b->ctx);
  gch_wg_wait(&wg);
  return err ? fail("gch_wg_go", err) : 0;
}

static int bursty(void) {
  GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  GCH_AUTO gch_chan *tokens = gch_make(0, BURST);
  gch_ticker *ticker = gch_ticker_new(TICK);
  int status = ctx && tokens && ticker
                   ? serve_bursts(&(struct bucket){ctx, ticker, tokens})
                   : fail("cannot make the bucket", ENOMEM);
  gch_ticker_free(ticker);
  return status;
}

GCH_MAIN(argc, argv) {
  int status = steady();
  if (status == 0)
    status = bursty();
  return status;
}
