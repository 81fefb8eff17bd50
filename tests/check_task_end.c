/* SPDX-License-Identifier: BSD-3-Clause */
/* How tasks, their threads and the process end. */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "crowd.h"
#include "ends.h"

#include <pthread.h>
#include <signal.h>

/* exit, and return from main */

static void exit_with_seven(void *arg) {
  (void)arg;
  exit(7);
}

static void receive(void *c) {
  gch_recv(c, NULL);
}

static int exit_in_task(void *c) {
  gch_go(receive, c);
  gch_go(exit_with_seven, NULL);
  gch_recv(NULL, NULL);
  return 0;
}

START_TEST(exit_in_a_task_ends_the_process) {
  expect_exit(exit_in_task, NULL, 7);
}
END_TEST

static void end_otherwise(void) {
  _exit(9);
}

static int exit_in_task_later(void *c) {
  atexit(end_otherwise);
  return exit_in_task(c);
}

START_TEST(exit_in_a_task_runs_what_atexit_registered) {
  expect_exit(exit_in_task_later, NULL, 9);
}
END_TEST

static atomic_int running;

static void yield_for_ever(void *arg) {
  (void)arg;
  atomic_fetch_add(&running, 1);
  for (;;)
    gch_yield();
}

static void compute_for_ever(void *arg) {
  (void)arg;
  atomic_fetch_add(&running, 1);
  for (volatile int i = 0;; i = !i)
    continue;
}

static void sleep_for_ever(void *arg) {
  (void)arg;
  atomic_fetch_add(&running, 1);
  for (;;)
    gch_sleep(GCH_MICROSECOND);
}

static int return_while_tasks_run(void *status) {
  gch_go(yield_for_ever, NULL);
  gch_go(compute_for_ever, NULL);
  gch_go(sleep_for_ever, NULL);
  gch_go(receive, NULL);
  await_count(&running, 3);
  return *(int *)status;
}

START_TEST(return_from_main_ends_the_process_whatever_tasks_run) {
  int status = 5;
  expect_exit(return_while_tasks_run, &status, 5);
}
END_TEST

static int return_from_run(void *status) {
  return gch_run(return_while_tasks_run, status);
}

START_TEST(main_may_return_what_run_gave_while_tasks_run) {
  int status = 6;
  expect_exit(return_from_run, &status, 6);
}
END_TEST

/* pthread_exit */

static atomic_int exits;

static void leave_by_pthread_exit(void *arg) {
  (void)arg;
  atomic_fetch_add(&exits, 1);
  pthread_exit(NULL);
}

START_TEST(pthread_exit_ends_the_task) {
  ck_assert_int_eq(gch_go(leave_by_pthread_exit, NULL), 0);
  await_count(&exits, 1);
  await_no_tasks();
}
END_TEST

START_TEST(pthread_exit_ends_a_task_that_is_a_thread) {
  gch_go_opts opts = {.thread = true};
  ck_assert_int_eq(gch_go_with(&opts, leave_by_pthread_exit, NULL), 0);
  await_count(&exits, 1);
  await_no_tasks();
}
END_TEST

START_TEST(other_tasks_go_on_after_pthread_exit) {
  int many = scaled(100);
  for (int procs = 1; procs <= 2; procs++) {
    gch_maxprocs(procs);
    atomic_store(&exits, 0);
    for (int i = 0; i < many; i++)
      ck_assert_int_eq(gch_go(leave_by_pthread_exit, NULL), 0);
    pairs_run(10, 20);
    await_no_tasks();
    ck_assert_int_eq(exits, many);
  }
}
END_TEST

static void park_then_pthread_exit(void *c) {
  gch_recv(c, NULL);
  pthread_exit(NULL);
}

START_TEST(pthread_exit_may_come_after_a_park) {
  gch_chan *c = gch_make(0, 0);
  for (int i = 0; i < 20; i++)
    gch_go(park_then_pthread_exit, c);
  await_waiting(c, 0, 20);
  gch_close(c);
  await_no_tasks();
  pairs_run(10, 20);
  gch_unref(c);
}
END_TEST

/* What it was to do after its function does not happen. */
START_TEST(pthread_exit_leaves_a_wait_group_as_it_was) {
  gch_wg wg = GCH_WG_INIT;
  ck_assert_int_eq(gch_wg_go(&wg, leave_by_pthread_exit, NULL), 0);
  await_no_tasks();
  ck_assert_int_eq(gch_wg_wait_until(&wg, 0), ETIMEDOUT);
  gch_wg_done(&wg);
}
END_TEST

/* Too many threads */

static void pause_for_ever(void *arg) {
  (void)arg;
  for (;;)
    pause();
}

static int use_too_many_threads(void *arg) {
  setenv("GULCH_MAXTHREADS", "5", 1);
  for (int i = 0; i < 10; i++)
    gch_go(pause_for_ever, NULL);
  gch_recv(NULL, arg);
  return 0;
}

START_TEST(too_many_threads_is_a_fatal_error_that_says_so) {
  struct ending e = ending_of(use_too_many_threads, NULL);
  ck_assert(!(WIFEXITED(e.status) && WEXITSTATUS(e.status) == 0));
  ck_assert_msg(strstr(e.text, "fatal error: "), "%s", e.text);
  ck_assert_msg(strstr(e.text, "GULCH_MAXTHREADS"), "%s", e.text);
}
END_TEST

static int use_just_enough_threads(void *arg) {
  (void)arg;
  setenv("GULCH_MAXTHREADS", "30", 1);
  gch_maxprocs(2);
  for (int i = 0; i < 4; i++)
    gch_go(pause_for_ever, NULL);
  pairs_run(10, 20);
  return 0;
}

START_TEST(as_many_threads_as_allowed_are_no_error) {
  expect_exit(use_just_enough_threads, NULL, 0);
}
END_TEST

/* Signals */

static int is_blocked(int sig) {
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, NULL, &mask);
  return sigismember(&mask, sig);
}

static int expect_mask(void *arg) {
  (void)arg;
  ck_assert_int_eq(is_blocked(SIGUSR1), 1);
  ck_assert_int_eq(is_blocked(SIGUSR2), 0);
  ck_assert_int_eq(is_blocked(SIGSEGV), 0);
  return 0;
}

static void expect_mask_and_stay(void *c) {
  expect_mask(NULL);
  atomic_fetch_add(&running, 1);
  gch_recv(c, NULL);
}

static void block(int how, int sig) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, sig);
  pthread_sigmask(how, &set, NULL);
}

START_TEST(workers_have_the_mask_of_who_started_the_first_task) {
  block(SIG_BLOCK, SIGUSR1);
  gch_run(expect_mask, NULL);
}
END_TEST

/* One worker is started by the other, or by the library's thread, which has
   its own mask; or by a thread whose mask has changed. */
static void start_and_compute(void *arg) {
  gch_go(expect_mask_and_stay, arg);
  await_count(&running, 1);
}

START_TEST(workers_started_later_have_the_same_mask) {
  gch_chan *c = gch_make(0, 0);
  block(SIG_BLOCK, SIGUSR1);
  gch_maxprocs(1);
  gch_run(expect_mask, NULL);
  block(SIG_UNBLOCK, SIGUSR1);
  block(SIG_BLOCK, SIGUSR2);
  gch_go(start_and_compute, c);
  await_count(&running, 1);
  block(SIG_UNBLOCK, SIGUSR2);
  gch_close(c);
  await_no_tasks();
  gch_unref(c);
}
END_TEST

static atomic_int handled;
static char *on_stack_of; /* of the task */

static void note(int sig) {
  char here = (char)sig;
  ptrdiff_t distance = on_stack_of - &here;
  atomic_store(&handled, distance > 0 && distance < 128 * 1024 ? 1 : 2);
}

static int raise_in_task(void *flags) {
  char here = 0;
  struct sigaction action = {.sa_handler = note, .sa_flags = *(int *)flags};
  on_stack_of = &here;
  sigaction(SIGUSR1, &action, NULL);
  raise(SIGUSR1);
  return atomic_load(&handled);
}

START_TEST(a_handler_runs_on_the_tasks_stack) {
  ck_assert_int_eq(gch_run(raise_in_task, &(int){0}), 1);
}
END_TEST

START_TEST(a_handler_with_onstack_runs_on_another) {
  ck_assert_int_eq(gch_run(raise_in_task, &(int){SA_ONSTACK}), 2);
}
END_TEST

static void count_signal(int sig) {
  (void)sig;
  atomic_fetch_add(&handled, 1);
}

/* Signals to the process, while tasks switch; they may come to any thread. */
START_TEST(tasks_go_on_in_a_storm_of_signals) {
  atomic_bool over = false;
  gch_wg wg = GCH_WG_INIT;
  struct sigaction action = {.sa_handler = count_signal};
  sigaction(SIGUSR1, &action, NULL);
  struct pair *p = pair_start(&wg, 0, &over), *q = pair_start(&wg, 0, &over);
  block(SIG_BLOCK, SIGUSR1);
  for (int i = 1; i <= scaled(100); i++) {
    kill(getpid(), SIGUSR1);
    await_count(&handled, i);
  }
  atomic_store(&over, true);
  gch_wg_wait(&wg);
  pair_free(p);
  pair_free(q);
  await_no_tasks();
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("task_end");
  TCase *t = test_case(s, "exit");
  tcase_add_test(t, exit_in_a_task_ends_the_process);
  tcase_add_test(t, exit_in_a_task_runs_what_atexit_registered);
  tcase_add_test(t, return_from_main_ends_the_process_whatever_tasks_run);
  tcase_add_test(t, main_may_return_what_run_gave_while_tasks_run);
  t = test_case(s, "thread");
  tcase_add_test(t, too_many_threads_is_a_fatal_error_that_says_so);
  tcase_add_test(t, as_many_threads_as_allowed_are_no_error);
  tcase_add_test(t, pthread_exit_ends_a_task_that_is_a_thread);
  if (!THREAD_SANITIZED) {
    tcase_add_test(t, pthread_exit_ends_the_task);
    tcase_add_test(t, other_tasks_go_on_after_pthread_exit);
    tcase_add_test(t, pthread_exit_may_come_after_a_park);
    tcase_add_test(t, pthread_exit_leaves_a_wait_group_as_it_was);
  }
  t = test_case(s, "signal");
  tcase_add_test(t, workers_have_the_mask_of_who_started_the_first_task);
  tcase_add_test(t, workers_started_later_have_the_same_mask);
  if (!SANITIZED) /* which may keep locals elsewhere */
    tcase_add_test(t, a_handler_runs_on_the_tasks_stack);
  tcase_add_test(t, a_handler_with_onstack_runs_on_another);
  tcase_add_test(t, tasks_go_on_in_a_storm_of_signals);
  return s;
}
