/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames that are larger than a guard, in a program that is built with
   -fstack-clash-protection (local.mk), where the compiler knows that. */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "ends.h"
#include "tasks.h"

enum { FRAME = 1 << 20 };

/* Its lowest byte alone; the one below may be anything. */
__attribute__((noinline)) static int touch_end(volatile char *low) {
  low[0] = 1;
  return low[0];
}

static void large_frame(void *unused) {
  volatile char frame[FRAME];
  (void)unused;
  touch_end(frame);
}

static int overflow_at_once(void *opts) {
  gch_go_with(opts, large_frame, NULL);
  await_no_tasks();
  return 0;
}

START_TEST(a_frame_larger_than_the_guard_is_found) {
#ifdef HAVE_CLASH_PROTECTION
  gch_go_opts opts = {.name = "glutton"};
  expect_abort(overflow_at_once, &opts, "stack overflow in task glutton\n");
#else
  (void)overflow_at_once;
#endif
}
END_TEST

static int with_room(void *unused) {
  gch_go_opts opts = {.stack_size = 2 * FRAME};
  (void)unused;
  return overflow_at_once(&opts);
}

START_TEST(with_room_for_it_it_is_none) {
  expect_exit(with_room, NULL, 0);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("task_clash");
  TCase *t = test_case(s, "clash");
  tcase_add_test(t, a_frame_larger_than_the_guard_is_found);
  tcase_add_test(t, with_room_for_it_it_is_none);
  return s;
}
