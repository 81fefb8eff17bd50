/* SPDX-License-Identifier: BSD-3-Clause */
/* SIGSEGV in many threads and tasks at once, for a handler that was installed
   before the first task: each has its own, and an overflow is still told. */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "ends.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

enum { PAGE = 65536, STACK = 1 << 18 };

static char *forbidden;

static void make_forbidden(void) {
  forbidden = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static _Thread_local sigjmp_buf mine;

static void jump(int sig) {
  (void)sig;
  siglongjmp(mine, 1);
}

__attribute__((noinline)) static void fault_once(volatile int *caught) {
  if (sigsetjmp(mine, 1) == 0)
    *(volatile char *)forbidden = 1;
  else
    ++*caught;
}

static void fault_often(void *c) {
  volatile int caught = 0;
  for (int i = 0; i < scaled(200); i++)
    fault_once(&caught);
  if (caught == scaled(200))
    gch_send(c, NULL);
}

static void fault_with_stack(void *c) {
  void *stack = malloc(STACK);
  stack_t now, ours = {.ss_sp = stack, .ss_size = STACK};
  stack_t none = {.ss_flags = SS_DISABLE};
  sigaltstack(&ours, NULL);
  fault_often(c);
  sigaltstack(&none, &now);
  if (now.ss_sp != stack || now.ss_flags != 0)
    _exit(6);
  free(stack);
}

static int overflow(int n) {
  volatile char frame[1000];
  frame[0] = (char)n;
  return n > 0 ? overflow(n - 1) + frame[0] : frame[0];
}

static void fault_then_overflow(void *c) {
  fault_often(c);
  overflow(1 << 20);
}

static int faults_on_all_sides(void *flags) {
  enum { EACH = 4 };
  test_thread *threads[EACH];
  gch_chan *c = gch_make(0, 0);
  struct sigaction a = {.sa_handler = jump, .sa_flags = *(int *)flags};
  gch_go_opts opts = {.name = "last"};
  make_forbidden();
  sigaction(SIGSEGV, &a, NULL);
  for (int i = 0; i < EACH; i++) {
    gch_go(fault_often, c);
    threads[i] = thread_start_as(false, fault_with_stack, c);
  }
  for (int i = 0; i < 2 * EACH; i++)
    gch_recv(c, NULL);
  for (int i = 0; i < EACH; i++)
    thread_join(threads[i]);
  gch_go_with(&opts, fault_then_overflow, c);
  gch_recv(c, NULL);
  gch_recv(NULL, NULL);
  return 0;
}

START_TEST(faults_of_many_threads_and_tasks_are_each_their_own) {
  int flags[] = {0, SA_ONSTACK, SA_NODEFER, SA_NODEFER | SA_ONSTACK};
  for (int i = 0; i < 4; i++)
    expect_abort(faults_on_all_sides, &flags[i],
                 "stack overflow in task last\n");
}
END_TEST

/* It has no SA_SIGINFO then, nor SA_ONSTACK: until the first fault. */
static int put_back_by_signal(void *unused) {
  (void)unused;
  gch_chan *c = gch_make(0, 0);
  struct sigaction a = {.sa_handler = jump};
  gch_go_opts opts = {.name = "last"};
  make_forbidden();
  sigaction(SIGSEGV, &a, NULL);
  gch_go(fault_often, c);
  gch_recv(c, NULL);
  signal(SIGSEGV, signal(SIGSEGV, SIG_DFL));
  gch_go_with(&opts, fault_then_overflow, c);
  gch_recv(c, NULL);
  gch_recv(NULL, NULL);
  return 0;
}

START_TEST(a_handler_that_is_put_back_by_signal_is_the_librarys_again) {
  expect_abort(put_back_by_signal, NULL, "stack overflow in task last\n");
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("task_faults_many");
  TCase *t = test_case(s, "many");
  tcase_add_test(t, faults_of_many_threads_and_tasks_are_each_their_own);
  tcase_add_test(t, a_handler_that_is_put_back_by_signal_is_the_librarys_again);
  return s;
}
