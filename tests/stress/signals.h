/* SPDX-License-Identifier: BSD-3-Clause */
/* What signals.c and forks.c share. */
#ifndef GULCH_TESTS_SIGNALS_H
#define GULCH_TESTS_SIGNALS_H

#include "stress.h"

enum { SIGNAL_TESTS = 4 };

/* A handler that is there before the library's. */
void install_old(int sig);

void add_fork_tests(TCase *t);

#endif
