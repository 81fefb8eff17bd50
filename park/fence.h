/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Asymmetric fences (as in liburcu and folly). Where one side of a store-load
 * pair, "I write mine, then I read yours", runs all the time and the other
 * seldom, the first pays nothing and the second pays for both: it has the
 * kernel put a full fence into every running thread of the process.
 *
 *     often                                seldom
 *     write mine                           write mine
 *     gch__fence_light()                   gch__fence_heavy()
 *     read yours                           read yours
 *
 * At least one of the two sees what the other wrote. Where the kernel can't
 * (no membarrier), and under ThreadSanitizer, which doesn't know of it,
 * gch__asymmetric is false, and both must use sequentially consistent accesses
 * or fences.
 */
#ifndef GCH_PARK_FENCE_H
#define GCH_PARK_FENCE_H

#include "park/cpu.h"

#include <stdatomic.h>
#include <stdbool.h>

/* False at first, and for ever where the kernel can't; true from
   gch__fence_begin on, and never false again: those who make light fences could
   not be told in time. No atomic, which would cost an instruction more; fence.c
   says why a thread may see it late. */
extern GCH_HIDDEN bool gch__asymmetric;

/* With gch__asymmetric: keeps the compiler from reordering. */
static inline void gch__fence_light(void) {
  atomic_signal_fence(memory_order_seq_cst);
}

/* Some microseconds where gch__asymmetric; fence.c says what where the kernel
   refuses that later on. */
void gch__fence_heavy(void);

#endif
