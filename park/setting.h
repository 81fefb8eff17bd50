/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Switches in the environment. Each is read when it is first asked for: that
 * may be in a constructor of the program, which comes before the library's own
 * where it is linked statically.
 */
#ifndef GCH_PARK_SETTING_H
#define GCH_PARK_SETTING_H

#include <stdatomic.h>
#include <stdbool.h>

enum { GCH_OFF, GCH_ON, GCH_NOT_READ };
typedef _Atomic unsigned char gch__setting;

/* Reads it, unless that or a store by somebody else was first: on unless the
   variable is empty, 0 or not there. */
bool gch__setting_read(gch__setting *setting, const char *variable);

/* Relaxed: it publishes nothing. */
static inline bool gch__is_on(gch__setting *setting, const char *variable) {
  unsigned char now = atomic_load_explicit(setting, memory_order_relaxed);
  return now != GCH_OFF &&
         (now == GCH_ON || gch__setting_read(setting, variable));
}

#endif
