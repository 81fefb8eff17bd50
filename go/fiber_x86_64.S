/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fibers on x86-64, System V calling convention. From sp upwards a fiber that
 * does not run has: where to go on, and rbp; a new one also its entry. The other
 * registers are saved by the compiler where the switch is (fiber.h), and only
 * those that it uses there.
 *
 * A switch is no call and no return, but jumps: the processor foresees returns by
 * the calls that it saw, so that each return without its call makes it miss the
 * next as well. Where a jump goes it foresees by where it went, and that is nearly
 * always the same place.
 */
#include "go/fiber_kind.h"

#ifdef GCH_FIBER_X86_64
  .text

/* from: rdi, to: rsi, passed: rdx, and found there; where to go on: rax. Keeps rsp
   and rbp. */
  .globl gch__fiber_swap
  .hidden gch__fiber_swap
  .type gch__fiber_swap, @function
  .balign 16
gch__fiber_swap:
  .cfi_startproc
  .cfi_def_cfa rsp, 0
  .cfi_register rip, rax
  pushq %rbp
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset rbp, 0
  pushq %rax
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset rip, 0
  movq %rsp, (%rdi)
  movq (%rsi), %rsp
.Lgo_on:
  popq %rax
  .cfi_adjust_cfa_offset -8
  .cfi_register rip, rax
  popq %rbp
  .cfi_adjust_cfa_offset -8
  .cfi_restore rbp
  jmp *%rax
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

/* Where a new fiber begins: passed in rdx, entry on the stack. (Debuggers look
   for the caller right before where it goes on.) */
  .type start, @function
  .balign 16
start:
  .cfi_startproc
  .cfi_undefined rip
  nop
.Lbegin:
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
  leaq .Lbegin(%rip), %rax
  movq %rcx, -8(%rsi)
  movq $0, -16(%rsi)  /* rbp: the frames end here */
  movq %rax, -24(%rsi)
  subq $24, %rsi
  movq %rsi, (%rdi)
  retq
  .cfi_endproc
  .size gch__fiber_make, . - gch__fiber_make
#endif

#include "go/notes.h"
