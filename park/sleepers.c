/* SPDX-License-Identifier: BSD-3-Clause */
#include "park/sleepers.h"

#include "park/clock.h"

#include <errno.h>
#include <stdalign.h>

enum { LOCKS = 64, LOCKS_LOG2 = 6 };
static struct { alignas(64) struct gch_lock lock; } locks[LOCKS];

static void lock_all(void) {
  for (int i = 0; i < LOCKS; i++)
    gch__lock(&locks[i].lock);
}

static void unlock_all(void) {
  for (int i = 0; i < LOCKS; i++)
    gch__unlock(&locks[i].lock);
}

const struct gch_fork_handlers gch__fork_sleepers = {lock_all, unlock_all,
                                                     unlock_all};

/* Multiplicative hashing: the high bits depend on all of the address. */
struct gch_lock *gch__sleepers_lock(const void *object) {
  uint64_t mixed = (uint64_t)(uintptr_t)object * UINT64_C(0x9e3779b97f4a7c15);
  return &locks[mixed >> (64 - LOCKS_LOG2)].lock;
}

void gch__sleepers_add(void **list, struct gch_sleeper *s) {
  struct gch_sleeper *first = *list;
  s->taken = false;
  if (!first) {
    *list = s->next = s->prev = s;
    return;
  }
  s->next = first;
  s->prev = first->prev;
  s->next->prev = s->prev->next = s;
}

void gch__sleepers_add_first(void **list, struct gch_sleeper *s) {
  gch__sleepers_add(list, s);
  *list = s;
}

void gch__sleepers_remove(void **list, struct gch_sleeper *s) {
  s->next->prev = s->prev;
  s->prev->next = s->next;
  if (*list == s)
    *list = s->next == s ? NULL : s->next;
}

static bool claim(struct gch_sleeper *s) {
  GCH_DELAY();
  return !s->out || s->out->claim(s->out);
}

struct gch_sleeper *gch__take_first(void **list) {
  struct gch_sleeper *first;
  while ((first = *list)) {
    gch__sleepers_remove(list, first);
    first->taken = true;
    if (claim(first)) {
      first->next = NULL;
      return first;
    }
  }
  return NULL;
}

struct gch_sleeper *gch__take_all(void **list) {
  struct gch_sleeper *first = *list, *next, *taken = NULL, **end = &taken;
  if (!first)
    return NULL;
  *list = NULL;
  first->prev->next = NULL;
  for (struct gch_sleeper *s = first; s; s = next) {
    next = s->next;
    s->taken = true;
    if (claim(s)) {
      *end = s;
      end = &s->next;
    }
  }
  *end = NULL;
  return taken;
}

void gch__wake_taken(struct gch_sleeper *taken) {
  for (struct gch_sleeper *next; taken; taken = next) {
    next = taken->next; /* taken is gone after its unpark */
    gch__unpark(taken->out ? taken->out->parker : &taken->parker);
  }
}

static int sleep(struct gch_sleeper *s, struct gch_lock *lock,
                 int64_t deadline) {
  int err = s->out ? s->out->sleep(s->out) : gch__park(&s->parker, deadline);
  if (err == 0)
    return 0;
  GCH_DELAY();
  gch__lock(lock);
  if (!s->taken)
    return err;
  gch__unlock(lock);
  return s->out ? err : gch__park(&s->parker, GCH__FOREVER);
}

int gch__sleep(struct gch_sleeper *s, struct gch_lock *lock, int64_t deadline,
               enum gch_wait_for what, const void *object) {
  struct gch_wait *wait = gch__wait_begin(what, object);
  int err = sleep(s, lock, deadline);
  gch__wait_end(wait);
  return err;
}
