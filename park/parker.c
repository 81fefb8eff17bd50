/* SPDX-License-Identifier: BSD-3-Clause */
#include "park/parker.h"

#include "park/clock.h"
#include "park/delay.h"
#include "park/spin.h"
#include "park/wait.h"

#include <errno.h>
#include <stdbool.h>

_Atomic uint64_t gch__asleep;
gch__setting gch__count_asleep = GCH_NOT_READ;

static int sleep_until(struct gch_parker *p, int64_t deadline) {
  uint32_t seen = GCH_PARKER_EMPTY, asleep = GCH_PARKER_ASLEEP;
  if (deadline == GCH__FOREVER && gch__counts_asleep())
    asleep = GCH_PARKER_COUNTED;
  GCH_DELAY();
  if (!atomic_compare_exchange_strong(&p->state, &seen, asleep)) {
    gch__take_permit(p);
    return 0;
  }
  if (asleep == GCH_PARKER_COUNTED) {
    GCH_DELAY();
    atomic_fetch_add(&gch__asleep, GCH_ASLEEP_ADDED);
  }
  for (;;) {
    int err = gch__futex_wait(&p->state, asleep, deadline);
    if (gch__take_permit(p))
      return 0;
    seen = asleep;
    if (err == ETIMEDOUT) {
      GCH_DELAY();
      if (atomic_compare_exchange_strong(&p->state, &seen, GCH_PARKER_EMPTY))
        return ETIMEDOUT;
    }
  }
}

static int park_thread(struct gch_parker *p, int64_t deadline) {
  if (gch__take_permit(p))
    return 0;
  int64_t start = gch__now();
  if (deadline > start && gch__spin(p, start, deadline))
    return 0;
  int err = sleep_until(p, deadline);
  gch__spin_slept(p, start);
  return err;
}

int gch__park_by_state(struct gch_parker *p, int64_t deadline) {
  return p->task ? gch__task_park_until(p, deadline) : park_thread(p, deadline);
}

/* The exchange in unpark, where sleepers are counted. A thread that could wake
   before it is taken off could be counted again, asleep on another parker, and
   stand for its waker, who is not asleep. */
static uint32_t give_permit_counting(struct gch_parker *p) {
  uint32_t seen = atomic_load(&p->state);
  bool taken_off = false;
  do {
    GCH_DELAY();
    if (seen == GCH_PARKER_COUNTED && !taken_off) {
      atomic_fetch_add(&gch__asleep, GCH_ASLEEP_TAKEN_OFF);
      taken_off = true;
      GCH_DELAY();
    }
  } while (!atomic_compare_exchange_weak(&p->state, &seen, GCH_PARKER_PERMIT));
  return seen;
}

static uint32_t give_permit(struct gch_parker *p) {
  /* Where it is not read yet, or where this thread does not see that it is,
     sleepers may have been counted, or not. */
  if (atomic_load_explicit(&gch__count_asleep, memory_order_relaxed) != GCH_OFF)
    return give_permit_counting(p);
  /* Release pairs with the acquire in gch__take_permit. */
  return atomic_exchange_explicit(&p->state, GCH_PARKER_PERMIT,
                                  memory_order_acq_rel);
}

void gch__unpark_by_state(struct gch_parker *p) {
  struct gch_task *task = p->task;
  if (give_permit(p) < GCH_PARKER_ASLEEP)
    return;
  if (task)
    gch__task_ready(task);
  else {
    gch__spin_wakes(p);
    gch__futex_wake(&p->state);
  }
}

int gch__park_alone(int64_t deadline) {
  struct gch_parker p;
  bool for_ever = deadline == GCH__FOREVER;
  struct gch_wait *wait =
      gch__wait_begin(for_ever ? GCH_WAIT_FOR_EVER : GCH_WAIT_SLEEP, NULL);
  gch__parker_init(&p, deadline);
  int err = p.task ? gch__park(&p, deadline) : sleep_until(&p, deadline);
  gch__wait_end(wait);
  return err;
}

void gch__parker_forked(void) {
  atomic_store(&gch__asleep, 0);
}
