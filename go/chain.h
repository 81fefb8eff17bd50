/* SPDX-License-Identifier: BSD-3-Clause */
/* Handlers of SIGSEGV and SIGBUS in front of the program's own dispositions. */
#ifndef GCH_GO_CHAIN_H
#define GCH_GO_CHAIN_H

#include <signal.h>

/* Has handler called for sig (SIGSEGV or SIGBUS), on the thread's signal stack if
   there is one, and keeps what was to happen before. Once for each. */
void gch__chain_install(int sig, void (*handler)(int, siginfo_t *, void *));

/* For the handler: what was to happen does, as if the kernel had gone about it.
   The handler returns after this. It may not come back. */
void gch__chain(int sig, siginfo_t *info, void *context);

#endif
