/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * <gulch/signal.h>: Go's os/signal: signals as values on a channel.
 *
 *     gch_ctx *ctx = gch_signal_notify_ctx(gch_ctx_background(),
 *                                          (int[]){SIGINT, SIGTERM}, 2);
 *     serve(ctx);          // returns when ctx is done
 *     gch_ctx_end(ctx);    // the old dispositions are back
 *
 * Signals are caught while anybody listens, by a handler that does nothing but
 * count; the library's own thread sends them on. A channel that is full or
 * closed loses the signal, others are not held up. The old disposition comes
 * back when a signal's last listener stops; a signal caught at that very moment
 * is delivered, or raised again under the disposition that is then in force
 * (perhaps a moment after stop has returned), never lost.
 *
 * In a forked child nobody listens any more. The references that were held for
 * that are given back by the child's next call of one of these functions, not
 * in fork, where a drop function could not be called.
 */
#ifndef GULCH_SIGNAL_H
#define GULCH_SIGNAL_H

#include <gulch/ctx.h>

GCH_BEGIN_DECLS

/* Sends the n signals in sigs to c, whose elements are int, as they arrive; a
   second call adds to the first. n == 0: every signal but KILL, STOP, SEGV,
   BUS, FPE, ILL, TRAP, SYS, ABRT and libc's own. Holds a reference to c until
   it no longer listens. 0; EINVAL: no channel, elements that are not int, a
   signal that can't be caught; EPERM: a context's or timer's channel; ENOMEM.
 */
GCH_API int gch_signal_notify(gch_chan *c, const int *sigs, size_t n);

/* c no longer listens. After it returns nothing more arrives. */
GCH_API void gch_signal_stop(gch_chan *c);

/* Nobody listens to the n signals in sigs any more (n == 0: to any). */
GCH_API void gch_signal_reset(const int *sigs, size_t n);

/* A child of parent that the first of the signals cancels. It listens until
   its holder cancels or ends it. NULL with errno EINVAL, ENOMEM. */
GCH_API gch_ctx *gch_signal_notify_ctx(const gch_ctx *parent, const int *sigs,
                                       size_t n);

GCH_END_DECLS

#endif
