/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fibers on 32-bit ARM, AAPCS. From sp upwards a fiber that does not run has d8
 * to d15 (where there are such registers), a word of padding, r4 to r11, where
 * to go on.
 *
 * Programs unwind by the tables that .save and its like make, debuggers by those
 * that .cfi_ makes. To them d8 to d15 are the registers 264 to 271.
 */
#include "go/fiber_kind.h"

#ifdef GCH_FIBER_ARM
#ifdef __ARM_FP
#define FLOATS 64
#else
#define FLOATS 0
#endif
#define FRAME (FLOATS + 40)

  .syntax unified
  .arm
  .text
  .cfi_sections .debug_frame

/* void *gch__fiber_switch(from: r0, to: r1, passed: r2) */
  .globl gch__fiber_switch
  .hidden gch__fiber_switch
  .type gch__fiber_switch, %function
  .balign 4
gch__fiber_switch:
  .fnstart
  .cfi_startproc
  push {r4-r11, lr}
  .save {r4-r11, lr}
  .cfi_adjust_cfa_offset 36
  .cfi_rel_offset r4, 0
  .cfi_rel_offset r5, 4
  .cfi_rel_offset r6, 8
  .cfi_rel_offset r7, 12
  .cfi_rel_offset r8, 16
  .cfi_rel_offset r9, 20
  .cfi_rel_offset r10, 24
  .cfi_rel_offset r11, 28
  .cfi_rel_offset lr, 32
  sub sp, sp, 4
  .pad #4
  .cfi_adjust_cfa_offset 4
#if FLOATS
  vpush {d8-d15}
  .vsave {d8-d15}
  .cfi_adjust_cfa_offset 64
  .cfi_rel_offset 264, 0
  .cfi_rel_offset 265, 8
  .cfi_rel_offset 266, 16
  .cfi_rel_offset 267, 24
  .cfi_rel_offset 268, 32
  .cfi_rel_offset 269, 40
  .cfi_rel_offset 270, 48
  .cfi_rel_offset 271, 56
#endif
  str sp, [r0]
  ldr sp, [r1]
.Lgo_on:
  mov r0, r2
#if FLOATS
  vpop {d8-d15}
  .cfi_adjust_cfa_offset -64
  .cfi_restore 264
  .cfi_restore 265
  .cfi_restore 266
  .cfi_restore 267
  .cfi_restore 268
  .cfi_restore 269
  .cfi_restore 270
  .cfi_restore 271
#endif
  add sp, sp, 4
  .cfi_adjust_cfa_offset -4
  pop {r4-r11, pc}
  .cfi_endproc
  .fnend
  .size gch__fiber_switch, . - gch__fiber_switch

/* void gch__fiber_jump(to: r0, passed: r1) */
  .globl gch__fiber_jump
  .hidden gch__fiber_jump
  .type gch__fiber_jump, %function
  .balign 4
gch__fiber_jump:
  .fnstart
  .cantunwind
  .cfi_startproc
  .cfi_undefined lr
  mov r2, r1
  ldr sp, [r0]
  b .Lgo_on
  .cfi_endproc
  .fnend
  .size gch__fiber_jump, . - gch__fiber_jump

/* Where a new fiber begins: passed in r0, entry in r4, 0 in r11. */
  .type start, %function
  .balign 4
start:
  .fnstart
  .cantunwind
  .cfi_startproc
  .cfi_undefined lr
  blx r4
  udf 0
  .cfi_endproc
  .fnend
  .size start, . - start

/* void gch__fiber_make(f: r0, stack: r1, size: r2, entry: r3) */
  .globl gch__fiber_make
  .hidden gch__fiber_make
  .type gch__fiber_make, %function
  .balign 4
gch__fiber_make:
  .fnstart
  .cfi_startproc
  add r1, r1, r2
  bic r1, r1, 7
  sub r1, r1, FRAME
  adr r12, start
  str r12, [r1, FRAME - 4]
  mov r12, 0
  str r12, [r1, FRAME - 8]  /* r11 */
  str r3, [r1, FRAME - 36]  /* r4 */
  str r1, [r0]
  bx lr
  .cfi_endproc
  .fnend
  .size gch__fiber_make, . - gch__fiber_make
#endif

#include "go/notes.h"
