/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * <gulch/wg.h>: Go's sync.WaitGroup.
 *
 *     gch_wg wg = GCH_WG_INIT;
 *     for (int i = 0; i < n; i++)
 *       gch_wg_go(&wg, work, &jobs[i]);
 *     gch_wg_wait(&wg);
 *
 * Embed it where you like; all-zero bytes are ready for use. When a wait has
 * returned the memory may go, even while the last gch_wg_done is still on its
 * way out. Reusable: a new round may begin as soon as the count has been zero.
 * Everything before a done is visible after the wait that it released.
 *
 * In a forked child nobody waits, whoever waited in the parent; the count is
 * what it was, though the tasks that were to end are not there.
 */
#ifndef GULCH_WG_H
#define GULCH_WG_H

#include <gulch/go.h>

GCH_BEGIN_DECLS

typedef struct gch_ctx gch_ctx; /* <gulch/ctx.h> */

typedef struct gch_wg { /* private */
  uint64_t state __attribute__((__aligned__(8)));
  void *waiters;
  uint32_t process, spare;
  uintptr_t reserved[1];
} gch_wg;

#define GCH_WG_INIT                                                            \
  {                                                                            \
    0, NULL, 0, 0, {                                                           \
      0                                                                        \
    }                                                                          \
  }

/* Adds n, which may be negative, to the count. Panics below zero. */
GCH_API void gch_wg_add(gch_wg *wg, int n);
GCH_API void gch_wg_done(gch_wg *wg);

/* Returns when the count is zero. */
GCH_API void gch_wg_wait(gch_wg *wg);

/* The same until an absolute time: 0, ETIMEDOUT. */
GCH_API int gch_wg_wait_until(gch_wg *wg, int64_t deadline);

/* The same until ctx is done: 0, or its error, ECANCELED or ETIMEDOUT; the
   tasks go on. A context that is done already wins, even where the count is
   zero. A NULL context panics. */
GCH_API int gch_wg_wait_ctx(const gch_ctx *ctx, gch_wg *wg);

/* Adds one, runs fn(arg) in a task, then calls done. 0; ENOMEM, the count as
   it was; EINVAL: fn is NULL. */
GCH_API int gch_wg_go(gch_wg *wg, void (*fn)(void *), void *arg);

/* The same, but fn gets a copy of the size bytes at arg, on its own stack,
   aligned for any type. EINVAL also where arg is NULL and size is not 0. */
GCH_API int gch_wg_go_copy(gch_wg *wg, void (*fn)(void *), const void *arg,
                           size_t size);

/* The same for a task with a name, a larger stack, or a thread of its own; opts
   may be NULL for the defaults. */
GCH_API int gch_wg_go_with(gch_wg *wg, const gch_go_opts *opts,
                           void (*fn)(void *), void *arg);

GCH_END_DECLS

#endif
