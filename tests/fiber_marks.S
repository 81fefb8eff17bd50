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

#ifdef __ELF__
  .section .note.GNU-stack, "", %progbits
#endif
