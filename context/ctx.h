/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * <gulch/ctx.h>: Go's context: cancellation, deadlines and values that are
 * passed down a tree of calls.
 *
 *     // ctx, cancel := context.WithTimeout(parent, time.Second)
 *     // defer cancel()
 *     GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_timeout(parent, GCH_SECOND);
 *
 *     // select { case r = <-results: case <-ctx.Done(): return ctx.Err() }
 *     int err = gch_recv_ctx(ctx, results, &r);
 *     if (err == ECANCELED || err == ETIMEDOUT)
 *       return err;
 *
 * A const gch_ctx * is a context: to be asked, passed on, derived from. A
 * gch_ctx * is that and the right to cancel it. Functions take their context
 * first.
 *
 * A constructor returns one reference, or NULL with errno set: ENOMEM, or
 * EINVAL for a NULL parent, key or callback. A child holds its parent. The
 * last unref of a context that is not done cancels it. Asking a NULL context
 * anything is a panic. No context costs a thread.
 */
#ifndef GULCH_CTX_H
#define GULCH_CTX_H

#include <gulch/chan.h>

GCH_BEGIN_DECLS

typedef struct gch_ctx gch_ctx;

/* The roots: never done, no deadline, no values. They live for ever. */
GCH_API const gch_ctx *gch_ctx_background(void);
GCH_API const gch_ctx *gch_ctx_todo(void);

/* A child that is done when it is cancelled, its parent is done, or its
   deadline (absolute) or timeout passes (nanoseconds). A child of a done
   parent is born done. cause is what gch_ctx_cause gives if the deadline is
   what ends it; 0 means ETIMEDOUT. */
GCH_API gch_ctx *gch_ctx_with_cancel(const gch_ctx *parent);
GCH_API gch_ctx *gch_ctx_with_deadline(const gch_ctx *parent, int64_t deadline);
GCH_API gch_ctx *gch_ctx_with_timeout(const gch_ctx *parent, int64_t ns);
GCH_API gch_ctx *gch_ctx_with_deadline_cause(const gch_ctx *parent,
                                             int64_t deadline, int cause);
GCH_API gch_ctx *gch_ctx_with_timeout_cause(const gch_ctx *parent, int64_t ns,
                                            int cause);

/* A child that gives value for key. key is the address of something that the
   caller owns; it is only compared. With _drop the child owns value: drop
   destroys it at the last unref (if the constructor fails, value stays the
   caller's). */
GCH_API const gch_ctx *gch_ctx_with_value(const gch_ctx *parent,
                                          const void *key, const void *value);
GCH_API const gch_ctx *gch_ctx_with_value_drop(const gch_ctx *parent,
                                               const void *key, void *value,
                                               void (*drop)(void *value));

/* A child with its parent's values that is not done when its parent is. */
GCH_API const gch_ctx *gch_ctx_without_cancel(const gch_ctx *parent);

/* Cancels ctx: idempotent, from any thread. When it returns ctx and all its
   descendants are done, except behind without_cancel and a custom done. The
   first error and cause stick. cause 0 means ECANCELED. */
GCH_API void gch_ctx_cancel(gch_ctx *ctx);
GCH_API void gch_ctx_cancel_cause(gch_ctx *ctx, int cause);

/* Cancel, then unref: what `defer cancel()` becomes. */
GCH_API void gch_ctx_end(gch_ctx *ctx);

/* One more reference; gch_ctx_ref_cancel hands the right to cancel on. */
GCH_API const gch_ctx *gch_ctx_ref(const gch_ctx *ctx);
GCH_API gch_ctx *gch_ctx_ref_cancel(gch_ctx *ctx);
GCH_API void gch_ctx_unref(const gch_ctx *ctx);

/* A channel that is closed when ctx is done: the same one each time,
   borrowed. NULL where ctx is never done. */
GCH_API gch_chan *gch_ctx_done(const gch_ctx *ctx);

/* 0 while ctx is not done; then ECANCELED or ETIMEDOUT, for good. */
GCH_API int gch_ctx_err(const gch_ctx *ctx);

/* Why ctx is done: the cause of the first cancellation that reached it, or
   where that gave none the error. 0 while it is not done. */
GCH_API int gch_ctx_cause(const gch_ctx *ctx);

/* Whether ctx has a deadline; *deadline is left alone where it has none. */
GCH_API bool gch_ctx_deadline(const gch_ctx *ctx, int64_t *deadline);

/* The value nearest to ctx for key; NULL: none, or shadowed by a NULL. */
GCH_API const void *gch_ctx_value(const gch_ctx *ctx, const void *key);

/* How ctx was made: "context.Background.WithCancel". Like snprintf: writes at
   most len bytes with the final zero, returns the full length. */
GCH_API size_t gch_ctx_string(const gch_ctx *ctx, char *buf, size_t len);

/* Go's words for an error: "closed channel", "context canceled", "context
   deadline exceeded", "use of closed file" (EBADF); for others strerror's. */
GCH_API const char *gch_strerror(int err);

/* context.AfterFunc: fn(arg) runs once, in a task of its own, when ctx is
   done; at once if it is done already. The handle holds a reference to ctx.
   What is needed to run fn is reserved here, so it can't be lost: where no
   task can be started it runs on the library's own thread. */
typedef struct gch_after_func gch_after_func;
GCH_API gch_after_func *gch_ctx_after_func(const gch_ctx *ctx,
                                           void (*fn)(void *), void *arg);

/* True: fn has not been started and will not run. Does not wait for fn.
   Either way the handle is gone. */
GCH_API bool gch_after_func_stop(gch_after_func *a);

/* The same, and waits for an fn that has begun, or is about to: when it returns
   fn does not run, and will not. In fn itself it panics; nor may fn wait for
   who waits here. */
GCH_API bool gch_after_func_stop_wait(gch_after_func *a);

/* Gives the handle, and its reference to ctx, up; fn still runs when ctx is
   done. */
GCH_API void gch_after_func_release(gch_after_func *a);

/* select { case c <- v: case <-ctx.Done(): return ctx.Err() }. A context that
   is already done always wins: then nothing was sent, nothing taken. 0, EPIPE,
   EPERM, EINVAL, ECANCELED, ETIMEDOUT. */
GCH_API int gch_send_ctx(const gch_ctx *ctx, gch_chan *c, const void *elem);
GCH_API int gch_recv_ctx(const gch_ctx *ctx, gch_chan *c, void *elem);

/* Sleeps ns nanoseconds, or until ctx is done. 0, ECANCELED, ETIMEDOUT. */
GCH_API int gch_sleep_ctx(const gch_ctx *ctx, int64_t ns);

/* A kind of context of your own. A NULL operation inherits the parent's. done
   gives the same channel every time, or NULL for never; a context stores its
   error before it closes that channel, and while closing holds no lock that
   err takes. drop is called at the last unref, not if gch_ctx_custom fails.
   done without err is EINVAL. None is called with a lock of gulch held. err may
   be called by whoever cancels what is above, or closes done; where a deadline
   or a signal does that, err and drop are called in a task. In a forked child
   err may also be called by who first asks something below it for its error,
   where done was closed and err not asked yet when the process forked. */
typedef struct gch_ctx_ops {
  bool (*deadline)(void *self, const gch_ctx *parent, int64_t *out);
  gch_chan *(*done)(void *self, const gch_ctx *parent);
  int (*err)(void *self, const gch_ctx *parent);
  const void *(*value)(void *self, const gch_ctx *parent, const void *key);
  void (*drop)(void *self);
  void *reserved[4]; /* zero */
} gch_ctx_ops;

/* ops must outlive the context, and every channel that done gave must live as
   long as it. Descendants are done when the gch_close of that channel
   returns. */
GCH_API const gch_ctx *gch_ctx_custom(const gch_ctx *parent,
                                      const gch_ctx_ops *ops, void *self);

/* GCH_CTX_AUTO gch_ctx *ctx = …; is ended, GCH_CTX_UNREF_AUTO const gch_ctx
 *ctx = …; unref'd, where ctx goes out of scope. */
#ifdef GCH_CLEANUP
static inline void gch_ctx_end_at(gch_ctx **ctx) {
  gch_ctx_end(*ctx);
}
static inline void gch_ctx_unref_at(const gch_ctx **ctx) {
  gch_ctx_unref(*ctx);
}
#define GCH_CTX_AUTO GCH_CLEANUP(gch_ctx_end_at) GCH_UNUSED
#define GCH_CTX_UNREF_AUTO GCH_CLEANUP(gch_ctx_unref_at) GCH_UNUSED
#endif

GCH_END_DECLS

#endif
