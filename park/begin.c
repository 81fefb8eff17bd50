/* SPDX-License-Identifier: BSD-3-Clause */
/*
 *     state       means                       who leaves it, to what
 *     FRESH       nobody has begun            the first caller, to its process
 *     a process   it is under way there       that caller, to DONE
 *     DONE        all is set up
 *
 * A fork may come in between, on another thread. The child finds its parent's
 * number, and does what is left: no pthread_once, in which a child may wait for
 * ever. Once there are handlers of fork, which are the last part, they tell the
 * child that all is done.
 */
#include "park/begin.h"

#include "park/clock.h"
#include "park/fence.h"
#include "park/futex.h"
#include "park/lock.h"

#include <errno.h>
#include <unistd.h>

enum { FRESH = 0, DONE = -1 };
static _Atomic uint32_t state;

static void begin(bool in_child) {
  if (in_child)
    gch__lock_forked();
  if (!gch__asymmetric) {
    gch__fence_begin();
    gch__lock_begin();
  }
  gch__fork_begin();
}

/* Each that wakes wakes the next. */
static void await(uint32_t self) {
  while (atomic_load(&state) == self)
    gch__futex_wait(&state, self, GCH__FOREVER);
  gch__futex_wake(&state);
}

static void begin_or_await(void) {
  uint32_t self = (uint32_t)getpid(), seen = FRESH;
  while (seen != self && seen != (uint32_t)DONE)
    if (atomic_compare_exchange_strong(&state, &seen, self)) {
      begin(seen != FRESH);
      atomic_store(&state, (uint32_t)DONE);
      gch__futex_wake(&state);
      return;
    }
  await(self);
}

void gch__begin(void) {
  int saved = errno;
  if (atomic_load(&state) != (uint32_t)DONE)
    begin_or_await();
  errno = saved;
}

void gch__begin_forked(void) {
  atomic_store(&state, (uint32_t)DONE);
}
