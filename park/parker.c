/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Before it sleeps a thread spins, as long as a sleep and a wake would cost at
 * most, and less and less where its spins fail. Whom it waits for may need this
 * very processor. So it keeps it for no longer than a partner on another one
 * takes to answer, and then yields it between its looks: a yield that lets the
 * partner run is cheaper than a sleep and a wake. On one processor it does
 * nothing but yield, a few times.
 */
#include "park/parker.h"

#include "park/clock.h"
#include "park/cpu.h"
#include "park/delay.h"
#include "park/poll.h"
#include "park/wait.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>

/* Nanoseconds. The most that a spin may take, about a futex wake across
   processors; how much of it is without yields; and what a thread that gave up
   tries once in RETRY parks. */
enum { SPIN_MAX = 20000, SPIN_MIN = 1000, BURST = 1000, SPIN_TRIAL = 5000 };
enum { RETRY = 32 };

/* Looks between two yields, or two readings of the clock; and yields on one
   processor. */
enum { LOOKS = 32, YIELDS = 2 };

_Atomic uint64_t gch__asleep;
gch__setting gch__count_asleep = GCH_NOT_READ;

/* What spinning has been worth to this thread. */
static GCH_THREAD_LOCAL struct {
  int32_t limit; /* nanoseconds to spin; 0 at first stands for SPIN_MAX */
  uint32_t parks;
} habit;

/* The exchange takes the permit in one step: a plain store could wipe out one
   that is given at that moment, and with it what its giver published. */
static bool take_permit(struct gch_parker *p) {
  if (atomic_load_explicit(&p->state, memory_order_relaxed) !=
      GCH_PARKER_PERMIT)
    return false;
  /* Acquire pairs with the release in gch__unpark. */
  atomic_exchange_explicit(&p->state, GCH_PARKER_EMPTY, memory_order_acq_rel);
  return true;
}

static bool look(struct gch_parker *p) {
  for (int i = 0; i < LOOKS; i++) {
    if (take_permit(p))
      return true;
    gch__pause();
  }
  return false;
}

static bool spin_until(struct gch_parker *p, int64_t start, int64_t end) {
  int64_t now = start;
  do {
    if (now - start >= BURST)
      sched_yield();
    if (look(p))
      return true;
    now = gch__now();
  } while (now < end);
  return false;
}

static bool yield_some(struct gch_parker *p) {
  for (int i = 0; i < YIELDS; i++) {
    sched_yield();
    if (take_permit(p))
      return true;
  }
  return false;
}

static int32_t spin_limit(void) {
  if (habit.limit == 0)
    habit.limit = SPIN_MAX;
  if (habit.limit > SPIN_MIN)
    return habit.limit;
  return ++habit.parks % RETRY == 0 ? SPIN_TRIAL : 0;
}

bool gch__spins(void) {
  return habit.limit != SPIN_MIN && !gch__task_self() && gch__processors() > 1;
}

static bool spin(struct gch_parker *p, int64_t deadline) {
  int32_t limit = spin_limit();
  if (limit == 0)
    return false;
  bool found;
  if (gch__processors() > 1) {
    int64_t start = gch__now(), end = gch__time_add(start, limit);
    found = spin_until(p, start, end < deadline ? end : deadline);
  } else {
    found = yield_some(p);
  }
  if (found)
    habit.limit = limit > SPIN_MAX / 2 ? SPIN_MAX : limit * 2;
  else
    habit.limit = limit / 2 > SPIN_MIN ? limit / 2 : SPIN_MIN;
  return found;
}

static int sleep_until(struct gch_parker *p, int64_t deadline) {
  uint32_t seen = GCH_PARKER_EMPTY, asleep = GCH_PARKER_ASLEEP;
  if (deadline == GCH__FOREVER && gch__counts_asleep())
    asleep = GCH_PARKER_COUNTED;
  GCH_DELAY();
  if (!atomic_compare_exchange_strong(&p->state, &seen, asleep)) {
    take_permit(p);
    return 0;
  }
  if (asleep == GCH_PARKER_COUNTED) {
    GCH_DELAY();
    atomic_fetch_add(&gch__asleep, GCH_ASLEEP_ADDED);
  }
  for (;;) {
    int err = gch__futex_wait(&p->state, asleep, deadline);
    if (take_permit(p))
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
  if (take_permit(p))
    return 0;
  if (deadline == GCH__FOREVER || deadline > gch__now())
    if (spin(p, deadline))
      return 0;
  return sleep_until(p, deadline);
}

int gch__park_by_state(struct gch_parker *p, int64_t deadline) {
  return p->task ? gch__task_park_until(p, deadline) : park_thread(p, deadline);
}

bool gch__park_polling(struct gch_parker *p, int64_t deadline) {
  uint32_t empty = GCH_PARKER_EMPTY, polling = GCH_PARKER_POLLING;
  if (deadline == GCH__FOREVER && gch__counts_asleep())
    polling = GCH_PARKER_POLLING_COUNTED;
  GCH_DELAY();
  if (!atomic_compare_exchange_strong(&p->state, &empty, polling)) {
    take_permit(p);
    return false;
  }
  if (polling == GCH_PARKER_POLLING_COUNTED)
    atomic_fetch_add(&gch__asleep, GCH_ASLEEP_ADDED);
  return true;
}

bool gch__parked_polling(struct gch_parker *p) {
  uint32_t seen = atomic_load(&p->state);
  GCH_DELAY();
  if (seen == GCH_PARKER_PERMIT ||
      !atomic_compare_exchange_strong(&p->state, &seen, GCH_PARKER_EMPTY)) {
    take_permit(p);
    return true;
  }
  if (seen == GCH_PARKER_POLLING_COUNTED)
    atomic_fetch_add(&gch__asleep, GCH_ASLEEP_TAKEN_OFF);
  return false;
}

/* The exchange in unpark, where sleepers are counted. A thread that could wake
   before it is taken off could be counted again, asleep on another parker, and
   stand for its waker, who is not asleep. */
static uint32_t give_permit_counting(struct gch_parker *p) {
  uint32_t seen = atomic_load(&p->state);
  bool taken_off = false;
  do {
    GCH_DELAY();
    if ((seen == GCH_PARKER_COUNTED || seen == GCH_PARKER_POLLING_COUNTED) &&
        !taken_off) {
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
  /* Release pairs with the acquire in take_permit. */
  return atomic_exchange_explicit(&p->state, GCH_PARKER_PERMIT,
                                  memory_order_acq_rel);
}

void gch__unpark_by_state(struct gch_parker *p) {
  struct gch_task *task = p->task;
  uint32_t before = give_permit(p);
  if (before < GCH_PARKER_ASLEEP)
    return;
  if (task)
    gch__task_ready(task);
  else if (before >= GCH_PARKER_POLLING)
    gch__poll_kick();
  else
    gch__futex_wake(&p->state);
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
