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

/* A holder is done in tens of nanoseconds, unless it lost its processor. But
   to fetch the lock's cache line and lose it again takes as long as several
   operations by who has it: so who finds the lock held once more stays away for
   more of those. Nanoseconds; in all less than a sleep and a wake cost. */
enum { FIRST = 16, LONGEST = 4096, IN_ALL = 16000 };

static bool spin(struct gch_lock *l) {
  uint32_t wait = FIRST;
  for (uint32_t waited = 0; waited < IN_ALL;) {
    gch__pause_for(wait);
    waited += wait;
    uint32_t seen = atomic_load_explicit(&l->word, memory_order_relaxed);
    if (seen == GCH_LOCK_FREE && gch__try_lock(l))
      return true;
    if (wait < LONGEST)
      wait *= 4;
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
