/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A call on a descriptor: what all of them share.
 *
 *     struct gch_io_call c;
 *     int err = gch__io_begin(&c, "read", fd, GCH_FD_READ, true, deadline,
 *                             ctx);
 *     while (err == 0 && (err = attempt(…)) == EAGAIN)
 *       err = gch__io_await(&c);
 *     return gch__io_end(&c, err);
 *
 * where an attempt begins with gch__io_look.
 *
 * Between begin and end the caller is a user of c.record, and has its turn, if
 * it has asked for one. An attempt that gives EAGAIN has changed nothing; await
 * waits until another may give something else. The record may be another then.
 */
#ifndef GCH_IO_CALL_H
#define GCH_IO_CALL_H

#include "chan/impl.h"
#include "io/poller.h"
#include "io/record.h"
#include "park/cancel.h"

#include <gulch/ctx.h>

struct gch_io_call {
  const char *word; /* for reports */
  int fd, way;
  uint32_t turn; /* wanted, and had: GCH_FD_TURN, or 0 */
  int64_t deadline;
  const gch_ctx *ctx; /* or NULL */
  gch_chan *done;
  struct gch_fd *record;
  uint32_t seq[GCH_FD_WAYS]; /* before the attempt; of the way, or both */
  bool both;        /* waits for both ways; without a turn */
  bool tries;       /* does not wait for the turn */
  bool stays;       /* it has waited: with its record, if that is orphaned, */
  uint8_t kicks;    /* but for a kick since */
  bool always;      /* it does not wait: attempts may block */
  int errno_before, cancel_before;
};

/* No turn; the turn; the same, or EBUSY. */
enum gch_io_turn { GCH_IO_NO_TURN, GCH_IO_TURN, GCH_IO_TURN_IF_FREE };

/* Until deadline, or ctx is done (NULL: never). 0; or an error, and then
   nothing is to be ended but by gch__io_end, which gives it back. */
int gch__io_begin(struct gch_io_call *c, const char *word, int fd, int way,
                  enum gch_io_turn turn, int64_t deadline, const gch_ctx *ctx);

/* With r's lock held: whether the descriptor has that direction. And without
   it: whether it has all of these (as bits); of an orphan a look will tell. */
bool gch__fd_has_way(struct gch_fd *r, int way);
bool gch__fd_has_ways(struct gch_fd *r, unsigned ways);

/* An event woke the caller, a user of r, who waits in these ways: whether it
   was another descriptor's, r's having been closed by close(2), with a dup. r
   is an orphan then. */
bool gch__fd_is_stale(struct gch_fd *r, unsigned ways);

/* The calling thread is not cancelled from now on; of a task there is nothing
   to be done. What it was before, for gch__io_cancel_as. */
static inline int gch__io_cancel_off(void) {
  return gch__task_self() ? -1 : gch__cancel_off();
}

static inline void gch__io_cancel_as(int before) {
  if (before >= 0)
    gch__cancel_as(before);
}

static inline bool gch__has_passed(int64_t deadline) {
  return deadline != GCH__FOREVER && deadline <= gch__now();
}

/* An option of a socket, SOL_SOCKET; -1 and errno: ENOTSOCK, EBADF. */
int gch__socket_option(int fd, int name);

/* 0: try again. Else the error to end with. */
int gch__io_await(struct gch_io_call *c);

/* The same, where the kernel tells of nothing, or of what is of no use: for
   some time, longer each time (*pause: 0 at first). */
int gch__io_pause(struct gch_io_call *c, int64_t *pause);

/* The caller found out that its number is another's than its record's: it goes
   over to the one that is current. */
int gch__io_move(struct gch_io_call *c);

/* Gives err. */
int gch__io_end(struct gch_io_call *c, int err);

/* To be read before each attempt. Acquire pairs with the release of who brings
   an event. */
static inline void gch__io_look_at(struct gch_io_call *c, int way) {
  c->seq[way] = atomic_load_explicit(&c->record->ways[way].seq,
                                     memory_order_acquire);
}

static inline void gch__io_look(struct gch_io_call *c) {
  gch__io_look_at(c, c->way);
}

static inline bool gch__io_waits_for(const struct gch_io_call *c, int way) {
  return c->both || way == c->way;
}

static inline bool gch__io_is_socket(const struct gch_io_call *c) {
  return !(atomic_load_explicit(&c->record->hints, memory_order_relaxed) &
           GCH_FD_NO_SOCKET);
}

static inline void gch__io_hint(struct gch_io_call *c, uint8_t hint) {
  atomic_fetch_or_explicit(&c->record->hints, hint, memory_order_relaxed);
}

/* What every _ctx form does first: NULL is a panic. */
static inline void gch__check_ctx(const gch_ctx *ctx) {
  if (!ctx)
    gch_ctx_err(ctx);
}

/* Sets O_NONBLOCK, and adopts; origin: how. Of the caller's record. */
int gch__io_adopt(struct gch_fd *r, uint8_t origin);

/* SIGPIPE is kept from the calling thread, unless fd is 1 or 2. */
struct gch_sigpipe {
  bool held, was_blocked;
  bool was_pending;
};
void gch__sigpipe_hold(struct gch_sigpipe *s, int fd);
void gch__sigpipe_drop(struct gch_sigpipe *s, bool raised);

#endif
