/* SPDX-License-Identifier: BSD-3-Clause */
/* Panics and fatal errors say their words and end the process, whatever locks
   are held, and whoever reads stderr. */
#define TEST_AS_IS
#define _GNU_SOURCE
#include "ends.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>

/* Locks */

#if defined(__GLIBC__) && !SANITIZED
#define OWN_MALLOC 1
static atomic_bool malloc_hangs;
void *__libc_malloc(size_t size);
void *malloc(size_t size) {
  while (atomic_load_explicit(&malloc_hangs, memory_order_relaxed))
    pause();
  return __libc_malloc(size);
}
#endif

static pthread_barrier_t held;

static void *hold_stderr(void *arg) {
  flockfile(stderr);
  pthread_barrier_wait(&held);
  for (;;)
    pause();
  return arg;
}

static void let_hold_stderr(void) {
  pthread_t thread;
  pthread_barrier_init(&held, NULL, 2);
  pthread_create(&thread, NULL, hold_stderr, NULL);
  pthread_barrier_wait(&held);
}

static int panic_while_stderr_is_locked(void *arg) {
  (void)arg;
  let_hold_stderr();
  gch_panic("words %d", 42);
}

START_TEST(a_panic_needs_no_lock_of_stdio) {
  expect_abort(panic_while_stderr_is_locked, NULL, "panic: words 42\n");
}
END_TEST

#ifdef OWN_MALLOC
static int panic_while_malloc_is_locked(void *arg) {
  (void)arg;
  atomic_store(&malloc_hangs, true);
  gch_panic("words %d", 42);
}

START_TEST(a_panic_ends_though_malloc_hangs) {
  expect_abort(panic_while_malloc_is_locked, NULL, "panic: words 42\n");
}
END_TEST
#endif

static void block_in_a_call(void *arg) {
  (void)arg;
  pause();
}

static int block_too_many(void *arg) {
  (void)arg;
  setenv("GULCH_MAXTHREADS", "4", 1);
  let_hold_stderr();
  for (int i = 0; i < 20; i++)
    gch_go(block_in_a_call, NULL);
  pause();
  return 1;
}

START_TEST(a_fatal_error_needs_no_lock_of_stdio) {
  struct ending e = ending_of(block_too_many, NULL);
  ck_assert(WIFEXITED(e.status) && WEXITSTATUS(e.status) == 2);
  ck_assert_ptr_nonnull(strstr(e.text, "fatal error: "));
  ck_assert_ptr_nonnull(strstr(e.text, "GULCH_MAXTHREADS"));
}
END_TEST

/* Who reads */

static int panic_into_a_full_pipe(void *blocks) {
  static char bytes[4096];
  int fds[2];
  if (pipe(fds) != 0)
    return 1;
  fcntl(fds[1], F_SETFL, O_NONBLOCK);
  while (write(fds[1], bytes, sizeof bytes) > 0)
    continue;
  if (blocks)
    fcntl(fds[1], F_SETFL, 0);
  dup2(fds[1], STDERR_FILENO);
  gch_panic("words");
}

START_TEST(a_panic_ends_though_nobody_reads) {
  struct ending e = ending_of(panic_into_a_full_pipe, _i ? &_i : NULL);
  ck_assert(WIFSIGNALED(e.status) && WTERMSIG(e.status) == SIGABRT);
}
END_TEST

static void close_the_other_end(void) {
  int fds[2];
  if (pipe(fds) != 0)
    abort();
  close(fds[0]);
  dup2(fds[1], STDERR_FILENO);
}

static int panic_into_a_broken_pipe(void *arg) {
  (void)arg;
  close_the_other_end();
  gch_panic("words");
}

START_TEST(a_panic_aborts_though_the_reader_is_gone) {
  struct ending e = ending_of(panic_into_a_broken_pipe, NULL);
  ck_assert(WIFSIGNALED(e.status) && WTERMSIG(e.status) == SIGABRT);
}
END_TEST

static int fail_into_a_broken_pipe(void *arg) {
  close_the_other_end();
  return block_too_many(arg);
}

START_TEST(a_fatal_error_exits_though_the_reader_is_gone) {
  expect_exit(fail_into_a_broken_pipe, NULL, 2);
}
END_TEST

static void nothing(int sig) {
  (void)sig;
}

static int panic_into_a_full_pipe_amid_signals(void *arg) {
  const struct sigaction ignore = {.sa_handler = nothing};
  const struct itimerval often = {{0, 100000}, {0, 100000}};
  sigaction(SIGALRM, &ignore, NULL);
  setitimer(ITIMER_REAL, &often, NULL);
  return panic_into_a_full_pipe(arg);
}

START_TEST(signals_do_not_make_it_wait_for_longer) {
  struct ending e = ending_of(panic_into_a_full_pipe_amid_signals, &e);
  ck_assert(WIFSIGNALED(e.status) && WTERMSIG(e.status) == SIGABRT);
}
END_TEST

/* Cancellation */

static void be_a_cancellation_point(const char *words) {
  (void)words;
  pthread_testcancel();
}

static void *cancel_and_panic(void *unused) {
  pthread_cancel(pthread_self());
  gch_panic("words %d", 42);
  return unused;
}

static int panic_when_cancelled(void *hook) {
  pthread_t thread;
  gch_set_panic_hook((void (*)(const char *))hook);
  pthread_create(&thread, NULL, cancel_and_panic, NULL);
  pthread_join(thread, NULL);
  return 0;
}

START_TEST(a_thread_that_is_to_be_cancelled_panics_first) {
  void *hook = _i ? (void *)be_a_cancellation_point : NULL;
  expect_abort(panic_when_cancelled, hook, "panic: words 42\n");
}
END_TEST

/* Panics in a panic's hook */

static void panic_too(const char *words) {
  gch_panic("the hook, of %.5s", words);
}

static int panic_with_such_a_hook(void *hook) {
  gch_set_panic_hook((void (*)(const char *))hook);
  gch_panic("words");
}

START_TEST(a_panic_of_the_hook_itself_ends) {
  struct ending e = ending_of(panic_with_such_a_hook, (void *)panic_too);
  ck_assert(WIFSIGNALED(e.status) && WTERMSIG(e.status) == SIGABRT);
  ck_assert_ptr_nonnull(strstr(e.text, "panic: the hook, of "));
}
END_TEST

static void panic_once(const char *words) {
  if (strcmp(words, "words") == 0)
    gch_panic("the hook");
}

START_TEST(a_panic_of_the_hook_is_said_with_the_first) {
  expect_abort(panic_with_such_a_hook, (void *)panic_once,
               "panic: the hook\n\tin the hook of: words\n\n");
}
END_TEST

static jmp_buf out;
static int hooks;

static void leave(const char *words) {
  (void)words;
  hooks++;
  longjmp(out, 1);
}

/* Each a little deeper than the last. */
__attribute__((noinline)) static void panic_at(int depth) {
  volatile char frame[64 * (depth + 1)];
  frame[0] = 0;
  (void)frame[0];
  gch_panic("words");
}

static int leave_hooks(void *arg) {
  (void)arg;
  gch_set_panic_hook(leave);
  for (volatile int depth = 0; depth < 100; depth++)
    if (setjmp(out) == 0)
      panic_at(depth);
  gch_set_panic_hook(NULL);
  return hooks == 100 ? 0 : 1;
}

START_TEST(a_hook_may_leave_by_longjmp_time_and_again) {
  expect_exit(leave_hooks, NULL, 0);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("last words");
  TCase *t = test_case(s, "locks");
  tcase_add_test(t, a_panic_needs_no_lock_of_stdio);
#ifdef OWN_MALLOC
  tcase_add_test(t, a_panic_ends_though_malloc_hangs);
#endif
  tcase_add_test(t, a_fatal_error_needs_no_lock_of_stdio);
  t = test_case(s, "readers");
  tcase_add_loop_test(t, a_panic_ends_though_nobody_reads, 0, 2);
  tcase_add_test(t, signals_do_not_make_it_wait_for_longer);
  tcase_add_test(t, a_panic_aborts_though_the_reader_is_gone);
  tcase_add_test(t, a_fatal_error_exits_though_the_reader_is_gone);
  t = test_case(s, "cancellation");
  tcase_add_loop_test(t, a_thread_that_is_to_be_cancelled_panics_first, 0, 2);
  t = test_case(s, "hook");
  tcase_add_test(t, a_panic_of_the_hook_itself_ends);
  tcase_add_test(t, a_panic_of_the_hook_is_said_with_the_first);
  tcase_add_test(t, a_hook_may_leave_by_longjmp_time_and_again);
  return s;
}
