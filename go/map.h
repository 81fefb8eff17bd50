/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory from the kernel, and guards: pages below a stack that fault. */
#ifndef GCH_GO_MAP_H
#define GCH_GO_MAP_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes. The kernel is asked once. */
size_t gch__page(void);

/* Zeroed memory from the kernel, in whole pages; NULL: none. What the scheduler
   keeps for good is not from malloc, so that it is nobody's leak. */
char *gch__map(size_t size);

/* The same for stacks, which may be executable (stack_size.c): *prot is what
   they are, for gch__unguard. */
char *gch__map_stacks(size_t size, int *prot);

/* Nothing is guarded; or by the kernel's page tables alone; or by a mapping,
   which the kernel has no endless number of. */
enum gch_guard { GCH_UNGUARDED, GCH_GUARD_ADVISED, GCH_GUARD_MAPPED };

/* Bytes of a guard: a frame no larger than that can't step over it. */
size_t gch__guard_size(void);

/* Makes so many bytes at this place fault, if there is room for one more
   guard. */
enum gch_guard gch__guard(char *at);

/* A mapped guard is no more: the place is memory like the rest of its mapping,
   which has prot; false: the kernel would not have it. Or the mapping has
   gone. */
bool gch__unguard(char *at, int prot);
void gch__guard_gone(enum gch_guard guard);

#endif
