/* SPDX-License-Identifier: BSD-3-Clause */
/* What a thread is called in reports. */
#ifndef GCH_PARK_THREAD_ID_H
#define GCH_PARK_THREAD_ID_H

#include <stdint.h>

/* The calling thread's number: the kernel's, as ps and gdb show it, where
   there is one; else a number of our own. Never 0. A system call a thread. */
uint32_t gch__thread_id(void);

/* In a forked child: the thread that forked has another number there. */
void gch__thread_id_forked(void);

#endif
