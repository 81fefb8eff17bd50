/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * state is the count (high half) and WAITERS: the list of sleepers at
 * wg->waiters is not empty. Without WAITERS that pointer means nothing.
 *
 * The step from "count is n, these wait" to "count is 0, none waits" is one
 * compare-and-swap by the add that makes it, under the list's lock, which is
 * outside (park/sleepers.h), and its last touch of the wait group. A late wait
 * that then sees zero may return and free it. Those who were on the list do not
 * look at the wait group again, since another may have freed it.
 *
 * A wait sets WAITERS while the count is not zero, in one compare-and-swap;
 * from then on the count gets to zero only through the lock. So no wake is
 * lost.
 */
#include "waitgroup/count.h"

#include "context/way_out.h"
#include "go/spawn.h"
#include "park/delay.h"
#include "park/fork.h"
#include "park/sleepers.h"
#include "park/strict.h"

#include <errno.h>

#define WAITERS UINT64_C(1)
#define COUNT_SHIFT 32
#define ONE (UINT64_C(1) << COUNT_SHIFT)

static uint64_t load(const gch_wg *wg) {
  /* Acquire pairs with the release of the add that made the count zero. */
  return __atomic_load_n(&wg->state, __ATOMIC_ACQUIRE);
}

static bool replace(gch_wg *wg, uint64_t *seen, uint64_t state) {
  GCH_DELAY();
  return __atomic_compare_exchange_n(&wg->state, seen, state, false,
                                     __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static size_t count_of(uint64_t state) {
  return (size_t)(state >> COUNT_SHIFT);
}

size_t gch__wg_count(const gch_wg *wg) {
  return count_of(load(wg));
}

_Noreturn static void panic_negative(void) {
  gch_panic("sync: negative WaitGroup counter");
}

/* With the lock held, before all that looks at the list: in a forked child it
   is empty at first. */
static void forget_ghosts(gch_wg *wg) {
  if (gch__adopt(&wg->process))
    __atomic_fetch_and(&wg->state, ~WAITERS, __ATOMIC_RELAXED);
}

/* The step by which less comes off the count may be that to zero, and somebody
   waits. Apart, so that the others need no stack. */
__attribute__((noinline)) static void release(gch_wg *wg, uint64_t less) {
  struct gch_lock *lock = gch__sleepers_lock(wg);
  void *list;
  bool enough;
  gch__lock(lock);
  forget_ghosts(wg);
  uint64_t seen = load(wg), next;
  do {
    next = seen - less;
    enough = seen >= less;
    list = next == WAITERS ? wg->waiters : NULL;
  } while (enough && !replace(wg, &seen, list ? 0 : next));
  struct gch_sleeper *taken = gch__take_all(&list);
  gch__unlock(lock);
  if (!enough)
    panic_negative();
  gch__wake_taken(taken);
}

static void subtract(gch_wg *wg, uint64_t less) {
  uint64_t seen = load(wg);
  do {
    if (seen < less)
      panic_negative();
    if (seen - less == WAITERS) {
      release(wg, less);
      return;
    }
  } while (!replace(wg, &seen, seen - less));
}

/* More releases nobody, so it need not look at the state before. The sign bit
   leaves room to see a count over INT32_MAX. */
static void add(gch_wg *wg, uint64_t more) {
  GCH_DELAY();
  /* Acquire-release, as in replace. */
  if ((int64_t)__atomic_add_fetch(&wg->state, more, __ATOMIC_ACQ_REL) >= 0)
    return;
  __atomic_fetch_sub(&wg->state, more, __ATOMIC_RELAXED);
  gch_panic("sync: WaitGroup counter overflow");
}

void gch_wg_add(gch_wg *wg, int n) {
  if (n > 0)
    add(wg, (uint64_t)n << COUNT_SHIFT);
  else
    subtract(wg, (uint64_t)(-(int64_t)n) << COUNT_SHIFT);
}

void gch_wg_done(gch_wg *wg) {
  subtract(wg, ONE);
}

/* With the lock held: puts s on the list; false where the count is zero. */
static bool enlist(gch_wg *wg, struct gch_sleeper *s) {
  forget_ghosts(wg);
  uint64_t seen = load(wg);
  do {
    if (count_of(seen) == 0)
      return false;
  } while (!(seen & WAITERS) && !replace(wg, &seen, seen | WAITERS));
  if (!(seen & WAITERS))
    wg->waiters = NULL;
  gch__sleepers_add(&wg->waiters, s);
  return true;
}

/* With the lock held, which it releases: s gives up. */
static void leave(gch_wg *wg, struct gch_sleeper *s, struct gch_lock *lock) {
  gch__sleepers_remove(&wg->waiters, s);
  if (!wg->waiters)
    __atomic_fetch_and(&wg->state, ~WAITERS, __ATOMIC_RELAXED);
  gch__unlock(lock);
}

static int wait_for_zero(gch_wg *wg, int64_t deadline,
                         struct gch_way_out *out) {
  struct gch_lock *lock = gch__sleepers_lock(wg);
  struct gch_sleeper s;
  gch__sleeper_init(&s, deadline, out);
  gch__lock(lock);
  bool waits = enlist(wg, &s);
  gch__unlock(lock);
  if (!waits) {
    gch__sleeper_end(&s);
    return 0;
  }
  int err = gch__sleep(&s, lock, deadline, GCH_WAIT_WG, wg);
  if (!s.taken)
    leave(wg, &s, lock);
  return err;
}

int gch_wg_wait_until(gch_wg *wg, int64_t deadline) {
  gch__check_deadline(deadline);
  return count_of(load(wg)) == 0 ? 0 : wait_for_zero(wg, deadline, NULL);
}

void gch_wg_wait(gch_wg *wg) {
  if (count_of(load(wg)) != 0)
    wait_for_zero(wg, GCH__FOREVER, NULL);
}

int gch_wg_wait_ctx(const gch_ctx *ctx, gch_wg *wg) {
  struct gch_ctx_way_out o;
  int err = gch__way_out_init(&o, ctx);
  if (err || count_of(load(wg)) == 0)
    return err;
  return gch__way_out_err(&o, wait_for_zero(wg, GCH__FOREVER, o.way));
}

static void run(void *fn, void *wg, void *arg) {
  gch__call_task((void (*)(void *))fn, arg);
  gch_wg_done(wg);
}

static void run_copy(void *fn, void *copy, void *wg) {
  run(fn, wg, copy);
}

static void run_word(void *fn, void *word, void *wg) {
  _Alignas(max_align_t) void *copy[1] = {word};
  run(fn, wg, copy);
}

/* err of a start that was counted. */
static int started(gch_wg *wg, int err) {
  if (err)
    gch_wg_done(wg);
  return err;
}

int gch_wg_go(gch_wg *wg, void (*fn)(void *), void *arg) {
  if (!fn)
    return gch__go_panics(EINVAL, EINVAL, GCH_NIL_FUNC);
  gch_wg_add(wg, 1);
  return started(wg, gch__spawn(run, (void *)fn, wg, arg));
}

int gch_wg_go_copy(gch_wg *wg, void (*fn)(void *), const void *arg,
                   size_t size) {
  if (!fn)
    return gch__go_panics(EINVAL, EINVAL, GCH_NIL_FUNC);
  if (!arg && size > 0)
    return EINVAL;
  gch_wg_add(wg, 1);
  return started(
      wg, gch__spawn_copy(run_copy, run_word, (void *)fn, arg, size, wg));
}

int gch_wg_go_with(gch_wg *wg, const gch_go_opts *opts, void (*fn)(void *),
                   void *arg) {
  if (!fn)
    return gch__go_panics(EINVAL, EINVAL, GCH_NIL_FUNC);
  gch_wg_add(wg, 1);
  return started(wg, gch__spawn_as(opts, run, (void *)fn, wg, arg));
}
