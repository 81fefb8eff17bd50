/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A list of sleepers, in the order in which they came, guarded by the lock
 * outside; and WAITERS in the state, changed under that lock: the list is not
 * empty.
 *
 * A waiter enlists while it holds the mutex, and unlocks it then. Whoever
 * changes what it waits for holds the mutex before or after that: before, and
 * the waiter has seen the change; after, and the signal, which comes later
 * still, sees WAITERS. So no signal is lost.
 *
 * A signal is for one who is listed, and takes it off: it goes to nobody who
 * comes later, and who is out of time either leaves the list by itself or has
 * been signalled. After a signal or broadcast has taken all off, the cond may
 * be freed: who was taken looks at the mutex only.
 */
#include "sync/impl.h"

#include "park/clock.h"
#include "park/strict.h"

#define WAITERS 1u

/* With the lock held, before all that looks at the list: in a forked child it
   is empty at first. */
static void forget_ghosts(gch_cond *c) {
  if (gch__adopt(&c->process))
    c->waiters = NULL;
}

/* With the lock held. */
static void note_if_empty(gch_cond *c) {
  if (!c->waiters)
    gch__clear(&c->state, WAITERS);
}

static void enlist(gch_cond *c, struct gch_sleeper *s, struct gch_lock *lock) {
  gch__lock(lock);
  forget_ghosts(c);
  gch__sleepers_add(&c->waiters, s);
  /* The mutex orders this before the look of who signals. */
  __atomic_fetch_or(&c->state, WAITERS, __ATOMIC_RELAXED);
  gch__unlock(lock);
}

int gch__cond_sleep(gch_cond *c, gch_mutex *m, int64_t deadline,
                    struct gch_way_out *out) {
  struct gch_lock *lock = gch__sleepers_lock(c);
  struct gch_sleeper s;
  gch__sleeper_init(&s, deadline, out);
  enlist(c, &s, lock);
  gch_mutex_unlock(m);
  int err = gch__sleep(&s, lock, deadline, GCH_WAIT_COND, c);
  if (!s.taken) {
    gch__sleepers_remove(&c->waiters, &s);
    note_if_empty(c);
    gch__unlock(lock);
  }
  return err;
}

int gch_cond_wait_until(gch_cond *c, gch_mutex *m, int64_t deadline) {
  gch__check_deadline(deadline);
  gch__must_be_locked(m);
  int err = gch__cond_sleep(c, m, deadline, NULL);
  gch_mutex_lock(m);
  return err;
}

void gch_cond_wait(gch_cond *c, gch_mutex *m) {
  gch_cond_wait_until(c, m, GCH__FOREVER);
}

static void wake(gch_cond *c, struct gch_sleeper *take(void **list)) {
  if (!(gch__load(&c->state) & WAITERS))
    return;
  struct gch_lock *lock = gch__sleepers_lock(c);
  gch__lock(lock);
  forget_ghosts(c);
  struct gch_sleeper *taken = take(&c->waiters);
  note_if_empty(c);
  gch__unlock(lock);
  gch__wake_taken(taken);
}

void gch_cond_signal(gch_cond *c) {
  wake(c, gch__take_first);
}

void gch_cond_broadcast(gch_cond *c) {
  wake(c, gch__take_all);
}
