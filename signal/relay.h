/* SPDX-License-Identifier: BSD-3-Clause */
/* How the signal handler wakes the library's own thread. */
#ifndef GCH_SIGNAL_RELAY_H
#define GCH_SIGNAL_RELAY_H

#include "park/futex.h"
#include "timer/service.h"

#if GCH_HAVE_FUTEX

static inline int gch__relay_start(void) {
  return 0;
}

static inline void gch__relay_wake(void) {
  gch__service_wake();
}

static inline void gch__relay_lock(void) {
}

static inline void gch__relay_unlock(void) {
}

static inline void gch__relay_forked(void) {
}

#else

/* Before the first handler is installed. 0 or ENOMEM. */
int gch__relay_start(void);

/* Async-signal-safe. */
void gch__relay_wake(void);

/* Around a fork. */
void gch__relay_lock(void);
void gch__relay_unlock(void);

/* In the child, before the unlock. */
void gch__relay_forked(void);

#endif

#endif
