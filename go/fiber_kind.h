/* SPDX-License-Identifier: BSD-3-Clause */
/* Which of the ways a fiber is switched in: included by assembly too.
   GULCH_UCONTEXT (configure --enable-ucontext) has the portable one. */
#ifndef GCH_GO_FIBER_KIND_H
#define GCH_GO_FIBER_KIND_H

#if defined(GULCH_UCONTEXT) || !defined(__ELF__)
#define GCH_FIBER_UCONTEXT 1
#elif defined(__x86_64__) && defined(__LP64__)
#define GCH_FIBER_X86_64 1
#elif defined(__i386__)
#define GCH_FIBER_I386 1
#elif defined(__aarch64__) && defined(__LP64__)
#define GCH_FIBER_AARCH64 1
#elif defined(__arm__) && defined(__ARM_EABI__)
#define GCH_FIBER_ARM 1
#elif defined(__riscv) && __riscv_xlen == 64 &&                                \
    (defined(__riscv_float_abi_double) || defined(__riscv_float_abi_soft))
#define GCH_FIBER_RISCV64 1
#elif defined(__s390x__)
#define GCH_FIBER_S390X 1
#else
#define GCH_FIBER_UCONTEXT 1
#endif

#endif
