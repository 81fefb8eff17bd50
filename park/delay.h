/* SPDX-License-Identifier: BSD-3-Clause */
/* Random delays at the points where a race would show: only in a build
   configured with --enable-delays, for the stress tests. */
#ifndef GCH_PARK_DELAY_H
#define GCH_PARK_DELAY_H

#ifdef GULCH_DELAYS
void gch__delay(void);
#define GCH_DELAY() gch__delay()
#else
#define GCH_DELAY() ((void)0)
#endif

#endif
