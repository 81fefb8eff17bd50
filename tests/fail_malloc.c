/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * To be preloaded (glibc): makes one allocation, or one pthread_create, fail,
 * and looks for leaks.
 *
 *     FAIL_MALLOC_AT=n             the n-th allocation after main has begun
 *     FAIL_PTHREAD_CREATE_AT=n     the n-th thread
 *     FAIL_ON=1                    with one of those: and all that follow
 *     FAIL_SWEEP=malloc, FAIL_SWEEP=pthread_create
 *                                  runs main for n = 1, 2, 3, … each in a
 *                                  process of its own, until none fails
 *     FAIL_STRIDE=k                every k-th n only
 *     FAIL_OURS=1                  what other libraries ask for does not fail
 *
 * A sweep ends with status 1, and says why, if some run crashed, hung (longer
 * than 60 s), leaked, or ended with a status other than 0 and 1.
 *
 * A leak is memory that the program or the library asked for itself (libc's
 * own lasting allocations do not count) and that is still there when main has
 * ended. Threads on their way out get a second to free theirs.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LEAKED = 99, TIMEOUT_SECONDS = 60, JOBS = 4, TABLE = 1 << 16 };

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

/* The code of the program and of the library: who asks from there, asks for
   itself. */

enum { MAX_RANGES = 16 };

static struct range { uintptr_t from, to; } code[MAX_RANGES];
static int ranges;

static int note_code(struct dl_phdr_info *info, size_t size, void *unused) {
  (void)size;
  (void)unused;
  if (info->dlpi_name[0] != '\0' && !strstr(info->dlpi_name, "libgulch"))
    return 0;
  for (int i = 0; i < info->dlpi_phnum && ranges < MAX_RANGES; i++) {
    const ElfW(Phdr) *p = &info->dlpi_phdr[i];
    uintptr_t from = info->dlpi_addr + p->p_vaddr;
    if (p->p_type == PT_LOAD && (p->p_flags & PF_X))
      code[ranges++] = (struct range){from, from + p->p_memsz};
  }
  return 0;
}

static bool is_ours(const void *caller) {
  uintptr_t at = (uintptr_t)caller;
  for (int i = 0; i < ranges; i++)
    if (at >= code[i].from && at < code[i].to)
      return true;
  return false;
}

/* What fails */

static atomic_bool armed;
static _Atomic long mallocs, creates;
static long malloc_at, create_at;
static bool fail_on, only_ours;
static _Atomic bool *failed, own_failed;

static bool fails(_Atomic long *calls, long at, const void *caller) {
  if (!atomic_load(&armed) || (only_ours && !is_ours(caller)))
    return false;
  long n = atomic_fetch_add(calls, 1) + 1;
  if (at == 0 || !(n == at || (fail_on && n > at)))
    return false;
  atomic_store(failed, true);
  return true;
}

/* For the driver: allocations so far. */
long fail_malloc_calls(void);
long fail_malloc_calls(void) {
  return atomic_load(&mallocs);
}

/* What is live: an open hash table of what the program and the library have
   asked for. */

static struct live {
  void *block; /* NULL: never used; &gone: used once */
  void *caller;
} table[TABLE];
static char gone;
static int live_count;
static atomic_flag table_lock = ATOMIC_FLAG_INIT;

static void lock_table(void) {
  while (atomic_flag_test_and_set(&table_lock))
    sched_yield();
}

static void unlock_table(void) {
  atomic_flag_clear(&table_lock);
}

static size_t hash(const void *block) {
  return ((uintptr_t)block >> 4) * 2654435761u % TABLE;
}

static void note(void *block, void *caller) {
  if (!block || !atomic_load(&armed) || !is_ours(caller))
    return;
  lock_table();
  size_t i = hash(block);
  while (table[i].block && table[i].block != &gone)
    i = (i + 1) % TABLE;
  table[i] = (struct live){block, caller};
  live_count++;
  unlock_table();
}

static void forget(void *block) {
  if (!block || !atomic_load(&armed))
    return;
  lock_table();
  for (size_t i = hash(block); table[i].block; i = (i + 1) % TABLE)
    if (table[i].block == block) {
      table[i].block = &gone;
      live_count--;
      break;
    }
  unlock_table();
}

static int count_live(void) {
  lock_table();
  int n = live_count;
  unlock_table();
  return n;
}

static void print_leak(const struct live *l) {
  Dl_info info = {0};
  dladdr(l->caller, &info);
  fprintf(stderr, "leak: allocated at %s+%#lx (%s)\n",
          info.dli_fname ? info.dli_fname : "?",
          (unsigned long)((char *)l->caller - (char *)info.dli_fbase),
          info.dli_sname ? info.dli_sname : "static");
}

static void report(void) {
  const struct timespec moment = {0, 1000000};
  for (int i = 0; i < 1000 && count_live() > 0; i++)
    nanosleep(&moment, NULL);
  int leaks = count_live();
  atomic_store(&armed, false);
  for (size_t i = 0; leaks > 0 && i < TABLE; i++)
    if (table[i].block && table[i].block != &gone)
      print_leak(&table[i]);
  fflush(NULL);
  if (leaks > 0)
    _exit(LEAKED);
}

/* In the place of libc's */

static void *allocate(size_t align, size_t size, void *caller) {
  if (fails(&mallocs, malloc_at, caller)) {
    errno = ENOMEM;
    return NULL;
  }
  void *p = align ? __libc_memalign(align, size) : __libc_malloc(size);
  note(p, caller);
  return p;
}

void *malloc(size_t size) {
  return allocate(0, size, __builtin_return_address(0));
}

void *calloc(size_t n, size_t size) {
  if (fails(&mallocs, malloc_at, __builtin_return_address(0))) {
    errno = ENOMEM;
    return NULL;
  }
  void *p = __libc_calloc(n, size);
  note(p, __builtin_return_address(0));
  return p;
}

void *realloc(void *old, size_t size) {
  if (fails(&mallocs, malloc_at, __builtin_return_address(0))) {
    errno = ENOMEM;
    return NULL;
  }
  forget(old);
  void *p = __libc_realloc(old, size);
  note(p || size == 0 ? p : old, __builtin_return_address(0));
  return p;
}

void *aligned_alloc(size_t align, size_t size) {
  return allocate(align, size, __builtin_return_address(0));
}

void *memalign(size_t align, size_t size) {
  return allocate(align, size, __builtin_return_address(0));
}

int posix_memalign(void **out, size_t align, size_t size) {
  int saved = errno;
  void *p = allocate(align, size, __builtin_return_address(0));
  errno = saved;
  if (!p)
    return ENOMEM;
  *out = p;
  return 0;
}

void free(void *block) {
  forget(block);
  __libc_free(block);
}

typedef int create_fn(pthread_t *, const pthread_attr_t *, void *(*)(void *),
                      void *);
static create_fn *real_create;

int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                   void *(*fn)(void *), void *arg) {
  if (fails(&creates, create_at, __builtin_return_address(0)))
    return EAGAIN;
  return real_create(thread, attr, fn, arg);
}

/* Running main */

static int (*real_main)(int, char **, char **);

static int run(int argc, char **argv, char **envp) {
  dl_iterate_phdr(note_code, NULL);
  atexit(report);
  atomic_store(&armed, true);
  return real_main(argc, argv, envp);
}

/* One run of a sweep. */
struct child {
  pid_t pid; /* 0: none */
  long n;
  int output;
  time_t started;
};

static struct child children[JOBS];
static _Atomic bool *failed_in; /* shared with the children */
static int bad_runs;
static long good_runs;
static bool sweep_over;

static void complain(const struct child *c, const char *what, int detail) {
  char text[4096];
  fprintf(stderr, "n = %ld: %s %d\n", c->n, what, detail);
  ssize_t got = pread(c->output, text, sizeof text, 0);
  if (got > 0)
    fwrite(text, 1, (size_t)got, stderr);
  bad_runs++;
}

static void judge(const struct child *c, int status) {
  int result = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  bool any = atomic_load(&failed_in[c - children]);
  if (WIFSIGNALED(status))
    complain(c, "killed by signal", WTERMSIG(status));
  else if (result == LEAKED)
    complain(c, "leaks, after a failure:", any);
  else if (result > 1 || (result != 0 && !any))
    complain(c, "exit status", result);
  else
    good_runs++;
  if (!any)
    sweep_over = true;
}

static void reap(struct child *c) {
  int status;
  if (c->pid != 0 && waitpid(c->pid, &status, WNOHANG) == c->pid) {
    judge(c, status);
    close(c->output);
    c->pid = 0;
  } else if (c->pid != 0 && time(NULL) - c->started > TIMEOUT_SECONDS) {
    complain(c, "no end after seconds:", TIMEOUT_SECONDS);
    kill(c->pid, SIGKILL);
    c->started = time(NULL);
  }
}

static int start(struct child *c, int argc, char **argv, char **envp) {
  c->output = memfd_create("output", MFD_CLOEXEC);
  c->started = time(NULL);
  atomic_store(&failed_in[c - children], false);
  c->pid = fork();
  if (c->pid < 0)
    abort();
  if (c->pid != 0)
    return 0;
  failed = &failed_in[c - children];
  *(create_at != 0 ? &create_at : &malloc_at) = c->n;
  dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
  dup2(c->output, STDERR_FILENO);
  return run(argc, argv, envp);
}

static long number(const char *name, long otherwise) {
  const char *text = getenv(name);
  return text ? strtol(text, NULL, 10) : otherwise;
}

static int sweep(int argc, char **argv, char **envp) {
  const struct timespec moment = {0, 200000};
  long next = 1, stride = number("FAIL_STRIDE", 1);
  bool any = true;
  failed_in = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  while (any) {
    any = false;
    for (struct child *c = children; c < children + JOBS; c++) {
      reap(c);
      if (c->pid == 0 && !sweep_over) {
        c->n = next;
        next += stride;
        int result = start(c, argc, argv, envp);
        if (c->pid == 0)
          return result;
      }
      any |= c->pid != 0;
    }
    nanosleep(&moment, NULL);
  }
  printf("%s: %ld good runs, %d bad\n", argv[0], good_runs, bad_runs);
  return bad_runs > 0;
}

static int main_or_sweep(int argc, char **argv, char **envp) {
  const char *what = getenv("FAIL_SWEEP");
  fail_on = number("FAIL_ON", 0) != 0;
  only_ours = number("FAIL_OURS", 0) != 0;
  failed = &own_failed;
  malloc_at = number("FAIL_MALLOC_AT", 0);
  create_at = number("FAIL_PTHREAD_CREATE_AT", 0);
  if (!what)
    return run(argc, argv, envp);
  malloc_at = 0;
  create_at = strcmp(what, "pthread_create") == 0;
  return sweep(argc, argv, envp);
}

typedef int start_fn(int (*)(int, char **, char **), int, char **,
                     void (*)(void), void (*)(void), void (*)(void), void *);

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv,
                      void (*init)(void), void (*fini)(void),
                      void (*rtld_fini)(void), void *stack_end);
int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv,
                      void (*init)(void), void (*fini)(void),
                      void (*rtld_fini)(void), void *stack_end) {
  start_fn *real = (start_fn *)dlsym(RTLD_NEXT, "__libc_start_main");
  real_create = (create_fn *)dlsym(RTLD_NEXT, "pthread_create");
  real_main = main;
  return real(main_or_sweep, argc, argv, init, fini, rtld_fini, stack_end);
}
