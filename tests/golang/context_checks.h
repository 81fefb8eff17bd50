/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of contexts ask again and again. */
#ifndef GULCH_TESTS_CONTEXT_CHECKS_H
#define GULCH_TESTS_CONTEXT_CHECKS_H

#include <string.h>

#include "harness.h"

#define SHORT_DURATION GCH_MILLISECOND
#define VERY_LONG_DURATION (1000 * GCH_HOUR)

/* Causes: any errno values but those that contexts use themselves. */
#define PARENT_CAUSE ENOSPC
#define CHILD_CAUSE EDOM
#define TOO_SLOW ETIME
#define FINISHED_EARLY ERANGE

/* Whether ctx's done channel is closed now. */
static inline bool is_done(const gch_ctx *ctx) {
  return gch_try_recv(gch_ctx_done(ctx), NULL) == EPIPE;
}

/* Returns when ctx's done channel is closed. */
static inline void await_done(const gch_ctx *ctx) {
  ck_assert_int_eq(gch_recv(gch_ctx_done(ctx), NULL), EPIPE);
}

#define check_open(ctx)                                                        \
  do {                                                                         \
    ck_assert_int_eq(gch_try_recv(gch_ctx_done(ctx), NULL), EAGAIN);           \
    ck_assert_int_eq(gch_ctx_err(ctx), 0);                                     \
    ck_assert_int_eq(gch_ctx_cause(ctx), 0);                                   \
  } while (0)

#define check_done(ctx, error)                                                 \
  do {                                                                         \
    ck_assert(is_done(ctx));                                                   \
    ck_assert_int_eq(gch_ctx_err(ctx), (error));                               \
  } while (0)

#define check_string(ctx, want)                                                \
  do {                                                                         \
    char got_[256];                                                            \
    gch_ctx_string((ctx), got_, sizeof got_);                                  \
    ck_assert_str_eq(got_, (want));                                            \
  } while (0)

#define check_string_begins(ctx, want)                                         \
  do {                                                                         \
    char got_[256];                                                            \
    gch_ctx_string((ctx), got_, sizeof got_);                                  \
    ck_assert_msg(strncmp(got_, (want), strlen(want)) == 0, "%s", got_);       \
  } while (0)

/* Go's otherContext{parent}: a custom context that leaves all to its parent. */
static inline const gch_ctx *other_context(const gch_ctx *parent) {
  static const gch_ctx_ops inherit_all;
  const gch_ctx *ctx = gch_ctx_custom(parent, &inherit_all, NULL);
  ck_assert_ptr_nonnull(ctx);
  return ctx;
}

#endif
