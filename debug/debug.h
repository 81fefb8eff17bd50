/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * <gulch/debug.h>: panics, strict mode, and a look inside for tests.
 *
 * A panic is for what can't be reported to anyone. It prints
 * "panic: <words>" and where to stderr and aborts.
 *
 *     gch_must(gch_send(c, &v));    // a failure here is a bug
 */
#ifndef GULCH_DEBUG_H
#define GULCH_DEBUG_H

#include <gulch/ctx.h>
#include <gulch/panic.h>

GCH_BEGIN_DECLS

/* Unless expr is 0: panic "FILE:LINE: EXPR: gch_strerror(it)". */
#define gch_must(expr) gch_must_be_zero((expr), #expr, __FILE__, __LINE__)

static inline void gch_must_be_zero(int err, const char *expr, const char *file,
                                    int line) {
  if (err != 0)
    gch_panic("%s:%d: %s: %s", file, line, expr, gch_strerror(err));
}

/* How many operations are queued on c now. Out parameters may be NULL. For
   tests: to wait until somebody is parked. */
GCH_API void gch_waiting(const gch_chan *c, size_t *senders, size_t *receivers);

GCH_END_DECLS

#endif
