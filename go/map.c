/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory from the kernel, and guards.
 *
 * A guard is set by MADV_GUARD_INSTALL (Linux 6.13), which needs no mapping of
 * its own; else by mprotect, until the kernel refuses more mappings
 * (vm.max_map_count: after some 32 000 guards), from when on there is none.
 */
#include "go/stack.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#include "park/linux.h"
#endif

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

size_t gch__page;

__attribute__((constructor)) static void ask_page_size(void) {
  gch__page = (size_t)sysconf(_SC_PAGESIZE);
}

char *gch__map(size_t size) {
  void *m = mmap(NULL, size, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (m == MAP_FAILED)
    return NULL;
#ifdef MADV_NOHUGEPAGE
  madvise(m, size, MADV_NOHUGEPAGE); /* a page for a stack, not two megabytes */
#endif
  return m;
}

/* Whether a read of what is at `at`, zero if anything, would fault. The kernel is
   asked, by a wait for a word there to change that is over at once: an emulator,
   or valgrind, looks itself at what other calls are given. */
static bool faults(char *at) {
#ifdef SYS_futex
  struct timespec none = {0, 0};
  return syscall(SYS_futex, at, GCH_FUTEX_WAIT_PRIVATE, 1, &none, NULL, 0) ==
             -1 &&
         errno == EFAULT;
#else
  (void)at;
  return false;
#endif
}

/* An emulator may do nothing about the advice, and say that it did. */
static bool advise_guard(char *at) {
  static _Atomic enum { UNKNOWN, WORKS, DOES_NOTHING } advice;
  if (advice == DOES_NOTHING || madvise(at, gch__page, MADV_GUARD_INSTALL) != 0)
    return false;
  if (advice == UNKNOWN)
    advice = faults(at) ? WORKS : DOES_NOTHING;
  return advice == WORKS;
}

void gch__guard(char *at) {
  if (!advise_guard(at))
    mprotect(at, gch__page, PROT_NONE);
}
