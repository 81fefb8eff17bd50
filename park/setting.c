/* SPDX-License-Identifier: BSD-3-Clause */
#include "park/setting.h"

#include <stdlib.h>
#include <string.h>

bool gch__setting_read(gch__setting *setting, const char *variable) {
  const char *s = getenv(variable);
  unsigned char now = GCH_NOT_READ;
  bool on = s && *s && strcmp(s, "0") != 0;
  atomic_compare_exchange_strong(setting, &now, on ? GCH_ON : GCH_OFF);
  return atomic_load(setting) == GCH_ON;
}
