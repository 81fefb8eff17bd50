/* SPDX-License-Identifier: BSD-3-Clause */
/* The end of tasks, for tests whose tasks use what the test frees. */
#ifndef GULCH_TESTS_TASKS_H
#define GULCH_TESTS_TASKS_H

#include "harness.h"

/* Returns when no task is left. It looks again and again, a few times at once,
   then with pauses: yielding beside busy processes may take long. */
static inline void await_no_tasks(void) {
  for (int looks = 0; gch_num_tasks() > 0; looks++)
    if (looks < 5)
      gch_yield();
    else
      gch_sleep(50 * GCH_MICROSECOND);
}

#endif
