/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fibers on 64-bit ARM, AAPCS64. From sp upwards a fiber that does not run has
 * a frame record (x29, and x30: where to go on), x19 to x28, d8 to d15.
 *
 * It goes on by a return (fiber_x86_64.S says why; and where branch targets are
 * enforced, BTI, only a return may lead to a place without a landing pad). The
 * hints are such pads, and nothing to older processors. Where the compiler signs
 * return addresses (PAC), x30 is signed too, by where sp is before and after the
 * switch; SIGN is a pad as well.
 *
 * To the debugger d8 to d15 are the registers 72 to 79.
 */
#include "go/fiber_kind.h"

#ifdef GCH_FIBER_AARCH64
#define FRAME 160
#define BTI_C hint 34
#ifndef __ARM_FEATURE_PAC_DEFAULT
#define SIGN BTI_C
#elif __ARM_FEATURE_PAC_DEFAULT & 2
#define SIGN hint 27      /* pacibsp */
#define CHECK hint 31     /* autibsp */
#define SIGN_1716 hint 10 /* pacib1716 */
#else
#define SIGN hint 25     /* paciasp */
#define CHECK hint 29    /* autiasp */
#define SIGN_1716 hint 8 /* pacia1716 */
#endif

  .text

/* void *gch__fiber_switch(from: x0, to: x1, passed: x2) */
  .globl gch__fiber_switch
  .hidden gch__fiber_switch
  .type gch__fiber_switch, %function
  .balign 16
gch__fiber_switch:
  .cfi_startproc
  SIGN
#ifdef CHECK
#if __ARM_FEATURE_PAC_DEFAULT & 2
  .cfi_b_key_frame
#endif
  .cfi_negate_ra_state
#endif
  stp x29, x30, [sp, -FRAME]!
  .cfi_adjust_cfa_offset FRAME
  .cfi_rel_offset x29, 0
  .cfi_rel_offset x30, 8
  stp x19, x20, [sp, 16]
  .cfi_rel_offset x19, 16
  .cfi_rel_offset x20, 24
  stp x21, x22, [sp, 32]
  .cfi_rel_offset x21, 32
  .cfi_rel_offset x22, 40
  stp x23, x24, [sp, 48]
  .cfi_rel_offset x23, 48
  .cfi_rel_offset x24, 56
  stp x25, x26, [sp, 64]
  .cfi_rel_offset x25, 64
  .cfi_rel_offset x26, 72
  stp x27, x28, [sp, 80]
  .cfi_rel_offset x27, 80
  .cfi_rel_offset x28, 88
  stp d8, d9, [sp, 96]
  .cfi_rel_offset 72, 96
  .cfi_rel_offset 73, 104
  stp d10, d11, [sp, 112]
  .cfi_rel_offset 74, 112
  .cfi_rel_offset 75, 120
  stp d12, d13, [sp, 128]
  .cfi_rel_offset 76, 128
  .cfi_rel_offset 77, 136
  stp d14, d15, [sp, 144]
  .cfi_rel_offset 78, 144
  .cfi_rel_offset 79, 152
  mov x9, sp
  str x9, [x0]
  ldr x9, [x1]
  mov sp, x9
.Lgo_on:
  mov x0, x2
  ldp d14, d15, [sp, 144]
  .cfi_restore 78
  .cfi_restore 79
  ldp d12, d13, [sp, 128]
  .cfi_restore 76
  .cfi_restore 77
  ldp d10, d11, [sp, 112]
  .cfi_restore 74
  .cfi_restore 75
  ldp d8, d9, [sp, 96]
  .cfi_restore 72
  .cfi_restore 73
  ldp x27, x28, [sp, 80]
  .cfi_restore x27
  .cfi_restore x28
  ldp x25, x26, [sp, 64]
  .cfi_restore x25
  .cfi_restore x26
  ldp x23, x24, [sp, 48]
  .cfi_restore x23
  .cfi_restore x24
  ldp x21, x22, [sp, 32]
  .cfi_restore x21
  .cfi_restore x22
  ldp x19, x20, [sp, 16]
  .cfi_restore x19
  .cfi_restore x20
  ldp x29, x30, [sp], FRAME
  .cfi_adjust_cfa_offset -FRAME
  .cfi_restore x29
  .cfi_restore x30
#ifdef CHECK
  CHECK
  .cfi_negate_ra_state
#endif
  ret
  .cfi_endproc
  .size gch__fiber_switch, . - gch__fiber_switch

/* void gch__fiber_jump(to: x0, passed: x1) */
  .globl gch__fiber_jump
  .hidden gch__fiber_jump
  .type gch__fiber_jump, %function
  .balign 16
gch__fiber_jump:
  .cfi_startproc
  .cfi_undefined x30
  BTI_C
  mov x2, x1
  ldr x9, [x0]
  mov sp, x9
  b .Lgo_on
  .cfi_endproc
  .size gch__fiber_jump, . - gch__fiber_jump

/* Where a new fiber begins: passed in x0, entry in x19, 0 in x29. */
  .type start, %function
  .balign 16
start:
  .cfi_startproc
  .cfi_undefined x30
  blr x19
  brk 1
  .cfi_endproc
  .size start, . - start

/* void gch__fiber_make(f: x0, stack: x1, size: x2, entry: x3) */
  .globl gch__fiber_make
  .hidden gch__fiber_make
  .type gch__fiber_make, %function
  .balign 16
gch__fiber_make:
  .cfi_startproc
  BTI_C
  add x1, x1, x2
  and x1, x1, -16
  adr x17, start
#ifdef CHECK
  mov x16, x1
  SIGN_1716
#endif
  sub x1, x1, FRAME
  stp xzr, x17, [x1] /* x29, x30 */
  str x3, [x1, 16]  /* x19 */
  str x1, [x0]
  ret
  .cfi_endproc
  .size gch__fiber_make, . - gch__fiber_make
#endif

#include "go/notes.h"
