/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests whose child goes on to use the library while something goes on always
   in its parent: under AddressSanitizer with one worker (see fork_alone). */
#ifndef GULCH_TESTS_FORK_ALONE_H
#define GULCH_TESTS_FORK_ALONE_H

#include "harness.h"

static inline void one_worker(void) {
  if (FORK_ALONE)
    gch_maxprocs(1);
}

static inline Suite *fork_suite(const char *name) {
  one_worker();
  return suite_create(name);
}

/* Its tests fork: of a suite that is about more. */
static inline TCase *fork_case(Suite *s, const char *name) {
  TCase *t = test_case(s, name);
  tcase_add_checked_fixture(t, one_worker, NULL);
  return t;
}

#endif
