/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker under a 50 ms timeout. It polls its context every 10 ms, and knows
 * its trace code from it.
 *
 *     func worker(ctx context.Context) {
 *         defer wg.Done()
 *         fmt.Println("worker: trace code", ctx.Value(traceKey))
 *         for {
 *             select {
 *             case <-ctx.Done():
 *                 fmt.Println("worker: stops:", ctx.Err())
 *                 return
 *             default:
 *                 time.Sleep(10 * time.Millisecond) // the work
 *             }
 *         }
 *     }
 *
 *     func main() {
 *         ctx, cancel := context.WithTimeout(context.Background(),
 *             50*time.Millisecond)
 *         defer cancel()
 *         ctx = context.WithValue(ctx, traceKey, "12512312234")
 *         wg.Add(1)
 *         go worker(ctx)
 *         wg.Wait()
 *         fmt.Println("over")
 *     }
 */
#include "example.h"

static char trace_key; /* its address is the key */

static void worker(void *arg) {
  const gch_ctx *ctx = arg;
  printf("worker: trace code %s\n",
         (const char *)gch_ctx_value(ctx, &trace_key));
  while (gch_select(GCH_RECV(gch_ctx_done(ctx), NULL), GCH_DEFAULT) != 0)
    gch_sleep(10 * GCH_MILLISECOND); /* the work */
  printf("worker: stops: %s\n", gch_strerror(gch_ctx_err(ctx)));
}

GCH_MAIN(argc, argv) {
  GCH_CTX_AUTO gch_ctx *limited =
      gch_ctx_with_timeout(gch_ctx_background(), 50 * GCH_MILLISECOND);
  if (!limited)
    return fail("gch_ctx_with_timeout", errno);
  GCH_CTX_UNREF_AUTO const gch_ctx *ctx =
      gch_ctx_with_value(limited, &trace_key, "12512312234");
  if (!ctx)
    return fail("gch_ctx_with_value", errno);

  gch_wg wg = GCH_WG_INIT;
  int err = gch_wg_go(&wg, worker, (void *)ctx);
  if (err)
    return fail("gch_wg_go", err);
  gch_wg_wait(&wg);
  puts("over");
  return 0;
}
