/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long the kernel lets a thread run before it looks whom else to run. It
 * changes nothing of a thread's share: of those whose turn it is who asks for
 * less comes first, and takes the processor, when it wakes, from who asks for
 * more. What a thread starts inherits it. So threads that compute ask for much,
 * and don't hold up the others.
 */
#ifndef GCH_PARK_SLICE_H
#define GCH_PARK_SLICE_H

#include <stdint.h>

/* Nanoseconds; the first: what the kernel gives of itself. */
enum { GCH_SLICE_USUAL, GCH_SLICE_SHORT = 100000, GCH_SLICE_LONG = 20000000 };

/* Asks for that for a thread of the process, 0 being the caller, if it is of an
   ordinary policy; a kernel before Linux 6.12 takes no notice. */
void gch__thread_slice(uint32_t tid, uint64_t ns);

#endif
