/* SPDX-License-Identifier: BSD-3-Clause */
#include "park/strict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__GLIBC__)
#include <execinfo.h>
#endif

enum { MAX_WORDS = 1024, MAX_FRAMES = 64 };

atomic_bool gch__strict_mode;
static _Atomic(void (*)(const char *)) hook;

__attribute__((constructor)) static void read_environment(void) {
  const char *s = getenv("GULCH_STRICT");
  if (s && *s && strcmp(s, "0") != 0)
    gch_set_strict(true);
}

void gch_set_strict(bool on) {
  atomic_store(&gch__strict_mode, on);
}

void gch_set_panic_hook(void (*h)(const char *msg)) {
  atomic_store(&hook, h);
}

static void print_where(void) {
#if defined(__GLIBC__)
  void *frames[MAX_FRAMES];
  backtrace_symbols_fd(frames, backtrace(frames, MAX_FRAMES), STDERR_FILENO);
#endif
}

void gch_vpanic(const char *fmt, va_list ap) {
  char words[MAX_WORDS];
  vsnprintf(words, sizeof words, fmt, ap);
  void (*h)(const char *) = atomic_load(&hook);
  if (h)
    h(words);
  fprintf(stderr, "panic: %s\n\n", words);
  fflush(stderr);
  print_where();
  abort();
}

void gch_panic(const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  gch_vpanic(fmt, ap);
}
