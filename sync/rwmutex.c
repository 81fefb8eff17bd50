/* SPDX-License-Identifier: BSD-3-Clause */
/*
 *     state     means                           who sets it, who clears it
 *     WRITER    a writer has it                 who locks; who unlocks
 *     WAITERS   a list is not empty             who enlists; who empties them
 *     the rest  the count of readers that       who rlocks; who runlocks
 *               have it, in units of READER
 *
 * Both lists, and every change of WAITERS, are guarded by the lock outside.
 *
 * WAITERS stops all who come: so a waiting writer stops new readers. It implies
 * that somebody has the rwmutex; and a reader waits only for a writer that has
 * it or waits for it:
 *
 *     WRITER            readers and writers may wait
 *     readers have it   writers may wait; readers only if a writer does
 *     free              nobody waits
 *
 * With WAITERS set it is handed over, never free in between, and under the
 * lock: by a writer to all readers that wait, else to the first writer; by the
 * last reader to the first writer. So no wake is lost. And nobody starves: a
 * reader waits for one writer to come and go; a writer for the writers that
 * came before it, and for one crowd of readers before each.
 *
 * The step that hands over, or frees it, is the last touch of who had it, and
 * who was handed it does not touch it before its return: the next owner may
 * free it.
 *
 * A writer that gives up may have been what readers waited for. Then it lets
 * them in; or, where who hands over found that all writers were lost (see
 * park/sleepers.h), that does.
 */
#include "sync/impl.h"

#include "park/clock.h"
#include "park/strict.h"

#define WRITER 1u
#define WAITERS 2u
#define READER 4u
#define ANY UINT32_MAX

static uint32_t waiters_bit(const gch_rwmutex *rw) {
  return rw->readers || rw->writers ? WAITERS : 0;
}

/* Their shares of the state. */
static uint32_t shares(const struct gch_sleeper *readers) {
  uint32_t sum = 0;
  for (; readers; readers = readers->next)
    sum += READER;
  return sum;
}

/* With the lock held, before all that looks at the lists: in a forked child they
   are empty at first. */
static void forget_ghosts(gch_rwmutex *rw) {
  if (!gch__is_inherited(&rw->process))
    return;
  rw->readers = rw->writers = NULL;
  gch__clear(&rw->state, WAITERS);
  gch__adopt(&rw->process);
}

/* Adds share unless one of the bits in stops is set. */
static bool enter(gch_rwmutex *rw, uint32_t share, uint32_t stops) {
  uint32_t seen = gch__load(&rw->state);
  while (!(seen & stops))
    if (gch__replace(&rw->state, &seen, seen + share))
      return true;
  return false;
}

/* The same with the lock held: if it does not, WAITERS is set. */
static bool enter_or_wait(gch_rwmutex *rw, uint32_t share, uint32_t stops) {
  uint32_t seen = gch__load(&rw->state), next;
  do {
    next = seen & stops ? seen | WAITERS : seen + share;
  } while (!gch__replace(&rw->state, &seen, next));
  return !(seen & stops);
}

/* With the lock held: takes the readers off, if nothing stops them now but a
   WAITERS that holds no longer. */
static struct gch_sleeper *let_readers_in(gch_rwmutex *rw) {
  if (rw->writers || gch__load(&rw->state) & WRITER)
    return NULL;
  return gch__take_all(&rw->readers);
}

/* With the lock held, which it releases: s gives up. Readers that have it
   may be leaving at the same time, though not the last. */
static void leave(gch_rwmutex *rw, void **list, struct gch_sleeper *s,
                  struct gch_lock *lock) {
  gch__sleepers_remove(list, s);
  struct gch_sleeper *readers = let_readers_in(rw);
  uint32_t gone = WAITERS ^ waiters_bit(rw);
  GCH_DELAY();
  /* Relaxed: what is published here, the unparks publish. */
  __atomic_fetch_add(&rw->state, shares(readers) - gone, __ATOMIC_RELAXED);
  gch__unlock(lock);
  gch__wake_taken(readers);
}

static int wait_for(gch_rwmutex *rw, void **list, uint32_t share,
                    uint32_t stops, int64_t deadline, struct gch_way_out *out) {
  struct gch_lock *lock = gch__sleepers_lock(rw);
  struct gch_sleeper s;
  gch__sleeper_init(&s, deadline, out);
  gch__lock(lock);
  forget_ghosts(rw);
  bool entered = enter_or_wait(rw, share, stops);
  if (!entered)
    gch__sleepers_add(list, &s);
  gch__unlock(lock);
  if (entered) {
    gch__sleeper_end(&s);
    return 0;
  }
  int err = gch__sleep(&s, lock, deadline,
                       share == WRITER ? GCH_WAIT_LOCK : GCH_WAIT_RLOCK, rw);
  if (!s.taken)
    leave(rw, list, &s, lock);
  return err;
}

/* Reading */

int gch__rwmutex_rlock(gch_rwmutex *rw, int64_t deadline,
                       struct gch_way_out *out) {
  if (enter(rw, READER, WRITER | WAITERS))
    return 0;
  return wait_for(rw, &rw->readers, READER, WRITER | WAITERS, deadline, out);
}

int gch_rwmutex_rlock_until(gch_rwmutex *rw, int64_t deadline) {
  gch__check_deadline(deadline);
  return gch__rwmutex_rlock(rw, deadline, NULL);
}

void gch_rwmutex_rlock(gch_rwmutex *rw) {
  gch__rwmutex_rlock(rw, GCH__FOREVER, NULL);
}

/* Where WAITERS may speak of ghosts: try again. */
static bool enter_without_ghosts(gch_rwmutex *rw) {
  if (!gch__is_inherited(&rw->process))
    return false;
  struct gch_lock *lock = gch__sleepers_lock(rw);
  gch__lock(lock);
  forget_ghosts(rw);
  gch__unlock(lock);
  return enter(rw, READER, WRITER | WAITERS);
}

int gch_rwmutex_try_rlock(gch_rwmutex *rw) {
  if (enter(rw, READER, WRITER | WAITERS) || enter_without_ghosts(rw))
    return 0;
  return EAGAIN;
}

/* With the lock held: hands over to who is next. The caller's share is all that
   keeps the rwmutex, and WAITERS is set: nobody else changes the state. */
static struct gch_sleeper *pass_on(gch_rwmutex *rw, uint32_t mine) {
  struct gch_sleeper *readers = NULL, *writer = NULL;
  if (mine == WRITER)
    readers = gch__take_all(&rw->readers);
  if (!readers)
    writer = gch__take_first(&rw->writers);
  if (!readers && !writer) /* all writers were lost: they stop nobody */
    readers = gch__take_all(&rw->readers);
  gch__store(&rw->state, (writer ? WRITER : shares(readers)) | waiters_bit(rw));
  return writer ? writer : readers;
}

/* Passes on, if there still is somebody to pass on to: if, besides the caller's
   share, the state has WAITERS and nothing else. */
static bool unlock_slow(gch_rwmutex *rw, uint32_t mine) {
  struct gch_lock *lock = gch__sleepers_lock(rw);
  struct gch_sleeper *next = NULL;
  gch__lock(lock);
  forget_ghosts(rw);
  bool alone = gch__load(&rw->state) == (mine | WAITERS);
  if (alone)
    next = pass_on(rw, mine);
  gch__unlock(lock);
  gch__wake_taken(next);
  return alone;
}

void gch_rwmutex_runlock(gch_rwmutex *rw) {
  for (;;) {
    uint32_t seen = gch__load(&rw->state);
    if (seen < READER)
      gch_panic("sync: RUnlock of unlocked RWMutex");
    if (seen == (READER | WAITERS)
            ? unlock_slow(rw, READER)
            : gch__replace(&rw->state, &seen, seen - READER))
      return;
  }
}

/* Writing */

int gch__rwmutex_lock(gch_rwmutex *rw, int64_t deadline,
                      struct gch_way_out *out) {
  if (enter(rw, WRITER, ANY))
    return 0;
  return wait_for(rw, &rw->writers, WRITER, ANY, deadline, out);
}

int gch_rwmutex_lock_until(gch_rwmutex *rw, int64_t deadline) {
  gch__check_deadline(deadline);
  return gch__rwmutex_lock(rw, deadline, NULL);
}

void gch_rwmutex_lock(gch_rwmutex *rw) {
  gch__rwmutex_lock(rw, GCH__FOREVER, NULL);
}

int gch_rwmutex_try_lock(gch_rwmutex *rw) {
  return enter(rw, WRITER, ANY) ? 0 : EAGAIN;
}

void gch_rwmutex_unlock(gch_rwmutex *rw) {
  uint32_t seen = WRITER;
  while (!gch__replace(&rw->state, &seen, 0)) {
    if (!(seen & WRITER))
      gch_panic("sync: Unlock of unlocked RWMutex");
    if (unlock_slow(rw, WRITER))
      return;
    seen = WRITER;
  }
}
