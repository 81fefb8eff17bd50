/* SPDX-License-Identifier: BSD-3-Clause */
/* A program with many thread-locals, THREAD_LOCALS bytes: the C library takes
   the room for them from each thread's stack. */
#define TEST_AS_IS
#include "tasks.h"

#include <string.h>

static _Thread_local char locals[THREAD_LOCALS];

/* Writes them all; with so much of the stack, besides. */
static void use(size_t stack) {
  volatile char *low = __builtin_alloca(stack);
  memset(locals, 1, sizeof locals);
  for (size_t i = 0; i < stack; i += 1024)
    low[i] = locals[i % sizeof locals];
}

static int in_task(void *arg) {
  (void)arg;
  use(64 * 1024);
  return 0;
}

START_TEST(tasks_run) {
  ck_assert_int_eq(gch_run(in_task, NULL), 0);
}
END_TEST

START_TEST(timers_fire) {
  gch_chan *c = gch_after(GCH_MILLISECOND);
  ck_assert_ptr_nonnull(c);
  ck_assert_int_eq(gch_recv(c, NULL), 0);
  gch_unref(c);
}
END_TEST

enum { STACK = 512 * 1024 };

static void in_thread(void *wg) {
  use(STACK - 64 * 1024);
  gch_wg_done(wg);
}

START_TEST(a_task_with_a_thread_has_the_stack_that_it_asks_for) {
  gch_wg wg = GCH_WG_INIT;
  gch_go_opts opts = {.thread = true, .stack_size = STACK};
  gch_wg_add(&wg, 1);
  ck_assert_int_eq(gch_go_with(&opts, in_thread, &wg), 0);
  gch_wg_wait(&wg);
  await_no_tasks();
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("thread_locals");
  TCase *t = test_case(s, "thread_locals");
  tcase_add_test(t, tasks_run);
  tcase_add_test(t, timers_fire);
  tcase_add_test(t, a_task_with_a_thread_has_the_stack_that_it_asks_for);
  return s;
}
