/* SPDX-License-Identifier: BSD-3-Clause */
/* Monotonic time in nanoseconds, and sums that saturate. */
#ifndef GCH_PARK_CLOCK_H
#define GCH_PARK_CLOCK_H

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

/* The time ns from t on; t is never negative. */
static inline int64_t gch__time_add(int64_t t, int64_t ns) {
  int64_t sum;
  return __builtin_add_overflow(t, ns, &sum) ? GCH__FOREVER : sum;
}

static inline int64_t gch__from_now(int64_t ns) {
  return gch__time_add(gch__now(), ns);
}

#endif
