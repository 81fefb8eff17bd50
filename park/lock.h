/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The small lock: 4 bytes, held for tens of nanoseconds; never across a park,
 * an allocation or user code. It spins briefly, then sleeps.
 *
 * Release touches the word once. After that the next owner may free the memory;
 * a wake only passes the address on. How a release knows that somebody sleeps:
 *
 *   With asymmetric fences (fence.h) the word is FREE or HELD. Who is about to
 *   sleep counts himself in gch__lock_sleepers, makes the heavy fence, and looks
 *   at the word once more; the release stores FREE, then looks at the count. So
 *   it is a plain store. The counts are few, and shared by locks that have
 *   nothing to do with each other: a wake may be for nobody.
 *
 *   Else the release is an exchange, and the word may be CONTENDED: held, and
 *   somebody may sleep on it. A sleeper sets that before it sleeps and takes the
 *   lock as CONTENDED when it wakes.
 */
#ifndef GCH_PARK_LOCK_H
#define GCH_PARK_LOCK_H

#include "park/fence.h"
#include "park/futex.h"

#include <stdbool.h>

struct gch_lock {
  _Atomic uint32_t word;
};

enum { GCH_LOCK_FREE, GCH_LOCK_HELD, GCH_LOCK_CONTENDED };

/* Threads that sleep, or are about to, on locks with this hash. */
enum { GCH_LOCK_HASHES = 64 };
extern _Atomic uint32_t gch__lock_sleepers[GCH_LOCK_HASHES];

static inline _Atomic uint32_t *gch__sleepers_on(const struct gch_lock *l) {
  return &gch__lock_sleepers[((uintptr_t)l >> 6) % GCH_LOCK_HASHES];
}

void gch__lock_slow(struct gch_lock *l);

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

/* Release pairs with the acquires in gch__try_lock and gch__lock_slow. */
static inline void gch__unlock(struct gch_lock *l) {
  if (gch__asymmetric) {
    _Atomic uint32_t *sleepers = gch__sleepers_on(l);
    atomic_store_explicit(&l->word, GCH_LOCK_FREE, memory_order_release);
    gch__fence_light();
    if (atomic_load_explicit(sleepers, memory_order_relaxed) > 0)
      gch__futex_wake(&l->word);
  } else if (atomic_exchange_explicit(&l->word, GCH_LOCK_FREE,
                                      memory_order_release) ==
             GCH_LOCK_CONTENDED) {
    gch__futex_wake(&l->word);
  }
}

/* In a forked child, whoever held it. */
static inline void gch__lock_reset(struct gch_lock *l) {
  atomic_init(&l->word, GCH_LOCK_FREE);
}

#endif
