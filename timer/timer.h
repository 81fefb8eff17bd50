/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * <gulch/timer.h>: Go's clock, sleep, timers and tickers.
 *
 *     gch_ticker *t = gch_ticker_new(100 * GCH_MILLISECOND);
 *     int64_t when;
 *     while (gch_recv_ctx(ctx, gch_ticker_chan(t), &when) == 0)
 *       draw(when);
 *     gch_ticker_free(t);
 *
 * All times are int64_t nanoseconds of the monotonic clock. A deadline is
 * absolute, gch_in(ns) makes one; GCH_FOREVER never comes; sums saturate. In
 * strict mode (<gulch/panic.h>) a deadline greater than 0 that lies before the
 * start of the process is a panic: somebody passed a duration. The channels of
 * timers and tickers carry the int64_t time at which they were due and are
 * receive-only. As in Go 1.23 they behave as unbuffered, and after a stop or
 * reset no value from before is received. One that is due is ready at once for
 * who asks, also by a try or beside a default; one that nobody waits for costs
 * nothing.
 *
 * Constructors give NULL with errno ENOMEM, or EINVAL as said.
 */
#ifndef GULCH_TIMER_H
#define GULCH_TIMER_H

#include <gulch/chan.h>

GCH_BEGIN_DECLS

#define GCH_NANOSECOND INT64_C(1)
#define GCH_MICROSECOND (1000 * GCH_NANOSECOND)
#define GCH_MILLISECOND (1000 * GCH_MICROSECOND)
#define GCH_SECOND (1000 * GCH_MILLISECOND)
#define GCH_MINUTE (60 * GCH_SECOND)
#define GCH_HOUR (60 * GCH_MINUTE)
#define GCH_FOREVER INT64_MAX

/* Monotonic time. */
GCH_API int64_t gch_now(void);

/* The deadline ns from now: gch_recv_until(c, &v, gch_in(GCH_SECOND)).
   GCH_FOREVER where the sum would be larger. */
GCH_API int64_t gch_in(int64_t ns);

/* Sleeps at least ns; at once for ns <= 0. */
GCH_API void gch_sleep(int64_t ns);

/* time.After: a channel that gives the time at which it was due, once. Yours to
   unref, which also ends the timer. In a select GCH_TIMEOUT is cheaper. */
GCH_API gch_chan *gch_after(int64_t ns);

typedef struct gch_timer gch_timer;

/* A timer that fires once, ns from now, into its channel. */
GCH_API gch_timer *gch_timer_new(int64_t ns);

/* time.AfterFunc: a timer that runs fn(arg) in a task of its own. Never lost:
   where no task can be started fn runs on the library's own thread. EINVAL:
   fn is NULL. */
GCH_API gch_timer *gch_timer_func(int64_t ns, void (*fn)(void *), void *arg);

/* Borrowed; NULL for a timer_func. */
GCH_API gch_chan *gch_timer_chan(gch_timer *t);

/* True: stopped before it fired, or before its value was received. Does not
   wait for fn. */
GCH_API bool gch_timer_stop(gch_timer *t);

/* As stop, and waits for an fn that has begun, or is about to: when it returns
   none runs, and t is stopped, even if fn has started it again, or another does
   so meanwhile. True also where it was that which was stopped. In fn itself it
   panics; nor may fn wait for who waits here. */
GCH_API bool gch_timer_stop_wait(gch_timer *t);

/* As stop, then starts it again, ns from now. */
GCH_API bool gch_timer_reset(gch_timer *t, int64_t ns);

/* Stop's answer, then frees. May be called in fn; does not wait for it. */
GCH_API bool gch_timer_free(gch_timer *t);

typedef struct gch_ticker gch_ticker;

/* A ticker fires every ns. A slow reader loses ticks: never more than one
   waits. EINVAL: ns <= 0. */
GCH_API gch_ticker *gch_ticker_new(int64_t ns);
GCH_API gch_chan *gch_ticker_chan(gch_ticker *t); /* borrowed */

/* Nothing is received after it. The channel is not closed. */
GCH_API void gch_ticker_stop(gch_ticker *t);

/* Stops, then ticks every ns from now. 0; EINVAL: ns <= 0; ENOMEM: in a forked
   child, no thread could be started. */
GCH_API int gch_ticker_reset(gch_ticker *t, int64_t ns);
GCH_API void gch_ticker_free(gch_ticker *t);

GCH_END_DECLS

#endif
