/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The way out of gch__task_stop_for on x86-64: a jump, as fiber_x86_64.S says of
 * the switch. The last call that the processor saw was by the task that ran
 * before, and mostly from another place; where this jump goes it foresees by where
 * the last ones went.
 */
#include "go/fiber_kind.h"

#ifdef GCH_FIBER_X86_64
  .text

/* Parameters and result are those of gch__task_stop_then. */
  .globl gch__task_stop_for
  .hidden gch__task_stop_for
  .type gch__task_stop_for, @function
  .balign 16
gch__task_stop_for:
  .cfi_startproc
  subq $8, %rsp
  .cfi_adjust_cfa_offset 8
  callq gch__task_stop_then
  addq $8, %rsp
  .cfi_adjust_cfa_offset -8
  popq %rcx
  .cfi_adjust_cfa_offset -8
  .cfi_register rip, rcx
  jmp *%rcx
  .cfi_endproc
  .size gch__task_stop_for, . - gch__task_stop_for
#endif

#include "go/notes.h"
