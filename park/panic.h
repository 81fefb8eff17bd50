/* SPDX-License-Identifier: BSD-3-Clause */
/* <gulch/panic.h>: panics and strict mode. Part of <gulch/debug.h>. */
#ifndef GULCH_PANIC_H
#define GULCH_PANIC_H

#include <gulch/base.h>

GCH_BEGIN_DECLS

/* Strict mode makes every case in which Go panics a panic, with Go's words;
   it spares the arms that asked for their error by _ERR. So is a deadline
   greater than 0 that lies before the start of the process: somebody passed a
   duration. For the main program, not for libraries; GULCH_STRICT=1 in the
   environment does the same. */
GCH_API void gch_set_strict(bool on);

/* hook sees the words of a panic first, in the thread that panics, with no
   lock of the library held; when it returns the panic goes on. NULL: none.
   The thread can't be cancelled any more (pthread_setcancelstate), not even
   when hook leaves by longjmp. */
GCH_API void gch_set_panic_hook(void (*hook)(const char *msg));

/* Prints "panic: <words>" and where to stderr, then aborts. */
GCH_NORETURN GCH_API void gch_panic(const char *fmt, ...) GCH_PRINTF(1, 2);
GCH_NORETURN GCH_API void gch_vpanic(const char *fmt, va_list ap)
    GCH_PRINTF(1, 0);

GCH_END_DECLS

#endif
