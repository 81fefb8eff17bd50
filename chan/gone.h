/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * References gone wrong: what is said of a channel that goes too early, and of
 * one that is used when it is gone.
 *
 * A channel whose last reference was given back has refs 0. That can be seen
 * while its memory is there and is not used for something else: after a free
 * mostly until the next malloc of that size (refs is not among the words that
 * allocators overwrite, see impl.h). In strict mode the memory of the last KEPT
 * channels is not freed but kept, and they look closed and empty: so whoever
 * uses one comes to where an operation fails, which is no hot path, and looks
 * there.
 */
#ifndef GCH_CHAN_GONE_H
#define GCH_CHAN_GONE_H

#include "chan/impl.h"
#include "park/strict.h"

#include <stdlib.h>

/* Frees memory, which has a channel that is gone in it; in strict mode later,
   if it has not too many bytes. */
void gch__keep_gone(void *memory, size_t chan_at, size_t bytes);

static inline void gch__bury(void *memory, size_t chan_at, size_t bytes) {
  if (gch__strict())
    gch__keep_gone(memory, chan_at, bytes);
  else
    free(memory);
}

/* c's last reference was to go, and somebody is parked on it; c was used, and
   is gone. */
_Noreturn void gch__panic_parked(gch_chan *c);
_Noreturn void gch__panic_gone(const gch_chan *c);

/* An operation on c has failed; c's lock is not held, or c is gone. */
static inline void gch__check_held(const gch_chan *c) {
  if (gch__strict() &&
      atomic_load_explicit(&c->refs, memory_order_relaxed) == 0)
    gch__panic_gone(c);
}

#endif
