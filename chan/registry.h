/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All channels that are alive, for reports: those of contexts and timers too.
 *
 * A channel is listed from the end of its initialization until just before its
 * destroy, in one of a number of shards, by its address. Each shard is a list
 * with a lock: to list and to unlist is one uncontended lock each.
 *
 * Whoever holds a shard's lock may look at each channel listed there, also at
 * one whose last reference is gone: it is not freed before it is unlisted.
 *
 * Lock order: any lock of the library, shard, channel.
 *
 * Fork: all shards are locked over it. What was listed before is inherited in
 * the child: it is listed apart, since no report is to show it there.
 */
#ifndef GCH_CHAN_REGISTRY_H
#define GCH_CHAN_REGISTRY_H

#include <gulch/chan.h>

/* A channel's place in its shard's list; guarded by the shard's lock. */
struct gch_listing {
  gch_chan *next;
  gch_chan **link; /* what points to this channel: a next, or the head */
};

/* Done channels are to be made with their contexts, so that contexts that are
   never asked for them are listed too: what GULCH_LEAKS counts. */
bool gch__lists_all(void);

void gch__list(gch_chan *c);
void gch__unlist(gch_chan *c);

/* A look at all channels, in pieces. It stands before a channel, which may go
   meanwhile: then it stands before the next one. */
struct gch_walk {
  unsigned shard;
  gch_chan *next;
  struct gch_walk *other; /* that stands in the same shard */
};

#define GCH_WALK_INIT                                                          \
  { 0, NULL, NULL }

/* Calls see(c, arg) for one channel after the other, with c's shard locked,
   until see gives false: then the walk stands before c, and the next call
   begins there. Whether all have been seen. A walk must be taken to its end.
   Channels made meanwhile may be seen or not. */
bool gch__walk(struct gch_walk *w, bool (*see)(gch_chan *c, void *arg),
               void *arg);

/* For fork.c. The last, in the child, calls mend for each channel that was ever
   listed and may still be used, and leaves the shards unlocked. */
void gch__shards_lock(void);
void gch__shards_unlock(void);
void gch__shards_forked(void (*mend)(gch_chan *c));

/* Prints what is still alive at the process's end. In debug/leaks.c, and
   called from registry.c so that it is there in a static link too. */
void gch__report_leaks(void);

#endif
