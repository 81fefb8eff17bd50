/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The channel, for the files that implement it and the folders built on it.
 *
 * The lock guards everything but what is constant after make (elem_size, cap,
 * owner, destroy, slots; drop, set before first use) and refs. len, state and
 * the heads of the queues are written under the lock and also read without it,
 * by who only wants to know whether to try; see ready.h.
 *
 * Invariants, with the lock released:
 *   - a receiver that can be claimed waits only while the channel is open and
 *     empty (or a timer's: timed.h), a sender only while it is open and full.
 *     Both wait at once only where neither can take the other: two cases of one
 *     select.
 *   - the values are slots[head], … len of them, wrapping at cap.
 *
 * Memory: the channel and its slots are one allocation. Channels that belong
 * to a context or a timer are part of their owner's allocation, which lives
 * until the channel's last unref: destroy says how it goes.
 *
 * Lock order: context tree, channel, timer queue; sleepers, channel; a list of
 * channels (registry.c: a dump), channel. A select takes the locks of several
 * channels in the order of their addresses.
 */
#ifndef GCH_CHAN_IMPL_H
#define GCH_CHAN_IMPL_H

#include "chan/registry.h"
#include "chan/waiter.h"
#include "chan/wakes.h"
#include "park/lock.h"

#include <errno.h>
#include <stdalign.h>
#include <string.h>

/* Largest element that drop may be set for. */
enum { GCH_DROP_MAX = 256, GCH_NAME_MAX = 32 };

/* Who may send and close. */
enum gch_owner { GCH_OWNER_NONE, GCH_OWNER_CTX, GCH_OWNER_TIMER };

/* What a receive that finds no value and no sender may find; the first is 0. A
   timer's channel is never closed. One that has observers (observe.h), and is
   not closed, is WATCHED besides. */
enum gch_state { GCH_OPEN, GCH_CLOSED, GCH_TIMED, GCH_WATCHED = 4 };

/* Somebody to be told of a channel's close: takes no values and is no
   receiver. */
struct gch_watch {
  struct gch_deferred call;          /* made after the close, without locks */
  bool (*hold)(struct gch_watch *w); /* under the lock: keeps w alive until
                                        the call; false: don't call */
  struct gch_watch *next, **link;    /* link is NULL when not listed */
};

/* First what allocators write over in what was freed, two words: so refs, then
   0, can be seen there for a while. */
struct gch_chan {
  alignas(max_align_t) struct gch_lock lock;
  _Atomic uint8_t state; /* bits of enum gch_state */
  bool disowned;        /* the owner gave its reference back */
  uint8_t owner;        /* enum gch_owner */
  _Atomic size_t turns; /* for ready.h */
  _Atomic uint32_t refs;
  size_t elem_size, cap;
  _Atomic size_t len;
  _Atomic size_t head;
  size_t put; /* for fork.c: values that went into the ring, */
  char *slots;
  struct gch_queue senders, receivers;
  struct gch_watch *watches;
  size_t queued; /* and turns that were no takes from it */
  struct gch_listing listed;
  void (*drop)(void *elem);
  void (*destroy)(gch_chan *c);
  char name[GCH_NAME_MAX];
};

/* Sets up a channel in its owner's memory, with one reference. slots has room
   for cap elements. */
void gch__chan_init(gch_chan *c, size_t elem_size, size_t cap, void *slots,
                    enum gch_owner owner, void (*destroy)(gch_chan *));

/* The owner gives its reference back. */
void gch__chan_disown(gch_chan *c);

/* With the lock held: one attempt. 0, EPIPE, or EAGAIN, in which case nothing
   changed, but that a timer's value may have gone to the receiver who waits for
   it. *partner is who must be unparked after the unlock, if any: after EAGAIN
   too. */
int gch__send_locked(gch_chan *c, const void *elem,
                     struct gch_waiter **partner);
int gch__recv_locked(gch_chan *c, void *elem, struct gch_waiter **partner);

/* gch_send and gch_recv until deadline, for callers inside the library: never
   panics, strict or not. */
int gch__send(gch_chan *c, const void *elem, int64_t deadline);
int gch__recv(gch_chan *c, void *elem, int64_t deadline);

/* A try-send by the channel's owner: 0, EPIPE, EAGAIN. */
int gch__offer(gch_chan *c, const void *elem, struct gch_wakes *k);

/* Throws away what is buffered; whether anything was. */
bool gch__drain(gch_chan *c);

/* Closes, whoever owns c. 0 or EPIPE. */
int gch__close(gch_chan *c, struct gch_wakes *k);

/* Lists w to be called when c is closed. 0; EPIPE: c is closed, and w is not
   listed. */
int gch__watch(gch_chan *c, struct gch_watch *w);

/* w will not be called from now on, unless hold has already said yes. */
void gch__unwatch(gch_chan *c, struct gch_watch *w);

/* What a send is refused for before it looks at the channel's state: EPERM,
   EINVAL, or 0. */
static inline int gch__send_refused(const gch_chan *c, const void *elem) {
  if (c->owner != GCH_OWNER_NONE)
    return EPERM;
  return !elem && c->elem_size > 0 ? EINVAL : 0;
}

static inline size_t gch__len(const gch_chan *c) {
  /* Acquire: see ready.h. */
  return atomic_load_explicit(&c->len, memory_order_acquire);
}

/* With the lock held: c may be about to be ready, and not ready again, n times
   at most. Release and acquire: see ready.h. */
static inline void gch__add_turns(gch_chan *c, size_t n) {
  size_t turns = atomic_load_explicit(&c->turns, memory_order_relaxed);
  atomic_store_explicit(&c->turns, turns + n, memory_order_release);
}

/* Values taken out of the ring, as fork.c counts them. */
static inline size_t gch__taken(const gch_chan *c) {
  return atomic_load_explicit(&c->turns, memory_order_relaxed) - c->queued;
}

static inline uint32_t gch__turns(const gch_chan *c) {
  return (uint32_t)atomic_load_explicit(&c->turns, memory_order_acquire);
}

/* With the lock held: makes what is counted for fork.c smaller, where size_t
   has 32 bits. */
void gch__rewind(gch_chan *c);

/* The same before n values are taken out of the ring. */
static inline void gch__turn_to_take(gch_chan *c, size_t n) {
  if (sizeof c->queued < 8 && gch__taken(c) > SIZE_MAX / 2)
    gch__rewind(c);
  gch__add_turns(c, n);
}

/* And before somebody queues. */
static inline void gch__turn_to_queue(gch_chan *c) {
  c->queued++;
  gch__add_turns(c, 1);
}

static inline size_t gch__head(const gch_chan *c) {
  return atomic_load_explicit(&c->head, memory_order_relaxed);
}

/* With the lock held: n values are in the slots behind the len that there were;
   and the oldest n of len values have been taken out. In these steps, for
   fork.c. */
static inline void gch__count_put(gch_chan *c, size_t len, size_t n) {
  c->put += n;
  atomic_store_explicit(&c->len, len + n, memory_order_release);
}

static inline void gch__count_taken(gch_chan *c, size_t len, size_t n) {
  atomic_store_explicit(&c->len, len - n, memory_order_release);
}

/* Acquire pairs with the release in gch__close: who sees the close sees what
   came before it. */
static inline uint8_t gch__state(const gch_chan *c) {
  return atomic_load_explicit(&c->state, memory_order_acquire);
}

static inline bool gch__is_closed(const gch_chan *c) {
  return gch__state(c) == GCH_CLOSED;
}

/* Whether who changes something has to call gch__look after the unlock. With
   the lock held; relaxed, as it is set under it. */
static inline bool gch__is_watched(const gch_chan *c) {
  return atomic_load_explicit(&c->state, memory_order_relaxed) & GCH_WATCHED;
}

/* memmove: a parked receiver's element may be what is sent. */
static inline void gch__copy(const gch_chan *c, void *to, const void *from) {
  if (c->elem_size == 8 && to)
    memmove(to, from, 8);
  else if (c->elem_size > 0 && to)
    memmove(to, from, c->elem_size);
}

/* size is c->elem_size: who was parked has read it before, see park.h. */
static inline void gch__zero(void *elem, size_t size) {
  if (size == 8 && elem)
    memset(elem, 0, 8);
  else if (size > 0 && elem)
    memset(elem, 0, size);
}

/* One more reference unless the last is already gone. */
static inline bool gch__ref_alive(_Atomic uint32_t *refs) {
  uint32_t n = atomic_load_explicit(refs, memory_order_relaxed);
  while (n != 0)
    if (atomic_compare_exchange_weak_explicit(
            refs, &n, n + 1, memory_order_relaxed, memory_order_relaxed))
      return true;
  return false;
}

#endif
