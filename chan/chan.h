/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * <gulch/chan.h>: Go's channels.
 *
 *     gch_chan *c = gch_make_of(int, 16);      // c := make(chan int, 16)
 *     int v = 42;
 *     gch_send(c, &v);                         // c <- v
 *     gch_close(c);                            // close(c)
 *     while (gch_recv(c, &v) == 0)             // for v := range c
 *       printf("%d\n", v);
 *     gch_unref(c);
 *
 * A channel carries elements of one size, copied in and copied out, in the
 * order in which they came, each exactly once. With capacity 0 a send returns
 * after its receiver has the value; with capacity C up to C values wait in
 * the channel. The blocked are served in the order in which they blocked.
 *
 * Errors are returned, as in pthreads: 0 or a positive errno value.
 *     EPIPE      the channel is closed
 *     EAGAIN     a try form would have had to block
 *     ETIMEDOUT  the deadline passed
 *     EPERM      the channel belongs to a context or a timer: receive only
 *     EINVAL     a NULL element in a send of non-zero size
 * A value whose send was refused stays the sender's.
 *
 * Lifetime: a channel is reference counted. gch_make returns one reference;
 * every call needs its caller to hold one until it returns; the last
 * gch_unref frees. Closing is not freeing. Everything before a send or a
 * close is visible after the receive that sees it.
 *
 * A NULL channel is Go's nil channel: sends and receives block for ever.
 *
 * Who unrefs last? Nobody needs to know: each party has a reference of its own,
 * and gives it back when it is done. Four patterns:
 *
 * 1. The response channel. The server's reference travels with the request.
 *    Room for one answer, so that the server never waits for who has given up;
 *    and a drop for requests that no server takes.
 *
 *     struct request { int question; gch_chan *reply; };
 *
 *     void refuse(void *request) {              // gch_set_drop(server, refuse)
 *       gch_close_unref(((struct request *)request)->reply);
 *     }
 *     int ask(gch_chan *server, int question, int *answer, int64_t deadline) {
 *       gch_chan *reply = gch_make_of(int, 1);
 *       struct request r = {question, gch_ref(reply)};
 *       int err = gch_send_until(server, &r, deadline);
 *       if (err)
 *         gch_unref(r.reply);                   // refused: it stayed ours
 *       else
 *         err = gch_recv_until(reply, answer, deadline);
 *       gch_unref(reply);
 *       return err;
 *     }
 *     void serve(void *server) {
 *       struct request r;
 *       while (gch_recv(server, &r) == 0) {
 *         int answer = r.question + 1;
 *         gch_send(r.reply, &answer);
 *         gch_unref(r.reply);
 *       }
 *       gch_unref(server);
 *     }
 *
 * 2. The last closer. Whoever comes last closes, and by that may have let go
 *    what all share: gch_close_unref looks at it no more.
 *
 *     struct team { _Atomic int left; gch_chan *out; }; // a reference for all
 *
 *     void produce(void *arg) {
 *       struct team *t = arg;
 *       gch_send(t->out, &(int){1});
 *       if (atomic_fetch_sub(&t->left, 1) == 1)
 *         gch_close_unref(t->out);              // t may be gone now
 *     }
 *     int consume(struct team *t, gch_chan *out) {   // t->out is gch_ref(out)
 *       int v, sum = 0;
 *       while (gch_recv(out, &v) == 0)
 *         sum += v;
 *       gch_unref(out);
 *       free(t);                              // closed: nobody has it any more
 *       return sum;
 *     }
 *
 * 3. The waiter list. Each entry has a reference that belongs to the list:
 *    whoever takes the entry out gives it back, the one who announces or the
 *    one who gave up. The waiter's own keeps the channel until its receive is
 *    over.
 *
 *     struct entry { struct entry *next; gch_chan *c; };
 *     struct news { gch_mutex lock; struct entry *first; };
 *
 *     bool take_out(struct news *n, struct entry *e);   // under the lock
 *
 *     int await(struct news *n, int64_t deadline) {
 *       gch_chan *c = gch_make(0, 0);
 *       struct entry *e = malloc(sizeof *e);
 *       gch_mutex_lock(&n->lock);
 *       *e = (struct entry){n->first, gch_ref(c)};
 *       n->first = e;
 *       gch_mutex_unlock(&n->lock);
 *       int err = gch_recv_until(c, NULL, deadline);   // EPIPE: there is news
 *       if (err == ETIMEDOUT && take_out(n, e)) {
 *         gch_unref(e->c);
 *         free(e);
 *       }
 *       gch_unref(c);
 *       return err == EPIPE ? 0 : err;
 *     }
 *     void announce(struct news *n) {
 *       gch_mutex_lock(&n->lock);
 *       struct entry *e = n->first, *next;
 *       n->first = NULL;
 *       gch_mutex_unlock(&n->lock);
 *       for (; e; e = next) {
 *         next = e->next;
 *         gch_close_unref(e->c);
 *         free(e);
 *       }
 *     }
 *
 * 4. The callback with a context. What the callback uses it holds; who prevents
 *    it from running does what it would have done last.
 *
 *     struct call { const gch_ctx *ctx; gch_chan *out; };
 *
 *     void call_end(struct call *k) {
 *       gch_ctx_unref(k->ctx);
 *       gch_unref(k->out);
 *       free(k);
 *     }
 *     void call_run(void *arg) {
 *       struct call *k = arg;
 *       gch_send_ctx(k->ctx, k->out, &(int){1});
 *       call_end(k);
 *     }
 *     gch_timer *call_later(const gch_ctx *ctx, gch_chan *out, int64_t ns,
 *                           struct call **call) {
 *       *call = malloc(sizeof **call);
 *       **call = (struct call){gch_ctx_ref(ctx), gch_ref(out)};
 *       return gch_timer_func(ns, call_run, *call);
 *     }
 *     void call_off(gch_timer *t, struct call *k) {
 *       if (gch_timer_free(t))
 *         call_end(k);                          // true: it will not run
 *     }
 */
#ifndef GULCH_CHAN_H
#define GULCH_CHAN_H

#include <gulch/base.h>

GCH_BEGIN_DECLS

typedef struct gch_chan gch_chan;

/* A channel of cap elements of elem_size bytes; either may be 0. NULL with
   errno EINVAL where elem_size, cap, or the size in bytes of all that is over
   PTRDIFF_MAX; ENOMEM where there is no memory. */
GCH_API gch_chan *gch_make(size_t elem_size, size_t cap);
#define gch_make_of(T, cap) gch_make(sizeof(T), (cap))

/* One more reference; returns c. NULL is allowed, and stays NULL. */
GCH_API gch_chan *gch_ref(gch_chan *c);

/* Gives a reference back; the last one frees the channel, after the drop
   function has seen each value that is left. NULL is allowed. Panics:
   - if it is the last reference and somebody is parked on the channel; the
     words name both;
   - if it is the last reference and its owner's: it was only borrowed. Where
     others hold references too, that shows when they give theirs back;
   - if there is no reference left. That can be seen while the memory that was
     the channel's is not used for something else: mostly where it comes soon.
     In strict mode (<gulch/panic.h>) the memory of the last 256 channels (up to
     64 kB each) is kept, so it is always seen there; and so is any other use
     of one of them, such as a receive from the done channel of a context that
     is gone, but for gch_len, gch_cap, gch_set_name. */
GCH_API void gch_unref(gch_chan *c);

/* Names the channel for dumps and messages. The name is copied (and cut to
   31 bytes). */
GCH_API void gch_set_name(gch_chan *c, const char *name);

/* drop destroys what nobody takes: values left in the channel at the last
   unref, and values received into NULL. It runs in the thread that completes
   the operation, with no lock held, before that returns; it must not block.
   To be set before the channel's first use. EINVAL: no channel, no function,
   or elements over 256 bytes; EPERM: the channel belongs to a context or
   timer. */
GCH_API int gch_set_drop(gch_chan *c, void (*drop)(void *elem));

/* c <- *elem. 0, EPIPE, EPERM, EINVAL. */
GCH_API int gch_send(gch_chan *c, const void *elem);

/* *elem = <-c; elem may be NULL to discard. 0; EPIPE: closed and empty, and
   then elem is zero-filled. */
GCH_API int gch_recv(gch_chan *c, void *elem);

/* The same without blocking: EAGAIN, elem untouched, where they would. */
GCH_API int gch_try_send(gch_chan *c, const void *elem);
GCH_API int gch_try_recv(gch_chan *c, void *elem);

/* The same until an absolute time (nanoseconds of gch_now): ETIMEDOUT, elem
   untouched. With a deadline that has passed they try once. */
GCH_API int gch_send_until(gch_chan *c, const void *elem, int64_t deadline);
GCH_API int gch_recv_until(gch_chan *c, void *elem, int64_t deadline);

/* Receives up to max values into the array elems: waits for one, then takes
   what is there, buffered or with parked senders, as that many receives in a
   row would (others may get in between; what they send meanwhile may be taken
   too, up to max). elems may be NULL to discard. *n is how many; n may be NULL.
   0; EPIPE: closed and empty, and then *n is 0 and the first element is
   zero-filled; EINVAL: max is 0. */
GCH_API int gch_recv_many(gch_chan *c, void *elems, size_t max, size_t *n);

/* Sends the count values of the array elems, in order, waiting where it must:
   for receivers, or for room. *n is how many were sent; on an error the rest
   stays the caller's; n may be NULL. 0, EPIPE, EPERM, EINVAL. A count of 0 is
   0, whatever c is. */
GCH_API int gch_send_many(gch_chan *c, const void *elems, size_t count,
                          size_t *n);

/* close(c): every parked sender and receiver wakes with EPIPE; what is
   buffered can still be received. EPIPE: was closed; EINVAL: NULL; EPERM:
   owned by a context or a timer. */
GCH_API int gch_close(gch_chan *c);

/* Closes c and gives the caller's reference back, whatever gch_close says,
   which it returns. For who closes last: those whom the close wakes may give
   theirs back, and free what c was found in, before it returns. */
GCH_API int gch_close_unref(gch_chan *c);

/* Whether c is closed: once true, for ever; false for NULL. There may still be
   values in it, and after false it may be closed at once. So to know whether
   more comes, receive; this is for ports from libraries that have it. */
GCH_API bool gch_closed(const gch_chan *c);

/* len(c), cap(c), in elements. 0 for NULL, and for a timer's channel, as in
   Go. */
GCH_API size_t gch_len(const gch_chan *c);
GCH_API size_t gch_cap(const gch_chan *c);

/* GCH_AUTO gch_chan *c = …; is unref'd where c goes out of scope. */
#ifdef GCH_CLEANUP
static inline void gch_unref_at(gch_chan **c) {
  gch_unref(*c);
}
#define GCH_AUTO GCH_CLEANUP(gch_unref_at) GCH_UNUSED
#endif

GCH_END_DECLS

#endif
