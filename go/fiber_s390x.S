/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fibers on s390x (64-bit z/Architecture), System V calling convention. From sp
 * upwards a fiber that does not run has f8 to f15, and behind them, as the
 * convention has it, the room that its caller made for registers: there, at 48,
 * are r6 to r14 (where to go on).
 */
#include "go/fiber_kind.h"

#ifdef GCH_FIBER_S390X
#define FLOATS 64
#define ROOM 160

  .macro save reg, at
  std \reg, \at(%r15)
  .cfi_rel_offset \reg, \at
  .endm

  .macro restore reg, at
  ld \reg, \at(%r15)
  .cfi_restore \reg
  .endm

  .text

/* void *gch__fiber_switch(from: r2, to: r3, passed: r4) */
  .globl gch__fiber_switch
  .hidden gch__fiber_switch
  .type gch__fiber_switch, @function
  .balign 8
gch__fiber_switch:
  .cfi_startproc
  stmg %r6, %r14, 48(%r15)
  .cfi_rel_offset %r6, 48
  .cfi_rel_offset %r7, 56
  .cfi_rel_offset %r8, 64
  .cfi_rel_offset %r9, 72
  .cfi_rel_offset %r10, 80
  .cfi_rel_offset %r11, 88
  .cfi_rel_offset %r12, 96
  .cfi_rel_offset %r13, 104
  .cfi_rel_offset %r14, 112
  aghi %r15, -FLOATS
  .cfi_adjust_cfa_offset FLOATS
  save %f8, 0
  save %f9, 8
  save %f10, 16
  save %f11, 24
  save %f12, 32
  save %f13, 40
  save %f14, 48
  save %f15, 56
  stg %r15, 0(%r2)
  lg %r15, 0(%r3)
.Lgo_on:
  lgr %r2, %r4
  restore %f8, 0
  restore %f9, 8
  restore %f10, 16
  restore %f11, 24
  restore %f12, 32
  restore %f13, 40
  restore %f14, 48
  restore %f15, 56
  aghi %r15, FLOATS
  .cfi_adjust_cfa_offset -FLOATS
  lmg %r6, %r14, 48(%r15)
  .cfi_restore %r6
  .cfi_restore %r7
  .cfi_restore %r8
  .cfi_restore %r9
  .cfi_restore %r10
  .cfi_restore %r11
  .cfi_restore %r12
  .cfi_restore %r13
  .cfi_restore %r14
  br %r14
  .cfi_endproc
  .size gch__fiber_switch, . - gch__fiber_switch

/* void gch__fiber_jump(to: r2, passed: r3) */
  .globl gch__fiber_jump
  .hidden gch__fiber_jump
  .type gch__fiber_jump, @function
  .balign 8
gch__fiber_jump:
  .cfi_startproc
  .cfi_undefined %r14
  lgr %r4, %r3
  lg %r15, 0(%r2)
  j .Lgo_on
  .cfi_endproc
  .size gch__fiber_jump, . - gch__fiber_jump

/* Where a new fiber begins: passed in r2, entry in r6, 0 in r11. */
  .type start, @function
  .balign 8
start:
  .cfi_startproc
  .cfi_undefined %r14
  basr %r14, %r6
  .long 0 /* no instruction */
  .cfi_endproc
  .size start, . - start

/* void gch__fiber_make(f: r2, stack: r3, size: r4, entry: r5) */
  .globl gch__fiber_make
  .hidden gch__fiber_make
  .type gch__fiber_make, @function
  .balign 8
gch__fiber_make:
  .cfi_startproc
  agr %r3, %r4
  nill %r3, 0xfff8
  aghi %r3, -(FLOATS + ROOM)
  larl %r1, start
  stg %r1, FLOATS + 112(%r3) /* r14 */
  stg %r5, FLOATS + 48(%r3)  /* r6 */
  lghi %r1, 0
  stg %r1, FLOATS + 88(%r3)  /* r11 */
  stg %r1, FLOATS(%r3)       /* the chain of frames, for who follows it */
  stg %r3, 0(%r2)
  br %r14
  .cfi_endproc
  .size gch__fiber_make, . - gch__fiber_make
#endif

#include "go/notes.h"
