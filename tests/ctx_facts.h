/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of contexts ask again and again. */
#ifndef GULCH_TESTS_CTX_FACTS_H
#define GULCH_TESTS_CTX_FACTS_H

#include "harness.h"

static inline gch_ctx *new_ctx(void) {
  return gch_ctx_with_cancel(gch_ctx_background());
}

/* A context that has been cancelled. */
static inline gch_ctx *done_ctx(void) {
  gch_ctx *ctx = new_ctx();
  gch_ctx_cancel(ctx);
  return ctx;
}

static inline bool is_closed(gch_chan *c) {
  return gch_try_recv(c, NULL) == EPIPE;
}

/* ctx is done, with this error and this cause, and its channel is closed. */
static inline void expect_done(const gch_ctx *ctx, int err, int cause) {
  ck_assert(is_closed(gch_ctx_done(ctx)));
  ck_assert_int_eq(gch_ctx_err(ctx), err);
  ck_assert_int_eq(gch_ctx_cause(ctx), cause);
}

static inline void expect_not_done(const gch_ctx *ctx) {
  ck_assert_int_eq(gch_ctx_err(ctx), 0);
  ck_assert_int_eq(gch_ctx_cause(ctx), 0);
  ck_assert(!is_closed(gch_ctx_done(ctx)));
}

/* What a constructor gave is NULL, with this errno. */
#define expect_null(made, error)                                               \
  do {                                                                         \
    errno = 0;                                                                 \
    const void *made_ = (made);                                                \
    int errno_ = errno;                                                        \
    ck_assert_ptr_null(made_);                                                 \
    ck_assert_int_eq(errno_, (error));                                         \
  } while (0)

#endif
