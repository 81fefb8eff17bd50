/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Starting threads.
 *
 * A thread of the library is started by whoever happens to need it, and is to
 * have nothing from him. pthread_create hands on what it does not ask about, so
 * each is set here to what the process has:
 *
 *     processors            those of the process (cpus.h), or of the library's
 *                           own thread, once there is one
 *     scheduling policy     SCHED_OTHER
 *     nice, I/O priority    those of the first thread
 *     slices                the kernel's (slice.h); the library's own thread has
 *                           short ones
 *     timer slack           the kernel's, 50 µs, or as asked for
 *     floating point        as a process begins: to nearest, no traps
 *     name                  its own
 *     signals               all blocked, until the thread unblocks some
 *
 * What can't be undone stays with whoever starts it: a seccomp filter,
 * capabilities, namespaces, a memory policy, rights to protection keys; and
 * without privilege a nice value that was raised, or SCHED_IDLE. Who has
 * SCHED_DEADLINE starts no thread at all: without SCHED_FLAG_RESET_ON_FORK the
 * kernel makes none.
 *
 * A thread that a program asked for (gch_go_opts.thread) is as pthread_create
 * makes it: who starts it is its owner, and there is no other way to say what
 * it is to have.
 */
#ifndef GCH_PARK_THREAD_H
#define GCH_PARK_THREAD_H

#include <stddef.h>

enum gch_thread_kind { GCH_THREAD_OURS, GCH_THREAD_AS_CALLER };

/* Nanoseconds. */
enum { GCH_SLACK_USUAL = 50000, GCH_SLACK_SHORT = 1000 };

/* Starts a detached thread that runs main(arg), with at least so many bytes of
   stack beside the program's thread-locals. 0, or an error number; errno may
   change. */
int gch__thread_start(enum gch_thread_kind kind, void *(*main)(void *),
                      void *arg, size_t stack);

/* The first thing that a thread of the library does. */
void gch__thread_begin(const char *name, unsigned long slack);

/* The calling thread, which has begun, is there as long as the process: others
   are to have its processors. */
void gch__thread_is_model(void);

/* In a forked child: there is none yet. */
void gch__threads_forked(void);

/* The caller's name from now on, at most 15 bytes. */
void gch__thread_name(const char *name);

#endif
