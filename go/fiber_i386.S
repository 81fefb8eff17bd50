/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fibers on i386, System V calling convention. From sp upwards a fiber that
 * does not run has: edi, esi, ebx, ebp, where to go on.
 */
#include "go/fiber_kind.h"

#ifdef GCH_FIBER_I386
  .text

/* void *gch__fiber_switch(from, to, passed), all on the stack */
  .globl gch__fiber_switch
  .hidden gch__fiber_switch
  .type gch__fiber_switch, @function
  .balign 16
gch__fiber_switch:
  .cfi_startproc
  movl 4(%esp), %edx
  movl 8(%esp), %ecx
  movl 12(%esp), %eax
  pushl %ebp
  .cfi_adjust_cfa_offset 4
  .cfi_rel_offset ebp, 0
  pushl %ebx
  .cfi_adjust_cfa_offset 4
  .cfi_rel_offset ebx, 0
  pushl %esi
  .cfi_adjust_cfa_offset 4
  .cfi_rel_offset esi, 0
  pushl %edi
  .cfi_adjust_cfa_offset 4
  .cfi_rel_offset edi, 0
  movl %esp, (%edx)
  movl (%ecx), %esp
.Lgo_on:
  popl %edi
  .cfi_adjust_cfa_offset -4
  .cfi_restore edi
  popl %esi
  .cfi_adjust_cfa_offset -4
  .cfi_restore esi
  popl %ebx
  .cfi_adjust_cfa_offset -4
  .cfi_restore ebx
  popl %ebp
  .cfi_adjust_cfa_offset -4
  .cfi_restore ebp
  ret
  .cfi_endproc
  .size gch__fiber_switch, . - gch__fiber_switch

/* void gch__fiber_jump(to, passed) */
  .globl gch__fiber_jump
  .hidden gch__fiber_jump
  .type gch__fiber_jump, @function
  .balign 16
gch__fiber_jump:
  .cfi_startproc
  .cfi_undefined eip
  movl 4(%esp), %ecx
  movl 8(%esp), %eax
  movl (%ecx), %esp
  jmp .Lgo_on
  .cfi_endproc
  .size gch__fiber_jump, . - gch__fiber_jump

/* Where a new fiber begins: passed in eax, entry in ebx, 0 in ebp. (Debuggers
   look for the caller right before where it goes on.) */
  .type start, @function
  .balign 16
start:
  .cfi_startproc
  .cfi_undefined eip
  nop
.Lbegin:
  subl $12, %esp
  pushl %eax
  call *%ebx
  ud2
  .cfi_endproc
  .size start, . - start

/* Where its caller goes on, in edx. */
  .type here, @function
here:
  .cfi_startproc
  movl (%esp), %edx
  ret
  .cfi_endproc
  .size here, . - here

/* void gch__fiber_make(f, stack, size, entry) */
  .globl gch__fiber_make
  .hidden gch__fiber_make
  .type gch__fiber_make, @function
  .balign 16
gch__fiber_make:
  .cfi_startproc
  movl 8(%esp), %ecx
  addl 12(%esp), %ecx
  andl $-16, %ecx
  call here
1:
  addl $.Lbegin - 1b, %edx
  movl %edx, -4(%ecx)
  movl $0, -8(%ecx)   /* ebp: the frames end here */
  movl 16(%esp), %edx
  movl %edx, -12(%ecx) /* ebx */
  subl $20, %ecx
  movl 4(%esp), %edx
  movl %ecx, (%edx)
  ret
  .cfi_endproc
  .size gch__fiber_make, . - gch__fiber_make
#endif

#include "go/notes.h"
