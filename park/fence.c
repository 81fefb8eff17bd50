/* SPDX-License-Identifier: BSD-3-Clause */
#include "park/fence.h"

#include "park/sanitize.h"

#include <gulch/panic.h>

bool gch__asymmetric;

#if defined(__linux__) && !GCH_TSAN
#include "park/linux.h"

#include <errno.h>
#include <unistd.h>

static bool membarrier(int command) {
  int saved = errno;
  bool done = syscall(SYS_membarrier, command, 0, 0) == 0;
  errno = saved;
  return done;
}

/* First of all: no lock may have been used before. */
__attribute__((constructor(101))) static void register_process(void) {
  gch__asymmetric = membarrier(GCH_MEMBARRIER_REGISTER_PRIVATE_EXPEDITED);
}

void gch__fence_heavy(void) {
  if (!gch__asymmetric)
    atomic_thread_fence(memory_order_seq_cst);
  else if (!membarrier(GCH_MEMBARRIER_PRIVATE_EXPEDITED))
    gch_panic("gulch: the kernel takes membarrier back");
}

#else
void gch__fence_heavy(void) {
  atomic_thread_fence(memory_order_seq_cst);
}
#endif
