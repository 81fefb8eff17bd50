/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A task that runs off its stack hits the guard. The handler runs on a stack of
 * the worker's own, says whose stack it was and ends the program; any other
 * fault is passed to who handled it before.
 */
#include "go/overflow.h"

#include "go/sched.h"
#include "park/say.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { SIGNAL_STACK = 64 * 1024 };

static struct sigaction old_segv, old_bus;

static void pass_on(int sig, siginfo_t *info, void *context) {
  struct sigaction *old = sig == SIGSEGV ? &old_segv : &old_bus;
  if (old->sa_flags & SA_SIGINFO) {
    old->sa_sigaction(sig, info, context);
  } else if (old->sa_handler == SIG_DFL || old->sa_handler == SIG_IGN) {
    signal(sig, SIG_DFL); /* a fault comes again, */
    if (info->si_code <= 0)
      raise(sig); /* a signal that was sent does not */
  } else {
    old->sa_handler(sig);
  }
}

static void on_fault(int sig, siginfo_t *info, void *context) {
  struct gch_task *t = gch__task_running;
  if (!t || !t->stack || !gch__stack_guards(t->stack, info->si_addr)) {
    pass_on(sig, info, context);
    return;
  }
  gch__say("fatal error: stack overflow in task %s\n",
           t->stack->name[0] ? t->stack->name : "(unnamed)");
  signal(SIGABRT, SIG_DFL);
  abort();
}

static void handle(int sig, struct sigaction *old) {
  struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};
  action.sa_sigaction = on_fault;
  sigemptyset(&action.sa_mask);
  sigaction(sig, &action, old);
}

void gch__overflow_init(void) {
  handle(SIGSEGV, &old_segv);
  handle(SIGBUS, &old_bus);
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
