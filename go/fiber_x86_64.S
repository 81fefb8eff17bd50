/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fibers on x86-64, System V calling convention. From sp upwards a fiber that
 * does not run has rbp, and where to go on; a new one also its entry. The other
 * registers are saved by the compiler where the switch is (fiber.h), and only
 * those that it uses there.
 *
 * It goes on by a return. The processor foresees returns by the calls that it
 * saw, and those were on another stack; but mostly both fibers wait in the same
 * functions, and with as many returns as calls they stay in step.
 */
#include "go/fiber_kind.h"

#ifdef GCH_FIBER_X86_64
  .text

/* from: rdi, to: rsi, passed: rdx, and returned there. Keeps rsp and rbp. */
  .globl gch__fiber_swap
  .hidden gch__fiber_swap
  .type gch__fiber_swap, @function
  .balign 16
gch__fiber_swap:
  .cfi_startproc
  pushq %rbp
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset rbp, 0
  movq %rsp, (%rdi)
  movq (%rsi), %rsp
.Lgo_on:
  popq %rbp
  .cfi_adjust_cfa_offset -8
  .cfi_restore rbp
  retq
  .cfi_endproc
  .size gch__fiber_swap, . - gch__fiber_swap

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

/* Where a new fiber begins: passed in rdx, entry on the stack. */
  .type start, @function
  .balign 16
start:
  .cfi_startproc
  .cfi_undefined rip
  popq %rax
  movq %rdx, %rdi
  callq *%rax
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
  movq %rcx, -8(%rsi)
  movq %rax, -16(%rsi)
  movq $0, -24(%rsi)  /* rbp: the frames end here */
  subq $24, %rsi
  movq %rsi, (%rdi)
  retq
  .cfi_endproc
  .size gch__fiber_make, . - gch__fiber_make
#endif

/* In the empty file too: without this the linker has the stack executable. */
#ifdef __ELF__
  .section .note.GNU-stack, "", %progbits
#endif
