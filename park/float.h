/* SPDX-License-Identifier: BSD-3-Clause */
/* The floating-point environment of a thread. */
#ifndef GCH_PARK_FLOAT_H
#define GCH_PARK_FLOAT_H

/* Sets it as that of a process at its beginning: rounds to nearest, traps
   nothing, flushes nothing to zero. (fesetenv would take libm.) */
static inline void gch__float_reset(void) {
#if defined(__x86_64__) || (defined(__i386__) && defined(__SSE__))
  unsigned mxcsr = 0x1f80;
  __asm__ volatile("fninit\n\tldmxcsr %0" : : "m"(mxcsr));
#elif defined(__i386__)
  __asm__ volatile("fninit");
  if (__builtin_cpu_supports("sse")) {
    unsigned mxcsr = 0x1f80;
    __asm__ volatile(".byte 0x0f, 0xae, 0x10" : : "a"(&mxcsr), "m"(mxcsr));
  }
#elif defined(__aarch64__)
  __asm__ volatile("msr fpcr, xzr\n\tmsr fpsr, xzr");
#elif defined(__arm__) && defined(__ARM_FP)
  __asm__ volatile("vmsr fpscr, %0" : : "r"(0));
#elif defined(__riscv_flen)
  __asm__ volatile("fscsr zero");
#elif defined(__s390x__)
  __asm__ volatile("sfpc %0" : : "d"(0));
#elif defined(__powerpc64__)
  double none = 0;
  __asm__ volatile("mtfsf 255, %0" : : "d"(none));
#endif
}

#endif
