/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sleeping on a 32-bit word, and waking who sleeps there: the one place where
 * gulch meets the kernel. Linux's futex, or where there is none (or with
 * --disable-futex) a table of mutexes and condition variables.
 *
 * A wake may come for a word whose memory is gone: it passes the address on
 * and never reads it. So a wait may return for no reason, and is always in a
 * loop. Both leave errno alone.
 */
#ifndef GCH_PARK_FUTEX_H
#define GCH_PARK_FUTEX_H

#include <stdatomic.h>
#include <stdint.h>

#if defined(__linux__) && !defined(GULCH_NO_FUTEX)
#define GCH_HAVE_FUTEX 1
#else
#define GCH_HAVE_FUTEX 0
#endif

/* Sleeps if *word is expected, until a wake or the absolute monotonic time
   deadline. 0 or ETIMEDOUT. */
int gch__futex_wait(_Atomic uint32_t *word, uint32_t expected,
                    int64_t deadline);

/* Wakes one who sleeps on word (more, by accident, is allowed).
   Async-signal-safe where GCH_HAVE_FUTEX. */
void gch__futex_wake(_Atomic uint32_t *word);

/* In a forked child: nobody sleeps. */
void gch__futex_forked(void);

#endif
