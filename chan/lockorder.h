/* SPDX-License-Identifier: BSD-3-Clause */
/* The order in which a select takes the locks of its channels. */
#ifndef GCH_CHAN_LOCKORDER_H
#define GCH_CHAN_LOCKORDER_H

#include "chan/impl.h"

/* Fills cases[0 … n).order with the positions of the cases that have a
   channel, sorted by the channel's address and then by position; returns how
   many. Takes
   O(n log n) time and no memory. */
size_t gch__lock_order(gch_case *cases, size_t n);

/* Puts cases on the same channel in random order. */
void gch__shuffle_same(gch_case *cases, size_t count);

/* Takes, or releases, the lock of each channel once. count as returned by
   gch__lock_order. */
void gch__lock_all(gch_case *cases, size_t count);
void gch__unlock_all(gch_case *cases, size_t count);

#endif
