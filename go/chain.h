/* SPDX-License-Identifier: BSD-3-Clause */
/* Handlers of SIGSEGV and SIGBUS in front of the program's own dispositions. */
#ifndef GCH_GO_CHAIN_H
#define GCH_GO_CHAIN_H

#include <signal.h>
#include <stdbool.h>

/* Has handler called for sig (SIGSEGV or SIGBUS), on the thread's signal stack
   if there is one, and keeps what was to happen before. Once for each. */
void gch__chain_install(int sig, void (*handler)(int, siginfo_t *, void *));

/* For the handler, first of all: whether it may look at what it was given. Not
   if signal() has put it back after another, or another calls it as what
   signal() has returned; then it is to return, and the fault comes again, to
   who is to have it. */
bool gch__chain_informed(int sig);

/* For the handler: what was to happen does, as if the kernel had gone about it.
   The handler returns after this. It may not come back. */
void gch__chain(int sig, siginfo_t *info, void *context);

#endif
