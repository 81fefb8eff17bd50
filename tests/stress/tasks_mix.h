/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of the program "tasks" in which threads and tasks do everything. */
#ifndef GULCH_TESTS_TASKS_MIX_H
#define GULCH_TESTS_TASKS_MIX_H

#include "stress.h"

enum { TASKS_TESTS = 4 }; /* of the program that share its time */

void add_mixed_task_tests(TCase *t);

#endif
