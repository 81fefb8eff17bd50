/* SPDX-License-Identifier: BSD-3-Clause */
/* Which of the three ways a fiber is switched in: included by assembly too.
   GULCH_UCONTEXT (configure --enable-ucontext) has the portable one. */
#ifndef GCH_GO_FIBER_KIND_H
#define GCH_GO_FIBER_KIND_H

#if defined(GULCH_UCONTEXT) || !defined(__ELF__) || !defined(__LP64__)
#define GCH_FIBER_UCONTEXT 1
#elif defined(__x86_64__)
#define GCH_FIBER_X86_64 1
#elif defined(__aarch64__)
#define GCH_FIBER_AARCH64 1
#else
#define GCH_FIBER_UCONTEXT 1
#endif

#endif
