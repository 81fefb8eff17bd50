/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GCH_PARK_HASH_H
#define GCH_PARK_HASH_H

#include <stdint.h>

/* Of an address, in so many bits. Fibonacci hashing (Knuth, The Art of Computer
   Programming, 6.4): the high bits depend on all of the address. */
static inline uint32_t gch__hash(const void *address, int bits) {
  uint64_t mixed = (uint64_t)(uintptr_t)address * UINT64_C(0x9e3779b97f4a7c15);
  return (uint32_t)(mixed >> (64 - bits));
}

#endif
