/* SPDX-License-Identifier: BSD-3-Clause */
#include "park/runs.h"

#include "park/fork.h"
#include "park/sleepers.h"

#include <gulch/panic.h>

#include <stddef.h>

struct gch_run {
  struct gch_run *next, **link;
  uintptr_t who;
};

/* The word: the runs under way, begun or not; the holders but those; which
   process the runs are of, modulo 2^24. */
enum { HOLDER_AT = 32, PROCESS_AT = 40 };
#define RUN UINT64_C(1)
#define HOLDER (UINT64_C(1) << HOLDER_AT)
#define HOLDERS (UINT64_C(0xff) << HOLDER_AT)

static uint32_t runs_in(uint64_t word) {
  return (uint32_t)word;
}

static bool is_left_alone(uint64_t word) {
  return word << (64 - PROCESS_AT) == 0;
}

static uint64_t this_process(void) {
  return (uint64_t)(uint32_t)gch__forks() << PROCESS_AT;
}

/* As this process sees it. */
static uint64_t adopted(uint64_t word) {
  uint64_t process = this_process();
  if (word >> PROCESS_AT == process >> PROCESS_AT)
    return word;
  return process | (word & HOLDERS);
}

/* Gives what it then is. */
static uint64_t change(struct gch_runs *r, uint64_t by) {
  uint64_t word = atomic_load(&r->word), now;
  do
    now = adopted(word) + by;
  while (!atomic_compare_exchange_weak(&r->word, &word, now));
  return now;
}

static struct gch_lock *lock_of(struct gch_runs *r) {
  struct gch_lock *lock = gch__sleepers_lock(r);
  gch__lock(lock);
  if (gch__adopt(&r->process)) {
    r->inside = NULL;
    r->waiters = NULL;
  }
  return lock;
}

void gch__runs_init(struct gch_runs *r, uint32_t holders) {
  *r = (struct gch_runs){.word = this_process() + holders * HOLDER,
                         .process = (uint32_t)gch__forks()};
}

void gch__runs_add(struct gch_runs *r) {
  change(r, RUN);
}

void gch__runs_become(struct gch_runs *r) {
  change(r, RUN - HOLDER);
}

static void enter(struct gch_runs *r, struct gch_run *run) {
  struct gch_lock *lock = lock_of(r);
  run->who = gch__self_number();
  run->next = r->inside;
  run->link = &r->inside;
  if (run->next)
    run->next->link = &run->next;
  r->inside = run;
  gch__unlock(lock);
}

static bool leave(struct gch_runs *r, struct gch_run *run) {
  struct gch_sleeper *waiters = NULL;
  struct gch_lock *lock = lock_of(r);
  *run->link = run->next;
  if (run->next)
    run->next->link = run->link;
  uint64_t word = change(r, -RUN);
  if (runs_in(word) == 0)
    waiters = gch__take_all(&r->waiters);
  gch__unlock(lock);
  gch__wake_taken(waiters);
  return is_left_alone(word);
}

bool gch__runs_call(struct gch_runs *r, void (*fn)(void *), void *arg) {
  struct gch_run run;
  enter(r, &run);
  gch__call_task(fn, arg);
  return leave(r, &run);
}

bool gch__runs_let_go(struct gch_runs *r, uint32_t n) {
  struct gch_lock *lock = lock_of(r);
  uint64_t word = change(r, -(n * HOLDER));
  gch__unlock(lock);
  return is_left_alone(word);
}

/* Those who would end it want the lock. */
static bool is_under_way(struct gch_runs *r) {
  return runs_in(adopted(atomic_load(&r->word))) > 0;
}

/* With the lock held. */
static bool is_inside(const struct gch_runs *r) {
  uintptr_t who = gch__self_number();
  const struct gch_run *run = r->inside;
  while (run && run->who != who)
    run = run->next;
  return run;
}

bool gch__runs_await(struct gch_runs *r) {
  struct gch_sleeper s;
  gch__sleeper_init(&s, GCH__FOREVER, NULL);
  struct gch_lock *lock = lock_of(r);
  bool inside = is_inside(r), waits = !inside && is_under_way(r);
  if (waits)
    gch__sleepers_add(&r->waiters, &s);
  gch__unlock(lock);
  if (inside)
    gch_panic("gulch: stop_wait inside the function that it waits for");
  return waits && gch__sleep(&s, lock, GCH__FOREVER, GCH_WAIT_FUNC, NULL) == 0;
}
