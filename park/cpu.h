/* SPDX-License-Identifier: BSD-3-Clause */
/* Processors: how many, how to spin, and thread-locals. */
#ifndef GCH_PARK_CPU_H
#define GCH_PARK_CPU_H

#include <stdint.h>

/* A thread-local that costs one instruction in a shared library too. */
#define GCH_THREAD_LOCAL                                                       \
  _Thread_local __attribute__((tls_model("initial-exec")))

/* A variable that only the library uses: in a shared one too it is found
   without a look into the table of addresses. */
#define GCH_HIDDEN __attribute__((visibility("hidden")))

/* A function that compilers know nothing of but its prototype: what it finds in
   a thread-local may be another thread's than before. */
#if defined(__GNUC__) && !defined(__clang__)
#define GCH_NOIPA __attribute__((noipa))
#else
#define GCH_NOIPA __attribute__((noinline, optnone))
#endif

/* Tells the processor that this is a spin loop. */
static inline void gch__pause(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  __asm__ volatile("yield");
#endif
}

/* Does that for about so many nanoseconds. */
void gch__pause_for(uint32_t ns);

/* How many processors the process may use, by the affinity of its threads when
   first asked; at least 1. */
int gch__processors(void);

#endif
