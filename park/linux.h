/* SPDX-License-Identifier: BSD-3-Clause */
/* What the kernel's own headers say, which not every C library brings along.
   These numbers never change. */
#ifndef GCH_PARK_LINUX_H
#define GCH_PARK_LINUX_H

#include <sys/syscall.h>

enum {
  GCH_FUTEX_WAIT_PRIVATE = 128 + 0,
  GCH_FUTEX_WAKE_PRIVATE = 128 + 1,
  GCH_FUTEX_WAIT_BITSET_PRIVATE = 128 + 9 /* the timeout is absolute */
};
#define GCH_FUTEX_ANY 0xffffffffu /* any bit of a bitset */

enum {
  GCH_MEMBARRIER_PRIVATE_EXPEDITED = 1 << 3,
  GCH_MEMBARRIER_REGISTER_PRIVATE_EXPEDITED = 1 << 4
};

/* The youngest processors of 32 bits have but one call. */
#if defined(SYS_futex_time64) && !defined(SYS_futex)
#define SYS_futex SYS_futex_time64
#endif

/* What the kernel calls long. */
#ifdef __x86_64__
typedef long long gch__kernel_long; /* on x32 too */
#else
typedef long gch__kernel_long;
#endif

#endif
