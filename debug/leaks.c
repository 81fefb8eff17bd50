/* SPDX-License-Identifier: BSD-3-Clause */
/* GULCH_LEAKS: what is still alive when the process ends. */
#include "chan/registry.h"
#include "debug/dump.h"
#include "go/spawn.h"
#include "park/cancel.h"

#include <gulch/go.h>

#include <time.h>

/* A task may have said that it is done and not be quite: about to give a
   reference back, or to be counted as gone. Some milliseconds are enough. */
enum { LOOKS = 100 };

/* Main is none, though it may be the task that called exit. */
static size_t count_tasks(void) {
  size_t n = gch_num_tasks(), main = gch__main_task() != NULL;
  return n > main ? n - main : 0;
}

static size_t tasks_that_stay(void) {
  const struct timespec pause = {0, 1000000};
  size_t n;
  for (int looks = 0; (n = count_tasks()) > 0 && looks < LOOKS; looks++)
    nanosleep(&pause, NULL);
  return n;
}

void gch__report_leaks(void) {
  int cancel = gch__cancel_off();
  size_t tasks = tasks_that_stay();
  struct gch_census c = gch__dump(stderr, gch__main_task());
  size_t fds = gch__list_open_fds(stderr);
  if (c.plain + c.contexts + c.timers + tasks + fds > 0)
    fprintf(stderr,
            "gulch: still alive: channels %zu, contexts %zu, timers %zu, "
            "tasks %zu, descriptors %zu\n",
            c.plain, c.contexts, c.timers, tasks, fds);
  gch__cancel_as(cancel);
}
