/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The timer queue: what is to happen when. One for the process, under one
 * lock, ordered by monotonic time. No step under the lock takes longer than the
 * logarithm of the entries' number (heap.h), so nobody waits long for it.
 *
 * An entry belongs to who embeds it (a timer, a context). It is queued or not;
 * only the lock's holder may ask or change that. When its time comes somebody
 * takes it out and calls fire, with the lock still held: so with the lock in
 * hand an entry has either not fired, or fire has returned, and who has taken
 * it out may free it. fire gathers what is to be done after the unlock. That is
 * a worker who looks for its next task (go/due.c), or, where there is none, or
 * all compute, the library's own thread; several at once. What is marked as own
 * (the monitor) is for that thread alone.
 *
 * Lock order: context tree, channel, timer queue. None is taken with this one
 * held.
 *
 * In a forked child the queue is empty: entries queued before do not count as
 * queued.
 */
#ifndef GCH_TIMER_QUEUE_H
#define GCH_TIMER_QUEUE_H

#include "chan/wakes.h"
#include "timer/heap.h"

#include <stdatomic.h>

void gch__queue_lock(void);
void gch__queue_unlock(void);

/* With the lock held: inserts e, which is not queued and has when and fire
   set. True: the library's thread sleeps for longer, so gch__service_wake it
   after the unlock. */
bool gch__queue_insert(struct gch_entry *e);

/* With the lock held: takes e out; whether it was queued. */
bool gch__queue_cancel(struct gch_entry *e);

/* Takes the lock. e, with fire set, is to fire at `when`, or earlier if it is
   queued for an earlier time. As insert. */
bool gch__queue_hasten(struct gch_entry *e, int64_t when);

/* Lock, insert, unlock, wake. */
void gch__queue_start(struct gch_entry *e);

/* Lock, cancel, unlock. When it returns fire is not running. */
bool gch__queue_stop(struct gch_entry *e);

/* Fires what is due, a bounded number. The first: for the library's thread,
   which is not to sleep for longer than until the time returned; *fired:
   whether there was any but its own. The second: for others. */
int64_t gch__queue_serve(struct gch_wakes *k, bool *fired);
void gch__queue_run(struct gch_wakes *k);

/* What workers look at between two tasks. A hint; 0: nothing is to be done.
   Bits are set under the queue's lock, but for FIRED; cleared so, or by who
   takes it up. */
extern GCH_HIDDEN _Atomic uint32_t gch__due_hints;
enum {
  GCH_DUE_SOON = 1, /* something is due within some milliseconds */
  GCH_DUE_FIRED = 2 /* the library's thread has made somebody ready */
};

/* When the first entry for everybody is due, or before; FOREVER: never. */
extern GCH_HIDDEN _Atomic int64_t gch__due_at;

/* Takes the lock. Whether nothing is queued. */
bool gch__queue_is_empty(void);

/* In a forked child: empty, and unlocked. */
void gch__queue_reset(void);

#endif
