/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Observers: those who are told when a channel becomes ready, and when it is
 * found not to be. They take nothing, and are no receivers and no senders.
 *
 * A channel with observers has WATCHED in its state, so every way that looks at
 * the state sees something rare there and goes on by the long way, which ends
 * in gch__look, after the unlock: it compares what is with what each was told.
 * A channel without pays nothing for that.
 *
 *     a change                          who looks
 *     a value, a sender, a receiver     who sends, or queues: the state
 *     a timer is due                    its alarm, which observers keep set
 *     closed                            close: an observer is a watch
 *     a full buffer has room            the receiver: while it is full a waiter
 *                                       that can't be claimed, room, stands
 *                                       among the senders, and so he takes the
 *                                       long way and takes it out
 *     no longer ready                   a try form, or default, that so finds
 *                                       it; a receive that takes the last
 *                                       value, or who leaves a queue, need not
 *
 * So ready is never told late, but for the time between the unlock and the
 * look; and no longer ready at the latest when a try gave EAGAIN.
 *
 * ready, what is listed and where room stands are guarded by the channel's
 * lock. tell is called under it, and only notes. The call that it asks for is
 * made after the unlock (wakes.h); tell has kept the observer alive until then.
 */
#ifndef GCH_CHAN_OBSERVE_H
#define GCH_CHAN_OBSERVE_H

#include "chan/impl.h"

/* What is observed: as GCH_CAN_RECV and GCH_CAN_SEND. */
enum { GCH_SEES_VALUES = 1, GCH_SEES_ROOM = 2 };

struct gch_observer {
  struct gch_watch watch; /* watch.call is who sets it up's; see tell */
  struct gch_waiter room;
  struct gch_group group;
  int what;
  atomic_bool ready; /* as it was told last; also read without the lock */

  /* ready has changed. Whether watch.call is to be made: it is in no list of
     calls now. */
  bool (*tell)(struct gch_observer *o);
};

/* o has what, tell and watch.call set. Looks at once. */
void gch__observe(gch_chan *c, struct gch_observer *o);

/* o is not told anything from now on; a call that was asked for may come. */
void gch__unobserve(gch_chan *c, struct gch_observer *o);

/* Looks for one of them; whether it is ready. */
bool gch__observed_ready(gch_chan *c, struct gch_observer *o);

/* Tells all who were told otherwise; not with the lock held. The second leaves
   the calls to who flushes k. */
void gch__look(gch_chan *c);
void gch__look_into(gch_chan *c, struct gch_wakes *k);

/* In a forked child, after the channels were mended: o was told nothing. */
void gch__observer_forked(gch_chan *c, struct gch_observer *o);

#endif
