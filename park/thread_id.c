/* SPDX-License-Identifier: BSD-3-Clause */
#include "park/thread_id.h"

#include "park/cpu.h"

#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#else
#include <stdatomic.h>
#endif

static GCH_THREAD_LOCAL uint32_t known; /* 0: not asked yet */

static uint32_t ask(void) {
#ifdef __linux__
  return (uint32_t)syscall(SYS_gettid);
#else
  static _Atomic uint32_t threads;
  return 1 + atomic_fetch_add(&threads, 1);
#endif
}

uint32_t gch__thread_id(void) {
  if (known == 0)
    known = ask();
  return known;
}

void gch__thread_id_forked(void) {
  known = 0;
}
