/* SPDX-License-Identifier: BSD-3-Clause */
/* How many processors tasks may use. */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "harness.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* In a process of its own, since the answer is kept. */
static int in_child(int (*fn)(void)) {
  int status = 0;
  pid_t pid = fork();
  ck_assert_int_ge(pid, 0);
  if (pid == 0)
    _exit(fn());
  while (waitpid(pid, &status, 0) < 0)
    ck_assert_int_eq(errno, EINTR);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int ask_with_setting(void) {
  setenv("GULCH_MAXPROCS", "37", 1);
  return gch_maxprocs(0);
}

static int ask_without_setting(void) {
  cpu_set_t set;
  unsetenv("GULCH_MAXPROCS");
  if (sched_getaffinity(0, sizeof set, &set) != 0)
    return 1;
  return gch_maxprocs(0) == CPU_COUNT(&set) ? 0 : 1;
}

START_TEST(maxprocs_is_what_the_environment_says) {
  ck_assert_int_eq(in_child(ask_with_setting), 37);
}
END_TEST

START_TEST(maxprocs_else_is_the_number_of_usable_processors) {
  ck_assert_int_eq(in_child(ask_without_setting), 0);
}
END_TEST

START_TEST(maxprocs_sets_and_gives_the_previous_value) {
  int first = gch_maxprocs(3);
  ck_assert_int_ge(first, 1);
  ck_assert_int_eq(gch_maxprocs(5), 3);
  ck_assert_int_eq(gch_maxprocs(0), 5);
  ck_assert_int_eq(gch_maxprocs(-1), 5);
  ck_assert_int_eq(gch_maxprocs(first), 5);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("maxprocs");
  TCase *t = test_case(s, "maxprocs"); /* in this order: the last one asks */
  tcase_add_test(t, maxprocs_is_what_the_environment_says);
  tcase_add_test(t, maxprocs_else_is_the_number_of_usable_processors);
  tcase_add_test(t, maxprocs_sets_and_gives_the_previous_value);
  return s;
}
