/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Three ways to run the same tests (make check-ways), by GULCH_TEST_RUN:
 *
 *     threads      what a test starts by gch_go, gch_go_copy, gch_wg_go or
 *                  thread_start is a pthread
 *     tasks        it is a task, and so is the test's own body
 *     mixed:SEED   each is the one or the other, by chance; SEED may be left
 *                  out, and is then printed
 *
 * Without it each is what it is called. So it is, too, in a program that
 * defines TEST_AS_IS before it includes harness.h, because it is about the one
 * or the other kind; and for the body of a test that is added by
 * add_thread_test, because it is about its thread.
 *
 * Under ThreadSanitizer a body stays in its thread: many fork, and what a
 * forked task does is nothing that it can follow.
 *
 * A body that is a task needs Check to fork: an assertion that fails elsewhere
 * than in the main thread can only end the process.
 */
#ifndef GULCH_TESTS_WAYS_H
#define GULCH_TESTS_WAYS_H

#include <check.h>
#include <gulch.h>

struct test_thread;

int way_go(void (*fn)(void *), void *arg);
int way_go_copy(void (*fn)(void *), const void *arg, size_t size);
int way_wg_go(gch_wg *wg, void (*fn)(void *), void *arg);
struct test_thread *way_thread_start(void (*fn)(void *), void *arg);
size_t way_num_tasks(void); /* without the body */
void way_add_test(TCase *t, const TTest *test, int start, int end);

/* Whether the way has a choice to make. */
bool way_is_set(void);

#define add_thread_test(t, test) _tcase_add_test(t, test, 0, 0, 0, 1)

#ifndef TEST_AS_IS
#define gch_go(fn, arg) way_go(fn, arg)
#define gch_go_copy(fn, arg, size) way_go_copy(fn, arg, size)
#define gch_wg_go(wg, fn, arg) way_wg_go(wg, fn, arg)
#define gch_num_tasks() way_num_tasks()
#define thread_start(fn, arg) way_thread_start(fn, arg)
#undef tcase_add_test
#define tcase_add_test(t, test) way_add_test(t, test, 0, 1)
#undef tcase_add_loop_test
#define tcase_add_loop_test(t, test, start, end)                               \
  way_add_test(t, test, start, end)
#endif

#endif
