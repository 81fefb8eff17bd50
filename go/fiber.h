/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fibers: stacks, and how a thread goes from one to another. Three functions,
 * in assembly where the processor is known (fiber_x86_64.S, fiber_aarch64.S),
 * else by ucontext (fiber_ucontext.c).
 *
 * A fiber that does not run keeps its registers on its own stack, and sp says
 * where. What is kept is what the calling convention has a function keep, but
 * for the floating-point control words, which belong to the thread, as does the
 * signal mask.
 */
#ifndef GCH_GO_FIBER_H
#define GCH_GO_FIBER_H

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
void *gch__fiber_switch(struct gch_fiber *from, const struct gch_fiber *to,
                        void *passed);

/* The same from a fiber that nobody comes back to. */
_Noreturn void gch__fiber_jump(const struct gch_fiber *to, void *passed);

#endif
