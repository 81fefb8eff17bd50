/* SPDX-License-Identifier: BSD-3-Clause */
/* What timers.c and groups.c share. */
#ifndef GULCH_TESTS_TIMERS_H
#define GULCH_TESTS_TIMERS_H

#include "stress.h"

enum { TIMER_TESTS = 8, MOMENT = 30000 };

void add_group_tests(TCase *t);

#endif
