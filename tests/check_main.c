/* SPDX-License-Identifier: BSD-3-Clause */
/* Main as a task: by gch_main, which is what GCH_MAIN calls (that macro:
   main.sh). */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "ends.h"
#include "scene.h"

#include <alloca.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>

/* Runs body, of these arguments, as a main in a process of its own. */
struct program {
  int (*body)(int argc, char **argv);
  int argc;
  char **argv;
};

static int run_main(void *arg) {
  struct program *p = arg;
  return gch_main(p->body, p->argc, p->argv);
}

static void expect_main(int (*body)(int, char **), int status) {
  char *argv[] = {(char[]){"name"}, (char[]){"first"}, NULL};
  struct program p = {body, 2, argv};
  expect_exit(run_main, &p, status);
}

/* What it is given and gives back */

static int count_tasks(int argc, char **argv) {
  (void)argc;
  (void)argv;
  return gch_num_tasks() == 1 ? 3 : WRONG;
}

START_TEST(main_is_a_task) {
  expect_main(count_tasks, 3);
}
END_TEST

static int look_at_arguments(int argc, char **argv) {
  return argc == 2 && strcmp(argv[1], "first") == 0 && !argv[2] ? 5 : WRONG;
}

START_TEST(main_has_the_arguments_and_its_result_is_the_status) {
  expect_main(look_at_arguments, 5);
}
END_TEST

static void add_up(void *sum) {
  atomic_fetch_add((atomic_int *)sum, 1);
}

static int use_tasks(int argc, char **argv) {
  (void)argc;
  (void)argv;
  atomic_int sum = 0;
  gch_wg wg = GCH_WG_INIT;
  for (int i = 0; i < 20; i++)
    gch_wg_go(&wg, add_up, &sum);
  gch_wg_wait(&wg);
  gch_sleep(MS);
  return sum;
}

START_TEST(main_waits_as_tasks_do) {
  expect_main(use_tasks, 20);
}
END_TEST

static int no_body(void *arg) {
  (void)arg;
  return gch_main(NULL, 0, NULL);
}

START_TEST(main_without_a_body_is_refused) {
  expect_exit(no_body, NULL, EXIT_FAILURE);
}
END_TEST

/* Ends */

static int main_ends;

static void say_so(void) {
  _exit(main_ends + 40);
}

static int return_two(int argc, char **argv) {
  (void)argc;
  (void)argv;
  atexit(say_so);
  main_ends = 2;
  return 2;
}

START_TEST(a_return_from_main_calls_atexit_functions) {
  expect_main(return_two, 42);
}
END_TEST

static void set_end(void *end) {
  main_ends = *(int *)end;
}

static int keep_a_value(int argc, char **argv) {
  static int five = 5;
  gch_key_set(gch_key_new(set_end), &five);
  return return_two(argc, argv);
}

START_TEST(a_return_from_main_drops_its_values) {
  expect_main(keep_a_value, 45);
}
END_TEST

static int exit_with_three(int argc, char **argv) {
  return_two(argc, argv);
  main_ends = 3;
  exit(3);
}

START_TEST(exit_in_main_calls_atexit_functions) {
  expect_main(exit_with_three, 43);
}
END_TEST

static void compute(void *arg) {
  (void)arg;
  for (volatile int i = 0;; i++)
    if (i % 1000 == 0)
      gch_yield();
}

static int leave_tasks(int argc, char **argv) {
  (void)argc;
  (void)argv;
  for (int i = 0; i < 10; i++) {
    gch_go(stay, NULL);
    gch_go(compute, NULL);
  }
  gch_sleep(MS);
  return 4;
}

START_TEST(a_return_from_main_ends_the_process_whatever_tasks_are_left) {
  expect_main(leave_tasks, 4);
}
END_TEST

static void exit_with_six(void *arg) {
  (void)arg;
  gch_sleep(MS);
  exit(6);
}

static int end_the_thread(int argc, char **argv) {
  (void)argc;
  (void)argv;
  gch_go(exit_with_six, NULL);
  pthread_exit(NULL);
}

START_TEST(pthread_exit_in_main_leaves_the_process_to_the_others) {
  expect_main(end_the_thread, 6);
}
END_TEST

/* A child that main forked */

static int fork_and_return(int argc, char **argv) {
  (void)argv;
  int to_parent[2];
  char text[8] = "";
  if (pipe(to_parent) != 0)
    return WRONG;
  pid_t pid = fork_with_parent();
  if (pid == 0) {
    dup2(to_parent[1], STDOUT_FILENO);
    printf("child"); /* is flushed when main returns */
    gch_sleep(MS);
    return argc + 6;
  }
  int status = status_of(pid);
  ssize_t n = read(to_parent[0], text, sizeof text - 1);
  return n == 5 && strcmp(text, "child") == 0 ? status + 1 : WRONG;
}

START_TEST(a_return_from_main_in_a_child_is_one_from_main) {
  expect_main(fork_and_return, 9);
}
END_TEST

/* Its stack */

__attribute__((noinline)) static int touch(size_t size) {
  volatile char *room = alloca(size);
  for (size_t i = 0; i < size; i += 1024)
    room[size - 1 - i] = 1;
  return room[size - 1];
}

static int use_five_megabytes(int argc, char **argv) {
  (void)argc;
  (void)argv;
  return touch(5 * 1024 * 1024) + 7;
}

static int main_with_limit(void *limit) {
  struct rlimit r;
  getrlimit(RLIMIT_STACK, &r);
  r.rlim_cur = *(rlim_t *)limit;
  if (setrlimit(RLIMIT_STACK, &r) != 0)
    return 8; /* this machine's hard limit is lower */
  return gch_main(use_five_megabytes, 0, NULL);
}

START_TEST(mains_stack_is_as_large_as_the_processs) {
  static const rlim_t limits[] = {6 * 1024 * 1024, 20 * 1024 * 1024,
                                  RLIM_INFINITY / 4, RLIM_INFINITY};
  expect_exit(main_with_limit, (void *)(uintptr_t)&limits[_i], 8);
}
END_TEST

static int run_off(void *unused) {
  (void)unused;
  rlim_t limit = 1024 * 1024;
  return main_with_limit(&limit);
}

START_TEST(main_that_runs_off_its_stack_is_named) {
  expect_abort(run_off, NULL, "stack overflow in task main");
}
END_TEST

static int main_without_memory(void *arg) {
  struct rlimit r = {1024 * 1024, 1024 * 1024};
  (void)arg;
  setrlimit(RLIMIT_AS, &r);
  return gch_main(count_tasks, 0, NULL);
}

START_TEST(main_that_cannot_be_started_is_status_1_and_says_why) {
  struct ending e = ending_of(main_without_memory, NULL);
  ck_assert(WIFEXITED(e.status) && WEXITSTATUS(e.status) == 1);
  ck_assert_ptr_nonnull(strstr(e.text, "main can't be started as a task: no "));
}
END_TEST

/* Reports */

static int receive_for_good(int argc, char **argv) {
  (void)argc;
  (void)argv;
  gch_recv(gch_make(0, 0), NULL);
  return 0;
}

static int return_at_once(int argc, char **argv) {
  (void)argc;
  (void)argv;
  return 0;
}

static int exit_at_once(int argc, char **argv) {
  (void)argc;
  (void)argv;
  exit(0);
}

static void play_if_asked(void) {
  const char *name = scene_to_play();
  if (!name)
    return;
  if (strcmp(name, "deadlock") == 0)
    exit(gch_main(receive_for_good, 0, NULL));
  if (strcmp(name, "return") == 0)
    exit(gch_main(return_at_once, 0, NULL));
  exit(gch_main(exit_at_once, 0, NULL));
}

START_TEST(main_that_waits_for_good_is_a_deadlock) {
  static char text[SCENE_TEXT];
  ck_assert_int_eq(play_scene("deadlock", "GULCH_DEADLOCK", "1", text), 2);
  ck_assert_ptr_nonnull(strstr(text, "all goroutines are asleep - deadlock!"));
  ck_assert_ptr_nonnull(
      strstr(text, " \"main\": receive_for_good, receive from"));
}
END_TEST

START_TEST(main_is_no_leak) {
  static char text[SCENE_TEXT];
  ck_assert_int_eq(play_scene("return", "GULCH_LEAKS", "1", text), 0);
  ck_assert_str_eq(text, "");
  ck_assert_int_eq(play_scene("exit", "GULCH_LEAKS", "1", text), 0);
  ck_assert_str_eq(text, "");
}
END_TEST

Suite *test_suite(void) {
  play_if_asked();
  Suite *s = fork_suite("main");
  TCase *t = test_case(s, "main");
  tcase_add_test(t, main_is_a_task);
  tcase_add_test(t, main_has_the_arguments_and_its_result_is_the_status);
  tcase_add_test(t, main_waits_as_tasks_do);
  tcase_add_test(t, main_without_a_body_is_refused);
  TCase *ends = test_case(s, "ends");
  tcase_add_test(ends, a_return_from_main_calls_atexit_functions);
  tcase_add_test(ends, exit_in_main_calls_atexit_functions);
  tcase_add_test(ends, a_return_from_main_drops_its_values);
  tcase_add_test(ends,
                 a_return_from_main_ends_the_process_whatever_tasks_are_left);
  if (!THREAD_SANITIZED)
    tcase_add_test(ends, pthread_exit_in_main_leaves_the_process_to_the_others);
  if (!SANITIZED) /* the child's exit would look for leaks, and find no end */
    tcase_add_test(ends, a_return_from_main_in_a_child_is_one_from_main);
  TCase *stack = test_case(s, "stack");
  if (!SANITIZED) {
    tcase_add_loop_test(stack, mains_stack_is_as_large_as_the_processs, 0, 4);
    tcase_add_test(stack, main_that_runs_off_its_stack_is_named);
    tcase_add_test(stack, main_that_cannot_be_started_is_status_1_and_says_why);
  }
  TCase *reports = test_case(s, "reports");
  if (!THREAD_SANITIZED)
    tcase_add_test(reports, main_that_waits_for_good_is_a_deadlock);
  tcase_add_test(reports, main_is_no_leak);
  return s;
}
