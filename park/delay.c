/* SPDX-License-Identifier: BSD-3-Clause */
#include "park/delay.h"

#ifdef GULCH_DELAYS
#include "park/cpu.h"

#include <errno.h>
#include <stdint.h>
#include <time.h>

/* Mostly nothing, often a few hundred pauses, sometimes a short sleep, rarely a
   longer one: each shakes loose another kind of race. */
void gch__delay(void) {
  static GCH_THREAD_LOCAL uint32_t state;
  int saved = errno;
  if (state == 0)
    state = (uint32_t)(uintptr_t)&state | 1;
  state = state * 1664525u + 1013904223u;
  uint32_t dice = state >> 24;
  if (dice < 8)
    nanosleep(&(struct timespec){.tv_nsec = 20000}, 0);
  else if (dice < 40)
    nanosleep(&(struct timespec){.tv_nsec = 1}, 0);
  else if (dice < 90)
    for (uint32_t i = 0; i < dice * 4; i++)
      gch__pause();
  errno = saved;
}
#else
typedef int gch__no_delays;
#endif
