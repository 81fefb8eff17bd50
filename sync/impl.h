/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the mutex, the rwmutex, the cond and the once share: a state word, and
 * lists of sleepers.
 *
 * A state word is changed only by compare-and-swap and the like where others
 * may change it at the same time; the head of each file says which bit keeps
 * whom from doing so.
 */
#ifndef GCH_SYNC_IMPL_H
#define GCH_SYNC_IMPL_H

#include "park/delay.h"
#include "park/sleepers.h"

#include <gulch/sync.h>

/* Panics as unlock does, where m is not locked. */
void gch__must_be_locked(const gch_mutex *m);

/* What waits, with a way out instead of the deadline (which is then never), or
   NULL: 0, ETIMEDOUT, or the way out's error. cond_sleep does not lock m
   again. */
int gch__mutex_lock_slow(gch_mutex *m, int64_t deadline,
                         struct gch_way_out *out);
int gch__rwmutex_lock(gch_rwmutex *rw, int64_t deadline,
                      struct gch_way_out *out);
int gch__rwmutex_rlock(gch_rwmutex *rw, int64_t deadline,
                       struct gch_way_out *out);
int gch__cond_sleep(gch_cond *c, gch_mutex *m, int64_t deadline,
                    struct gch_way_out *out);

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
