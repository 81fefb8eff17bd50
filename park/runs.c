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

static struct gch_lock *lock_of(struct gch_runs *r) {
  struct gch_lock *lock = gch__sleepers_lock(r);
  gch__lock(lock);
  if (gch__adopt(&r->process)) {
    r->count = 0;
    r->inside = NULL;
    r->waiters = NULL;
  }
  return lock;
}

static bool is_left_alone(const struct gch_runs *r) {
  return r->holders + r->count == 0;
}

void gch__runs_init(struct gch_runs *r, uint32_t holders) {
  *r = (struct gch_runs){.holders = holders, .process = (uint32_t)gch__forks()};
}

void gch__runs_add(struct gch_runs *r) {
  struct gch_lock *lock = lock_of(r);
  r->count++;
  gch__unlock(lock);
}

void gch__runs_become(struct gch_runs *r) {
  struct gch_lock *lock = lock_of(r);
  r->holders--;
  r->count++;
  gch__unlock(lock);
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
  if (--r->count == 0)
    waiters = gch__take_all(&r->waiters);
  bool last = is_left_alone(r);
  gch__unlock(lock);
  gch__wake_taken(waiters);
  return last;
}

bool gch__runs_call(struct gch_runs *r, void (*fn)(void *), void *arg) {
  struct gch_run run;
  enter(r, &run);
  gch__call_task(fn, arg);
  return leave(r, &run);
}

bool gch__runs_let_go(struct gch_runs *r, uint32_t n) {
  struct gch_lock *lock = lock_of(r);
  r->holders -= n;
  bool last = is_left_alone(r);
  gch__unlock(lock);
  return last;
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
  bool inside = is_inside(r), waits = r->count > 0 && !inside;
  if (waits)
    gch__sleepers_add(&r->waiters, &s);
  gch__unlock(lock);
  if (inside)
    gch_panic("gulch: stop_wait inside the function that it waits for");
  return waits && gch__sleep(&s, lock, GCH__FOREVER, GCH_WAIT_FUNC, NULL) == 0;
}
