/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A context of our own kind: it measures how long an operation runs, from the
 * making of the context to its last reference. Whoever is below it can ask how
 * long it has been; all else is its parent's.
 *
 *     type timedCtx struct {
 *         context.Context
 *         start time.Time
 *     }
 *
 *     func (t *timedCtx) Value(key any) any {
 *         if key == timedKey {
 *             return t
 *         }
 *         return t.Context.Value(key)
 *     }
 *
 *     func Elapsed(ctx context.Context) time.Duration {
 *         return time.Since(ctx.Value(timedKey).(*timedCtx).start)
 *     }
 */
#include "example.h"

struct stopwatch {
  int64_t start;
  int64_t ran; /* nanoseconds; set when the operation has ended */
};

static char timed_key, user_key;

static const void *timed_value(void *self, const gch_ctx *parent,
                               const void *key) {
  return key == &timed_key ? self : gch_ctx_value(parent, key);
}

static void timed_drop(void *self) {
  struct stopwatch *w = self;
  w->ran = gch_now() - w->start;
}

static const gch_ctx_ops timed_ops = {.value = timed_value, .drop = timed_drop};

static const gch_ctx *with_stopwatch(const gch_ctx *parent,
                                     struct stopwatch *w) {
  *w = (struct stopwatch){.start = gch_now()};
  return gch_ctx_custom(parent, &timed_ops, w);
}

static int64_t elapsed(const gch_ctx *ctx) {
  const struct stopwatch *w = gch_ctx_value(ctx, &timed_key);
  return w ? gch_now() - w->start : 0;
}

/* Something that runs into its time limit. 0, or ENOMEM. */
static int operation(const gch_ctx *parent) {
  GCH_CTX_AUTO gch_ctx *ctx =
      gch_ctx_with_timeout(parent, 20 * GCH_MILLISECOND);
  if (!ctx)
    return ENOMEM;
  int err = gch_sleep_ctx(ctx, GCH_HOUR);
  printf("%s's operation: %s\n", (const char *)gch_ctx_value(ctx, &user_key),
         gch_strerror(err));
  printf("20 ms or more so far: %s\n",
         yes_no(elapsed(ctx) >= 20 * GCH_MILLISECOND));
  return 0;
}

GCH_MAIN(argc, argv) {
  GCH_CTX_UNREF_AUTO const gch_ctx *ann =
      gch_ctx_with_value(gch_ctx_background(), &user_key, "ann");
  if (!ann)
    return fail("gch_ctx_with_value", errno);
  struct stopwatch watch;
  const gch_ctx *timed = with_stopwatch(ann, &watch);
  if (!timed)
    return fail("gch_ctx_custom", errno);

  int err = operation(timed);
  gch_ctx_unref(timed);
  if (err)
    return fail("operation", err);
  printf("20 ms or more in all: %s\n",
         yes_no(watch.ran >= 20 * GCH_MILLISECOND));
  return 0;
}
