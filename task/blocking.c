/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A call that is known to block: the worker gives its proc away first, with all
 * that is to run there, and goes on with the task without one, as one does
 * whose proc the monitor has taken. So whatever fn does is allowed: to park
 * (the worker then looks for a proc, or sleeps), to fork (the child's worker
 * has one again), to end the thread.
 */
#include "go/sched.h"

#include <gulch/go.h>

static void give_proc(struct gch_worker *w) {
  int saved = errno;
  if (atomic_load(&w->proc))
    gch__hand_over(w);
  errno = saved;
}

/* It may be another worker by now, and have one. */
static void regain_proc(struct gch_worker *w) {
  int saved = errno;
  if (w && !atomic_load(&w->proc) &&
      atomic_load(&gch__sched.num_idle_procs) > 0) {
    w->outside = false;
    gch__forget_block(w);
    gch__want_proc(w);
  }
  errno = saved;
}

int gch_blocking(void (*fn)(void *), void *arg) {
  struct gch_worker *w = gch__worker_self();
  if (!fn)
    return EINVAL;
  if (w)
    give_proc(w);
  fn(arg);
  regain_proc(gch__worker_self());
  return 0;
}
