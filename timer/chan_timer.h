/* SPDX-License-Identifier: BSD-3-Clause */
/* What timer.c asks of timers with a channel. */
#ifndef GCH_TIMER_CHAN_TIMER_H
#define GCH_TIMER_CHAN_TIMER_H

#include "timer/timer_impl.h"

/* As gch__timer_stop and gch__timer_restart. */
bool gch__chan_timer_stop(gch_timer *t);
bool gch__chan_timer_restart(gch_timer *t, int64_t ns, int64_t period);

#endif
