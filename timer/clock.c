/* SPDX-License-Identifier: BSD-3-Clause */
#include "park/clock.h"

#include "park/parker.h"

#include <gulch/timer.h>

int64_t gch_now(void) {
  return gch__now();
}

int64_t gch_in(int64_t ns) {
  return gch__from_now(ns);
}

void gch_sleep(int64_t ns) {
  if (ns > 0)
    gch__park_alone(gch__from_now(ns));
}
