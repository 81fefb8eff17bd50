/* SPDX-License-Identifier: BSD-3-Clause */
/* The processors that the process may use, whichever its caller's thread
   may. */
#ifndef GCH_PARK_CPUS_H
#define GCH_PARK_CPUS_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef CPU_SETSIZE
#define GCH_HAVE_AFFINITY 1
#else
#define GCH_HAVE_AFFINITY 0
#endif

#if GCH_HAVE_AFFINITY
/* Room for as many as Linux can be built for: it refuses to fill a smaller set
   than it has processors. */
enum { GCH_CPU_SETS = 8192 / CPU_SETSIZE };
struct gch_cpus {
  cpu_set_t sets[GCH_CPU_SETS];
};

/* Those of the thread with this number; 0: of the caller. False: not known. */
bool gch__thread_cpus(uint32_t thread, struct gch_cpus *cpus);

/* Those of the process: of the thread of this number, where it is not 0; else
   those that any of its threads may use, since one that is pinned says nothing
   of the others. False: not known. */
bool gch__process_cpus(uint32_t thread, struct gch_cpus *cpus);

static inline int gch__count_cpus(const struct gch_cpus *cpus) {
  return CPU_COUNT_S(sizeof *cpus, cpus->sets);
}

static inline bool gch__same_cpus(const struct gch_cpus *a,
                                  const struct gch_cpus *b) {
  return CPU_EQUAL_S(sizeof *a, a->sets, b->sets);
}
#endif

#endif
