/* SPDX-License-Identifier: BSD-3-Clause */
/* What stacks are like in this process: their size, and whether they
   execute. */
#ifndef GCH_GO_STACK_SIZE_H
#define GCH_GO_STACK_SIZE_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of a task's stack, without its guard; whole pages: GULCH_STACK_SIZE,
   read once, or 256 kB. */
size_t gch__stack_size(void);

/* Whether the program, or something loaded by now, has code on the stack, as
   GNU C's nested functions do when they are called by a pointer. */
bool gch__stacks_execute(void);

#endif
