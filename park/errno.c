/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

/* Before base.h, which has errno mean gch_errno. */
static inline int *here(void) {
  return &errno;
}

#include "park/cpu.h"

#include <gulch/base.h>

GCH_NOIPA int *gch_errno(void) {
  return here();
}
