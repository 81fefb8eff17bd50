/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The small lock: 4 bytes, held for tens of nanoseconds; never across a park,
 * an allocation or user code. It spins briefly, then sleeps.
 *
 * The word is FREE, HELD, or CONTENDED: held, and somebody may sleep on it.
 * CONTENDED may be set when nobody sleeps; a sleeper implies CONTENDED, since
 * it sets that before it sleeps and takes the lock as CONTENDED when it wakes.
 *
 * Release touches the word once, by the exchange that frees it. After it the
 * next owner may free the memory; the wake only passes the address on.
 */
#ifndef GCH_PARK_LOCK_H
#define GCH_PARK_LOCK_H

#include "park/futex.h"

struct gch_lock {
  _Atomic uint32_t word;
};

enum { GCH_LOCK_FREE, GCH_LOCK_HELD, GCH_LOCK_CONTENDED };

void gch__lock_slow(struct gch_lock *l);

static inline void gch__lock(struct gch_lock *l) {
  uint32_t free = GCH_LOCK_FREE;
  /* Acquire pairs with the release in gch__unlock. */
  if (!atomic_compare_exchange_strong_explicit(&l->word, &free, GCH_LOCK_HELD,
                                               memory_order_acquire,
                                               memory_order_relaxed))
    gch__lock_slow(l);
}

static inline void gch__unlock(struct gch_lock *l) {
  /* Release pairs with the acquires in gch__lock and gch__lock_slow. */
  if (atomic_exchange_explicit(&l->word, GCH_LOCK_FREE, memory_order_release) ==
      GCH_LOCK_CONTENDED)
    gch__futex_wake(&l->word);
}

/* In a forked child, whoever held it. */
static inline void gch__lock_reset(struct gch_lock *l) {
  atomic_init(&l->word, GCH_LOCK_FREE);
}

#endif
