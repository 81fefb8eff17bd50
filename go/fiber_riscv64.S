/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fibers on 64-bit RISC-V, with double floats in registers or none (lp64d,
 * lp64). From sp upwards a fiber that does not run has ra (where to go on), s0
 * to s11, fs0 to fs11.
 */
#include "go/fiber_kind.h"

#ifdef GCH_FIBER_RISCV64
#ifdef __riscv_float_abi_double
#define FRAME 208
#else
#define FRAME 112
#endif

  .macro save op, reg, at
  \op \reg, \at(sp)
  .cfi_rel_offset \reg, \at
  .endm

  .macro restore op, reg, at
  \op \reg, \at(sp)
  .cfi_restore \reg
  .endm

  .text

/* void *gch__fiber_switch(from: a0, to: a1, passed: a2) */
  .globl gch__fiber_switch
  .hidden gch__fiber_switch
  .type gch__fiber_switch, @function
  .balign 4
gch__fiber_switch:
  .cfi_startproc
  addi sp, sp, -FRAME
  .cfi_adjust_cfa_offset FRAME
  save sd, ra, 0
  save sd, s0, 8
  save sd, s1, 16
  save sd, s2, 24
  save sd, s3, 32
  save sd, s4, 40
  save sd, s5, 48
  save sd, s6, 56
  save sd, s7, 64
  save sd, s8, 72
  save sd, s9, 80
  save sd, s10, 88
  save sd, s11, 96
#ifdef __riscv_float_abi_double
  save fsd, fs0, 104
  save fsd, fs1, 112
  save fsd, fs2, 120
  save fsd, fs3, 128
  save fsd, fs4, 136
  save fsd, fs5, 144
  save fsd, fs6, 152
  save fsd, fs7, 160
  save fsd, fs8, 168
  save fsd, fs9, 176
  save fsd, fs10, 184
  save fsd, fs11, 192
#endif
  sd sp, 0(a0)
  ld sp, 0(a1)
.Lgo_on:
  mv a0, a2
#ifdef __riscv_float_abi_double
  restore fld, fs0, 104
  restore fld, fs1, 112
  restore fld, fs2, 120
  restore fld, fs3, 128
  restore fld, fs4, 136
  restore fld, fs5, 144
  restore fld, fs6, 152
  restore fld, fs7, 160
  restore fld, fs8, 168
  restore fld, fs9, 176
  restore fld, fs10, 184
  restore fld, fs11, 192
#endif
  restore ld, ra, 0
  restore ld, s0, 8
  restore ld, s1, 16
  restore ld, s2, 24
  restore ld, s3, 32
  restore ld, s4, 40
  restore ld, s5, 48
  restore ld, s6, 56
  restore ld, s7, 64
  restore ld, s8, 72
  restore ld, s9, 80
  restore ld, s10, 88
  restore ld, s11, 96
  addi sp, sp, FRAME
  .cfi_adjust_cfa_offset -FRAME
  ret
  .cfi_endproc
  .size gch__fiber_switch, . - gch__fiber_switch

/* void gch__fiber_jump(to: a0, passed: a1) */
  .globl gch__fiber_jump
  .hidden gch__fiber_jump
  .type gch__fiber_jump, @function
  .balign 4
gch__fiber_jump:
  .cfi_startproc
  .cfi_undefined ra
  mv a2, a1
  ld sp, 0(a0)
  j .Lgo_on
  .cfi_endproc
  .size gch__fiber_jump, . - gch__fiber_jump

/* Where a new fiber begins: passed in a0, entry in s1, 0 in s0. */
  .type start, @function
  .balign 4
start:
  .cfi_startproc
  .cfi_undefined ra
  jalr s1
  unimp
  .cfi_endproc
  .size start, . - start

/* void gch__fiber_make(f: a0, stack: a1, size: a2, entry: a3) */
  .globl gch__fiber_make
  .hidden gch__fiber_make
  .type gch__fiber_make, @function
  .balign 4
gch__fiber_make:
  .cfi_startproc
  add a1, a1, a2
  andi a1, a1, -16
  addi a1, a1, -FRAME
  lla t0, start
  sd t0, 0(a1)    /* ra */
  sd zero, 8(a1)  /* s0 */
  sd a3, 16(a1)   /* s1 */
  sd a1, 0(a0)
  ret
  .cfi_endproc
  .size gch__fiber_make, . - gch__fiber_make
#endif

#include "go/notes.h"
