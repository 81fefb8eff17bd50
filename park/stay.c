/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An object that was loaded by dlopen is asked for once more, with
 * RTLD_NODELETE, and so is never unloaded. (What is in the program itself, or was
 * loaded with it, stays anyway.) The functions are weak: a static program, which
 * can't unload, is to link without them; where an old C library keeps them in
 * libdl, whoever loads plugins has that.
 */
#include "park/stay.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#if defined(RTLD_NOLOAD) && defined(RTLD_NODELETE)
#pragma weak dladdr
#pragma weak dlopen

static void stay(void) {
  Dl_info me;
  if (dladdr && dlopen && dladdr((void *)gch__stay_loaded, &me) &&
      me.dli_fname)
    dlopen(me.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}
#else
static void stay(void) {
}
#endif

void gch__stay_loaded(void) {
  /* Relaxed: to do it twice does no harm. But only when it is done may another
     thread rely on it. */
  static atomic_bool done;
  if (atomic_load(&done))
    return;
  int saved = errno;
  stay();
  errno = saved;
  atomic_store(&done, true);
}
