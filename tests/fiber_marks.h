/* SPDX-License-Identifier: BSD-3-Clause */
/* A switch that shows what becomes of the registers which a function must
   leave as they were. */
#ifndef GULCH_TESTS_FIBER_MARKS_H
#define GULCH_TESTS_FIBER_MARKS_H

#include "go/fiber.h"

#include <stdint.h>

#if defined(__x86_64__) && defined(__LP64__)
#define MARKS 6 /* rbx, rbp, r12 to r15 */
#elif defined(__aarch64__) && defined(__LP64__)
#define MARKS 19 /* x19 to x29, d8 to d15 */
#endif

/* gch__fiber_switch as a function, for assembly too. */
void *fiber_switch(struct gch_fiber *from, const struct gch_fiber *to,
                   void *passed);

#ifdef MARKS
/* fiber_switch with these values in the registers; their values when it
   has returned. */
void *marked_switch(struct gch_fiber *from, const struct gch_fiber *to,
                    void *passed, uint64_t marks[MARKS]);
#endif

#endif
