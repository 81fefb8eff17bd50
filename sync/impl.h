/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the mutex, the rwmutex, the cond and the once share: a state word, and
 * lists of sleepers.
 *
 * A sleeper is on its own stack, and on one list, which is guarded by a lock
 * outside the object, chosen by its address: a lock inside could not be
 * released without touching memory that may be gone. It is held for a few
 * steps, and nobody holds two.
 *
 *     sleeper    who touches it                     it ends by
 *     listed     who holds the list's lock          being taken off by a waker,
 *                                                   or by itself, out of time
 *     taken      its waker alone                    the unpark
 *     unparked   its owner alone                    return, or being listed
 *                                                   again
 *
 * A waker marks a sleeper as taken under the lock, and unparks it after the
 * unlock, just once, as its last touch. So who finds itself taken waits for
 * that permit, also if its deadline has passed. What the waker has to tell is
 * in the sleeper: who was given what it slept for does not look at the object
 * again, which may be gone.
 *
 * A state word is changed only by compare-and-swap and the like where others
 * may change it at the same time; the head of each file says which bit keeps
 * whom from doing so.
 */
#ifndef GCH_SYNC_IMPL_H
#define GCH_SYNC_IMPL_H

#include "park/delay.h"
#include "park/lock.h"
#include "park/parker.h"

#include <gulch/sync.h>

struct gch_sleeper {
  struct gch_sleeper *next, *prev; /* a ring; while taken: next, then NULL */
  struct gch_parker parker;
  bool taken;
};

/* The lock for the lists of the object at this address. */
struct gch_lock *gch__sleepers_lock(const void *object);

/* A list is a pointer to its first sleeper, NULL when empty. All of these want
   its lock held. */
void gch__sleepers_add(void **list, struct gch_sleeper *s);
void gch__sleepers_add_first(void **list, struct gch_sleeper *s);
void gch__sleepers_remove(void **list, struct gch_sleeper *s);

/* Takes the first, or all; NULL if none. The result is for gch__wake. */
struct gch_sleeper *gch__take_first(void **list);
struct gch_sleeper *gch__take_all(void **list);

/* Unparks those who were taken together. Wants no lock held. */
void gch__wake(struct gch_sleeper *taken);

/* Parks a listed sleeper. 0 when it has been taken and unparked. ETIMEDOUT,
   and then the lock is held, when it is still listed: the caller removes
   it. */
int gch__sleep(struct gch_sleeper *s, struct gch_lock *lock, int64_t deadline);

/* Panics as unlock does, where m is not locked. */
void gch__must_be_locked(const gch_mutex *m);

/* State words. Acquire pairs with the release of the step that set what is
   seen, as far as it is what the caller waits for. */
static inline uint32_t gch__load(const uint32_t *state) {
  return __atomic_load_n(state, __ATOMIC_ACQUIRE);
}

static inline bool gch__replace(uint32_t *state, uint32_t *seen,
                                uint32_t next) {
  GCH_DELAY();
  return __atomic_compare_exchange_n(state, seen, next, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE);
}

/* For one who is alone in changing the word. Release pairs with the acquire in
   gch__load and gch__replace. */
static inline void gch__store(uint32_t *state, uint32_t next) {
  GCH_DELAY();
  __atomic_store_n(state, next, __ATOMIC_RELEASE);
}

/* Where the bit says no more than that a list is not empty, and its lock is
   held; the lock orders it. */
static inline void gch__clear(uint32_t *state, uint32_t bit) {
  __atomic_fetch_and(state, ~bit, __ATOMIC_RELAXED);
}

#endif
