/* SPDX-License-Identifier: BSD-3-Clause */
#include "park/lock.h"

#include "park/begin.h"
#include "park/clock.h"
#include "park/cpu.h"

#include <sched.h>
#include <stdbool.h>

_Atomic uint32_t gch__lock_sleepers = 1; /* as fences are at first */

/* The same by a hash of the lock's address. */
enum { HASHES = 64 };
static _Atomic uint32_t sleepers[HASHES];

static _Atomic uint32_t *sleepers_on(const struct gch_lock *l) {
  return &sleepers[((uintptr_t)l >> 6) % HASHES];
}

/* In a forked child nobody sleeps. */
void gch__lock_forked(void) {
  atomic_store(&gch__lock_sleepers, gch__asymmetric ? 0 : 1);
  for (int i = 0; i < HASHES; i++)
    atomic_store(&sleepers[i], 0);
}

/* Who counted himself before fences became asymmetric has done so before this:
   none is asleep when a release finds 0. */
void gch__lock_begin(void) {
  if (gch__asymmetric)
    atomic_fetch_sub(&gch__lock_sleepers, 1);
}

/* Here, since who uses anything of the library uses this file. */
__attribute__((constructor(101))) static void at_load(void) {
  gch__begin();
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

void gch__lock_slow(struct gch_lock *l) {
  if (gch__processors() > 1 && spin(l))
    return;
  _Atomic uint32_t *here = sleepers_on(l);
  atomic_fetch_add(here, 1);
  atomic_fetch_add(&gch__lock_sleepers, 1);
  gch__fence_heavy();
  while (!gch__try_lock(l))
    gch__futex_wait(&l->word, GCH_LOCK_HELD, GCH__FOREVER);
  atomic_fetch_sub(&gch__lock_sleepers, 1);
  atomic_fetch_sub(here, 1);
}

void gch__lock_wake(struct gch_lock *l) {
  atomic_thread_fence(memory_order_seq_cst);
  if (atomic_load_explicit(sleepers_on(l), memory_order_relaxed) > 0)
    gch__futex_wake(&l->word);
}

void gch__lock_give_way(struct gch_lock *l) {
  bool asleep =
      atomic_load_explicit(sleepers_on(l), memory_order_relaxed) > 0;
  if (gch__processors() > 1)
    gch__pause_for(asleep ? LONGEST : LONGEST / 8);
  else if (asleep)
    sched_yield();
}
