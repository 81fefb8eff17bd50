/* SPDX-License-Identifier: BSD-3-Clause */
/* See fiber_marks.h. */
  .text
  .globl marked_switch

#if defined(__x86_64__) && defined(__LP64__)
/* from: rdi, to: rsi, passed: rdx, marks: rcx */
marked_switch:
  pushq %rbx
  pushq %rbp
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  pushq %rcx
  movq (%rcx), %rbx
  movq 8(%rcx), %rbp
  movq 16(%rcx), %r12
  movq 24(%rcx), %r13
  movq 32(%rcx), %r14
  movq 40(%rcx), %r15
  callq fiber_switch
  popq %rcx
  movq %rbx, (%rcx)
  movq %rbp, 8(%rcx)
  movq %r12, 16(%rcx)
  movq %r13, 24(%rcx)
  movq %r14, 32(%rcx)
  movq %r15, 40(%rcx)
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbp
  popq %rbx
  retq
#endif

#if defined(__aarch64__) && defined(__LP64__)
  /* An even register and the next, to or from the i-th value at x3. */
  .macro pairs op
  \op x19, x20, [x3]
  \op x21, x22, [x3, 16]
  \op x23, x24, [x3, 32]
  \op x25, x26, [x3, 48]
  \op x27, x28, [x3, 64]
  \op d8, d9, [x3, 88]
  \op d10, d11, [x3, 104]
  \op d12, d13, [x3, 120]
  \op d14, d15, [x3, 136]
  .endm

/* from: x0, to: x1, passed: x2, marks: x3 */
marked_switch:
  hint 34
  stp x3, x30, [sp, -176]!
  mov x9, x3
  add x3, sp, 16
  pairs stp
  str x29, [sp, 96]
  mov x3, x9
  pairs ldp
  ldr x29, [x3, 80]
  bl fiber_switch
  ldr x3, [sp]
  pairs stp
  str x29, [x3, 80]
  add x3, sp, 16
  pairs ldp
  ldr x29, [sp, 96]
  ldr x30, [sp, 8]
  add sp, sp, 176
  ret
#endif

#if defined(__i386__)
/* from, to, passed, marks: on the stack */
marked_switch:
  pushl %ebx
  pushl %esi
  pushl %edi
  pushl %ebp
  movl 32(%esp), %eax
  subl $28, %esp
  movl 48(%esp), %ecx
  movl %ecx, (%esp)
  movl 52(%esp), %ecx
  movl %ecx, 4(%esp)
  movl 56(%esp), %ecx
  movl %ecx, 8(%esp)
  movl (%eax), %ebx
  movl 8(%eax), %esi
  movl 16(%eax), %edi
  movl 24(%eax), %ebp
  calll fiber_switch
  addl $28, %esp
  movl 32(%esp), %ecx
  movl %ebx, (%ecx)
  movl %esi, 8(%ecx)
  movl %edi, 16(%ecx)
  movl %ebp, 24(%ecx)
  popl %ebp
  popl %edi
  popl %esi
  popl %ebx
  retl
#endif

#if defined(__arm__) && defined(__ARM_FP)
  .syntax unified
  .arm
  .macro eight op
  \op r4, [r3]
  \op r5, [r3, 8]
  \op r6, [r3, 16]
  \op r7, [r3, 24]
  \op r8, [r3, 32]
  \op r9, [r3, 40]
  \op r10, [r3, 48]
  \op r11, [r3, 56]
  .endm

/* from: r0, to: r1, passed: r2, marks: r3 */
  .type marked_switch, %function
marked_switch:
  push {r3-r11, lr}
  vpush {d8-d15}
  eight ldr
  add r12, r3, 64
  vldm r12, {d8-d15}
  bl fiber_switch
  ldr r3, [sp, 64]
  eight str
  add r12, r3, 64
  vstm r12, {d8-d15}
  vpop {d8-d15}
  pop {r3-r11, pc}
#endif

#if defined(__riscv_float_abi_double) && __riscv_xlen == 64
  /* All of them, to or from 24 places from base on. */
  .macro all op, fop, base
  .set at, 0
  .irp reg, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11
  \op \reg, at(\base)
  .set at, at + 8
  .endr
  .irp reg, fs0, fs1, fs2, fs3, fs4, fs5, fs6, fs7, fs8, fs9, fs10, fs11
  \fop \reg, at(\base)
  .set at, at + 8
  .endr
  .endm

/* from: a0, to: a1, passed: a2, marks: a3 */
marked_switch:
  addi sp, sp, -208
  all sd, fsd, sp
  sd ra, 192(sp)
  sd a3, 200(sp)
  all ld, fld, a3
  call fiber_switch
  ld a3, 200(sp)
  all sd, fsd, a3
  ld ra, 192(sp)
  all ld, fld, sp
  addi sp, sp, 208
  ret
#endif

#if defined(__s390x__)
  /* f8 to f15, to or from 8 places from at on, by base. */
  .macro floats op, base, at
  \op %f8, \at(\base)
  \op %f9, \at + 8(\base)
  \op %f10, \at + 16(\base)
  \op %f11, \at + 24(\base)
  \op %f12, \at + 32(\base)
  \op %f13, \at + 40(\base)
  \op %f14, \at + 48(\base)
  \op %f15, \at + 56(\base)
  .endm

/* from: r2, to: r3, passed: r4, marks: r5 */
marked_switch:
  stmg %r5, %r14, 40(%r15)
  aghi %r15, -224
  floats std, %r15, 160
  lmg %r6, %r13, 0(%r5)
  floats ld, %r5, 64
  brasl %r14, fiber_switch
  lg %r5, 264(%r15)
  stmg %r6, %r13, 0(%r5)
  floats std, %r5, 64
  floats ld, %r15, 160
  aghi %r15, 224
  lmg %r6, %r14, 48(%r15)
  br %r14
#endif

#include "go/notes.h"
