/* SPDX-License-Identifier: BSD-3-Clause */
/*
 *     state      means                         who leaves it, to what
 *     FRESH      nobody has asked              the first caller, to RUNNING
 *     RUNNING    fn runs, nobody waits         a later caller, to AWAITED;
 *                                              the first, to DONE
 *     AWAITED    fn runs, the list is not      the first caller, to DONE
 *                empty
 *     DONE       fn has returned
 *
 * The list is guarded by the lock outside, and so is the step to AWAITED and
 * that from it to DONE, which takes all off the list. A caller enlists by a
 * step that sees RUNNING or AWAITED; so the step to DONE, which comes later,
 * finds it, and no wake is lost. That step is the first caller's last touch:
 * after it another may return and free the once. Who was on the list does not
 * look at it again.
 *
 * Fork. In the child the list is empty at first. If fn ran it goes on there
 * only where it was fn that forked; else the next caller runs it anew, as with
 * pthread_once. Whose call it is stands in reserved[0]. That is written after
 * the step to RUNNING: where a fork comes in between, the caller did not fork.
 * process is up to date before that step, by whoever wants to make it.
 */
#include "sync/impl.h"

#include "park/clock.h"
#include "park/strict.h"

enum { FRESH, RUNNING, AWAITED, DONE };

/* With the lock held: in a forked child, before all that looks at the list, or
   at whether fn runs. */
static void forget_ghosts(gch_once *o) {
  if (!gch__is_inherited(&o->process))
    return;
  bool goes_on = o->reserved[0] == gch__forker;
  uint32_t seen = gch__load(&o->state);
  o->waiters = NULL;
  if (seen == AWAITED || (seen == RUNNING && !goes_on))
    gch__replace(&o->state, &seen, goes_on ? RUNNING : FRESH);
  gch__adopt(&o->process); /* last, for look_for_ghosts */
}

static void look_for_ghosts(gch_once *o) {
  if (!gch__is_inherited(&o->process))
    return;
  struct gch_lock *lock = gch__sleepers_lock(o);
  gch__lock(lock);
  forget_ghosts(o);
  gch__unlock(lock);
}

static void finish(gch_once *o) {
  struct gch_lock *lock = gch__sleepers_lock(o);
  uint32_t seen = RUNNING;
  if (gch__replace(&o->state, &seen, DONE))
    return;
  gch__lock(lock);
  forget_ghosts(o);
  struct gch_sleeper *taken = gch__take_all(&o->waiters);
  gch__store(&o->state, DONE);
  gch__unlock(lock);
  gch__wake_taken(taken);
}

/* With the lock held: false if fn has returned. */
static bool enlist(gch_once *o, struct gch_sleeper *s) {
  uint32_t seen = RUNNING;
  if (!gch__replace(&o->state, &seen, AWAITED) && seen == DONE)
    return false;
  gch__sleepers_add(&o->waiters, s);
  return true;
}

static void await(gch_once *o) {
  struct gch_lock *lock = gch__sleepers_lock(o);
  struct gch_sleeper s;
  gch__sleeper_init(&s, GCH__FOREVER, NULL);
  gch__lock(lock);
  bool waits = enlist(o, &s);
  gch__unlock(lock);
  if (waits)
    gch__sleep(&s, lock, GCH__FOREVER, GCH_WAIT_ONCE, o);
}

static void do_slow(gch_once *o, void (*fn)(void *), void *arg) {
  uint32_t seen = FRESH;
  look_for_ghosts(o);
  if (gch__replace(&o->state, &seen, RUNNING)) {
    o->reserved[0] = gch__self_number();
    fn(arg);
    finish(o);
  } else if (seen != DONE) {
    await(o);
  }
}

int gch_once_do(gch_once *o, void (*fn)(void *), void *arg) {
  bool done = gch__load(&o->state) == DONE;
  if (!fn)
    return gch__go_panics(EINVAL, done ? 0 : EINVAL,
                          "runtime error: invalid memory address or nil "
                          "pointer dereference");
  if (!done)
    do_slow(o, fn, arg);
  return 0;
}
