/* SPDX-License-Identifier: BSD-3-Clause */
#include "park/slice.h"

#include <errno.h>
#include <sched.h>
#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

#if defined(__linux__) && defined(SYS_sched_setattr)
/* As the kernel has it (sched_setattr(2)), the first version. */
struct attr {
  uint32_t size, policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime, deadline, period;
};

void gch__thread_slice(uint32_t tid, uint64_t ns) {
  struct attr a = {.size = sizeof a};
  int saved = errno;
  if (syscall(SYS_sched_getattr, tid, &a, sizeof a, 0) == 0 &&
      (a.policy == SCHED_OTHER || a.policy == SCHED_BATCH)) {
    a.size = sizeof a;
    a.runtime = ns;
    syscall(SYS_sched_setattr, tid, &a, 0);
  }
  errno = saved;
}
#else
void gch__thread_slice(uint32_t tid, uint64_t ns) {
  (void)tid;
  (void)ns;
}
#endif
