/* SPDX-License-Identifier: BSD-3-Clause */
/* The guard below a task's stack, and GULCH_STACK_SIZE. */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "ends.h"
#include "tasks.h"

#include <alloca.h>

enum { KB = 1024 };

/* Frames, one below the other, each written to at its lowest place alone. */
__attribute__((noinline)) static int descend(long left, size_t frame) {
  volatile char *low = alloca(frame);
  low[0] = 1;
  return left > 0 ? descend(left - (long)frame, frame) + low[0] : low[0];
}

struct descent {
  size_t stack, frame;
  long bytes; /* in all */
};

static void go_down(void *arg) {
  const struct descent *d = arg;
  descend(d->bytes, d->frame);
}

static int descend_in_task(void *arg) {
  const struct descent *d = arg;
  gch_go_opts opts = {.name = "glutton", .stack_size = d->stack};
  gch_go_with(&opts, go_down, arg);
  await_no_tasks();
  return 0;
}

#define TOLD "stack overflow in task glutton\n"

/* Just over the end. */
START_TEST(frames_up_to_the_guards_size_do_not_step_over_it) {
  static const size_t frames[] = {1000, 8 * KB, 30 * KB, 60 * KB};
  for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
    struct descent d = {.frame = frames[i], .bytes = 257 * KB};
    expect_abort(descend_in_task, &d, TOLD);
    d.stack = 1024 * KB;
    d.bytes = 1100 * KB;
    expect_abort(descend_in_task, &d, TOLD);
  }
}
END_TEST

/* Stacks that cool. A sanitizer's memory of them does not. */

enum { CROWD = 3000, WARM = 2048, TOUCHED = 100 * KB };

static size_t resident(void) {
  size_t pages = 0;
  FILE *f = fopen("/proc/self/statm", "r");
  if (!f || fscanf(f, "%*u %zu", &pages) != 1)
    abort();
  fclose(f);
  return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void down_to_park(void *c) {
  descend(TOUCHED, 1 * KB);
  gch_recv(c, NULL);
}

static gch_chan *gather(void) {
  gch_chan *c = gch_make(0, 0);
  for (int i = 0; i < CROWD; i++)
    gch_go(down_to_park, c);
  await_waiting(c, 0, CROWD);
  return c;
}

/* All that are not to stay warm, but for some that workers have at hand. */
static void disperse(gch_chan *c) {
  size_t most = resident();
  gch_close(c);
  await_no_tasks();
  gch_unref(c);
  while (!SANITIZED && resident() + (CROWD - WARM - 200) * TOUCHED > most)
    gch_sleep(GCH_MILLISECOND);
}

static int come_and_go(void *times) {
  for (int i = 0; i < *(int *)times; i++)
    disperse(gather());
  return 0;
}

START_TEST(stacks_that_are_not_needed_give_their_memory_back) {
  expect_exit(come_and_go, &(int){3}, 0);
}
END_TEST

static int descend_after_a_crowd(void *d) {
  disperse(gather());
  gather();
  return descend_in_task(d);
}

START_TEST(a_stack_that_was_given_back_has_its_guard_again) {
  struct descent d = {.frame = 30 * KB, .bytes = 257 * KB};
  expect_abort(descend_after_a_crowd, &d, TOLD);
}
END_TEST

/* GULCH_STACK_SIZE */

struct setting {
  const char *text;
  struct descent d;
};

static int descend_with_setting(void *arg) {
  struct setting *s = arg;
  setenv("GULCH_STACK_SIZE", s->text, 1);
  gch_go(go_down, &s->d);
  await_no_tasks();
  return 0;
}

static void expect_room(const char *text, long kb) {
  struct setting s = {text, {0, 4 * KB, kb * KB}};
  expect_exit(descend_with_setting, &s, 0);
}

static void expect_no_room(const char *text, long kb) {
  struct setting s = {text, {0, 4 * KB, kb * KB}};
  expect_abort(descend_with_setting, &s, "stack overflow in task ");
}

START_TEST(the_environment_sets_the_size_of_stacks) {
  expect_room("4m", 3000);
  expect_no_room("4m", 4097);
  expect_room("512K", 380);
  expect_no_room("512K", 513);
  expect_room("1048576", 760);
  expect_no_room("1048576", 1025);
  expect_room("1g", sizeof(void *) > 4 ? 90000 : 60000);
}
END_TEST

START_TEST(there_is_a_least_and_a_most_size_of_stacks) {
  if (!SANITIZED) /* whose frames are large */
    expect_room("1", 8);
  expect_room("99999999999999999999", 3000);
  expect_room("9999999999g", 3000);
}
END_TEST

START_TEST(what_is_no_size_is_ignored) {
  static const char *const texts[] = {"",   "0",   "-1",  " 4m",     "m",
                                      "4q", "4mb", "lot", "0x100000"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    expect_room(texts[i], 190);
    expect_no_room(texts[i], 257);
  }
}
END_TEST

static int descend_in_thread(void *arg) {
  struct setting *s = arg;
  gch_go_opts opts = {.thread = true};
  setenv("GULCH_STACK_SIZE", s->text, 1);
  gch_go_with(&opts, go_down, &s->d);
  await_no_tasks();
  return 0;
}

START_TEST(it_is_that_of_tasks_with_a_thread_too) {
  struct setting s = {"12m", {0, 4 * KB, 11000 * KB}};
  expect_exit(descend_in_thread, &s, 0);
}
END_TEST

static int crowd_on_large_stacks(void *unused) {
  gch_chan *c = gch_make(0, 0);
  setenv("GULCH_STACK_SIZE", "64m", 1);
  for (int i = 0; i < 500; i++)
    if (gch_go(down_to_park, c) != 0)
      return 1;
  await_waiting(c, 0, 500);
  gch_close(c);
  await_no_tasks();
  (void)unused;
  return 0;
}

START_TEST(there_may_be_many_large_stacks) {
  if (sizeof(void *) > 4)
    expect_exit(crowd_on_large_stacks, NULL, 0);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("task_guard");
  TCase *t = test_case(s, "guard");
  tcase_add_test(t, frames_up_to_the_guards_size_do_not_step_over_it);
  tcase_add_test(t, stacks_that_are_not_needed_give_their_memory_back);
  tcase_add_test(t, a_stack_that_was_given_back_has_its_guard_again);
  t = test_case(s, "size");
  tcase_add_test(t, the_environment_sets_the_size_of_stacks);
  tcase_add_test(t, there_is_a_least_and_a_most_size_of_stacks);
  tcase_add_test(t, what_is_no_size_is_ignored);
  tcase_add_test(t, it_is_that_of_tasks_with_a_thread_too);
  tcase_add_test(t, there_may_be_many_large_stacks);
  return s;
}
