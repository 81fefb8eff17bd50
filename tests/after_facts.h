/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of functions that run after a context share. */
#ifndef GULCH_TESTS_AFTER_FACTS_H
#define GULCH_TESTS_AFTER_FACTS_H

#include "ctx_facts.h"
#include "own_ctx.h"
#include "tasks.h"

#include <stdatomic.h>

static atomic_int runs;

static inline void reset_runs(void) {
  atomic_store(&runs, 0);
}

static inline void count(void *arg) {
  (void)arg;
  atomic_fetch_add(&runs, 1);
}

static inline void block(void *c) {
  gch_recv(c, NULL);
}

#endif
