/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fibers. They are no part of the library's interface: this program has their
 * sources in itself, check_fiber_ucontext the same with the portable ones. It
 * is not instrumented, since it tells no sanitizer of its switches.
 *
 * What a fiber finds is looked at by the test, on the thread's own stack.
 */
#define TEST_AS_IS
#include "fiber_marks.h"
#include "go/fiber_kind.h"
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__GLIBC__)
#include <execinfo.h>
#endif

enum { STACK_SIZE = 64 * 1024 };

/* The fiber of a test, and the one that it comes from and goes back to. */
static struct gch_fiber home, other;

static void *other_stack(void) {
  static _Alignas(64) char stack[STACK_SIZE];
  return stack;
}

/* A switch must be in a function that makes a call, too. */
__attribute__((noinline)) static void any_call(void) {
  __asm__ volatile("");
}

__attribute__((noinline)) void *fiber_switch(struct gch_fiber *from,
                                             const struct gch_fiber *to,
                                             void *passed) {
  any_call();
  return gch__fiber_switch(from, to, passed);
}

static void make_other(void (*entry)(void *)) {
  gch__fiber_make(&other, other_stack(), STACK_SIZE, entry);
}

static void *to_other(void *passed) {
  return fiber_switch(&home, &other, passed);
}

static void *to_home(void *passed) {
  return fiber_switch(&other, &home, passed);
}

/* What is passed */

static void pass_back_next(void *passed) {
  for (char *at = passed;;)
    at = to_home(at + 1);
}

START_TEST(what_is_passed_goes_both_ways) {
  char at[8];
  make_other(pass_back_next);
  for (size_t i = 0; i < 6; i += 2) {
    ck_assert_ptr_eq(to_other(&at[i]), &at[i + 1]);
    ck_assert_ptr_eq(to_other(&at[i + 4]), &at[i + 5]);
  }
}
END_TEST

/* Registers */

#ifdef MARKS
static uint64_t other_marks[MARKS];

static void set_marks(uint64_t marks[MARKS], uint64_t seed) {
  for (uint64_t i = 0; i < MARKS; i++)
    marks[i] = seed + i * 0x0101010101010101;
}

static void switch_with_own_marks(void *passed) {
  (void)passed;
  for (;;)
    marked_switch(&other, &home, NULL, other_marks);
}

START_TEST(a_functions_registers_survive) {
  uint64_t here[MARKS], mine[MARKS], others[MARKS];
  set_marks(mine, 1000);
  set_marks(others, 2000);
  memcpy(here, mine, sizeof here);
  memcpy(other_marks, others, sizeof others);
  make_other(switch_with_own_marks);
  for (int i = 0; i < 3; i++) {
    marked_switch(&home, &other, NULL, here);
    ck_assert_mem_eq(here, mine, sizeof here);
    ck_assert_mem_eq(other_marks, others, sizeof others);
  }
}
END_TEST
#endif

/* Stacks */

typedef double pair __attribute__((vector_size(16)));

struct on_stack {
  uintptr_t pair_at;
  char printed[16];
};

static void use_stack(void *passed) {
  struct on_stack *found = passed;
  volatile pair p = {1.5, 2.5};
  snprintf(found->printed, sizeof found->printed, "%.1f %.1f", p[0], p[1]);
  found->pair_at = (uintptr_t)&p;
  for (;;)
    to_home(NULL);
}

START_TEST(the_stack_is_aligned_wherever_it_ends) {
  for (size_t less = 0; less < 33; less++) {
    struct on_stack found = {0, ""};
    gch__fiber_make(&other, other_stack(), STACK_SIZE - less, use_stack);
    to_other(&found);
    ck_assert_str_eq(found.printed, "1.5 2.5");
    ck_assert_uint_eq(found.pair_at % _Alignof(pair), 0);
    uintptr_t stack = (uintptr_t)other_stack();
    ck_assert(found.pair_at > stack &&
              found.pair_at < stack + STACK_SIZE - less);
  }
}
END_TEST

START_TEST(what_lies_beside_the_stack_is_left_alone) {
  char *stack = other_stack();
  struct on_stack found;
  memset(stack, 'x', STACK_SIZE);
  gch__fiber_make(&other, stack + 256, STACK_SIZE - 512, use_stack);
  to_other(&found);
  for (int i = 0; i < 256; i++)
    ck_assert(stack[i] == 'x' && stack[STACK_SIZE - 1 - i] == 'x');
}
END_TEST

/* Many */

enum { RING = 1000, ROUNDS = 20 };

static struct member {
  struct gch_fiber fiber;
  int turns;
} ring[RING];

static void take_turns(void *passed) {
  for (struct member *m = passed;;) {
    struct member *next = m == &ring[RING - 1] ? ring : m + 1;
    m->turns++;
    if (m->turns == ROUNDS && next == ring)
      fiber_switch(&m->fiber, &home, m);
    fiber_switch(&m->fiber, &next->fiber, next);
  }
}

START_TEST(a_thousand_fibers_take_turns) {
  char *stacks = malloc((size_t)RING * STACK_SIZE);
  ck_assert_ptr_nonnull(stacks);
  for (size_t i = 0; i < RING; i++)
    gch__fiber_make(&ring[i].fiber, stacks + i * STACK_SIZE, STACK_SIZE,
                    take_turns);
  ck_assert_ptr_eq(fiber_switch(&home, &ring[0].fiber, &ring[0]),
                   &ring[RING - 1]);
  for (size_t i = 0; i < RING; i++)
    ck_assert_int_eq(ring[i].turns, ROUNDS);
  free(stacks);
}
END_TEST

/* Threads */

struct visit {
  struct gch_fiber *from;
  pid_t seen_in;
};

/* Notes for each visit in which thread it is, and goes back there. */
static void note_thread(void *passed) {
  for (struct visit *v = passed;;) {
    v->seen_in = gettid(); /* pthread_self might be remembered */
    v = fiber_switch(&other, v->from, v);
  }
}

static void visit_other(void *arg) {
  struct gch_fiber here;
  struct visit v = {.from = &here};
  (void)arg;
  ck_assert_ptr_eq(fiber_switch(&here, &other, &v), &v);
  ck_assert_int_eq(v.seen_in, gettid());
}

START_TEST(another_thread_goes_on_with_a_fiber) {
  make_other(note_thread);
  for (int i = 0; i < 10; i++) {
    visit_other(NULL);
    thread_join(thread_start(visit_other, NULL));
  }
}
END_TEST

static void note_mask(void *passed) {
  for (sigset_t *mask = passed;;) {
    pthread_sigmask(SIG_SETMASK, NULL, mask);
    mask = to_home(NULL);
  }
}

static bool blocked_in_other(void) {
  sigset_t mask;
  to_other(&mask);
  return sigismember(&mask, SIGUSR1);
}

static void block(int how) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  pthread_sigmask(how, &set, NULL);
}

START_TEST(the_signal_mask_is_the_threads) {
  make_other(note_mask);
  block(SIG_BLOCK);
  ck_assert(blocked_in_other());
  block(SIG_UNBLOCK);
  ck_assert(!blocked_in_other());
  block(SIG_BLOCK);
  ck_assert(blocked_in_other());
  block(SIG_UNBLOCK);
}
END_TEST

/* Backtraces */

#if defined(__GLIBC__)
/* How many functions there are under the entry. */
#ifdef GCH_FIBER_UCONTEXT
enum { BEFORE_ENTRY = 2 };
#else
enum { BEFORE_ENTRY = 1 };
#endif

static struct trace {
  void *frames[64];
  int n;
  void *in_entry; /* where the entry function called */
} trace;

__attribute__((noinline)) static void take_trace(void) {
  trace.in_entry = __builtin_return_address(0);
#ifdef __thumb__
  trace.in_entry = (char *)trace.in_entry - 1; /* that bit says so */
#endif
  trace.n = backtrace(trace.frames, 64);
}

static void be_traced(void *passed) {
  (void)passed;
  to_home(NULL);
  take_trace();
  for (;;)
    to_home(NULL);
}

START_TEST(a_backtrace_ends_at_the_entry) {
  int entry = 0;
  make_other(be_traced);
  to_other(NULL);
  to_other(NULL);
  while (entry < trace.n && trace.frames[entry] != trace.in_entry)
    entry++;
  ck_assert_int_lt(entry, trace.n);
  ck_assert_int_le(trace.n - entry, 1 + BEFORE_ENTRY);
}
END_TEST
#endif

/* Jumps */

static void jump_home(void *passed) {
  gch__fiber_jump(&home, (char *)to_home(passed) + 1);
}

START_TEST(a_jump_passes_and_saves_nothing) {
  char at[8];
  make_other(jump_home);
  ck_assert_ptr_eq(to_other(&at[0]), &at[0]);
  struct gch_fiber left = other;
  ck_assert_ptr_eq(to_other(&at[4]), &at[5]);
  ck_assert_mem_eq(&other, &left, sizeof left);
}
END_TEST

START_TEST(a_stack_serves_again_after_a_jump) {
  char at[8];
  for (int i = 0; i < 10; i++) {
    make_other(jump_home);
    ck_assert_ptr_eq(to_other(&at[0]), &at[0]);
    ck_assert_ptr_eq(to_other(&at[1]), &at[2]);
  }
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("fiber");
  TCase *t = test_case(s, "fiber");
  tcase_add_test(t, what_is_passed_goes_both_ways);
#ifdef MARKS
  tcase_add_test(t, a_functions_registers_survive);
#endif
  tcase_add_test(t, the_stack_is_aligned_wherever_it_ends);
  tcase_add_test(t, what_lies_beside_the_stack_is_left_alone);
  tcase_add_test(t, a_thousand_fibers_take_turns);
  tcase_add_test(t, another_thread_goes_on_with_a_fiber);
  tcase_add_test(t, the_signal_mask_is_the_threads);
#if defined(__GLIBC__)
  tcase_add_test(t, a_backtrace_ends_at_the_entry);
#endif
  tcase_add_test(t, a_jump_passes_and_saves_nothing);
  tcase_add_test(t, a_stack_serves_again_after_a_jump);
  return s;
}
