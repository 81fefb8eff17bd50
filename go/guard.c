/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Guards. One is set by MADV_GUARD_INSTALL (Linux 6.13), which takes nothing
 * but entries of a page table that is there anyway; else by mprotect. That cuts
 * a mapping in two and puts its own between, and a process may have but
 * vm.max_map_count of them, for all that it does. So there are no more such
 * guards at a time than make a quarter of that. Stacks beyond have none.
 */
#include "go/map.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#include "park/cancel.h"
#include "park/linux.h"

#include <fcntl.h>
#endif

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

enum { SIZE = 64 * 1024, MAPPINGS = 2, SHARE = 4, USUAL_COUNT = 65530 };

size_t gch__guard_size(void) {
  return gch__page() > SIZE ? gch__page() : SIZE;
}

/* By advice */

/* Whether a read of what is at `at`, zero if anything, would fault. The kernel
   is asked, by a wait for a word there to change that is over at once: an
   emulator, or valgrind, looks itself at what other calls are given. */
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

/* An emulator may do nothing about the advice, and say that it did. Where the
   first is in vain, no other is given. */
static bool advise(char *at) {
  static _Atomic enum { UNKNOWN, WORKS, IN_VAIN } advice;
  if (advice == IN_VAIN)
    return false;
  bool taken = madvise(at, gch__guard_size(), MADV_GUARD_INSTALL) == 0;
  if (advice == UNKNOWN)
    advice = taken && faults(at) ? WORKS : IN_VAIN;
  return taken && advice == WORKS;
}

/* By mappings */

static _Atomic uint32_t mapped; /* guards */

static uint32_t read_most(void) {
  long count = USUAL_COUNT;
#ifdef __linux__
  char text[32];
  int cancel = gch__cancel_off();
  int fd = open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);
  ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
  if (fd >= 0)
    close(fd);
  gch__cancel_as(cancel);
  text[n > 0 ? n : 0] = '\0';
  if (n > 0)
    count = strtol(text, NULL, 10);
#endif
  return (uint32_t)(count / SHARE / MAPPINGS);
}

/* Guards at a time. */
static uint32_t most(void) {
  static _Atomic uint32_t known; /* plus 1; relaxed, as in gch__page */
  uint32_t n = atomic_load_explicit(&known, memory_order_relaxed);
  if (n == 0) {
    n = read_most() + 1;
    atomic_store_explicit(&known, n, memory_order_relaxed);
  }
  return n - 1;
}

static bool protect(char *at) {
  if (atomic_fetch_add(&mapped, 1) < most() &&
      mprotect(at, gch__guard_size(), PROT_NONE) == 0)
    return true;
  atomic_fetch_sub(&mapped, 1);
  return false;
}

/* Either */

enum gch_guard gch__guard(char *at) {
  int saved = errno;
  enum gch_guard guard = advise(at)    ? GCH_GUARD_ADVISED
                         : protect(at) ? GCH_GUARD_MAPPED
                                       : GCH_UNGUARDED;
  errno = saved;
  return guard;
}

void gch__guard_gone(enum gch_guard guard) {
  if (guard == GCH_GUARD_MAPPED)
    atomic_fetch_sub(&mapped, 1);
}

bool gch__unguard(char *at, int prot) {
  int saved = errno;
  bool gone = mprotect(at, gch__guard_size(), prot) == 0;
  if (gone)
    gch__guard_gone(GCH_GUARD_MAPPED);
  errno = saved;
  return gone;
}
