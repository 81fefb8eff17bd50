/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether to try what pays at times, by how it went lately: after each failure
 * that is not made up for by a success it is left alone twice as often. Each
 * belongs to one thread.
 */
#ifndef GCH_PARK_HABIT_H
#define GCH_PARK_HABIT_H

#include <stdbool.h>
#include <stdint.h>

struct gch_habit {
  uint32_t rest; /* how many chances to leave alone */
  uint32_t fails;
};

static inline bool gch__habit_tries(const struct gch_habit *h) {
  return h->rest == 0;
}

/* A chance to try that was left alone. */
static inline void gch__habit_rested(struct gch_habit *h) {
  if (h->rest > 0)
    h->rest--;
}

static inline void gch__habit_paid(struct gch_habit *h) {
  h->fails /= 2;
}

/* It counts as so many failures: the first is let pass, and in the end one
   chance in 2 to the power of most - 1 is taken. */
static inline void gch__habit_failed(struct gch_habit *h, uint32_t count,
                                     uint32_t most) {
  h->fails = h->fails + count < most ? h->fails + count : most;
  h->rest = h->fails > 1 ? UINT32_C(1) << (h->fails - 1) : 0;
}

#endif
