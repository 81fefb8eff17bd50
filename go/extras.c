/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which C++ runtimes there are: the one that the dynamic linker, or the linker,
 * finds for the library itself, by a weak symbol; and those of which the C++
 * files that include gulch tell (base.h), as those of a plugin that a C program
 * has loaded, or that has its runtime within. Such a one stays in memory from
 * then on.
 *
 * runtimes.known counts those in runtimes.of, and grows by release, for the
 * acquire in gch__exceptions_leave.
 */
#include "go/extras.h"

#include "go/sanitizer.h"
#include "park/fence.h"
#include "park/lock.h"
#include "park/stay.h"

#include <gulch/base.h>

bool gch__plain;

typedef void *globals_fn(void);

static struct {
  struct gch_lock lock; /* of who adds one */
  _Atomic int known;
  globals_fn *of[GCH_CXX_RUNTIMES];
} runtimes;

__attribute__((weak)) void *__cxa_get_globals(void);

/* By its answer: the same function may have two addresses. */
static bool is_known(globals_fn *fn) {
  int n = atomic_load(&runtimes.known);
  for (int i = 0; i < n; i++)
    if (runtimes.of[i] == fn || runtimes.of[i]() == fn())
      return true;
  return n == GCH_CXX_RUNTIMES;
}

static void add(globals_fn *fn) {
  gch__lock(&runtimes.lock);
  if (!is_known(fn)) {
    int n = atomic_load(&runtimes.known);
    runtimes.of[n] = fn;
    atomic_store(&runtimes.known, n + 1);
  }
  gch__unlock(&runtimes.lock);
  if (gch__plain)
    gch__plain = false;
}

/* The list is whole whoever held the lock. */
void gch__extras_forked(void) {
  gch__lock_reset(&runtimes.lock);
}

void gch_cxx_runtime(void *(*globals)(void)) {
  if (!globals || is_known(globals))
    return;
  gch__keep_loaded((void *)globals);
  add(globals);
}

/* With the lock: nobody adds one meanwhile who takes it for false already. */
void gch__extras_begin(void) {
  if (__cxa_get_globals)
    add(__cxa_get_globals);
  gch__lock(&runtimes.lock);
  gch__plain =
      gch__asymmetric && !gch__sanitized() && atomic_load(&runtimes.known) == 0;
  gch__unlock(&runtimes.lock);
}

void gch__exceptions_leave(struct gch_exceptions *e) {
  int n = atomic_load_explicit(&runtimes.known, memory_order_acquire);
  e->runtimes = n;
  for (int i = 0; i < n; i++) {
    struct gch_cxx_globals *now = runtimes.of[i]();
    e->of[i] = *now;
    *now = (struct gch_cxx_globals){0};
  }
}

void gch__exceptions_arrive(const struct gch_exceptions *e) {
  for (int i = 0; i < e->runtimes; i++)
    if (e->of[i].caught || e->of[i].uncaught)
      *(struct gch_cxx_globals *)runtimes.of[i]() = e->of[i];
}
