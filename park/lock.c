/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who sleeps on small locks: records on the sleepers' stacks, in buckets by a
 * hash of the lock's address.
 *
 *     sleeper   means                        who makes it so
 *     ASLEEP    asleep, or about to be       its owner
 *     WOKEN     it is to try the lock        a release; the first of its lock
 *
 * A bucket's list is in the order in which they came. It, and what is derived
 * from it, is guarded by the bucket's own lock, a futex that knows of no other
 * lock's sleepers; with it held nothing else is done. A sleeper takes itself
 * off, when it has the lock.
 *
 * A lock is wanted while somebody sleeps on it, none of them WOKEN. So one at a
 * time tries, and from the wake to its try all releases find as little to do as
 * if nobody slept. Where it fails it is ASLEEP again, in its old place, and the
 * lock wanted.
 *
 * No wake is lost. A sleeper makes the lock wanted, makes the heavy fence, and
 * tries the lock. If it is held then, its holder's release comes after the
 * fence, and sees that. Who has got the lock as a sleeper leaves it wanted by
 * the others before its own release.
 *
 * What a release asks (gch__lock_sleepers, then a bucket's wanted) is exact but
 * where two locks of one bucket are wanted: then it has to look at the list.
 */
#include "park/lock.h"

#include "park/begin.h"
#include "park/clock.h"
#include "park/cpu.h"
#include "park/delay.h"
#include "park/hash.h"

#include <sched.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>

_Atomic uint32_t gch__lock_sleepers =
    GCH_LOCK_FENCES; /* as they are at first */

enum { ASLEEP, WOKEN };

struct sleeper {
  const struct gch_lock *on;
  _Atomic uint32_t state;
  struct sleeper *next, **link;
};

/* Of its lock. Nobody frees a bucket: it may be touched after the release. */
enum { OPEN, SHUT, SHUT_AND_WAITED_FOR };

enum { BUCKET_BITS = 6, BUCKETS = 1 << BUCKET_BITS };
static struct bucket {
  alignas(64) _Atomic uintptr_t wanted; /* a lock's address; NONE, or SEVERAL */
  _Atomic uint32_t shut;
  uint32_t n; /* how many locks are wanted */
  struct sleeper *first, **end;
} buckets[BUCKETS];

enum { NONE, SEVERAL };

GCH_THREAD_LOCAL _Atomic uint32_t *gch__lock_naps;

/* Relaxed: who reads it goes by a hint. */
static void count_nap(void) {
  if (gch__lock_naps)
    atomic_fetch_add_explicit(gch__lock_naps, 1, memory_order_relaxed);
}

void gch__lock_nap_begins(void) {
  count_nap();
}

void gch__lock_nap_ends(void) {
  count_nap();
}

static void nap(_Atomic uint32_t *word, uint32_t expected) {
  gch__lock_nap_begins();
  gch__futex_wait(word, expected, GCH__FOREVER);
  gch__lock_nap_ends();
}

static struct bucket *bucket_of(const struct gch_lock *l) {
  return &buckets[gch__hash(l, BUCKET_BITS)];
}

static void hold(struct bucket *b) {
  uint32_t open = OPEN;
  if (atomic_compare_exchange_strong(&b->shut, &open, SHUT))
    return;
  while (atomic_exchange(&b->shut, SHUT_AND_WAITED_FOR) != OPEN)
    nap(&b->shut, SHUT_AND_WAITED_FOR);
}

static void let_go(struct bucket *b) {
  if (atomic_exchange(&b->shut, OPEN) == SHUT_AND_WAITED_FOR)
    gch__futex_wake(&b->shut);
}

/* The rest but the locks with the bucket held. */

static struct sleeper *first_on(const struct bucket *b,
                                const struct gch_lock *l) {
  struct sleeper *s = b->first;
  while (s && s->on != l)
    s = s->next;
  return s;
}

static bool is_asleep(struct sleeper *s) {
  return atomic_load_explicit(&s->state, memory_order_relaxed) == ASLEEP;
}

/* Only the first of a lock is ever WOKEN. */
static bool is_wanted(const struct bucket *b, const struct gch_lock *l) {
  struct sleeper *s = first_on(b, l);
  return s && is_asleep(s);
}

/* After a change of who sleeps on l. Relaxed: the heavy fence orders it, or
   that it is the same thread. */
static void note(struct bucket *b, const struct gch_lock *l, bool was_wanted) {
  bool wanted = is_wanted(b, l);
  uintptr_t which = NONE;
  if (wanted == was_wanted)
    return;
  b->n += wanted ? 1 : UINT32_MAX;
  if (b->n > 0)
    which = b->n == 1 && wanted ? (uintptr_t)l : SEVERAL;
  atomic_store_explicit(&b->wanted, which, memory_order_relaxed);
  atomic_fetch_add(&gch__lock_sleepers,
                   wanted ? GCH_LOCK_WANTED : -GCH_LOCK_WANTED);
}

static void add(struct bucket *b, struct sleeper *s) {
  if (!b->first)
    b->end = &b->first;
  s->link = b->end;
  s->next = NULL;
  *b->end = s;
  b->end = &s->next;
}

static void take_off(struct bucket *b, struct sleeper *s) {
  *s->link = s->next;
  if (s->next)
    s->next->link = s->link;
  else
    b->end = s->link;
}

/* Sleeping. s is not on the list yet, or WOKEN. */
static void sleep_on(struct gch_lock *l, struct bucket *b, struct sleeper *s) {
  hold(b);
  bool was_wanted = is_wanted(b, l);
  atomic_store_explicit(&s->state, ASLEEP, memory_order_relaxed);
  if (!s->link)
    add(b, s);
  note(b, l, was_wanted);
  let_go(b);
  GCH_DELAY();
}

static void leave(struct gch_lock *l, struct bucket *b, struct sleeper *s) {
  hold(b);
  bool was_wanted = is_wanted(b, l);
  take_off(b, s);
  note(b, l, was_wanted);
  let_go(b);
}

/* A holder is done in tens of nanoseconds, unless it lost its processor. But
   to fetch the lock's cache line and lose it again takes as long as several
   operations by who has it: so who finds the lock held once more stays away for
   more of those. Nanoseconds; in all less than a sleep and a wake cost. */
enum { FIRST = 16, LONGEST = 4096, IN_ALL = 16000 };

static bool spin(struct gch_lock *l) {
  uint32_t wait = FIRST;
  if (gch__processors() == 1)
    return gch__try_lock(l);
  for (uint32_t waited = 0; waited < IN_ALL;) {
    gch__pause_for(wait);
    waited += wait;
    uint32_t seen = atomic_load_explicit(&l->word, memory_order_relaxed);
    if (seen == GCH_LOCK_FREE && gch__try_lock(l))
      return true;
    if (wait < LONGEST)
      wait *= 4;
  }
  return false;
}

void gch__lock_slow(struct gch_lock *l) {
  if (spin(l))
    return;
  struct bucket *b = bucket_of(l);
  struct sleeper s = {.on = l};
  do {
    sleep_on(l, b, &s);
    gch__fence_heavy();
    if (gch__try_lock(l))
      break;
    while (is_asleep(&s))
      nap(&s.state, ASLEEP);
  } while (!spin(l));
  leave(l, b, &s);
}

/* The first on l is to try it, unless it is about to, or gone. Apart, so that
   the look before it needs no stack. */
__attribute__((noinline)) static void wake_first(struct bucket *b,
                                                 const struct gch_lock *l) {
  _Atomic uint32_t *state = NULL;
  hold(b);
  struct sleeper *s = first_on(b, l);
  if (s && is_asleep(s)) {
    state = &s->state;
    atomic_store_explicit(state, WOKEN, memory_order_relaxed);
    note(b, l, true);
  }
  let_go(b);
  if (state)
    gch__futex_wake(state);
}

static bool is_held(struct gch_lock *l) {
  return atomic_load_explicit(&l->word, memory_order_acquire) == GCH_LOCK_HELD;
}

void gch__lock_await(struct gch_lock *l) {
  uint32_t waited = 0;
  while (gch__processors() > 1 && waited < IN_ALL && is_held(l)) {
    gch__pause_for(FIRST);
    waited += FIRST;
  }
  if (!is_held(l))
    return;
  struct bucket *b = bucket_of(l);
  struct sleeper s = {.on = l};
  do {
    sleep_on(l, b, &s);
    gch__fence_heavy();
    while (is_held(l) && is_asleep(&s))
      nap(&s.state, ASLEEP);
  } while (is_held(l));
  leave(l, b, &s);
}

void gch__lock_wake(struct gch_lock *l) {
  if (atomic_load_explicit(&gch__lock_sleepers, memory_order_relaxed) &
      GCH_LOCK_FENCES)
    atomic_thread_fence(memory_order_seq_cst);
  struct bucket *b = bucket_of(l);
  uintptr_t wanted = atomic_load_explicit(&b->wanted, memory_order_relaxed);
  if (wanted == (uintptr_t)l || wanted == SEVERAL)
    wake_first(b, l);
}

void gch__lock_give_way(struct gch_lock *l) {
  struct bucket *b = bucket_of(l);
  hold(b);
  bool sleepers = first_on(b, l);
  let_go(b);
  if (gch__processors() > 1)
    gch__pause_for(sleepers ? LONGEST : LONGEST / 8);
  else if (sleepers)
    sched_yield();
}

/* In a forked child nobody sleeps. */
void gch__lock_forked(void) {
  atomic_store(&gch__lock_sleepers, gch__asymmetric ? 0 : GCH_LOCK_FENCES);
  for (int i = 0; i < BUCKETS; i++) {
    struct bucket *b = &buckets[i];
    atomic_store(&b->wanted, NONE);
    atomic_store(&b->shut, OPEN);
    b->n = 0;
    b->first = NULL;
  }
}

/* Who made a lock wanted before fences became asymmetric has done so before
   this: none is asleep when a release finds 0. */
void gch__lock_begin(void) {
  if (gch__asymmetric)
    atomic_fetch_sub(&gch__lock_sleepers, GCH_LOCK_FENCES);
}

/* Here, since who uses anything of the library uses this file. */
__attribute__((constructor(101))) static void at_load(void) {
  gch__begin();
}
