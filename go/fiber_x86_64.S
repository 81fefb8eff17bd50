/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fibers on x86-64, System V calling convention. From sp upwards a fiber that
 * does not run has r15, r14, r13, r12, rbx, rbp, and where to go on.
 *
 * It goes on by a return. The processor foresees returns by the calls that it
 * saw, and those were on another stack; but mostly both fibers wait in the same
 * functions, and with as many returns as calls they stay in step.
 */
#include "go/fiber_kind.h"

#ifdef GCH_FIBER_X86_64
  .text

/* void *gch__fiber_switch(from: rdi, to: rsi, passed: rdx) */
  .globl gch__fiber_switch
  .hidden gch__fiber_switch
  .type gch__fiber_switch, @function
  .balign 16
gch__fiber_switch:
  .cfi_startproc
  pushq %rbp
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset rbp, 0
  pushq %rbx
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset rbx, 0
  pushq %r12
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset r12, 0
  pushq %r13
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset r13, 0
  pushq %r14
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset r14, 0
  pushq %r15
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset r15, 0
  movq %rsp, (%rdi)
  movq (%rsi), %rsp
.Lgo_on:
  movq %rdx, %rax
  popq %r15
  .cfi_adjust_cfa_offset -8
  .cfi_restore r15
  popq %r14
  .cfi_adjust_cfa_offset -8
  .cfi_restore r14
  popq %r13
  .cfi_adjust_cfa_offset -8
  .cfi_restore r13
  popq %r12
  .cfi_adjust_cfa_offset -8
  .cfi_restore r12
  popq %rbx
  .cfi_adjust_cfa_offset -8
  .cfi_restore rbx
  popq %rbp
  .cfi_adjust_cfa_offset -8
  .cfi_restore rbp
  retq
  .cfi_endproc
  .size gch__fiber_switch, . - gch__fiber_switch

/* void gch__fiber_jump(to: rdi, passed: rsi) */
  .globl gch__fiber_jump
  .hidden gch__fiber_jump
  .type gch__fiber_jump, @function
  .balign 16
gch__fiber_jump:
  .cfi_startproc
  .cfi_undefined rip
  movq %rsi, %rdx
  movq (%rdi), %rsp
  jmp .Lgo_on
  .cfi_endproc
  .size gch__fiber_jump, . - gch__fiber_jump

/* Where a new fiber begins: passed in rax, entry in rbx. */
  .type start, @function
  .balign 16
start:
  .cfi_startproc
  .cfi_undefined rip
  xorl %ebp, %ebp
  movq %rax, %rdi
  callq *%rbx
  ud2
  .cfi_endproc
  .size start, . - start

/* void gch__fiber_make(f: rdi, stack: rsi, size: rdx, entry: rcx) */
  .globl gch__fiber_make
  .hidden gch__fiber_make
  .type gch__fiber_make, @function
  .balign 16
gch__fiber_make:
  .cfi_startproc
  addq %rdx, %rsi
  andq $-16, %rsi
  leaq start(%rip), %rax
  movq %rax, -8(%rsi)
  movq $0, -16(%rsi)  /* rbp */
  movq %rcx, -24(%rsi) /* rbx */
  subq $56, %rsi
  movq %rsi, (%rdi)
  retq
  .cfi_endproc
  .size gch__fiber_make, . - gch__fiber_make
#endif

/* In the empty file too: without this the linker has the stack executable. */
#ifdef __ELF__
  .section .note.GNU-stack, "", %progbits
#endif
