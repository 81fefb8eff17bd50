/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An object that was loaded by dlopen is asked for once more, with
 * RTLD_NODELETE, and so is never unloaded. (What is in the program itself, or
 * was loaded with it, stays anyway.) A static program, which can't unload, is
 * to link without these functions, and where an old C library keeps them in
 * libdl, whoever loads plugins has that: so they are weak. dlopen is found by
 * dlsym, since a static link warns of it as soon as it is named.
 */
#include "park/stay.h"

#include "park/fork.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#if defined(RTLD_NOLOAD) && defined(RTLD_NODELETE)
#pragma weak dladdr
#pragma weak dlsym

/* As the dynamic linker finds it: a program without that has none. */
__attribute__((weak, visibility("hidden"))) extern char _DYNAMIC[];

static void keep(void *code) {
  Dl_info it;
  void *(*open)(const char *, int);
  if (!_DYNAMIC || !dladdr || !dlsym || !dladdr(code, &it) || !it.dli_fname)
    return;
  void *found = dlsym(RTLD_DEFAULT, "dlopen");
  memcpy(&open, &found, sizeof open);
  if (found)
    open(it.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}
#else
static void keep(void *code) {
  (void)code;
}
#endif

void gch__keep_loaded(void *code) {
  int saved = errno;
  if (!gch__left_threads())
    keep(code);
  errno = saved;
}

void gch__stay_loaded(void) {
  /* To do it twice does no harm. But only when it is done may another thread
     rely on it. */
  static atomic_bool done;
  if (atomic_load(&done))
    return;
  gch__keep_loaded((void *)gch__stay_loaded);
  atomic_store(&done, true);
}
