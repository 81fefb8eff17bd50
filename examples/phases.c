/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two phases of a job, each with a limit of its own inside the job's limit.
 * The first is cut off by its own, the second by that of the whole job, though
 * it asked for more. (2 s and 5 s, scaled down to 20 ms and 50 ms.)
 *
 *     start := time.Now()
 *     job, cancel := context.WithDeadline(context.Background(),
 *         start.Add(50*time.Millisecond))
 *     defer cancel()
 *     phase := func(name string, deadline time.Time) {
 *         ctx, cancel := context.WithDeadline(job, deadline)
 *         defer cancel()
 *         <-ctx.Done() // work that does not end by itself
 *         got, _ := ctx.Deadline()
 *         fmt.Println(name, ctx.Err(), got == deadline)
 *     }
 *     phase("first", start.Add(20*time.Millisecond))
 *     phase("second", start.Add(70*time.Millisecond))
 */
#include "example.h"

static int phase(const gch_ctx *job, const char *name, int64_t deadline) {
  GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_deadline(job, deadline);
  if (!ctx)
    return fail("gch_ctx_with_deadline", errno);

  int err = gch_sleep_ctx(ctx, GCH_HOUR); /* work that does not end by itself */
  int64_t limit = GCH_FOREVER;
  gch_ctx_deadline(ctx, &limit);
  printf("%s phase: %s, the limit was %s\n", name, gch_strerror(err),
         limit == deadline ? "its own" : "the job's");
  return 0;
}

GCH_MAIN(argc, argv) {
  int64_t start = gch_now();
  GCH_CTX_AUTO gch_ctx *job =
      gch_ctx_with_deadline(gch_ctx_background(), start + 50 * GCH_MILLISECOND);
  if (!job)
    return fail("gch_ctx_with_deadline", errno);

  int status = phase(job, "first", start + 20 * GCH_MILLISECOND);
  if (status == 0)
    status = phase(job, "second", start + 70 * GCH_MILLISECOND);
  if (status == 0)
    printf("job: %s\n", gch_strerror(gch_ctx_err(job)));
  return status;
}
