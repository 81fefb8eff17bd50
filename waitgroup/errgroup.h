/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * <gulch/errgroup.h>: Go's x/sync/errgroup: tasks that work on one job, of
 * which the first error ends the others.
 *
 *     gch_errgroup *g = gch_errgroup_with_ctx(parent);
 *     gch_errgroup_set_limit(g, 8);
 *     for (size_t i = 0; i < n && !err; i++)
 *       err = gch_errgroup_go(g, fetch, &urls[i]);
 *     int first = gch_errgroup_wait(g);
 *     gch_errgroup_free(g);
 */
#ifndef GULCH_ERRGROUP_H
#define GULCH_ERRGROUP_H

#include <gulch/ctx.h>
#include <gulch/go.h>

GCH_BEGIN_DECLS

typedef struct gch_errgroup gch_errgroup;

/* A group without context or limit; NULL with errno ENOMEM. */
GCH_API gch_errgroup *gch_errgroup_new(void);

/* A group with a child of parent: the first error cancels it, with the error
   as the cause, and so does wait. NULL with errno ENOMEM or EINVAL. */
GCH_API gch_errgroup *gch_errgroup_with_ctx(const gch_ctx *parent);

/* Borrowed; the background context for a group without one. */
GCH_API const gch_ctx *gch_errgroup_ctx(gch_errgroup *g);

/* At most n tasks at once; 0 lets none start, below 0 is no limit. 0; EBUSY
   while any is running; ENOMEM. */
GCH_API int gch_errgroup_set_limit(gch_errgroup *g, int n);

/* Runs fn(the group's context, arg) in a task; at the limit waits for one to
   end. 0, ENOMEM, EINVAL (fn is NULL). */
GCH_API int gch_errgroup_go(gch_errgroup *g,
                            int (*fn)(const gch_ctx *ctx, void *arg),
                            void *arg);

/* The same, but EAGAIN at the limit. */
GCH_API int gch_errgroup_try_go(gch_errgroup *g,
                                int (*fn)(const gch_ctx *ctx, void *arg),
                                void *arg);

/* As go, but fn gets a copy of the size bytes at arg, on its own stack, aligned
   for any type; it is made when there is a place. EINVAL also where arg is NULL
   and size is not 0. */
GCH_API int gch_errgroup_go_copy(gch_errgroup *g,
                                 int (*fn)(const gch_ctx *ctx, void *arg),
                                 const void *arg, size_t size);

/* As go, for a task with a name, a larger stack, or a thread of its own; opts
   may be NULL for the defaults. */
GCH_API int gch_errgroup_go_with(gch_errgroup *g, const gch_go_opts *opts,
                                 int (*fn)(const gch_ctx *ctx, void *arg),
                                 void *arg);

/* Waits for all tasks. The first non-zero result, or 0; may be called again.
   When it has returned the group may be freed. */
GCH_API int gch_errgroup_wait(gch_errgroup *g);

/* Waits for what still runs, then frees. */
GCH_API void gch_errgroup_free(gch_errgroup *g);

GCH_END_DECLS

#endif
