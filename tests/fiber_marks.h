/* SPDX-License-Identifier: BSD-3-Clause */
/* A switch that shows what becomes of the registers which a function must
   leave as they were. */
#ifndef GULCH_TESTS_FIBER_MARKS_H
#define GULCH_TESTS_FIBER_MARKS_H

#include "go/fiber.h"

#include <stdint.h>

#if defined(__x86_64__) && defined(__LP64__)
#define MARKS 6 /* rbx, rbp, r12 to r15 */
#elif defined(__i386__)
#define MARKS 4 /* ebx, esi, edi, ebp: the low half of each mark */
#elif defined(__aarch64__) && defined(__LP64__)
#define MARKS 19 /* x19 to x29, d8 to d15 */
#elif defined(__arm__) && defined(__ARM_FP)
#define MARKS 16 /* r4 to r11: the low half of each mark; d8 to d15 */
#elif defined(__riscv_float_abi_double) && __riscv_xlen == 64
#define MARKS 24 /* s0 to s11, fs0 to fs11 */
#elif defined(__s390x__)
#define MARKS 16 /* r6 to r13, f8 to f15 */
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
