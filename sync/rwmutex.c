/* SPDX-License-Identifier: BSD-3-Clause */
/*
 *     bit       means                             who sets it, who clears it
 *     WRITER    a writer has the seat             who takes it; who gives it up
 *     RWAIT     rw->readers is not empty          who enlists; who empties it
 *     WWAIT     rw->writers is not empty          who enlists; who empties it
 *     WOKEN     a writer was taken off to try     who gives up the seat; that
 *               for the seat, and has not yet     writer, when it has tried
 *     DRAINS    who has the seat sleeps until     that writer; who wakes it
 *               the readers are gone (rw->seat)
 *     the rest  the count of readers that have it, in units of READER
 *
 * A writer that does not have it soon takes the seat, which no new reader
 * passes, then waits until those who have it are gone: who has the seat while
 * no reader has it has the rwmutex. So a writer that readers keep out stops new
 * ones. The lists, and all changes of RWAIT, WWAIT and DRAINS, are guarded by
 * the lock outside.
 *
 * No wake is lost. RWAIT implies WRITER: a reader enlists by a step that sees
 * it, and who gives up the seat lets in all that wait. WWAIT implies WRITER or
 * WOKEN, as in the mutex. DRAINS is set by a step that sees readers, and the
 * last of them to leave sees it.
 *
 * Who runs may be faster than who was woken. But a writer that has waited for
 * PATIENCE is handed the seat, which then is never free in between; who was
 * woken and comes too late goes back to the head of the list. And a reader
 * waits for no more than one writer to come and go. So nobody starves.
 *
 * The step by which one leaves is its last touch of the rwmutex; it needs no
 * look by one who was let in: the next owner may free it.
 *
 * Who has the seat may give up. Then it lets the readers in; or, where the last
 * reader found it lost (see park/sleepers.h), that does.
 *
 * Fork. In the child a seat whose writer waited is given up. So a writer takes
 * it over readers only when process is of this one.
 */
#include "sync/impl.h"

#include "park/clock.h"
#include "park/cpu.h"
#include "park/strict.h"

#define WRITER 1u
#define RWAIT 2u
#define WWAIT 4u
#define WOKEN 8u
#define DRAINS 16u
#define READER 32u
#define READERS (~(READER - 1))

enum { PATIENCE = 1000000 }; /* nanoseconds, as in the mutex */

struct writer {
  struct gch_sleeper sleeper; /* first: a list of sleepers is one of writers */
  int64_t since;              /* when it was first enlisted */
  bool has_seat;              /* set by who took it off: handed over */
  uint32_t woken;             /* WOKEN while it is the writer's to clear */
};

/* Their shares of the state. */
static uint32_t shares(const struct gch_sleeper *readers) {
  uint32_t sum = 0;
  for (; readers; readers = readers->next)
    sum += READER;
  return sum;
}

/* With the lock held, before all that looks at the lists: in a forked child
   they are empty at first. */
static void forget_ghosts(gch_rwmutex *rw) {
  if (!gch__is_inherited(&rw->process))
    return;
  uint32_t seen = gch__load(&rw->state), next;
  rw->readers = rw->writers = rw->seat = NULL;
  do {
    next = seen & (READERS | WRITER);
    if (next & READERS)
      next &= ~WRITER;
  } while (!gch__replace(&rw->state, &seen, next));
  gch__adopt(&rw->process);
}

/* Whether there may have been some. */
static bool look_for_ghosts(gch_rwmutex *rw) {
  if (!gch__is_inherited(&rw->process))
    return false;
  struct gch_lock *lock = gch__sleepers_lock(rw);
  gch__lock(lock);
  forget_ghosts(rw);
  gch__unlock(lock);
  return true;
}

/* Adds share, less the bits in less, unless one of those in stops is set. */
static bool enter(gch_rwmutex *rw, uint32_t share, uint32_t stops,
                  uint32_t less) {
  uint32_t seen = gch__load(&rw->state);
  while (!(seen & stops))
    if (gch__replace(&rw->state, &seen, (seen & ~less) + share))
      return true;
  return false;
}

/* The same with the lock held: if it does not, the bit waits is set. */
static bool enter_or_wait(gch_rwmutex *rw, uint32_t share, uint32_t waits,
                          uint32_t less) {
  uint32_t seen = gch__load(&rw->state), next;
  do {
    next = (seen & ~less) + share;
    if (seen & WRITER)
      next = (seen & ~less) | waits;
  } while (!gch__replace(&rw->state, &seen, next));
  return !(seen & WRITER);
}

/* Who has it is mostly done in a moment. Nanoseconds: the first look, and all. */
enum { FIRST = 16, IN_ALL = 2000 };

static bool spin(gch_rwmutex *rw, uint32_t share, uint32_t stops,
                 uint32_t less) {
  if (gch__processors() == 1)
    return false;
  for (uint32_t wait = FIRST, all = 0; all < IN_ALL; all += wait, wait *= 2) {
    gch__pause_for(wait);
    if (enter(rw, share, stops, less))
      return true;
  }
  return false;
}

/* The seat */

/* Who is to be woken: at most one writer, first; and readers. */
struct woken {
  struct gch_sleeper *writer, *readers;
};

/* With the lock held, where the caller has the seat, or is the last reader and
   its writer is lost: gives the seat up, and the share mine. Readers may be
   leaving meanwhile, though not the last. */

static struct woken give_up_seat(gch_rwmutex *rw, uint32_t mine) {
  struct woken w = {NULL, gch__take_all(&rw->readers)};
  uint32_t seen = gch__load(&rw->state), more = shares(w.readers), next;
  if (!(seen & WOKEN))
    w.writer = gch__take_first(&rw->writers);
  if (w.writer) {
    struct writer *first = (struct writer *)w.writer;
    first->has_seat = gch__now() - first->since >= PATIENCE;
    more += first->has_seat ? WRITER : WOKEN;
  }
  if (rw->writers)
    more += WWAIT;
  do {
    next = (seen & (READERS | WOKEN)) - mine + more;
  } while (!gch__replace(&rw->state, &seen, next));
  return w;
}

static void wake(struct woken w) {
  gch__wake_taken(w.writer);
  gch__wake_taken(w.readers);
}

/* With the lock held, which it releases: s leaves the list of those who wait,
   whose bit that is. */
static void leave(gch_rwmutex *rw, void **list, uint32_t waits,
                  struct gch_sleeper *s, struct gch_lock *lock) {
  gch__sleepers_remove(list, s);
  if (!*list)
    gch__clear(&rw->state, waits);
  gch__unlock(lock);
}

/* Reading */

static int wait_to_read(gch_rwmutex *rw, int64_t deadline,
                        struct gch_way_out *out) {
  struct gch_lock *lock = gch__sleepers_lock(rw);
  struct gch_sleeper s;
  gch__sleeper_init(&s, deadline, out);
  gch__lock(lock);
  forget_ghosts(rw);
  bool entered = enter_or_wait(rw, READER, RWAIT, 0);
  if (!entered)
    gch__sleepers_add(&rw->readers, &s);
  gch__unlock(lock);
  if (entered) {
    gch__sleeper_end(&s);
    return 0;
  }
  int err = gch__sleep(&s, lock, deadline, GCH_WAIT_RLOCK, rw);
  if (!s.taken)
    leave(rw, &rw->readers, RWAIT, &s, lock);
  return err;
}

int gch__rwmutex_rlock(gch_rwmutex *rw, int64_t deadline,
                       struct gch_way_out *out) {
  if (enter(rw, READER, WRITER, 0) || spin(rw, READER, WRITER, 0))
    return 0;
  return wait_to_read(rw, deadline, out);
}

int gch_rwmutex_rlock_until(gch_rwmutex *rw, int64_t deadline) {
  gch__check_deadline(deadline);
  return gch__rwmutex_rlock(rw, deadline, NULL);
}

void gch_rwmutex_rlock(gch_rwmutex *rw) {
  gch__rwmutex_rlock(rw, GCH__FOREVER, NULL);
}

int gch_rwmutex_try_rlock(gch_rwmutex *rw) {
  if (enter(rw, READER, WRITER, 0) ||
      (look_for_ghosts(rw) && enter(rw, READER, WRITER, 0)))
    return 0;
  return EAGAIN;
}

static bool is_awaited(uint32_t seen) {
  return (seen & DRAINS) && (seen & READERS) == READER;
}

/* Lets the writer have it that waits for this last reader; false: it is not. */
static bool runlock_slow(gch_rwmutex *rw) {
  struct gch_lock *lock = gch__sleepers_lock(rw);
  struct woken w = {NULL, NULL};
  gch__lock(lock);
  forget_ghosts(rw);
  uint32_t seen = gch__load(&rw->state);
  bool last = is_awaited(seen);
  if (last && (w.writer = gch__take_first(&rw->seat)))
    while (!gch__replace(&rw->state, &seen, seen - READER - DRAINS))
      ;
  else if (last)
    w = give_up_seat(rw, READER);
  gch__unlock(lock);
  wake(w);
  return last;
}

void gch_rwmutex_runlock(gch_rwmutex *rw) {
  for (;;) {
    uint32_t seen = gch__load(&rw->state);
    if (seen < READER)
      gch_panic("sync: RUnlock of unlocked RWMutex");
    if ((seen & WRITER) && look_for_ghosts(rw))
      continue;
    if (is_awaited(seen) ? runlock_slow(rw)
                         : gch__replace(&rw->state, &seen, seen - READER))
      return;
  }
}

/* Writing */

/* With the lock held: puts w on the list; false if it took the seat. */
static bool enlist(gch_rwmutex *rw, struct writer *w) {
  forget_ghosts(rw);
  if (enter_or_wait(rw, WRITER, WWAIT, w->woken))
    return false;
  if (w->woken)
    gch__sleepers_add_first(&rw->writers, &w->sleeper);
  else
    gch__sleepers_add(&rw->writers, &w->sleeper);
  return true;
}

static int take_seat(gch_rwmutex *rw, int64_t deadline,
                     struct gch_way_out *out) {
  struct gch_lock *lock = gch__sleepers_lock(rw);
  struct writer w = {.woken = 0};
  while (!enter(rw, WRITER, WRITER, w.woken) &&
         !spin(rw, WRITER, WRITER, w.woken)) {
    if (!w.woken)
      w.since = gch__now();
    gch__sleeper_init(&w.sleeper, deadline, out);
    gch__lock(lock);
    bool waits = enlist(rw, &w);
    gch__unlock(lock);
    if (!waits) {
      gch__sleeper_end(&w.sleeper);
      return 0;
    }
    int err = gch__sleep(&w.sleeper, lock, deadline, GCH_WAIT_LOCK, rw);
    if (!w.sleeper.taken)
      leave(rw, &rw->writers, WWAIT, &w.sleeper, lock);
    if (err)
      return err;
    if (w.has_seat)
      return 0;
    w.woken = WOKEN;
  }
  return 0;
}

/* With the lock held: whether there are readers, whom s is to sleep for. */
static bool sit_down(gch_rwmutex *rw, struct gch_sleeper *s) {
  uint32_t seen = gch__load(&rw->state);
  do {
    if (!(seen & READERS))
      return false;
  } while (!gch__replace(&rw->state, &seen, seen | DRAINS));
  gch__sleepers_add(&rw->seat, s);
  return true;
}

/* With the lock held, which it releases: who has the seat gives up. */
static void stand_up(gch_rwmutex *rw, struct gch_sleeper *s,
                     struct gch_lock *lock) {
  gch__sleepers_remove(&rw->seat, s);
  struct woken w = give_up_seat(rw, 0);
  gch__unlock(lock);
  wake(w);
}

/* Who has the seat waits for the readers to go. */
static int drain(gch_rwmutex *rw, int64_t deadline, struct gch_way_out *out) {
  if (enter(rw, 0, READERS, 0) || spin(rw, 0, READERS, 0))
    return 0;
  struct gch_lock *lock = gch__sleepers_lock(rw);
  struct gch_sleeper s;
  gch__sleeper_init(&s, deadline, out);
  gch__lock(lock);
  bool waits = sit_down(rw, &s);
  gch__unlock(lock);
  if (!waits) {
    gch__sleeper_end(&s);
    return 0;
  }
  int err = gch__sleep(&s, lock, deadline, GCH_WAIT_LOCK, rw);
  if (!s.taken)
    stand_up(rw, &s, lock);
  return err;
}

/* Has it at once, if nobody has. */
static bool take(gch_rwmutex *rw) {
  return enter(rw, WRITER, READERS | WRITER, 0);
}

/* Has it soon, where readers have it, before it stops anybody. A seat that
   waits for a reader which has lost its processor, or was let in while it slept,
   stops all others; they sleep, are let in, and so have the next writer wait. */
static bool take_soon(gch_rwmutex *rw) {
  enum { TIMES = 4 };
  for (int i = 0; i < TIMES && !(gch__load(&rw->state) & WRITER); i++)
    if (spin(rw, WRITER, READERS | WRITER, 0))
      return true;
  return false;
}

int gch__rwmutex_lock(gch_rwmutex *rw, int64_t deadline,
                      struct gch_way_out *out) {
  if (take(rw))
    return 0;
  look_for_ghosts(rw);
  if (take_soon(rw))
    return 0;
  int err = take_seat(rw, deadline, out);
  return err ? err : drain(rw, deadline, out);
}

int gch_rwmutex_lock_until(gch_rwmutex *rw, int64_t deadline) {
  gch__check_deadline(deadline);
  return gch__rwmutex_lock(rw, deadline, NULL);
}

void gch_rwmutex_lock(gch_rwmutex *rw) {
  gch__rwmutex_lock(rw, GCH__FOREVER, NULL);
}

int gch_rwmutex_try_lock(gch_rwmutex *rw) {
  return take(rw) ? 0 : EAGAIN;
}

static void unlock_slow(gch_rwmutex *rw) {
  struct gch_lock *lock = gch__sleepers_lock(rw);
  gch__lock(lock);
  forget_ghosts(rw);
  struct woken w = give_up_seat(rw, 0);
  gch__unlock(lock);
  wake(w);
}

void gch_rwmutex_unlock(gch_rwmutex *rw) {
  uint32_t seen = WRITER;
  while (!gch__replace(&rw->state, &seen, seen & ~WRITER)) {
    if (!(seen & WRITER) || (seen & READERS))
      gch_panic("sync: Unlock of unlocked RWMutex");
    if ((seen & RWAIT) || (seen & (WWAIT | WOKEN)) == WWAIT) {
      unlock_slow(rw);
      return;
    }
  }
}
