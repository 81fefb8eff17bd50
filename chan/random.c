/* SPDX-License-Identifier: BSD-3-Clause */
#include "chan/random.h"

#include "park/clock.h"
#include "park/cpu.h"

/* splitmix64: a counter and a mixing function (Steele, Lea and Flood, "Fast
   splittable pseudorandom number generators", 2014). */
static uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

uint64_t gch__random(void) {
  static GCH_THREAD_LOCAL uint64_t state;
  if (state == 0) /* once a thread: its own place in memory and time */
    state = mix((uint64_t)gch__now()) ^ (uintptr_t)&state;
  state += 0x9e3779b97f4a7c15u;
  return mix(state);
}

uint32_t gch__random_below(uint32_t n) {
  return gch__below(gch__random(), n);
}
