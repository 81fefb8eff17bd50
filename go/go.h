/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * <gulch/go.h>: Go's go statement.
 *
 *     gch_go(worker, jobs);                          // go worker(jobs)
 *
 * What is started here is a task: it has a stack of its own (256 kB of address
 * space, of which it takes what it touches; below it a guard of 64 kB) and is
 * run by a few worker threads, one a processor.
 * A call of this library that blocks parks the task, and its thread goes on
 * with another. Any other call may be made too: a task that has sat in one
 * (read, getaddrinfo, a long computation) for some milliseconds keeps its
 * thread, and the others go on, on spare threads. Everything before the call of
 * gch_go is visible in the task. The process ends when main returns, as in Go,
 * whatever tasks are left.
 *
 * A task may go on in another thread after a call that can block. errno comes
 * along, in every file that includes a header of gulch (<gulch/base.h> sees to
 * that; a file that includes none must not use it on both sides of such a
 * call). A C++ task's exceptions come along too, thrown and caught ones: it may
 * block in a catch or in a destructor, and rethrow after that. Other
 * thread-locals do not, and compilers remember where a thread-local is: a
 * function that makes such a call must not use one by name both before and
 * after it. Nor may a task hold what belongs to a thread (a pthread mutex,
 * flockfile, uselocale, the floating-point environment, a changed signal mask)
 * across such a call; <gulch/sync.h> has locks that it may hold.
 *
 *   - Worker threads have the signal mask of the thread that started the first
 *     task, or that before this was the first to give the library a function
 *     that a task may have to call (gch_timer_func, gch_ctx_after_func,
 *     gch_ctx_custom, gch_ctx_with_value_drop). A handler that runs in one runs
 *     on the task's stack, unless it has SA_ONSTACK. They have nothing else of
 *     who happens to need one: they may use the processors that any thread
 *     might when the first was started, are scheduled as SCHED_OTHER with the
 *     nice value of the first thread of the process, round to nearest and trap
 *     nothing, and are called gulch-worker. What can't be undone stays, as a
 *     seccomp filter or dropped capabilities.
 *   - A scheduling policy that a task sets is its worker's, and stays there
 *     with whichever tasks come next; one that is to have a policy has a
 *     pthread of its own (gch_go_opts.thread). Under SCHED_DEADLINE no thread
 *     can be started (the kernel's rule, unless SCHED_FLAG_RESET_ON_FORK is
 *     set): there the first gch_go, timer or deadline of a process is ENOMEM,
 *     and so is each pthread of its own. What has been started before serves
 *     such a thread like any other.
 *   - fork in a task: the child goes on in that task; all others are gone. When
 *     its function returns, the child does _exit(0).
 *   - exit in a task ends the process, as anywhere.
 *   - A program may be built with a sanitizer where the library is not. But
 *     ThreadSanitizer then sees nothing of how gulch orders things, and reports
 *     races that are none: for it, build the library with --enable-tsan.
 *   - pthread_exit in a task ends the task and its thread; another thread takes
 *     over. What was to happen after the task's function (a wait group's done,
 *     gch_run's return) does not. The cleanup handlers that the task has pushed
 *     run in it, and must not block; destructors of thread-specific values and
 *     of thread-locals run when it is over, as in a plain thread, and may.
 *   - A task that runs off its stack ends the process with "fatal error: stack
 *     overflow in task NAME", by SIGABRT; one that has a thread, by SIGSEGV. A
 *     frame of more than 64 kB may step over the guard unseen, and overwrite
 *     what lies below: compile with -fstack-clash-protection what has such
 *     (large local arrays, alloca of any size). Before Linux 6.13 each guard
 *     takes two of the process's mappings. There are no more such guards at a
 *     time than take a quarter of vm.max_map_count (some 8000, as it is set by
 *     default); tasks beyond that have none, until others have ended.
 *   - Where the program, or a library that is loaded when stacks are made, asks
 *     for an executable stack, as with GNU C's nested functions that are called
 *     by a pointer, stacks of tasks are executable.
 *   - To tell of an overflow the first task installs handlers of SIGSEGV and
 *     SIGBUS, which pass every other fault on to what was installed before.
 *     What is installed later takes their place: then an overflow is a fault
 *     like others, unless that passes it on. Who puts the library's handler
 *     back should do it by sigaction: with signal() it is without its own
 *     stack, and the next overflow without words, until another fault has come.
 *
 * GULCH_MAXPROCS: gch_maxprocs at first. GULCH_MAXTHREADS (10000): with more
 * threads than that blocked in tasks the process ends with a fatal error. So it
 * does where a thread that tasks wait for can't be started (RLIMIT_NPROC, the
 * pids.max of a cgroup): "fatal error: tasks wait, and no thread can be
 * started", status 2, when no task has moved for 10 s and none computes.
 * GULCH_STACK_SIZE (256k): the stacks' size, bytes, or with k, m or g behind
 * it; 16 kB to 1 GB (64 MB where pointers have 32 bits); what is no number is
 * ignored.
 *
 * Errors: EINVAL (fn is NULL), ENOMEM (no memory, or no thread).
 */
#ifndef GULCH_GO_H
#define GULCH_GO_H

#include <gulch/base.h>

GCH_BEGIN_DECLS

/* go fn(arg) */
GCH_API int gch_go(void (*fn)(void *), void *arg);

/* go fn(copy): fn gets a copy of the size bytes at arg, on its own stack,
   aligned for any type. */
GCH_API int gch_go_copy(void (*fn)(void *), const void *arg, size_t size);

typedef struct gch_go_opts {
  const char *name;  /* for messages; copied, cut to 15 bytes; NULL: none */
  size_t stack_size; /* bytes; 0: the default; rounded up to what is possible */
  bool thread;       /* a pthread of its own, which shows the name */
  uintptr_t reserved[4]; /* zero */
} gch_go_opts;

/* opts may be NULL for the defaults. A pthread of its own begins as one that
   the caller had made by pthread_create: with the caller's signal mask,
   processors, scheduling policy and floating-point environment. */
GCH_API int gch_go_with(const gch_go_opts *opts, void (*fn)(void *), void *arg);

/* Runs fn(arg) as the main task, the caller waiting; its result. Tasks that
   are left go on. EINVAL: fn is NULL. ENOMEM: no task could be started. */
GCH_API int gch_run(int (*fn)(void *), void *arg);

/* What the main that GCH_MAIN makes does: calls body(argc, argv) as the main
   task, the caller waiting, and returns its result. For a main of one's own. */
GCH_API int gch_main(int (*body)(int argc, char **argv), int argc, char **argv);

/*
 * A program whose main is a task, as in Go: what it does with other tasks costs
 * what tasks cost, where a main in its plain thread pays for a hand-over from
 * thread to thread each time.
 *
 *     GCH_MAIN(argc, argv) {
 *       printf("%s has %d arguments\n", argv[0], argc - 1);
 *       return 0;
 *     }
 *
 * Once in a program, outside of any function. Either name may stay unused; to
 * fall off the end is to return 0; return and exit(n) end the process as from
 * any main, whatever other tasks are left. Its stack has as many bytes as the
 * process's may have (ulimit -s; 8 MB where that is unlimited), and takes
 * memory as it is touched. Where main can't be started as a task, for want of
 * memory or a thread, the program says so on stderr and its status is 1.
 *
 * In a child that main forked it goes on; to return from it there, too, ends
 * the process as from any main, with its status, atexit functions and flushed
 * streams. pthread_exit in main ends that task, and the process goes on until
 * exit, which another task may call.
 *
 * Main goes on in another thread after a call that can block: what belongs to a
 * thread (the signal mask, sigaltstack, thread-locals, a library that wants to
 * be used from one thread only) is for a program with a plain main; that may
 * still run a part of itself as a task by gch_run.
 */
#if defined(__GNUC__)
/* The compiler's main is the body, under another name for the linker, since in
   main alone one may fall off the end; the linker's main starts it. */
#define GCH_MAIN(argc, argv)                                                   \
  GCH_BEGIN_DECLS                                                              \
  int gch__main_body(int, char **);                                            \
  int gch__main_start(int, char **) __asm__(GCH_SYMBOL("main"));               \
  int gch__main_start(int n, char **args) {                                    \
    return gch_main(gch__main_body, n, args);                                  \
  }                                                                            \
  GCH_END_DECLS                                                                \
  int main(int, char **) __asm__(GCH_SYMBOL("gch__main_body"));                \
  int main(GCH_UNUSED int argc, GCH_UNUSED char **argv)

#define GCH_SYMBOL(name) GCH_SYMBOL_IN(__USER_LABEL_PREFIX__, name)
#define GCH_SYMBOL_IN(prefix, name) GCH_SYMBOL_TEXT(prefix) name
#define GCH_SYMBOL_TEXT(prefix) #prefix
#else
#define GCH_MAIN(argc, argv)                                                   \
  static int gch__main_body(int, char **);                                     \
  int main(int n, char **args) {                                               \
    return gch_main(gch__main_body, n, args);                                  \
  }                                                                            \
  static int gch__main_body(int argc, char **argv)
#endif

/* Calls fn(arg), which is known to block outside of this library (getaddrinfo,
   flock, a query of a database): the other tasks of the worker go on elsewhere
   at once, where else they wait until the monitor finds out, some milliseconds.
   fn may do whatever a task may, call gch_blocking too. In a plain thread it is
   just called. 0; EINVAL: fn is NULL. errno is what fn leaves. */
GCH_API int gch_blocking(void (*fn)(void *), void *arg);

/*
 * Task-local values, as pthread_key_t gives them to threads: each task has its
 * own value under a key, and so has each thread, which is what code in a plain
 * thread sees. A new task has none. There may be any number of keys; a task
 * pays for those under which it has set something.
 *
 *     static gch_key *current;              // = gch_key_new(free), once
 *     gch_key_set(current, strdup("job 7"));
 *     printf("%s\n", (char *)gch_key_get(current));
 *
 * When a task's function has returned, or its thread's, each value that is left
 * and is not NULL is given to its key's drop, in no particular order, in the
 * task and before whoever waits for it (a wait group, gch_run) learns of its
 * end. A drop may block, and use and set values; what it sets is dropped too,
 * four times round. pthread_exit in a task has them dropped after that, in the
 * thread. exit drops nothing. A task that forked has its values in the child.
 */
typedef struct gch_key gch_key;

/* A key; drop may be NULL. NULL: errno is ENOMEM. */
GCH_API gch_key *gch_key_new(void (*drop)(void *value));

/* Sets the caller's value, NULL for none; what it was is not dropped. 0, ENOMEM
   (it is as it was), EINVAL: key is NULL. */
GCH_API int gch_key_set(gch_key *key, void *value);

/* The caller's value; NULL: none. */
GCH_API void *gch_key_get(gch_key *key);

/* Frees a key, or does nothing where it is NULL. Values left under it, in any
   task, are gone without a drop. Nobody may use the key any more; a task that
   is just ending may still be in its drop. */
GCH_API void gch_key_free(gch_key *key);

/* runtime.Gosched: lets other tasks run; in a plain thread, sched_yield. */
GCH_API void gch_yield(void);

/* runtime.GOMAXPROCS: sets, for n > 0, how many processors tasks may use;
   the previous value. The default, found when first asked for, is
   GULCH_MAXPROCS, or the processors that any thread of the process may use, but
   no more than the CPU quota of its cgroup, rounded up and at least 2. More
   than 1024 count as 1024. */
GCH_API int gch_maxprocs(int n);

/* runtime.NumGoroutine, without plain threads: the tasks that have not yet
   returned. */
GCH_API size_t gch_num_tasks(void);

GCH_END_DECLS

#endif
