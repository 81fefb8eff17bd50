/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long, and whether at all. A partner that sleeps answers after the time
 * that a wake takes, which is 3 to 60 microseconds, as the machine is: so it is
 * measured. Who spins for less sleeps in its turn, and has to be woken; and two
 * that talk to each other then both sleep each time, though neither would have
 * to. Whose spins fail leaves them alone for a while, counted in the waits that
 * a spin would have ended: who always waits for long never spins.
 *
 * Whom a thread waits for may need this very processor. So it keeps it for no
 * longer than a partner on another one takes to answer, and then yields it
 * between its looks: a yield that lets the partner run is cheaper than a sleep
 * and a wake. But where others compute it lasts for milliseconds, and who had
 * slept would have been back sooner: so yields too are left alone then. On one
 * processor it does nothing but yield, a few times.
 */
#include "park/spin.h"

#include "park/habit.h"
#include "park/hash.h"

#include <sched.h>

/* Nanoseconds: of the spins' length, and how much of it is without yields; and
   what makes a yield one that lost the processor. */
enum { LEAST = 20000, MOST = 100000, BURST = 1000, LOST = 1000000 };

/* Looks between two yields, or two readings of the clock; yields on one
   processor. */
enum { LOOKS = 32, YIELDS = 2 };

/* For habit.h: of spins, which waste microseconds; of yields, which waste
   milliseconds, and as how many failures each counts. */
enum { MOST_SPINS = 7, MOST_YIELDS = 16, DEAR = 8 };

/* What has been worth it to this thread. */
static GCH_THREAD_LOCAL struct {
  struct gch_habit spins, yields;
} habit;

/* What a wake has taken lately. Relaxed, these and those below: whoever races
   loses a measurement. */
static _Atomic int32_t wake_time = 0;

/* When somebody was woken last, by the address of its parker. */
enum { STAMP_BITS = 5 };
static _Atomic int64_t stamps[1 << STAMP_BITS];

static _Atomic int64_t *stamp_of(const struct gch_parker *p) {
  return &stamps[gch__hash(p, STAMP_BITS)];
}

void gch__spin_wakes(const struct gch_parker *p) {
  if (gch__processors() > 1)
    atomic_store_explicit(stamp_of(p), gch__now(), memory_order_relaxed);
}

/* Who is woken may have to wait for a processor too: so the shorter count for
   more, and what took longer than any spin for nothing. */
enum { SHORTER = 4, LONGER = 32 };

static void note_wake(int64_t took) {
  int32_t known = atomic_load_explicit(&wake_time, memory_order_relaxed);
  if (took > MOST)
    return;
  known += ((int32_t)took - known) / (took < known ? SHORTER : LONGER);
  atomic_store_explicit(&wake_time, known, memory_order_relaxed);
}

static int32_t limit(void) {
  int32_t twice = 2 * atomic_load_explicit(&wake_time, memory_order_relaxed);
  return twice < LEAST ? LEAST : twice < MOST ? twice : MOST;
}

void gch__spin_slept(const struct gch_parker *p, int64_t start) {
  int64_t now = gch__now(), end = now;
  int64_t woken = atomic_load_explicit(stamp_of(p), memory_order_relaxed);
  if (woken >= start && woken <= now) {
    note_wake(now - woken);
    end = woken;
  }
  if (end - start < limit())
    gch__habit_rested(&habit.spins);
}

static bool look(struct gch_parker *p) {
  for (int i = 0; i < LOOKS; i++) {
    if (gch__take_permit(p))
      return true;
    gch__pause();
  }
  return false;
}

/* How spinning went. */
enum result { NOT_TRIED, NOT_FOUND, FOUND_LATE, FOUND };

/* Yields, at the time now, which is set to that after it. Whether the processor
   was lost. */
static bool yield(int64_t *now) {
  int64_t before = *now;
  sched_yield();
  *now = gch__now();
  if (*now - before < LOST)
    return false;
  gch__habit_failed(&habit.yields, DEAR, MOST_YIELDS);
  return true;
}

/* Without yields. */
static enum result look_until(struct gch_parker *p, int64_t end) {
  while (!look(p))
    if (gch__now() >= end)
      return NOT_FOUND;
  return FOUND;
}

/* The permit was there after a yield. */
static enum result yielded(bool lost) {
  if (lost)
    return FOUND_LATE;
  gch__habit_paid(&habit.yields);
  return FOUND;
}

static enum result yield_until(struct gch_parker *p, int64_t end) {
  int64_t now = gch__now();
  while (now < end) {
    bool lost = yield(&now);
    if (look(p))
      return yielded(lost);
    now = gch__now();
  }
  return NOT_FOUND;
}

static enum result spin_until(struct gch_parker *p, int64_t start,
                              int64_t end) {
  int64_t burst = start + BURST;
  enum result r = look_until(p, burst < end ? burst : end);
  if (r == FOUND || burst >= end)
    return r;
  if (gch__habit_tries(&habit.yields))
    return yield_until(p, end);
  gch__habit_rested(&habit.yields);
  return look_until(p, end);
}

static enum result yield_some(struct gch_parker *p, int64_t now) {
  if (!gch__habit_tries(&habit.yields)) {
    gch__habit_rested(&habit.yields);
    return NOT_TRIED;
  }
  for (int i = 0; i < YIELDS; i++) {
    bool lost = yield(&now);
    if (gch__take_permit(p))
      return yielded(lost);
  }
  return NOT_FOUND;
}

bool gch__spins(void) {
  return gch__habit_tries(&habit.spins) && !gch__task_self() &&
         gch__processors() > 1;
}

bool gch__spin(struct gch_parker *p, int64_t start, int64_t deadline) {
  enum result r;
  if (!gch__habit_tries(&habit.spins))
    return false;
  if (gch__processors() > 1) {
    int64_t end = gch__time_add(start, limit());
    r = spin_until(p, start, end < deadline ? end : deadline);
  } else {
    r = yield_some(p, start);
  }
  if (r == FOUND)
    gch__habit_paid(&habit.spins);
  else if (r == NOT_FOUND)
    gch__habit_failed(&habit.spins, 1, MOST_SPINS);
  return r >= FOUND_LATE;
}
