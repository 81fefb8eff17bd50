/* SPDX-License-Identifier: BSD-3-Clause */
/* A cancel that comes together with something else. */
#ifndef GULCH_TESTS_CTX_RACE_H
#define GULCH_TESTS_CTX_RACE_H

#include "harness.h"

static inline const gch_ctx *bg(void) {
  return gch_ctx_background();
}

static inline void cancel(void *ctx) {
  gch_ctx_cancel(ctx);
}

/* Beside the caller; or, every other time, just before it goes on: then who
   waited has most likely not even woken. */
static inline test_thread *start_cancel(gch_ctx *ctx, int round) {
  if (round % 2)
    return thread_start(cancel, ctx);
  gch_ctx_cancel(ctx);
  return NULL;
}

static inline void join_cancel(test_thread *t) {
  if (t)
    thread_join(t);
}

#endif
