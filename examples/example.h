/* SPDX-License-Identifier: BSD-3-Clause */
/* What the examples share. */
#ifndef GULCH_EXAMPLE_H
#define GULCH_EXAMPLE_H

#include <gulch.h>

#include <stdio.h>
#include <stdlib.h>

/* Says on stderr what could not be done and why; main's exit status. */
static inline int fail(const char *what, int err) {
  fprintf(stderr, "%s: %s\n", what, gch_strerror(err));
  return EXIT_FAILURE;
}

static inline const char *yes_no(bool b) {
  return b ? "yes" : "no";
}

#endif
