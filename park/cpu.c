/* SPDX-License-Identifier: BSD-3-Clause */
#include "park/cpu.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

static int count_processors(void) {
  int saved = errno;
  int n = 0;
#ifdef CPU_COUNT
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    n = CPU_COUNT(&set);
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
