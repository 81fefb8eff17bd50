/* SPDX-License-Identifier: BSD-3-Clause */
/* What every test program shares; see harness.h. The watchdog is in
   watchdog.c. */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "harness.h"
#include "watchdog.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double from_environment(const char *name, double otherwise) {
  const char *text = getenv(name);
  return text != NULL && *text != '\0' ? strtod(text, NULL) : otherwise;
}

int scaled(int n) {
  double scaled = n * from_environment("GULCH_TEST_SCALE", 1);
  return scaled < 1 ? 1 : (int)scaled;
}

double stress_seconds(void) {
  return from_environment("GULCH_STRESS_SECONDS", 1);
}

uint32_t test_random(uint32_t *state) { /* Marsaglia's xorshift32 */
  uint32_t x = *state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return *state = x;
}

/* Threads */

struct test_thread {
  bool is_task;
  pthread_t id;   /* of a thread */
  gch_wg running; /* a task */
  void (*fn)(void *);
  void *arg;
};

static void *thread_main(void *arg) {
  test_thread *t = arg;
  t->fn(t->arg);
  return NULL;
}

test_thread *thread_start_as(bool task, void (*fn)(void *), void *arg) {
  test_thread *t = calloc(1, sizeof *t);
  ck_assert_ptr_nonnull(t);
  t->is_task = task;
  t->fn = fn;
  t->arg = arg;
  ck_assert_int_eq(task ? gch_wg_go(&t->running, fn, arg)
                        : pthread_create(&t->id, NULL, thread_main, t),
                   0);
  return t;
}

test_thread *thread_start(void (*fn)(void *), void *arg) {
  return thread_start_as(false, fn, arg);
}

void thread_join(test_thread *t) {
  if (t->is_task)
    gch_wg_wait(&t->running);
  else
    ck_assert_int_eq(pthread_join(t->id, NULL), 0);
  free(t);
}

/* What the kernel tells of a thread of this process. */
struct thread_stat {
  char state;
  unsigned flags;
};

static bool stat_thread(const char *tid, struct thread_stat *to) {
  char path[64], line[512] = "";
  snprintf(path, sizeof path, "/proc/self/task/%.20s/stat", tid);
  FILE *f = fopen(path, "r");
  if (f == NULL)
    return false;
  const char *end = fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL;
  fclose(f);
  return end != NULL && sscanf(end + 1, " %c %*d %*d %*d %*d %*d %u",
                               &to->state, &to->flags) == 2;
}

/* The kernel may still list a thread that it is done with: it ends a join
   before that. */
static bool is_there(const char *tid) {
  enum { PF_EXITING = 4 };
  struct thread_stat t;
  return stat_thread(tid, &t) && (t.flags & PF_EXITING) == 0;
}

static bool is_awake_elsewhere(const char *tid) {
  struct thread_stat t;
  return atoi(tid) != (int)syscall(SYS_gettid) && stat_thread(tid, &t) &&
         (t.state == 'R' || t.state == 'D');
}

static int count_threads(bool (*counts)(const char *tid)) {
  int n = 0;
  DIR *dir = opendir("/proc/self/task");
  if (dir == NULL)
    abort();
  for (struct dirent *e; (e = readdir(dir)) != NULL;)
    n += e->d_name[0] != '.' && counts(e->d_name);
  closedir(dir);
  return n;
}

/* The threads that are there before a test begins, but for the one that runs
   it: the watchdog, and what a sanitizer starts. */
static int other_threads;
static pid_t other_threads_of;

int thread_count(void) {
  int n = count_threads(is_there);
  return other_threads_of == getpid() ? n - other_threads : n;
}

void run_program_again(void) {
  const char *emulator = getenv("GULCH_TEST_EMULATOR");
  char path[4096];
  ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
  if (n < 0)
    return;
  path[n] = '\0';
  if (emulator)
    execlp(emulator, emulator, path, (char *)NULL);
  else
    execl(path, path, (char *)NULL);
}

/* Waiting */

/* Between two looks: yields, and after a few times sleeps. */
static void look_again_later(int looks) {
  const struct timespec pause = {0, 50000};
  if (looks < 5)
    sched_yield();
  else
    nanosleep(&pause, NULL);
}

void await_waiting(const gch_chan *c, size_t senders, size_t receivers) {
  for (int looks = 0;; looks++) {
    size_t s, r;
    gch_waiting(c, &s, &r);
    if (s == senders && r == receivers)
      return;
    look_again_later(looks);
  }
}

void await_count(const _Atomic int *flag, int n) {
  for (int looks = 0; atomic_load(flag) < n; looks++)
    look_again_later(looks);
}

/* With a bound: where something goes on always, they may never all sleep. */
static void await_sleepers(void) {
  for (int looks = 0, asleep = 0; looks < 1000 && asleep < 2; looks++) {
    asleep = count_threads(is_awake_elsewhere) ? 0 : asleep + 1;
    look_again_later(looks);
  }
}

pid_t fork_alone(void) {
  if (FORK_ALONE)
    await_sleepers();
  return fork();
}

/* Panics */

static _Noreturn void run_panicking(void (*fn)(void *), void *arg, bool strict,
                                    int errors) {
  const struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  dup2(errors, STDERR_FILENO);
  close(errors);
  gch_set_strict(strict);
  fn(arg);
  _exit(0);
}

/* Reads fd to its end; the first size - 1 bytes are kept. */
static void read_all(int fd, char *text, size_t size) {
  char rest[256];
  size_t have = 0;
  for (;;) {
    bool full = have + 1 == size;
    ssize_t n = full ? read(fd, rest, sizeof rest)
                     : read(fd, text + have, size - 1 - have);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      break;
    have += full ? 0 : (size_t)n;
  }
  text[have] = '\0';
}

/* Whether a line of text is "panic: WORDS", or that and " [where]". */
static bool has_panic_line(const char *text, const char *words) {
  char line[1024];
  int n = snprintf(line, sizeof line, "panic: %s", words);
  for (const char *at = text; at != NULL; at = strchr(at, '\n')) {
    at += *at == '\n';
    if (strncmp(at, line, (size_t)n) == 0 &&
        (at[n] == '\0' || at[n] == '\n' || strncmp(at + n, " [", 2) == 0))
      return true;
  }
  return false;
}

static void expect_panic_if(void (*fn)(void *), void *arg, bool strict,
                            const char *words) {
  char text[8192];
  int fds[2], status;
  ck_assert_int_eq(pipe(fds), 0);
  fflush(NULL);
  pid_t pid = fork_alone();
  ck_assert_int_ge(pid, 0);
  if (pid == 0) {
    close(fds[0]);
    run_panicking(fn, arg, strict, fds[1]);
  }
  close(fds[1]);
  read_all(fds[0], text, sizeof text);
  close(fds[0]);
  while (waitpid(pid, &status, 0) < 0)
    ck_assert_int_eq(errno, EINTR);
  ck_assert_msg(has_panic_line(text, words),
                "expected \"panic: %s\", status %#x, stderr: %s", words,
                (unsigned)status, text);
  ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT,
                "expected an abort, got status %#x, stderr: %s",
                (unsigned)status, text);
}

void expect_panic(void (*fn)(void *), void *arg, const char *words) {
  expect_panic_if(fn, arg, false, words);
}

void expect_panic_strict(void (*fn)(void *), void *arg, const char *words) {
  expect_panic_if(fn, arg, true, words);
}

/* The program */

static void before_test(void) {
  watchdog_start(from_environment("GULCH_TEST_SECONDS", 60) + stress_seconds());
  other_threads = count_threads(is_there) - 1;
  other_threads_of = getpid();
}

static void after_test(void) {
  watchdog_stop();
}

TCase *test_case(Suite *s, const char *name) {
  TCase *t = tcase_create(name);
  suite_add_tcase(s, t);
  tcase_add_checked_fixture(t, before_test, after_test);
  tcase_set_timeout(t, 0);
  return t;
}

#ifdef GULCH_COVERAGE
/* What a process has covered that aborts, or ends by _exit, counts too. */
void __gcov_dump(void);

static void keep_coverage(int sig) {
  (void)sig;
  __gcov_dump();
}

void _exit(int status) {
  __gcov_dump();
  for (;;)
    syscall(SYS_exit_group, status);
}
#endif

/* For ThreadSanitizer: a forked process may start threads, and one that ends
   while others run does not sleep first. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void) {
  return "die_after_fork=0:atexit_sleep_ms=0";
}

int main(void) {
#ifdef GULCH_COVERAGE
  signal(SIGABRT, keep_coverage);
#endif
  watchdog_prepare();
  SRunner *runner = srunner_create(test_suite());
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
