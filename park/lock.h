/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The small lock: 4 bytes, held for tens of nanoseconds; never across a park,
 * an allocation or user code. It spins briefly, then sleeps. (Some are held for
 * longer: a tree's by a piece of a cancel, and a list's by who takes all its
 * sleepers, for each context or sleeper in turn; and those over the start of a
 * thread.)
 *
 * Release touches the word once, by a plain store. After that the next owner
 * may free the memory; a wake only passes the address on. How a release knows
 * that somebody sleeps: who is about to says so in gch__lock_sleepers and in a
 * table by the lock's address, makes the heavy fence (fence.h), and tries the
 * lock once more; the release stores FREE, then looks there. So one of the two
 * sees the other. What is said there is of this lock: its neighbours make no
 * system calls (lock.c).
 */
#ifndef GCH_PARK_LOCK_H
#define GCH_PARK_LOCK_H

#include "park/fence.h"
#include "park/futex.h"

#include <stdbool.h>

struct gch_lock {
  _Atomic uint32_t word;
};

enum { GCH_LOCK_FREE, GCH_LOCK_HELD };

/* What a release has to look after: the locks on which somebody sleeps whom
   nobody has woken yet, each as WANTED; and FENCES where fences are not
   asymmetric: there each release has to make one before it looks. */
enum { GCH_LOCK_FENCES = 1, GCH_LOCK_WANTED = 2 };
extern GCH_HIDDEN _Atomic uint32_t gch__lock_sleepers;

/* Where a thread counts its sleeps on the library's own locks, twice each, so
   that it is odd during one: another thread can see that it does not sleep for
   its own sake. NULL: nobody wants to know. */
extern GCH_THREAD_LOCAL _Atomic uint32_t *gch__lock_naps;
void gch__lock_nap_begins(void);
void gch__lock_nap_ends(void);

void gch__lock_slow(struct gch_lock *l);

/* Waits until the lock is not held, as who locks it does: the word says
   anything else. Acquire: what was done before that was stored is seen. */
void gch__lock_await(struct gch_lock *l);

/* Wakes the first who sleeps on what was at l, which may be gone. */
void gch__lock_wake(struct gch_lock *l);

/* Whether the lock was free, and now is the caller's. */
static inline bool gch__try_lock(struct gch_lock *l) {
  uint32_t free = GCH_LOCK_FREE;
  /* Acquire pairs with the release in gch__unlock. */
  return atomic_compare_exchange_strong_explicit(&l->word, &free, GCH_LOCK_HELD,
                                                 memory_order_acquire,
                                                 memory_order_relaxed);
}

static inline void gch__lock(struct gch_lock *l) {
  if (!gch__try_lock(l))
    gch__lock_slow(l);
}

/* An unlock that leaves a word other than FREE and HELD, which gch__lock does
   not know: for who uses gch__lock_await only. */
static inline void gch__unlock_as(struct gch_lock *l, uint32_t word) {
  atomic_store_explicit(&l->word, word, memory_order_release);
  gch__fence_light();
  if (atomic_load_explicit(&gch__lock_sleepers, memory_order_relaxed) > 0)
    gch__lock_wake(l);
}

/* Release pairs with the acquire in gch__try_lock. */
static inline void gch__unlock(struct gch_lock *l) {
  gch__unlock_as(l, GCH_LOCK_FREE);
}

/* Between two of many holds, for others to get the lock: waits a microsecond or
   so, and longer if somebody sleeps on it. */
void gch__lock_give_way(struct gch_lock *l);

/* In a forked child: nobody sleeps. */
void gch__lock_forked(void);

/* In a forked child, whoever held it. */
static inline void gch__lock_reset(struct gch_lock *l) {
  atomic_init(&l->word, GCH_LOCK_FREE);
}

#endif
