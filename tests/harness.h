/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What every test program shares. A test program is one file that defines
 * test_suite(); harness.c has main.
 *
 *     START_TEST(a_send_meets_a_parked_receiver) { … } END_TEST
 *
 *     Suite *test_suite(void) {
 *       Suite *s = suite_create("chan");
 *       TCase *t = test_case(s, "blocking");
 *       tcase_add_test(t, a_send_meets_a_parked_receiver);
 *       return s;
 *     }
 *
 * Threads are ordered by channels, barriers and await_waiting, never by
 * sleeping. No wait needs a deadline of its own: a watchdog ends a test that
 * takes longer than GULCH_TEST_SECONDS (default 60), and prints where each
 * thread is.
 */
#ifndef GULCH_TESTS_HARNESS_H
#define GULCH_TESTS_HARNESS_H

#include <check.h>
#include <gulch.h>

#include "ways.h"

/* Whether AddressSanitizer or ThreadSanitizer is built in: their allocators do
   not survive a fork while another thread allocates. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#define SANITIZED                                                              \
  (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SANITIZED 0
#endif

/* Whether that is ThreadSanitizer, which knows neither pthread_exit nor fork in
   a task, and has threads sleep a millisecond at a time. */
#if defined(__SANITIZE_THREAD__)
#define THREAD_SANITIZED 1
#elif defined(__has_feature)
#define THREAD_SANITIZED __has_feature(thread_sanitizer)
#else
#define THREAD_SANITIZED 0
#endif

Suite *test_suite(void);

/* A test case of s whose tests run under the watchdog. */
TCase *test_case(Suite *s, const char *name);

/* A joinable thread (or, see ways.h, a task in its place); the test fails if
   there is none. */
typedef struct test_thread test_thread;
test_thread *(thread_start)(void (*fn)(void *), void *arg);
test_thread *thread_start_as(bool task, void (*fn)(void *), void *arg);
void thread_join(test_thread *t);

/* Returns when just so many senders and receivers are queued on c. */
void await_waiting(const gch_chan *c, size_t senders, size_t receivers);

/* Returns when *flag, which another thread sets, is at least n. */
void await_count(const _Atomic int *flag, int n);

/* Runs fn(arg) in a forked process and requires that it panics with just these
   words. With strict, strict mode is on there. */
void expect_panic(void (*fn)(void *), void *arg, const char *words);
void expect_panic_strict(void (*fn)(void *), void *arg, const char *words);

/* n, scaled by GULCH_TEST_SCALE (a factor; default 1; slower tools use less,
   long runs more); at least 1. For the sizes of loops and crowds. */
int scaled(int n);

/* Seconds that a stress test may take: GULCH_STRESS_SECONDS, default 1. */
double stress_seconds(void);

/* Replaces this process by its program, run anew in the present environment
   (by the emulator GULCH_TEST_EMULATOR, if set). Returns if it can't. */
void run_program_again(void);

/* How many threads this process has now, the library's own included. */
int thread_count(void);

/* AddressSanitizer's allocator does not survive a fork while another thread is
   in it, as one is that has just begun, or has just ended a task. */
#define FORK_ALONE (SANITIZED && !THREAD_SANITIZED)

/* fork, for a child that uses the heap: with that sanitizer once all other
   threads have been seen asleep (or never are). */
pid_t fork_alone(void);

/* A small random generator: next value from *state (never 0). */
uint32_t test_random(uint32_t *state);

#endif
