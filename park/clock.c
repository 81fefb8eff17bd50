/* SPDX-License-Identifier: BSD-3-Clause */
#include "park/clock.h"

#include "park/strict.h"

_Atomic int64_t gch__recent_time;

/* 0 until the library is loaded: then every deadline may be one. Relaxed: it
   publishes nothing. */
static _Atomic int64_t start_time;

__attribute__((constructor(101))) static void note_start(void) {
  atomic_store_explicit(&start_time, gch__now(), memory_order_relaxed);
}

void gch__must_be_deadline(int64_t deadline) {
  int64_t start = atomic_load_explicit(&start_time, memory_order_relaxed);
  if (deadline > 0 && deadline < start)
    gch_panic("gulch: deadline %lld lies before the start of the process; "
              "gch_in(ns) is the one ns from now",
              (long long)deadline);
}
