/* SPDX-License-Identifier: BSD-3-Clause */
/* <gulch/base.h>: what every public header needs. Included by the others. */
#ifndef GULCH_BASE_H
#define GULCH_BASE_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define GCH_BEGIN_DECLS extern "C" {
#define GCH_END_DECLS }
#define GCH_NORETURN [[noreturn]]
#else
#define GCH_BEGIN_DECLS
#define GCH_END_DECLS
#define GCH_NORETURN _Noreturn
#endif

#if defined(__GNUC__)
#define GCH_API __attribute__((__visibility__("default")))
#define GCH_PRINTF(fmt, first)                                                 \
  __attribute__((__format__(__printf__, fmt, first)))
#define GCH_UNUSED __attribute__((__unused__))
#define GCH_CLEANUP(fn) __attribute__((__cleanup__(fn)))
#else
#define GCH_API
#define GCH_PRINTF(fmt, first)
#define GCH_UNUSED
#endif

GCH_BEGIN_DECLS

/* Where errno is, in the calling thread. Compilers know nothing of it, so they
   ask each time; of the C library's own function for it they know that a thread
   gets always the same answer, and take a task for a thread. So where any
   header of gulch is included errno is the task's, in whatever thread it goes
   on. (C leaves open which side of an assignment is evaluated first: where f
   may block, not errno = f(), but int err = f(); errno = err.) */
GCH_API int *gch_errno(void);

/* Tells of a C++ runtime, by its __cxa_get_globals: it keeps the exceptions in
   flight by thread, and gulch then keeps them by task. C++ files that include
   gulch do so before main, or when their plugin is loaded. */
GCH_API void gch_cxx_runtime(void *(*globals)(void));

#if defined(__cplusplus) && defined(__GNUC__) && defined(__cpp_exceptions)
__attribute__((__weak__)) void *
gch__cxa_get_globals(void) __asm__("__cxa_get_globals");
__attribute__((__constructor__)) static void gch__tell_of_cxx(void) {
  gch_cxx_runtime(gch__cxa_get_globals);
}
#endif

GCH_END_DECLS

#undef errno
#define errno (*gch_errno())

#endif
