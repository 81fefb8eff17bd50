/* SPDX-License-Identifier: BSD-3-Clause */
/* A task that has a thread of its own has what its starter has; and what
   signals the library's threads block. */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "thread_state.h"

#include <signal.h>

static void start_thread_task(const char *name, struct state *seen) {
  gch_wg wg = GCH_WG_INIT;
  gch_go_opts opts = {.name = name, .thread = true};
  ck_assert_int_eq(gch_wg_go_with(&wg, &opts, look, seen), 0);
  gch_wg_wait(&wg);
}

START_TEST(a_task_with_a_thread_has_what_its_starter_has) {
  struct state mine, seen;
  ck_assert(pin() && fesetround(FE_UPWARD) == 0);
  look(&mine);
  start_thread_task(NULL, &seen);
  ck_assert(CPU_EQUAL(&seen.cpus, &mine.cpus));
  ck_assert_int_eq(seen.round, FE_UPWARD);
  ck_assert_str_eq(seen.name, mine.name);
}
END_TEST

START_TEST(a_task_with_a_thread_shows_its_name) {
  struct state seen;
  start_thread_task("logger", &seen);
  ck_assert_str_eq(seen.name, "logger");
}
END_TEST

static int start_from_task(void *seen) {
  start_thread_task(NULL, seen);
  return 0;
}

START_TEST(a_task_with_a_thread_is_not_called_a_worker) {
  struct state seen;
  gch_run(start_from_task, &seen);
  ck_assert_str_eq(seen.name, "gulch-task");
}
END_TEST

static int is_blocked(pid_t thread, int sig) {
  char path[64], line[256];
  unsigned long long mask = 0;
  snprintf(path, sizeof path, "/proc/self/task/%d/status", (int)thread);
  FILE *f = fopen(path, "r");
  ck_assert_ptr_nonnull(f);
  while (fgets(line, sizeof line, f))
    if (sscanf(line, "SigBlk: %llx", &mask) == 1)
      break;
  fclose(f);
  return mask >> (sig - 1) & 1;
}

START_TEST(the_librarys_own_thread_blocks_all_signals) {
  struct state seen;
  gch_run(look_in_task, &seen);
  pid_t own = await_thread_named("gulch");
  pid_t worker = await_thread_named("gulch-worker");
  ck_assert_int_eq(is_blocked(own, SIGINT), 1);
  ck_assert_int_eq(is_blocked(own, SIGTERM), 1);
  ck_assert_int_eq(is_blocked(worker, SIGINT), 0);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("inherit_task");
  TCase *t = test_case(s, "thread");
  tcase_add_test(t, a_task_with_a_thread_has_what_its_starter_has);
  tcase_add_test(t, a_task_with_a_thread_shows_its_name);
  tcase_add_test(t, a_task_with_a_thread_is_not_called_a_worker);
  tcase_add_test(t, the_librarys_own_thread_blocks_all_signals);
  return s;
}
