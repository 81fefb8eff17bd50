/* SPDX-License-Identifier: BSD-3-Clause */
/* Random numbers for select: fast, one generator a thread, not for secrets. */
#ifndef GCH_CHAN_RANDOM_H
#define GCH_CHAN_RANDOM_H

#include <stdint.h>

/* Uniform in [0, n), n > 0; off by less than n in 2^32. */
uint32_t gch__random_below(uint32_t n);

/* 64 random bits. */
uint64_t gch__random(void);

/* Another number after x, random in its upper half if x was: the first is
   gch__random's. In fewer instructions: Knuth's linear congruence, The Art of
   Computer Programming, 3.3.4. */
static inline uint64_t gch__random_next(uint64_t x) {
  return x * 6364136223846793005u + 1442695040888963407u;
}

/* The upper half of x, as a number below n. */
static inline uint32_t gch__below(uint64_t x, uint32_t n) {
  return (uint32_t)(((x >> 32) * n) >> 32);
}

#endif
