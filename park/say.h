/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Last words: of a panic, of a fatal error. Whoever says them may hold any
 * lock, and so may all others, who will not go on: they are put together on the
 * stack and written to the descriptor of stderr, past stdio and malloc.
 */
#ifndef GCH_PARK_SAY_H
#define GCH_PARK_SAY_H

#include <gulch/base.h>

/* Bytes; what is longer is cut. */
enum { GCH_SAY_MAX = 2304 };

/* Writes it all at once. False: nobody took it (a full pipe) for a second or
   so, or there is nobody. Leaves errno alone, and SIGPIPE blocked: what follows
   is the end. */
bool gch__say(const char *fmt, ...) GCH_PRINTF(1, 2);

#endif
