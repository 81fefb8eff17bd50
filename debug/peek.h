/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory that others write meanwhile, or unmap. */
#ifndef GCH_DEBUG_PEEK_H
#define GCH_DEBUG_PEEK_H

#include <stdbool.h>
#include <stddef.h>

/* Copies n bytes; false: they are not there, or the kernel lets nobody look so.
   It is the kernel that reads, so nothing faults, and no sanitizer minds. */
bool gch__peek(void *to, const void *from, size_t n);

/* The same for memory that stays: where the kernel does not read, the caller
   does. */
void gch__peek_stable(void *to, const void *from, size_t n);

#endif
