/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * state is the count (high half) and WAITERS: somebody is on the list at
 * wg->waiters, which means nothing while WAITERS is clear. The list, and what
 * is on it, is guarded by a lock outside the wait group, chosen by its
 * address: a lock inside could not be released without touching memory that
 * may be gone.
 *
 * The step from "count is n, these wait" to "count is 0, none waits" is one
 * compare-and-swap by the add that makes it, under that lock, and its last
 * touch of the wait group. A late wait that then sees zero may return and free
 * it. Those on the list learn from their own memory that they were taken
 * (guarded by the lock) and wake by their parker; they do not look at the wait
 * group again, since another waiter may have freed it.
 *
 * A wait sets WAITERS while the count is not zero, in one compare-and-swap;
 * from then on the count gets to zero only through the lock. So no wake is
 * lost.
 */
#include "waitgroup/count.h"

#include "go/spawn.h"
#include "park/lock.h"
#include "park/parker.h"
#include "park/delay.h"
#include "park/fork.h"
#include "park/strict.h"

#include <pthread.h>
#include <stdalign.h>

#define WAITERS UINT64_C(1)
#define COUNT_SHIFT 32

struct waiter {
  struct waiter *next, *prev;
  struct gch_parker parker;
  bool taken;
};

enum { LOCKS = 64 };
static struct { alignas(64) struct gch_lock lock; } locks[LOCKS];

static void reset_locks(void) {
  for (int i = 0; i < LOCKS; i++)
    gch__lock_reset(&locks[i].lock);
}

__attribute__((constructor)) static void register_fork(void) {
  pthread_atfork(NULL, NULL, reset_locks);
}

static struct gch_lock *lock_of(const gch_wg *wg) {
  return &locks[((uintptr_t)wg >> 5) % LOCKS].lock;
}

static uint64_t load(const gch_wg *wg) {
  /* Acquire pairs with the release of the add that made the count zero. */
  return __atomic_load_n(&wg->state, __ATOMIC_ACQUIRE);
}

static bool replace(gch_wg *wg, uint64_t *seen, uint64_t state) {
  GCH_DELAY();
  return __atomic_compare_exchange_n(&wg->state, seen, state, false,
                                     __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static int64_t count_of(uint64_t state) {
  return (int64_t)(state >> COUNT_SHIFT);
}

static uint64_t with_count(uint64_t state, int64_t count) {
  return (uint64_t)count << COUNT_SHIFT | (state & WAITERS);
}

size_t gch__wg_count(const gch_wg *wg) {
  return (size_t)count_of(load(wg));
}

static void check(int64_t count) {
  if (count < 0)
    gch_panic("sync: negative WaitGroup counter");
  if (count > INT32_MAX)
    gch_panic("sync: WaitGroup counter overflow");
}

/* With the lock held: adds n, which may make the count zero; *first is who is
   released by that. Returns the count; if it is negative nothing changed. */
static int64_t change(gch_wg *wg, int n, struct waiter **first) {
  uint64_t seen = load(wg);
  for (;;) {
    int64_t count = count_of(seen) + n;
    bool releases = count == 0 && (seen & WAITERS);
    *first = releases ? wg->waiters : NULL;
    if (count < 0 || replace(wg, &seen, releases ? 0 : with_count(seen, count)))
      return count;
  }
}

/* Apart, so that the common add needs no stack. */
__attribute__((noinline)) static void release(gch_wg *wg, int n) {
  struct gch_lock *lock = lock_of(wg);
  struct waiter *first;
  gch__lock(lock);
  int64_t count = change(wg, n, &first);
  for (struct waiter *w = first; w; w = w->next)
    w->taken = true;
  gch__unlock(lock);
  check(count);
  for (struct waiter *next; first; first = next) {
    next = first->next; /* first is gone after its unpark */
    gch__unpark(&first->parker);
  }
}

/* More releases nobody, so it need not look at the state before. */
static void add_more(gch_wg *wg, int n) {
  uint64_t more = (uint64_t)n << COUNT_SHIFT;
  GCH_DELAY();
  int64_t count =
      count_of(__atomic_fetch_add(&wg->state, more, __ATOMIC_ACQ_REL)) + n;
  if (count > INT32_MAX) /* which leaves room to see it */
    __atomic_fetch_sub(&wg->state, more, __ATOMIC_RELAXED);
  check(count);
}

void gch_wg_add(gch_wg *wg, int n) {
  if (n > 0) {
    add_more(wg, n);
    return;
  }
  uint64_t seen = load(wg);
  int64_t count;
  do {
    count = count_of(seen) + n;
    check(count);
    if (count == 0 && (seen & WAITERS)) {
      release(wg, n);
      return;
    }
  } while (!replace(wg, &seen, with_count(seen, count)));
}

void gch_wg_done(gch_wg *wg) {
  gch_wg_add(wg, -1);
}

/* With the lock held: puts w on the list; false where the count is zero. */
static bool enlist(gch_wg *wg, struct waiter *w) {
  uint64_t seen = load(wg);
  do {
    if (count_of(seen) == 0)
      return false;
  } while (!(seen & WAITERS) && !replace(wg, &seen, seen | WAITERS));
  w->prev = NULL;
  w->next = seen & WAITERS ? wg->waiters : NULL;
  if (w->next)
    w->next->prev = w;
  wg->waiters = w;
  return true;
}

/* With the lock held: takes w, which was not taken, off the list. */
static void leave(gch_wg *wg, struct waiter *w) {
  if (w->next)
    w->next->prev = w->prev;
  if (w->prev)
    w->prev->next = w->next;
  else
    wg->waiters = w->next;
  if (!w->prev && !w->next)
    __atomic_fetch_and(&wg->state, ~WAITERS, __ATOMIC_RELAXED);
}

int gch_wg_wait_until(gch_wg *wg, int64_t deadline) {
  if (count_of(load(wg)) == 0)
    return 0;
  struct gch_lock *lock = lock_of(wg);
  struct waiter w = {.taken = false};
  gch__parker_init(&w.parker, deadline);
  gch__lock(lock);
  bool waits = enlist(wg, &w);
  gch__unlock(lock);
  if (!waits || gch__park(&w.parker, deadline) == 0)
    return 0;
  gch__lock(lock);
  if (!w.taken)
    leave(wg, &w);
  gch__unlock(lock);
  return w.taken ? gch__park(&w.parker, INT64_MAX) : ETIMEDOUT;
}

void gch_wg_wait(gch_wg *wg) {
  gch_wg_wait_until(wg, INT64_MAX);
}

static void run(void *wg, void *fn, void *arg) {
  gch__call_task((void (*)(void *))fn, arg);
  gch_wg_done(wg);
}

int gch_wg_go(gch_wg *wg, void (*fn)(void *), void *arg) {
  if (!fn)
    return gch__go_panics(EINVAL, EINVAL, "go of nil func value");
  gch_wg_add(wg, 1);
  int err = gch__spawn(run, wg, (void *)fn, arg);
  if (err)
    gch_wg_add(wg, -1);
  return err;
}
