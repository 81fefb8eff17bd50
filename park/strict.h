/* SPDX-License-Identifier: BSD-3-Clause */
/* Panics from inside the library. To be called with no lock held: the panic
   hook is user code, and may leave by longjmp. */
#ifndef GCH_PARK_STRICT_H
#define GCH_PARK_STRICT_H

#include "park/cpu.h"
#include "park/setting.h"

#include <gulch/panic.h>

#include <stdatomic.h>
#include <stdint.h>

extern GCH_HIDDEN gch__setting gch__strict_mode;

/* Whether every case in which Go panics is to be a panic. */
static inline bool gch__strict(void) {
  return gch__is_on(&gch__strict_mode, "GULCH_STRICT");
}

/* err, or in strict mode, where it is when, a panic with Go's words. */
static inline int gch__go_panics(int err, int when, const char *words) {
  if (err != 0 && err == when && gch__strict())
    gch_panic("%s", words);
  return err;
}

/* Panics unless deadline, which a user gave, may be one: 0 and less are a way
   to say "try once", but what lies between 0 and the start of the process is
   rather a duration. */
void gch__must_be_deadline(int64_t deadline);

static inline void gch__check_deadline(int64_t deadline) {
  if (gch__strict())
    gch__must_be_deadline(deadline);
}

#endif
