/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A fetch that fits itself to the time that its caller has left: under 100 ms
 * it takes the cache at once; else the network may have all but the last 50 ms,
 * which are kept for the cache.
 *
 *     func fetch(ctx context.Context, url string) string {
 *         if deadline, ok := ctx.Deadline(); ok {
 *             left := time.Until(deadline)
 *             if left < 100*time.Millisecond {
 *                 return cached(url)
 *             }
 *             var cancel context.CancelFunc
 *             ctx, cancel = context.WithTimeout(ctx, left-50*time.Millisecond)
 *             defer cancel()
 *         }
 *         if page, err := network(ctx, url); err == nil {
 *             return page
 *         }
 *         return cached(url)
 *     }
 */
#include "example.h"

#include <string.h>

static const char *cached(const char *url) {
  (void)url;
  return "the cached page";
}

/* The server "slow" never answers. */
static int network(const gch_ctx *ctx, const char *url, const char **page) {
  *page = "the page itself";
  return strcmp(url, "slow") == 0 ? gch_sleep_ctx(ctx, GCH_FOREVER)
                                  : gch_ctx_err(ctx);
}

/* 0, or ENOMEM. */
static int fetch(const gch_ctx *ctx, const char *url, const char **page) {
  GCH_CTX_AUTO gch_ctx *child = NULL;
  int64_t deadline;
  if (gch_ctx_deadline(ctx, &deadline)) {
    int64_t left = deadline - gch_now();
    if (left < 100 * GCH_MILLISECOND) {
      *page = cached(url);
      return 0;
    }
    child = gch_ctx_with_timeout(ctx, left - 50 * GCH_MILLISECOND);
    if (!child)
      return ENOMEM;
    ctx = child;
  }
  if (network(ctx, url, page) != 0)
    *page = cached(url);
  return 0;
}

static int show(const char *url, const char *how_long, int64_t limit) {
  GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_timeout(gch_ctx_background(), limit);
  if (!ctx)
    return fail("gch_ctx_with_timeout", errno);
  const char *page;
  int err = fetch(ctx, url, &page);
  if (err)
    return fail("fetch", err);
  printf("%s server, %s: %s\n", url, how_long, page);
  return 0;
}

GCH_MAIN(argc, argv) {
  int status = show("fast", "an hour", GCH_HOUR);
  if (status == 0)
    status = show("fast", "20 ms", 20 * GCH_MILLISECOND);
  if (status == 0)
    status = show("slow", "150 ms", 150 * GCH_MILLISECOND);
  return status;
}
