/* SPDX-License-Identifier: BSD-3-Clause */
/* Monotonic time in nanoseconds, and sums that saturate. */
#ifndef GCH_PARK_CLOCK_H
#define GCH_PARK_CLOCK_H

#include "park/cpu.h"

#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#define GCH__FOREVER INT64_MAX

static inline int64_t gch__now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* As gch__now, behind by a few milliseconds at most, for less than half the
   price where there is such a clock. */
static inline int64_t gch__now_coarse(void) {
#ifdef CLOCK_MONOTONIC_COARSE
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
#else
  return gch__now();
#endif
}

/* The time when the monitor of workers last looked: some milliseconds ago at
   most, unless the machine is very busy. 0: it does not look now. Relaxed: it
   publishes nothing. */
extern GCH_HIDDEN _Atomic int64_t gch__recent_time;

/* The time of the monitor's last look; 0: it does not look now, as mostly while
   no task runs. */
static inline int64_t gch__recent(void) {
  return atomic_load_explicit(&gch__recent_time, memory_order_relaxed);
}

/* As gch__now_coarse; while the monitor looks it costs a load. */
static inline int64_t gch__recently(void) {
  int64_t t = gch__recent();
  return t ? t : gch__now_coarse();
}

static inline void gch__set_recent_time(int64_t now) {
  atomic_store_explicit(&gch__recent_time, now, memory_order_relaxed);
}

/* The time ns from t on; t is never negative. */
static inline int64_t gch__time_add(int64_t t, int64_t ns) {
  int64_t sum;
  return __builtin_add_overflow(t, ns, &sum) ? GCH__FOREVER : sum;
}

static inline int64_t gch__from_now(int64_t ns) {
  return gch__time_add(gch__now(), ns);
}

#endif
