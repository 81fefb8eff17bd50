/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The heavy fence: by membarrier; where that is refused later on, as by a
 * seccomp filter that the program has installed (in some of its threads,
 * perhaps), by the best of what is left. Those who make light fences notice
 * nothing. (Measured on two processors: 0.5 us, 6 us, 300 us.)
 *
 *   A page is mapped, touched and unmapped. Before its memory can be used anew
 *   no processor that runs the process may have it in its TLB: each is
 *   interrupted, and what interrupts an x86 processor finds all its stores
 *   done. Not so where the processors pass such news on by themselves: on ARM,
 *   on AMD's with INVLPGB. (Intel's remote action requests would do it, too;
 *   Linux uses none so far.)
 *
 *   Time. A processor keeps no store to itself for more than some microseconds
 *   (Morrison and Afek, "Temporally Bounding TSO for Fence-Free Asymmetric
 *   Synchronization", ASPLOS 2015), nor does it load that early, and it has
 *   done both when the kernel takes it from a thread.
 */
#include "park/fence.h"

#include "park/begin.h"
#include "park/cancel.h"
#include "park/clock.h"
#include "park/cpu.h"
#include "park/linux.h"
#include "park/sanitize.h"

#include <errno.h>

bool gch__asymmetric;

#if defined(SYS_membarrier) && !GCH_TSAN
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

enum { LONG_ENOUGH = 200000 }; /* nanoseconds: far more than it takes */

static bool membarrier(int command) {
  return syscall(SYS_membarrier, command, 0, 0) == 0;
}

static atomic_bool heavy; /* fences are made by more than this thread */

/*
 * Others may be at it already, with symmetric fences. One who makes a heavy
 * fence looks at `heavy` after a fence of his own. Does he find false, then
 * what he wrote could be seen before the call of membarrier here, which all
 * running threads take part in; and only after it may somebody find
 * gch__asymmetric, and read what he reads then without a fence. So that one
 * sees it.
 */
void gch__fence_begin(void) {
  if (!membarrier(GCH_MEMBARRIER_REGISTER_PRIVATE_EXPEDITED))
    return;
  atomic_store(&heavy, true);
  if (membarrier(GCH_MEMBARRIER_PRIVATE_EXPEDITED))
    gch__asymmetric = true;
  else
    atomic_store(&heavy, false);
}

/* Whether processors are interrupted to forget a page. Not where this one is
   another that emulates x86. */
static bool is_interrupted(void) {
#if defined(__x86_64__) || defined(__i386__)
  enum { INVLPGB = 1 << 3, VENDOR = 12 };
  static const char vendors[][VENDOR + 1] = {"GenuineIntel", "AuthenticAMD",
                                             "HygonGenuine"};
  unsigned a, b, c, d;
  if (!__get_cpuid(0, &a, &b, &c, &d))
    return false;
  unsigned vendor[] = {b, d, c};
  bool known = false;
  for (size_t i = 0; i < sizeof vendors / sizeof *vendors; i++)
    known |= memcmp(vendor, vendors[i], VENDOR) == 0;
  if (!__get_cpuid(0x80000008, &a, &b, &c, &d))
    b = 0;
  return known && !(b & INVLPGB);
#else
  return false;
#endif
}

/* False: not here, or not now. */
static bool forget_a_page(void) {
  enum { UNKNOWN, NO, YES };
  static _Atomic int interrupted; /* relaxed: all find the same */
  int known = atomic_load_explicit(&interrupted, memory_order_relaxed);
  if (known == UNKNOWN) {
    known = is_interrupted() ? YES : NO;
    atomic_store_explicit(&interrupted, known, memory_order_relaxed);
  }
  if (known == NO)
    return false;
  size_t size = (size_t)sysconf(_SC_PAGESIZE);
  volatile char *page = mmap(NULL, size, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED)
    return false;
  *page = 1;
  return munmap((void *)page, size) == 0;
}

/* The clock decides: the kernel may refuse to sleep, too. */
static void let_time_pass(void) {
  const struct timespec pause = {0, LONG_ENOUGH};
  int64_t end = gch__now() + LONG_ENOUGH;
  int cancel = gch__cancel_off();
  do
    if (nanosleep(&pause, NULL) != 0)
      gch__pause();
  while (gch__now() < end);
  gch__cancel_as(cancel);
}

void gch__fence_heavy(void) {
  static atomic_bool refused; /* relaxed: it saves a call */
  atomic_thread_fence(memory_order_seq_cst);
  if (!atomic_load(&heavy))
    return;
  int saved = errno;
  if (atomic_load_explicit(&refused, memory_order_relaxed) ||
      !membarrier(GCH_MEMBARRIER_PRIVATE_EXPEDITED)) {
    atomic_store_explicit(&refused, true, memory_order_relaxed);
    if (!forget_a_page())
      let_time_pass();
    atomic_thread_fence(memory_order_seq_cst);
  }
  errno = saved;
}

#else
void gch__fence_begin(void) {
}

void gch__fence_heavy(void) {
  atomic_thread_fence(memory_order_seq_cst);
}
#endif
