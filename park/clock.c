/* SPDX-License-Identifier: BSD-3-Clause */
#include "park/clock.h"

_Atomic int64_t gch__recent_time;
