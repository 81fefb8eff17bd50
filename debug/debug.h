/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * <gulch/debug.h>: panics, strict mode, and a look inside.
 *
 * A panic is for what can't be reported to anyone. It prints
 * "panic: <words>" and where to stderr and aborts.
 *
 *     gch_must(gch_send(c, &v));    // a failure here is a bug
 *
 * A dump shows every channel that is alive, and who is parked on it; then every
 * task:
 *
 *     gch_set_name(jobs, "jobs");
 *     gch_dump(stderr);
 *
 *     channel 0x55d0c8a012a0 "jobs": 8 bytes, 16/16, open
 *       send: thread 4711, 12.250 s
 *       send in select case 1: thread 4712, 0.004 s
 *     channel 0x55d0c8a01450: 0 bytes, 0/0, open, of a context
 *     task 0x7f578a2c2080 "main": main, running
 *     task 0x7f578a2c2100 "eater": eat, receive from 0x55d0c8a012a0, at
 *     eat+0x12, 0.050 s   (all of it in one line)
 *
 * A line a channel: its address; its name, if it has one (control characters
 * and quotes as '?'); the size of an element; gch_len/gch_cap; open or closed;
 * ", of a context" for a done channel, ", of a timer" for a timer's, ticker's
 * or gch_after's. Then an indented line for each operation parked on it,
 * receives before sends, each kind in the order in which it will be served:
 * "receive" or "send"; "in select case N" for a case of a select, which stands
 * so with each of its channels; "in a wait that a context ends" for who waits
 * for something else, as in gch_mutex_lock_ctx; the thread, by the number that
 * ps and gdb give it, or "task", its address, and its name, if it has one; how
 * long ago it began to wait, in seconds. The order of the channels
 * means nothing. Later versions may add to the end of a line, and other lines.
 *
 * A line a task: "task" and its address, or "task thread" and the number of the
 * thread that it is; its name, if it has one; the function that it was started
 * with; and what it does:
 *
 *     running                  it has a processor, or waits for one
 *     ready                    it will run
 *     outside in a call        it blocks or computes in code that knows nothing
 *                              of tasks; the others go on without its worker
 *     receive from CHANNEL, send to CHANNEL, select (receive from …, send to
 *     …), sleep, for ever (on a channel that is NULL), lock of mutex M, lock of
 *     rwmutex M, rlock of rwmutex M, cond C, once O, wait group W, run of
 *     FUNCTION, stop_wait (of a timer or an after_func)
 *
 * After what it waits for: where in the program, the first place on its stack
 * that is not in this library; and for how long. A place is a function's name,
 * with what lies between its beginning and the place; of a file without symbols
 * it is "file+0x1234" for addr2line. Where the place is not found (the kernel
 * refuses process_vm_readv and /proc/self/mem, or the program has this library
 * linked statically and no symbols), it is left out. An emulator may let nobody
 * look at stacks: then "?" is the function, and "ready or waits" what it does.
 * While tasks run, a line may be a mixture of before and after.
 *
 * Environment:
 *
 *     GULCH_LEAKS=1    When the process ends by exit or a return from main, and
 *                      channels, tasks or adopted descriptors are still alive,
 *                      lists them to stderr: a dump, a line a descriptor, then
 *                      "gulch: still alive: channels 1, contexts 0, timers 0,
 *                      tasks 1, descriptors 1". Contexts are those that can be
 *                      cancelled, timers those with a channel. Tasks that are
 *                      about to end are given 0.1 s; that of GCH_MAIN is none
 *                      of them. Descriptors are those that this process has
 *                      adopted, accepted, dialled or listens on, and not closed
 *                      by gch_io_close; all others are the program's business:
 *                      "fd 7: open, tcp 127.0.0.1:80 to 127.0.0.1:4711,
 *                      accepted by FUNCTION" (a task's; or "a thread").
 *                      What ends later than the library, such as C++ objects
 *                      that outlive main where gulch is linked statically,
 *                      counts as alive.
 *
 *     GULCH_DEADLOCK=1 When every thread but the library's own is parked in
 *                      gulch for good, ends the process as Go does: with
 *                      "fatal error: all goroutines are asleep - deadlock!"
 *                      and a dump on stderr, then status 2 by _exit. Never
 *                      while a thread or task is anywhere else (in a system
 *                      call, in pthread_join), a timer or deadline is
 *                      pending, or somebody listens to signals. Linux with
 *                      /proc; not in a forked child before it starts a task
 *                      or a timer. Starts the library's thread at once. A
 *                      signal handler of the program's own keeps nothing
 *                      alive: it could wake nobody who is parked.
 */
#ifndef GULCH_DEBUG_H
#define GULCH_DEBUG_H

#include <gulch/ctx.h>
#include <gulch/panic.h>
#include <gulch/sync.h>

#include <stdio.h>

GCH_BEGIN_DECLS

/* Unless expr is 0: panic "FILE:LINE: EXPR: gch_strerror(it)". */
#define gch_must(expr) gch_must_be_zero((expr), #expr, __FILE__, __LINE__)

static inline void gch_must_be_zero(int err, const char *expr, const char *file,
                                    int line) {
  if (err != 0)
    gch_panic("%s:%d: %s: %s", file, line, expr, gch_strerror(err));
}

/* How many operations are queued on c now. Out parameters may be NULL. For
   tests: to wait until somebody is parked. */
GCH_API void gch_waiting(const gch_chan *c, size_t *senders, size_t *receivers);

/* The same for those who sleep until they have the mutex, are signalled, or fn
   has returned. */
GCH_API size_t gch_mutex_waiting(const gch_mutex *m);
GCH_API void gch_rwmutex_waiting(const gch_rwmutex *rw, size_t *readers,
                                 size_t *writers);
GCH_API size_t gch_cond_waiting(const gch_cond *c);
GCH_API size_t gch_once_waiting(const gch_once *o);

/* And for calls and arms that wait for descriptor fd, to read or to write, or
   for their turn. */
GCH_API void gch_io_waiting(int fd, size_t *readers, size_t *writers);

/* Prints every live channel and task, in the format above, to out; NULL:
   stderr. A context's is one from the first gch_ctx_done on (with GULCH_LEAKS,
   from the beginning). What begins or ends meanwhile may be shown or not. May
   be called from any thread at any time, while others use the channels; holds
   no lock while it prints. In a forked child: the channels that it made itself,
   and its own tasks. Errors are those of the stream (ferror). */
GCH_API void gch_dump(FILE *out);

GCH_END_DECLS

#endif
