/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Before it sleeps a thread spins, for as long as a sleep and a wake would cost
 * at most. Only parker.c calls what is here.
 */
#ifndef GCH_PARK_SPIN_H
#define GCH_PARK_SPIN_H

#include "park/parker.h"

/* Whether p had a permit, which is taken. The exchange does it in one step: a
   plain store could wipe out one that is given at that moment, and with it what
   its giver published. */
static inline bool gch__take_permit(struct gch_parker *p) {
  if (atomic_load_explicit(&p->state, memory_order_relaxed) !=
      GCH_PARKER_PERMIT)
    return false;
  /* Acquire pairs with the release in gch__unpark. */
  atomic_exchange_explicit(&p->state, GCH_PARKER_EMPTY, memory_order_acq_rel);
  return true;
}

/* Spins, where that has been worth it to the calling thread, since start, which
   is now; not beyond deadline. Whether it took a permit. */
bool gch__spin(struct gch_parker *p, int64_t start, int64_t deadline);

/* Before the system call that wakes who sleeps on p, which may be gone. */
void gch__spin_wakes(const struct gch_parker *p);

/* The calling thread, which has not got what it waits for since start by
   spinning, has slept on p. */
void gch__spin_slept(const struct gch_parker *p, int64_t start);

#endif
