/* SPDX-License-Identifier: BSD-3-Clause */
#include "park/lock.h"

#include "park/clock.h"
#include "park/cpu.h"

#include <pthread.h>
#include <stdbool.h>

_Atomic uint32_t gch__lock_sleepers[GCH_LOCK_HASHES];

/* In a forked child nobody sleeps. */
static void forget_sleepers(void) {
  for (int i = 0; i < GCH_LOCK_HASHES; i++)
    atomic_store(&gch__lock_sleepers[i], 0);
}

__attribute__((constructor)) static void register_fork(void) {
  pthread_atfork(NULL, NULL, forget_sleepers);
}

/* A holder is done in tens of nanoseconds unless it lost its processor. Short
   pauses catch the first; some 3 µs of them in all are a tenth of what a sleep
   and a wake cost. */
enum { SPINS = 40, MAX_PAUSES = 4 };

static bool spin(struct gch_lock *l) {
  uint32_t pauses = 1;
  for (int i = 0; i < SPINS; i++) {
    for (uint32_t k = 0; k < pauses; k++)
      gch__pause();
    if (pauses < MAX_PAUSES)
      pauses *= 2;
    uint32_t seen = atomic_load_explicit(&l->word, memory_order_relaxed);
    if (seen == GCH_LOCK_FREE &&
        atomic_compare_exchange_weak_explicit(&l->word, &seen, GCH_LOCK_HELD,
                                              memory_order_acquire,
                                              memory_order_relaxed))
      return true;
  }
  return false;
}

static void sleep_asymmetric(struct gch_lock *l) {
  _Atomic uint32_t *sleepers = gch__sleepers_on(l);
  atomic_fetch_add(sleepers, 1);
  gch__fence_heavy();
  while (!gch__try_lock(l))
    gch__futex_wait(&l->word, GCH_LOCK_HELD, GCH__FOREVER);
  atomic_fetch_sub(sleepers, 1);
}

void gch__lock_slow(struct gch_lock *l) {
  if (gch__processors() > 1 && spin(l))
    return;
  if (gch__asymmetric) {
    sleep_asymmetric(l);
    return;
  }
  while (atomic_exchange_explicit(&l->word, GCH_LOCK_CONTENDED,
                                  memory_order_acquire) != GCH_LOCK_FREE)
    gch__futex_wait(&l->word, GCH_LOCK_CONTENDED, GCH__FOREVER);
}
