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
#include <unistd.h>

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

/* An emulator may do nothing about the advice, and say that it did. */
static bool advise_guard(char *at) {
  static _Atomic enum { UNKNOWN, WORKS, DOES_NOTHING } advice;
  if (advice == DOES_NOTHING || madvise(at, gch__page, MADV_GUARD_INSTALL) != 0)
    return false;
  if (advice == UNKNOWN)
    advice = access(at, F_OK) != 0 && errno == EFAULT ? WORKS : DOES_NOTHING;
  return advice == WORKS;
}

void gch__guard(char *at) {
  if (!advise_guard(at))
    mprotect(at, gch__page, PROT_NONE);
}
