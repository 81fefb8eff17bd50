/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fibers: stacks, and how a thread goes from one to another. Three functions,
 * in assembly where the processor is known (fiber_*.S), else by ucontext
 * (fiber_ucontext.c).
 *
 * sp says where a fiber that does not run keeps, on its own stack, what it goes
 * on with. A switch keeps what the calling convention has a function keep, but
 * for the floating-point control words, which belong to the thread, as does the
 * signal mask.
 */
#ifndef GCH_GO_FIBER_H
#define GCH_GO_FIBER_H

#include "go/fiber_kind.h"

#include <stddef.h>

struct gch_fiber {
  void *sp;
};

/* Has the first switch to f call entry(passed) on the size bytes at stack.
   entry must not return. Backtraces end at it. */
void gch__fiber_make(struct gch_fiber *f, void *stack, size_t size,
                     void (*entry)(void *passed));

/* Leaves the running fiber in *from and goes on in to, where the switch that
   left it returns passed. Returns what is passed by who comes back; perhaps in
   another thread. */
#ifdef GCH_FIBER_X86_64
/* Inline, since the function that it is in saves the registers: those that it
   or its caller needs, once. Here only rsp and rbp are kept. That function must
   make a call: in one that makes none the compiler may have values below
   rsp. */
#ifdef __AVX512F__
#define GCH_FIBER_AVX512                                                       \
  , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23",    \
      "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31",  \
      "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"
#else
#define GCH_FIBER_AVX512
#endif
__attribute__((always_inline)) static inline void *
gch__fiber_switch(struct gch_fiber *from, const struct gch_fiber *to,
                  void *passed) {
  __asm__ volatile("leaq 1f(%%rip), %%rax\n\tjmp gch__fiber_swap\n1:"
                   : "+D"(from), "+S"(to), "+d"(passed)
                   :
                   : "rax", "rbx", "rcx", "r8", "r9", "r10", "r11", "r12",
                     "r13", "r14", "r15", "xmm0", "xmm1", "xmm2", "xmm3",
                     "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
                     "xmm11", "xmm12", "xmm13", "xmm14",
                     "xmm15" GCH_FIBER_AVX512, "st", "st(1)", "st(2)", "st(3)",
                     "st(4)", "st(5)", "st(6)", "st(7)", "cc", "memory");
  return passed;
}
#else
void *gch__fiber_switch(struct gch_fiber *from, const struct gch_fiber *to,
                        void *passed);
#endif

/* The same from a fiber that nobody comes back to. */
_Noreturn void gch__fiber_jump(const struct gch_fiber *to, void *passed);

#endif
