/* SPDX-License-Identifier: BSD-3-Clause */
/*
 *     bit       means                           who sets it, who clears it
 *     LOCKED    somebody has the mutex          who locks; who unlocks
 *     WAITERS   the list is not empty           who enlists; who empties it
 *     WOKEN     one sleeper was taken off to    who unlocks; that sleeper, in
 *               try, and has not tried yet      the step by which it has tried
 *
 * The list is guarded by the lock outside, and so is every change of WAITERS.
 *
 * No wake is lost: WAITERS implies LOCKED or WOKEN. A sleeper enlists by a step
 * that sees LOCKED. WOKEN is cleared by a step that sees, or sets, LOCKED. And
 * an unlock that would leave WAITERS alone takes a sleeper off, and with the
 * same store that clears LOCKED sets WOKEN; or it leaves LOCKED set and makes
 * that sleeper the owner. So somebody will always unlock, or try.
 *
 * That unlock, with WAITERS and no WOKEN, may store: with LOCKED set nobody
 * else locks or unlocks, without WOKEN no sleeper is about to try, and who
 * wants to change WAITERS needs the lock. The store is the last touch of the
 * mutex, as the compare-and-swap of an unlock without waiters is: the next
 * owner may free it.
 *
 * Nobody starves: who was woken and comes too late goes back to the head of
 * the list with the time at which it came first. The first unlock that finds
 * at the head one who has waited for PATIENCE hands over, and the mutex is
 * never free in between. All behind it came later, and get their turn by the
 * same rule.
 */
#include "sync/impl.h"

#include "park/clock.h"
#include "park/strict.h"

#define LOCKED 1u
#define WAITERS 2u
#define WOKEN 4u

enum { PATIENCE = 1000000 }; /* nanoseconds, as in Go */

struct locker {
  struct gch_sleeper sleeper; /* first: a list of sleepers is one of lockers */
  int64_t since;              /* when it was first enlisted */
  bool owns;                  /* set by who took it off: handed over */
  uint32_t woken;             /* WOKEN while it is the locker's to clear */
};

_Noreturn static void panic_unlocked(void) {
  gch_panic("sync: unlock of unlocked mutex");
}

/* Takes the mutex if it is free. */
static bool take(gch_mutex *m, uint32_t woken) {
  uint32_t seen = gch__load(&m->state);
  while (!(seen & LOCKED))
    if (gch__replace(&m->state, &seen, (seen | LOCKED) & ~woken))
      return true;
  return false;
}

/* With the lock held, before all that looks at the list: in a forked child it
   is empty at first, and nobody has been woken. (Where no one waits since,
   WOKEN may stay: it does no more than spare an unlock the list.) */
static void forget_ghosts(gch_mutex *m) {
  if (!gch__adopt(&m->process))
    return;
  m->waiters = NULL;
  gch__clear(&m->state, WAITERS | WOKEN);
}

/* With the lock held: puts l on the list; false if it took the mutex. */
static bool enlist(gch_mutex *m, struct locker *l) {
  forget_ghosts(m);
  uint32_t seen = gch__load(&m->state), next;
  do {
    next = (seen | (seen & LOCKED ? WAITERS : LOCKED)) & ~l->woken;
  } while (!gch__replace(&m->state, &seen, next));
  if (!(seen & LOCKED))
    return false;
  if (l->woken)
    gch__sleepers_add_first(&m->waiters, &l->sleeper);
  else
    gch__sleepers_add(&m->waiters, &l->sleeper);
  return true;
}

/* With the lock held, which it releases: l gives up. */
static void leave(gch_mutex *m, struct locker *l, struct gch_lock *lock) {
  gch__sleepers_remove(&m->waiters, &l->sleeper);
  if (!m->waiters)
    gch__clear(&m->state, WAITERS);
  gch__unlock(lock);
}

int gch__mutex_lock_slow(gch_mutex *m, int64_t deadline,
                         struct gch_way_out *out) {
  struct gch_lock *lock = gch__sleepers_lock(m);
  struct locker l = {.woken = 0};
  while (!take(m, l.woken)) {
    if (!l.woken)
      l.since = gch__now();
    gch__sleeper_init(&l.sleeper, deadline, out);
    gch__lock(lock);
    bool waits = enlist(m, &l);
    gch__unlock(lock);
    if (!waits) {
      gch__sleeper_end(&l.sleeper);
      return 0;
    }
    int err = gch__sleep(&l.sleeper, lock, deadline, GCH_WAIT_MUTEX, m);
    if (!l.sleeper.taken)
      leave(m, &l, lock);
    if (err)
      return err;
    if (l.owns)
      return 0;
    l.woken = WOKEN;
  }
  return 0;
}

static inline int lock_until(gch_mutex *m, int64_t deadline) {
  uint32_t seen = 0;
  if (gch__replace(&m->state, &seen, LOCKED))
    return 0;
  return gch__mutex_lock_slow(m, deadline, NULL);
}

int gch_mutex_lock_until(gch_mutex *m, int64_t deadline) {
  gch__check_deadline(deadline);
  return lock_until(m, deadline);
}

void gch_mutex_lock(gch_mutex *m) {
  lock_until(m, GCH__FOREVER);
}

int gch_mutex_try_lock(gch_mutex *m) {
  return take(m, 0) ? 0 : EAGAIN;
}

/* With the lock held: takes the first off the list, if there is one, and lets
   it have the mutex or a try. */
static struct gch_sleeper *pass_on(gch_mutex *m) {
  struct gch_sleeper *s = gch__take_first(&m->waiters);
  struct locker *first = (struct locker *)s;
  uint32_t rest = m->waiters ? WAITERS : 0;
  if (first)
    first->owns = gch__now() - first->since >= PATIENCE;
  if (!first)
    gch__store(&m->state, 0);
  else
    gch__store(&m->state, (first->owns ? LOCKED : WOKEN) | rest);
  return s;
}

static void unlock_slow(gch_mutex *m) {
  struct gch_lock *lock = gch__sleepers_lock(m);
  gch__lock(lock);
  forget_ghosts(m);
  struct gch_sleeper *s = pass_on(m);
  gch__unlock(lock);
  gch__wake_taken(s);
}

void gch_mutex_unlock(gch_mutex *m) {
  uint32_t seen = LOCKED, next = 0;
  while (!gch__replace(&m->state, &seen, next)) {
    if (!(seen & LOCKED))
      panic_unlocked();
    if ((seen & (WAITERS | WOKEN)) == WAITERS) {
      unlock_slow(m);
      return;
    }
    next = seen & ~LOCKED;
  }
}

void gch__must_be_locked(const gch_mutex *m) {
  if (!(gch__load(&m->state) & LOCKED))
    panic_unlocked();
}
