/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A call's wait is a group of one waiter, in a queue of the record (for
 * readiness, or for the turn), and of a second one in the queue of a context's
 * done channel, if there is a context.
 *
 *     winner     means                     set by
 *     WAITING    nobody yet                the sleeper
 *     NO_CASE    an event; a turn that     who holds the record's lock
 *                was handed over; a close;
 *                a new deadline
 *     WAY_OUT    the context is done       the channel's close, its lock held;
 *                                          or the sleeper, who finds it closed
 *     GAVE_UP    a deadline has passed     the sleeper
 *
 * The record's waiter is queued first, then the other; each under its lock, no
 * two at once. The sleeper takes out of its queue what nobody has claimed.
 *
 * What a claimer of the first says in err: 0, an event or the turn; EBADF, the
 * record is closing; ESTALE, nothing has happened, but look again (a new
 * deadline; a number that was closed just before).
 */
#ifndef GCH_IO_SLEEP_H
#define GCH_IO_SLEEP_H

#include "io/call.h"

struct gch_io_sleep {
  struct gch_group group;
  struct gch_waiter on_fd[GCH_FD_WAYS], on_done;
  bool on_done_queued;
};

/* Until when c's caller may sleep: its own deadline, or the user's, the earlier
   where it waits for both ways. */
int64_t gch__io_sleeps_until(const struct gch_io_call *c);

/* Whether the user's deadline has passed. */
bool gch__io_is_late(const struct gch_io_call *c);

/* With the record's lock held, before on_fd is queued. */
void gch__io_sleep_init(struct gch_io_sleep *s, const struct gch_io_call *c,
                        int64_t deadline);

/* on_fd is queued, for readiness or the turn, and no lock held. 0; ESTALE: go
   on, but nothing has happened; EBADF; ETIMEDOUT; the context's error. */
int gch__io_sleep(struct gch_io_sleep *s, const struct gch_io_call *c,
                  bool for_turn, int64_t deadline);

#endif
