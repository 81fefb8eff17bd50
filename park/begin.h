/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the library sets up for the process, once: before it starts its first
 * thread, or when it is loaded (lock.c), whichever comes first. Linked
 * statically, constructors of the program may come before its own. Until then
 * all works, if more slowly: by symmetric fences, and without handlers of fork.
 */
#ifndef GCH_PARK_BEGIN_H
#define GCH_PARK_BEGIN_H

void gch__begin(void);

/* In a forked child, by the handlers that are one of the parts. */
void gch__begin_forked(void);

/* Its parts, in this order. */
void gch__fence_begin(void);
void gch__lock_begin(void);
void gch__fork_begin(void);

#endif
