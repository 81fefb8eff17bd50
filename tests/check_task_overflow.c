/* SPDX-License-Identifier: BSD-3-Clause */
/* Stacks of tasks: how much room there is, and what happens below. */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "ends.h"
#include "tasks.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>

enum { KB = 1024 };

/* Touches the stack from here down to an address. */
__attribute__((noinline)) static int touch_to(uintptr_t low) {
  volatile char frame[1024];
  frame[0] = 1;
  bool more = (uintptr_t)__builtin_frame_address(0) > low;
  int below = more ? touch_to(low) : 0;
  return below + frame[0];
}

static void touch(uintptr_t bytes) {
  touch_to((uintptr_t)__builtin_frame_address(0) - bytes);
}

/* Room */

static void touch_most(void *bytes) {
  touch(*(uintptr_t *)bytes);
}

START_TEST(a_task_has_128_kb_of_stack) {
  uintptr_t bytes = 128 * KB;
  ck_assert_int_eq(gch_go(touch_most, &bytes), 0);
  await_no_tasks();
}
END_TEST

START_TEST(a_task_has_the_3_mb_of_stack_that_were_asked_for) {
  uintptr_t bytes = 3072 * KB;
  gch_go_opts opts = {.stack_size = 3072 * KB + 64 * KB};
  ck_assert_int_eq(gch_go_with(&opts, touch_most, &bytes), 0);
  await_no_tasks();
}
END_TEST

START_TEST(many_large_stacks_may_be_used_one_after_the_other) {
  uintptr_t bytes = 1024 * KB;
  gch_go_opts opts = {.stack_size = 1024 * KB + 64 * KB};
  for (int i = 0; i < scaled(100); i++)
    ck_assert_int_eq(gch_go_with(&opts, touch_most, &bytes), 0);
  await_no_tasks();
}
END_TEST

/* Overflow */

static void overflow(void *unused) {
  (void)unused;
  touch(1 << 30);
}

static int overflow_with(void *opts) {
  gch_go_with(opts, overflow, NULL);
  gch_recv(NULL, NULL);
  return 0;
}

START_TEST(an_overflow_names_the_task) {
  gch_go_opts opts = {.name = "glutton"};
  expect_abort(overflow_with, &opts, "stack overflow in task glutton\n");
}
END_TEST

START_TEST(an_overflow_of_a_task_without_a_name_is_told) {
  expect_abort(overflow_with, NULL, "stack overflow in task ");
}
END_TEST

START_TEST(an_overflow_of_a_large_stack_is_told) {
  gch_go_opts opts = {.name = "glutton", .stack_size = 3072 * KB};
  expect_abort(overflow_with, &opts, "stack overflow in task glutton\n");
}
END_TEST

static int overflow_main(void *unused) {
  overflow(unused);
  return 0;
}

static int run_overflow(void *unused) {
  return gch_run(overflow_main, unused);
}

START_TEST(an_overflow_of_the_main_task_is_told) {
  expect_abort(run_overflow, NULL, "stack overflow in task ");
}
END_TEST

static void nothing(void *unused) {
  (void)unused;
}

/* On a stack that was used before, by another task. */
static int overflow_later(void *opts) {
  for (int i = 0; i < 1000; i++)
    gch_go(nothing, NULL);
  await_no_tasks();
  return overflow_with(opts);
}

START_TEST(an_overflow_of_a_reused_stack_is_told) {
  gch_go_opts opts = {.name = "glutton"};
  expect_abort(overflow_later, &opts, "stack overflow in task glutton\n");
}
END_TEST

static int overflow_in_child(void *opts) {
  gch_go(nothing, NULL);
  await_no_tasks();
  struct ending e = ending_of(overflow_with, opts);
  fputs(e.text, stderr);
  abort();
}

START_TEST(an_overflow_in_a_forked_child_is_told) {
  gch_go_opts opts = {.name = "glutton"};
  expect_abort(overflow_in_child, &opts, "stack overflow in task glutton\n");
}
END_TEST

/* Programs that handle faults themselves */

enum { HANDLED = 42 };

static void exit_handled(int sig) {
  (void)sig;
  _exit(HANDLED);
}

static void *forbidden; /* page */

static void exit_if_forbidden(int sig, siginfo_t *info, void *context) {
  (void)context;
  _exit(sig == SIGSEGV && info->si_addr == forbidden ? HANDLED : 1);
}

static void install(bool with_info) {
  struct sigaction action = {.sa_handler = exit_handled};
  if (with_info) {
    action.sa_sigaction = exit_if_forbidden;
    action.sa_flags = SA_SIGINFO;
  }
  sigaction(SIGSEGV, &action, NULL);
  forbidden = mmap(NULL, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void touch_forbidden(void *unused) {
  (void)unused;
  *(volatile char *)forbidden = 1;
}

static int fault_in_task(void *with_info) {
  install(with_info != NULL);
  gch_go(touch_forbidden, NULL);
  gch_recv(NULL, NULL);
  return 0;
}

static int fault_in_thread(void *with_info) {
  install(with_info != NULL);
  gch_go(nothing, NULL);
  await_no_tasks();
  touch_forbidden(NULL);
  return 0;
}

START_TEST(another_fault_in_a_task_goes_to_the_programs_handler) {
  expect_exit(fault_in_task, NULL, HANDLED);
  expect_exit(fault_in_task, "with info", HANDLED);
}
END_TEST

START_TEST(a_fault_in_a_thread_goes_to_the_programs_handler) {
  expect_exit(fault_in_thread, NULL, HANDLED);
  expect_exit(fault_in_thread, "with info", HANDLED);
}
END_TEST

static int overflow_despite_handler(void *opts) {
  install(false);
  return overflow_with(opts);
}

START_TEST(an_overflow_is_told_although_the_program_handles_faults) {
  gch_go_opts opts = {.name = "glutton"};
  expect_abort(overflow_despite_handler, &opts,
               "stack overflow in task glutton\n");
}
END_TEST

static int fault_unhandled(void *unused) {
  install(false);
  signal(SIGSEGV, SIG_DFL);
  gch_go(touch_forbidden, unused);
  gch_recv(NULL, NULL);
  return 0;
}

START_TEST(another_fault_ends_the_process_where_nobody_handles_it) {
  struct ending e = ending_of(fault_unhandled, NULL);
  ck_assert(WIFSIGNALED(e.status) && WTERMSIG(e.status) == SIGSEGV);
  ck_assert_ptr_null(strstr(e.text, "stack overflow"));
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("task_overflow");
  TCase *t = test_case(s, "room");
  tcase_add_test(t, a_task_has_128_kb_of_stack);
  tcase_add_test(t, a_task_has_the_3_mb_of_stack_that_were_asked_for);
  tcase_add_test(t, many_large_stacks_may_be_used_one_after_the_other);
  t = test_case(s, "overflow");
  tcase_add_test(t, an_overflow_names_the_task);
  tcase_add_test(t, an_overflow_of_a_task_without_a_name_is_told);
  tcase_add_test(t, an_overflow_of_a_large_stack_is_told);
  tcase_add_test(t, an_overflow_of_the_main_task_is_told);
  tcase_add_test(t, an_overflow_of_a_reused_stack_is_told);
  tcase_add_test(t, an_overflow_in_a_forked_child_is_told);
  tcase_add_test(t, an_overflow_is_told_although_the_program_handles_faults);
  t = test_case(s, "other");
  tcase_add_test(t, another_fault_in_a_task_goes_to_the_programs_handler);
  tcase_add_test(t, a_fault_in_a_thread_goes_to_the_programs_handler);
  tcase_add_test(t, another_fault_ends_the_process_where_nobody_handles_it);
  return s;
}
