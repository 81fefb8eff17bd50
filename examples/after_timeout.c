/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An operation against a time limit: whichever comes first.
 *
 *     func wait(work, limit time.Duration) {
 *         ctx, cancel := context.WithTimeout(context.Background(), limit)
 *         defer cancel()
 *         select {
 *         case <-time.After(work):
 *             fmt.Println("the work is done")
 *         case <-ctx.Done():
 *             fmt.Println(ctx.Err())
 *         }
 *     }
 *
 *     func main() {
 *         wait(time.Hour, 10*time.Millisecond)
 *         wait(10*time.Millisecond, time.Hour)
 *     }
 */
#include "example.h"

static int wait_for(int64_t work, int64_t limit) {
  GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_timeout(gch_ctx_background(), limit);
  if (!ctx)
    return fail("gch_ctx_with_timeout", errno);
  GCH_AUTO gch_chan *after = gch_after(work);
  if (!after)
    return fail("gch_after", errno);

  switch (
      gch_select(GCH_RECV(after, NULL), GCH_RECV(gch_ctx_done(ctx), NULL))) {
  case 0:
    puts("the work is done");
    break;
  case 1:
    puts(gch_strerror(gch_ctx_err(ctx)));
    break;
  }
  return 0;
}

GCH_MAIN(argc, argv) {
  int status = wait_for(GCH_HOUR, 10 * GCH_MILLISECOND);
  if (status == 0)
    status = wait_for(10 * GCH_MILLISECOND, GCH_HOUR);
  return status;
}
