/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fibers by ucontext, for processors without assembly here. A switch makes two
 * system calls, for the signal mask; unlike with assembly, the floating-point
 * environment goes with the fiber.
 *
 * A fiber that does not run is a struct suspended: of a new fiber at the top of
 * its stack, of one that ran in the frame of the switch that left it. It
 * belongs to the fiber; who goes on in it writes to it first, then leaves it
 * alone, since by then it may run, and be gone, in another thread.
 */
#include "go/fiber.h"
#include "go/fiber_kind.h"

#include <signal.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <ucontext.h>

#ifdef GCH_FIBER_UCONTEXT
struct suspended {
  ucontext_t context;
  void *passed; /* to the fiber, by who goes on in it */
  void (*entry)(void *passed);
};

/* Where a new fiber begins. makecontext hands ints over: a pointer's halves. */
static void start(unsigned high, unsigned low) {
  uintptr_t bits = (uintptr_t)((uint64_t)high << 32 | low);
  const struct suspended *self = (const struct suspended *)bits;
  self->entry(self->passed);
  abort();
}

void gch__fiber_make(struct gch_fiber *f, void *stack, size_t size,
                     void (*entry)(void *passed)) {
  uintptr_t top = (uintptr_t)stack + size - sizeof(struct suspended);
  top -= top % alignof(struct suspended);
  struct suspended *new = (struct suspended *)top;
  if (getcontext(&new->context) != 0)
    abort();
  new->context.uc_stack.ss_sp = stack;
  new->context.uc_stack.ss_size = top - (uintptr_t)stack;
  new->context.uc_link = NULL;
  new->entry = entry;
  makecontext(&new->context, (void (*)(void))start, 2,
              (unsigned)((uint64_t)top >> 32), (unsigned)top);
  f->sp = new;
}

/* What to go on in, with passed, and with the signal mask of this thread. */
static const ucontext_t *hand_over(const struct gch_fiber *to, void *passed) {
  struct suspended *next = to->sp;
  next->passed = passed;
  pthread_sigmask(SIG_SETMASK, NULL, &next->context.uc_sigmask);
  return &next->context;
}

/* Not inlined: the caller's frame must not keep addresses of thread-locals
   over it. */
__attribute__((noinline)) void *gch__fiber_switch(struct gch_fiber *from,
                                                  const struct gch_fiber *to,
                                                  void *passed) {
  struct suspended here;
  const ucontext_t *next = hand_over(to, passed);
  from->sp = &here;
  if (swapcontext(&here.context, next) != 0)
    abort();
  return here.passed;
}

_Noreturn void gch__fiber_jump(const struct gch_fiber *to, void *passed) {
  setcontext(hand_over(to, passed));
  abort();
}
#endif
