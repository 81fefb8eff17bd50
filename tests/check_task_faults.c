/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SIGSEGV and SIGBUS that are no stack overflow, after the first task: what the
 * program had installed before is called as the kernel would have called it. So
 * each scene is played in two processes, with gulch and without, which must say
 * and do the same. A handler says on stderr all that it finds.
 */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "ends.h"
#include "tasks.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <ucontext.h>

enum how { FAULT, RAISE, KILL, QUEUE, HOWS };
enum leave { RETURN, MEND, JUMP, JUMP_WITH_MASK, LEAVES };
enum where { MAIN, MAIN_WITH_STACK, TASK, WHERES };
enum { TIMES = 3, PAGE = 65536, STACK = 1 << 18 };

static struct scene {
  int sig;
  enum how how;
  enum leave leave;
  enum where where;
  int flags;
  void (*other)(int); /* SIG_DFL or SIG_IGN, if not our handler, */
  bool is_other;
  bool with_gulch;
} scene;

static char *forbidden, *own_stack;
static int file = -1; /* that forbidden is behind the end of */
static sigjmp_buf back;
static uintptr_t interrupted; /* a frame near there */
static volatile int calls;

static void say(const char *fmt, ...) {
  char text[200];
  va_list ap;
  va_start(ap, fmt);
  int n = vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  if (write(STDERR_FILENO, text, (size_t)n) < 0)
    _exit(99);
}

/* The handler */

static bool blocked(const sigset_t *set, int sig) {
  return sigismember(set, sig) == 1;
}

static void say_stack(void) {
  char here;
  stack_t now;
  uintptr_t at = (uintptr_t)&here;
  bool near = interrupted - at < STACK / 2;
  sigaltstack(NULL, &now);
  /* A task's thread has a signal stack of gulch's, another thread has none. */
  if (scene.where != TASK)
    say(" near %d own %d flags %d", near, at - (uintptr_t)own_stack < STACK,
        now.ss_flags);
  else if (!(scene.flags & SA_ONSTACK))
    say(" near %d", near);
}

static void say_info(const siginfo_t *info, const ucontext_t *context) {
  say(" code %d", info->si_code);
  if (info->si_code > 0)
    say(" addr %d", info->si_addr == (void *)forbidden);
  else
    say(" pid %d", info->si_pid == getpid());
  if (scene.how == QUEUE)
    say(" value %d", info->si_value.sival_int);
  say(" was %d", blocked(&context->uc_sigmask, scene.sig));
  if (scene.where != TASK)
    say(" stack %d", context->uc_stack.ss_sp == own_stack);
}

static void leave(void) {
  if (scene.leave == MEND && scene.sig == SIGBUS && ftruncate(file, PAGE) != 0)
    _exit(98);
  if (scene.leave == MEND)
    mprotect(forbidden, PAGE, PROT_READ | PROT_WRITE);
  if (scene.leave == JUMP || scene.leave == JUMP_WITH_MASK)
    siglongjmp(back, 1);
}

static void handler(int sig) {
  sigset_t mask;
  pthread_sigmask(SIG_BLOCK, NULL, &mask);
  say("call %d errno %d mask %d %d %d", sig, errno, blocked(&mask, sig),
      blocked(&mask, SIGUSR1), blocked(&mask, SIGUSR2));
  say_stack();
}

static void plain_handler(int sig) {
  handler(sig);
  say("\n");
  if (++calls > 2 * TIMES)
    _exit(7);
  leave();
}

static void info_handler(int sig, siginfo_t *info, void *context) {
  handler(sig);
  say_info(info, context);
  say("\n");
  if (++calls > 2 * TIMES)
    _exit(7);
  leave();
}

static void install(void) {
  struct sigaction a = {.sa_flags = scene.flags, .sa_handler = plain_handler};
  sigemptyset(&a.sa_mask);
  sigaddset(&a.sa_mask, SIGUSR1);
  if (scene.is_other)
    a.sa_handler = scene.other;
  else if (scene.flags & SA_SIGINFO)
    a.sa_sigaction = info_handler;
  sigaction(scene.sig, &a, NULL);
}

/* The scene */

/* A page without access; for SIGBUS, one behind the end of a file. */
static void make_forbidden(void) {
  if (scene.sig == SIGBUS)
    file = fileno(tmpfile());
  int prot = file < 0 ? PROT_NONE : PROT_READ | PROT_WRITE;
  int flags = file < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
  forbidden = mmap(NULL, PAGE, prot, flags, file, 0);
}

static void cause(void) {
  union sigval v = {.sival_int = 42};
  switch (scene.how) {
  case FAULT:
    *(volatile char *)forbidden = 1;
    break;
  case RAISE:
    raise(scene.sig);
    break;
  case KILL:
    kill(getpid(), scene.sig);
    break;
  default:
    sigqueue(getpid(), scene.sig, v);
  }
}

static void mask_signal(int how) {
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, scene.sig);
  pthread_sigmask(how, &one, NULL);
}

/* In the one thread that has it not blocked. */
static void cause_some(void) {
  char here;
  mask_signal(SIG_UNBLOCK);
  interrupted = (uintptr_t)&here;
  for (volatile int i = 0; i < TIMES; i++) {
    if (sigsetjmp(back, scene.leave == JUMP_WITH_MASK) == 0) {
      errno = 77;
      cause();
    }
    say("time %d\n", i);
  }
}

static void play_in_task(void *unused) {
  cause_some();
  _exit(0);
  (void)unused;
}

static void *play_in_thread(void *unused) {
  play_in_task(unused);
  return unused;
}

static void nothing(void *unused) {
  (void)unused;
}

static void play_in_other(void) {
  pthread_t t;
  if (scene.with_gulch)
    gch_go(play_in_task, NULL);
  else
    pthread_create(&t, NULL, play_in_thread, NULL);
  for (;;)
    pause();
}

static int play(void *unused) {
  make_forbidden();
  install();
  mask_signal(SIG_BLOCK); /* gulch's threads have it so */
  if (scene.with_gulch) {
    gch_go(nothing, NULL);
    await_no_tasks();
  }
  if (scene.where == TASK)
    play_in_other();
  own_stack = NULL;
  if (scene.where == MAIN_WITH_STACK) {
    own_stack = malloc(STACK);
    sigaltstack(&(stack_t){.ss_sp = own_stack, .ss_size = STACK}, NULL);
  }
  cause_some();
  (void)unused;
  _exit(0); /* a leak checker has nothing to say */
}

static const char *text_of(int flags) {
  static char text[100];
  snprintf(
      text, sizeof text, "%s%s%s%s", flags & (int)SA_RESETHAND ? "reset " : "",
      flags & SA_NODEFER ? "nodefer " : "",
      flags & SA_ONSTACK ? "onstack " : "", flags & SA_SIGINFO ? "info" : "");
  return text;
}

static void expect_the_same(void) {
  scene.with_gulch = false;
  struct ending without = ending_of(play, NULL);
  scene.with_gulch = true;
  struct ending with = ending_of(play, NULL);
  ck_assert_msg(
      with.status == without.status && strcmp(with.text, without.text) == 0,
      "signal %d how %d leave %d where %d %s\n"
      "without gulch, status %#x:\n%swith it, status %#x:\n%s",
      scene.sig, scene.how, scene.leave, scene.where, text_of(scene.flags),
      (unsigned)without.status, without.text, (unsigned)with.status, with.text);
}

/* A fault, and one way to send the signal. */
static void in_all_places(int sent) {
  static const int sigs[] = {SIGSEGV, SIGBUS};
  for (int i = 0; i < 2 * 2 * WHERES; i++) {
    scene.sig = sigs[i % 2];
    scene.how = i / 2 % 2 ? (enum how)sent : FAULT;
    scene.where = (enum where)(i / 4);
    expect_the_same();
  }
}

/* Facts */

/* With flags that mean nothing then. */
static void expect_kept(void (*other)(int), int flags) {
  scene.other = other;
  scene.is_other = true;
  scene.flags = flags;
  for (int how = RAISE; how < HOWS; how++)
    in_all_places(how);
}

START_TEST(the_default_is_taken) {
  expect_kept(SIG_DFL, _i ? SA_SIGINFO | SA_NODEFER : 0);
}
END_TEST

START_TEST(what_is_ignored_is_ignored_but_for_faults) {
  expect_kept(SIG_IGN, _i ? SA_SIGINFO | SA_NODEFER : 0);
}
END_TEST

/* _i: the flags, and how the handler ends. */
enum { FLAGS = 16 };
START_TEST(a_handler_is_called_as_by_the_kernel) {
  scene.flags = (_i & 1 ? (int)SA_RESETHAND : 0) | (_i & 2 ? SA_NODEFER : 0) |
                (_i & 4 ? SA_ONSTACK : 0) | (_i & 8 ? SA_SIGINFO : 0);
  scene.leave = (enum leave)(_i / FLAGS);
  in_all_places(RAISE + _i % (HOWS - RAISE));
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("task_faults");
  TCase *t = test_case(s, "kept");
  int kinds = THREAD_SANITIZED ? 1 : 2; /* it takes SIG_DFL for a function */
  tcase_add_loop_test(t, the_default_is_taken, 0, kinds);
  tcase_add_loop_test(t, what_is_ignored_is_ignored_but_for_faults, 0, kinds);
  tcase_add_loop_test(t, a_handler_is_called_as_by_the_kernel, 0,
                      FLAGS * LEAVES);
  return s;
}
