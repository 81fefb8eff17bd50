/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/table.h"

#include "go/map.h"

void *gch__fd_slot_made(struct gch_fd_table *t, int fd, size_t size) {
  _Atomic(char *) *top = &t->leaves[(unsigned)fd >> GCH_FD_LEAF_LOG2];
  if (!atomic_load(top)) {
    char *none = NULL, *leaf = gch__map(GCH_FD_LEAF * size);
    if (!leaf)
      return NULL;
    /* Where another is faster a few pages are lost, none of them touched. */
    atomic_compare_exchange_strong(top, &none, leaf);
  }
  return gch__fd_slot(t, fd, size);
}
