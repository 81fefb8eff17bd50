/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A parker is what one sleeper sleeps on: one permit, as in Java and Rust.
 * park takes the permit, and sleeps until there is one; unpark gives it.
 *
 *     state     means                          who changes it, to what
 *     EMPTY     no permit, nobody asleep       the sleeper to ASLEEP
 *     ASLEEP    the sleeper is in the kernel   the sleeper to EMPTY
 *     PERMIT    a permit; from any state       the sleeper to EMPTY
 *     COUNTED   ASLEEP without a deadline, and
 *               in gch__asleep: a thread, where gch__count_asleep is set
 *     POLLING   as ASLEEP, a thread, in      the sleeper to EMPTY
 *               the poller (park/poll.h);
 *               and so POLLING_COUNTED
 *
 * No wake is lost: sleeping starts with a compare-and-swap from EMPTY, which
 * a permit given before makes fail, and the kernel sleeps only while the word
 * still is ASLEEP. A system call is made to wake only who is ASLEEP.
 *
 * A parker mostly lives on its sleeper's stack. The exchange in unpark is the
 * last touch: after it the sleeper may have returned and the memory be gone.
 * A sleeper that somebody has undertaken to unpark must therefore take that
 * permit before it returns.
 *
 * The sleeper is a thread, asleep on the word as a futex, or a task. A task
 * with a deadline uses the same states: the deadline, too, is somebody who
 * takes it from ASLEEP. A task without one needs no state: who undertakes to
 * unpark it does so exactly once, and the task does not go on before. (It may
 * be made ready before it has stopped; go/switch.c says why that is all right.)
 *
 * This is the only file that knows what kinds of sleepers there are. Who wants
 * to sleep calls gch__parker_init and gch__park, who wakes calls gch__unpark,
 * and no one else looks inside.
 */
#ifndef GCH_PARK_PARKER_H
#define GCH_PARK_PARKER_H

#include "park/clock.h"
#include "park/delay.h"
#include "park/futex.h"
#include "park/setting.h"
#include "park/task.h"

#include <stdbool.h>

struct gch_parker {
  _Atomic uint32_t state;
  bool uses_state;
  struct gch_task *task; /* the sleeper; NULL: a thread */
};

enum {
  GCH_PARKER_EMPTY,
  GCH_PARKER_PERMIT,
  GCH_PARKER_ASLEEP,
  GCH_PARKER_COUNTED,
  GCH_PARKER_POLLING,
  GCH_PARKER_POLLING_COUNTED
};

/* For debug/deadlock.c: the threads that are asleep for good. The low half is
   how many, never too high: a sleeper is added when it can no more turn back,
   and taken off by who wakes it, before that gives the permit. The high half
   changes with each. Both halves, as one sum of ADDED and TAKEN_OFF. */
extern _Atomic uint64_t gch__asleep;
#define GCH_ASLEEP_ADDED ((UINT64_C(1) << 32) + 1)
#define GCH_ASLEEP_TAKEN_OFF ((UINT64_C(1) << 32) - 1)

/* In a forked child: its one thread is awake. */
void gch__parker_forked(void);

/* Whether they are counted: GULCH_DEADLOCK. Read before the first thread that
   might be sleeps. */
extern GCH_HIDDEN gch__setting gch__count_asleep;

/* Reads it, in debug/deadlock.c. To be called with no lock held. */
bool gch__deadlock_read(void);

static inline bool gch__counts_asleep(void) {
  /* Relaxed: as in gch__is_on. */
  unsigned char now =
      atomic_load_explicit(&gch__count_asleep, memory_order_relaxed);
  return now != GCH_OFF && (now == GCH_ON || gch__deadlock_read());
}

/* Of what one known thread sleeps on, and no task. */
#define GCH_PARKER_OF_THREAD                                                   \
  { .uses_state = true }

/* The caller, task or else a thread (NULL), is who will sleep on p, at first
   until deadline. */
static inline void gch__parker_init_for(struct gch_parker *p,
                                        struct gch_task *task,
                                        int64_t deadline) {
  atomic_init(&p->state, GCH_PARKER_EMPTY);
  p->task = task;
  p->uses_state = !task || deadline != GCH__FOREVER;
}

static inline void gch__parker_init(struct gch_parker *p, int64_t deadline) {
  gch__parker_init_for(p, gch__task_self(), deadline);
}

/* Takes the permit, waiting for it until the absolute monotonic time deadline
   (nanoseconds): the one given to init, or, when that has passed, FOREVER. 0 or
   ETIMEDOUT. Everything before the unpark is visible. */
int gch__park_by_state(struct gch_parker *p, int64_t deadline);

static inline int gch__park(struct gch_parker *p, int64_t deadline) {
  GCH_DELAY();
  if (p->uses_state)
    return gch__park_by_state(p, deadline);
  gch__task_stop();
  return 0;
}

/* For a thread that is to sleep in the poller until deadline. False: there was
   a permit, which it has taken. And when it is back, before it wakes anybody:
   whether it has taken one. */
bool gch__park_polling(struct gch_parker *p, int64_t deadline);
bool gch__parked_polling(struct gch_parker *p);

/* Gives the permit. Async-signal-safe where GCH_HAVE_FUTEX. */
void gch__unpark_by_state(struct gch_parker *p);

static inline void gch__unpark(struct gch_parker *p) {
  GCH_DELAY();
  if (p->uses_state)
    gch__unpark_by_state(p);
  else
    gch__task_ready(p->task);
}

/* Whether it may pay that the caller waits a few microseconds before it parks:
   a thread, one of several processors, and its spins have not failed lately. */
bool gch__spins(void);

/* Sleeps until deadline on what nobody wakes. ETIMEDOUT, in the end. */
int gch__park_alone(int64_t deadline);

#endif
