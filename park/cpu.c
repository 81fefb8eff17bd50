/* SPDX-License-Identifier: BSD-3-Clause */
#include "park/cpu.h"

#include "park/clock.h"
#include "park/cpus.h"

#include <errno.h>
#include <stdatomic.h>
#include <unistd.h>

static int count_processors(void) {
  int saved = errno;
  int n = 0;
#if GCH_HAVE_AFFINITY
  struct gch_cpus cpus;
  if (gch__process_cpus(0, &cpus))
    n = gch__count_cpus(&cpus);
#endif
  if (n <= 0)
    n = (int)sysconf(_SC_NPROCESSORS_ONLN);
  errno = saved;
  return n > 0 ? n : 1;
}

int gch__processors(void) {
  /* Relaxed: whoever races to fill it in stores the same kind of answer. */
  static _Atomic int known;
  int n = atomic_load_explicit(&known, memory_order_relaxed);
  if (n == 0) {
    n = count_processors();
    atomic_store_explicit(&known, n, memory_order_relaxed);
  }
  return n;
}

/* How many pauses take RATE_TIME nanoseconds, some 20 to 300 as the processor
   is; never 0. By the quickest of some trials: a thread may lose its processor
   in any. */
enum { RATE_TIME = 1024, TRIALS = 4, PAUSES = 32 };

static uint32_t measure_rate(void) {
  int64_t least = INT64_MAX;
  for (int i = 0; i < TRIALS; i++) {
    int64_t start = gch__now();
    for (int k = 0; k < PAUSES; k++)
      gch__pause();
    int64_t took = gch__now() - start;
    least = took < least ? took : least;
  }
  return 1 + (uint32_t)(RATE_TIME * PAUSES / (least > 0 ? least : 1));
}

void gch__pause_for(uint32_t ns) {
  /* Relaxed: as above. */
  static _Atomic uint32_t known;
  uint32_t rate = atomic_load_explicit(&known, memory_order_relaxed);
  if (rate == 0) {
    rate = measure_rate();
    atomic_store_explicit(&known, rate, memory_order_relaxed);
  }
  for (uint32_t n = ns * rate / RATE_TIME; n > 0; n--)
    gch__pause();
}
