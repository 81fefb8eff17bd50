/* SPDX-License-Identifier: BSD-3-Clause */
/* "stack overflow in task NAME": the guard page of a task's stack was hit. */
#ifndef GCH_GO_OVERFLOW_H
#define GCH_GO_OVERFLOW_H

struct gch_worker;

/* Once: has SIGSEGV and SIGBUS looked at before whatever was to happen. */
void gch__overflow_init(void);

/* A stack for signal handlers of the calling thread, which is w's. */
void gch__signal_stack_use(struct gch_worker *w);
void gch__signal_stack_free(struct gch_worker *w);

#endif
