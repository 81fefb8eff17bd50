/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GCH_WAITGROUP_COUNT_H
#define GCH_WAITGROUP_COUNT_H

#include <gulch/wg.h>

/* How many have been added and are not done. Who reads 0 sees all that was
   before the last done. */
size_t gch__wg_count(const gch_wg *wg);

#endif
