/* SPDX-License-Identifier: BSD-3-Clause */
/* What contexts.c and custom.c share. */
#ifndef GULCH_TESTS_CONTEXTS_H
#define GULCH_TESTS_CONTEXTS_H

#include "stress.h"

enum { CONTEXT_TESTS = 5, MOMENT = 30000 };

/* A child of some kind, perhaps with a deadline within MOMENT nanoseconds. */
gch_ctx *any_child(const gch_ctx *parent, uint32_t *random);

/* Requires of ctx what holds of any context at any time. */
void check_ctx(const gch_ctx *ctx);

void add_custom_tests(TCase *t);

#endif
