/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A task that runs off its stack hits the guard. The handler runs on a stack of
 * the worker's own, says whose stack it was and ends the program; any other
 * fault is passed to who handled it before (chain.c).
 */
#include "go/overflow.h"

#include "go/chain.h"
#include "go/sched.h"
#include "park/say.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { SIGNAL_STACK = 64 * 1024 };

static void on_fault(int sig, siginfo_t *info, void *context) {
  if (!gch__chain_informed(sig))
    return;
  struct gch_task *t = gch__task_running;
  bool fault = info->si_code > 0; /* and not sent by anybody */
  if (!fault || !t || !t->stack ||
      !gch__stack_guards(t->stack, info->si_addr)) {
    gch__chain(sig, info, context);
    return;
  }
  gch__say("fatal error: stack overflow in task %s\n",
           t->stack->name[0] ? t->stack->name : "(unnamed)");
  signal(SIGABRT, SIG_DFL);
  abort();
}

void gch__overflow_init(void) {
  gch__chain_install(SIGSEGV, on_fault);
  gch__chain_install(SIGBUS, on_fault);
}

void gch__signal_stack_use(struct gch_worker *w) {
  w->signal_stack = gch__map(SIGNAL_STACK);
  stack_t s = {.ss_sp = w->signal_stack, .ss_size = SIGNAL_STACK};
  if (w->signal_stack)
    sigaltstack(&s, NULL);
}

void gch__signal_stack_free(struct gch_worker *w) {
  stack_t none = {.ss_flags = SS_DISABLE};
  sigaltstack(&none, NULL);
  if (w->signal_stack)
    munmap(w->signal_stack, SIGNAL_STACK);
  w->signal_stack = NULL;
}
