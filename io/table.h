/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables by the number of a descriptor: of leaves, which are zero at first and
   there for good, so that who has found a slot may keep it. */
#ifndef GCH_IO_TABLE_H
#define GCH_IO_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum { GCH_FD_LEAF_LOG2 = 12, GCH_FD_LEAF = 1 << GCH_FD_LEAF_LOG2 };
enum { GCH_FD_TOP = 1 << 18 };

struct gch_fd_table {
  _Atomic(char *) leaves[GCH_FD_TOP];
};

static inline bool gch__fd_fits(int fd) {
  return (unsigned)fd < (unsigned)GCH_FD_TOP << GCH_FD_LEAF_LOG2;
}

/* The slot of fd, any int, in a table of slots of that size; NULL: there never
   was one. Acquire pairs with the release by which the leaf was put there. */
static inline void *gch__fd_slot(struct gch_fd_table *t, int fd, size_t size) {
  if (!gch__fd_fits(fd))
    return NULL;
  char *leaf = atomic_load_explicit(
      &t->leaves[(unsigned)fd >> GCH_FD_LEAF_LOG2], memory_order_acquire);
  return leaf ? leaf + (unsigned)fd % GCH_FD_LEAF * size : NULL;
}

/* The same, and makes it, if it is not there; NULL: no memory. fd fits. */
void *gch__fd_slot_made(struct gch_fd_table *t, int fd, size_t size);

#endif
