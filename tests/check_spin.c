/* SPDX-License-Identifier: BSD-3-Clause */
/* Spins before a sleep: how long, and whether at all. With its source, and a
   clock, processors and others who run in a yield that are made up here. */
#define TEST_AS_IS
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "harness.h"

#include "park/spin.h"

static int64_t clock_now;
static int processors;

/* Each reading of the clock takes a while. */
static int64_t read_clock(void) {
  return clock_now += 100;
}

static int processors_here(void) {
  return processors;
}

static int yields;
static int64_t yield_takes; /* ns */
static struct gch_parker *given_in_yield;

static int others_run(void) {
  yields++;
  clock_now += yield_takes;
  if (given_in_yield)
    atomic_store(&given_in_yield->state, GCH_PARKER_PERMIT);
  return 0;
}

#define gch__now read_clock
#define gch__processors processors_here
#define sched_yield others_run
#define gch__spin own_spin
#define gch__spins own_spins
#define gch__spin_wakes own_spin_wakes
#define gch__spin_slept own_spin_slept
#define gch__task_self() NULL
#include "park/spin.c"

static struct gch_parker parker;

static void set_up(void) {
  clock_now = 1000000000;
  processors = 2;
  yields = 0;
  yield_takes = 300;
  given_in_yield = NULL;
  atomic_init(&parker.state, GCH_PARKER_EMPTY);
}

/* A park of the thread that ends so many nanoseconds after it begins, with a
   wake if it sleeps until then, which takes so many more. How long it spun. */
static int64_t wait_for(int64_t ns, int64_t wake) {
  int64_t start = clock_now;
  ck_assert(!gch__spin(&parker, start, GCH__FOREVER));
  int64_t spun = clock_now - start;
  if (clock_now < start + ns)
    clock_now = start + ns;
  gch__spin_wakes(&parker);
  clock_now += wake;
  gch__spin_slept(&parker, start);
  return spun;
}

/* One that ends before it has begun to spin. Whether it would have spun. */
static bool wait_for_nothing(void) {
  atomic_store(&parker.state, GCH_PARKER_PERMIT);
  bool found = gch__spin(&parker, clock_now, GCH__FOREVER);
  atomic_store(&parker.state, GCH_PARKER_EMPTY);
  return found;
}

START_TEST(a_spin_lasts_as_long_as_two_wakes) {
  const int64_t wakes[] = {1000, 30000, 60000};
  const int64_t lengths[] = {LEAST, 60000, MOST};
  for (size_t i = 0; i < sizeof wakes / sizeof *wakes; i++) {
    for (int n = 0; n < 200; n++)
      wait_for(100, wakes[i]);
    habit.spins = (struct gch_habit){0};
    int64_t spun = wait_for(10 * MOST, wakes[i]);
    ck_assert_int_ge(spun, lengths[i] * 7 / 8);
    ck_assert_int_le(spun, lengths[i] + 2000);
  }
}
END_TEST

/* Those that waited for a processor too. */
START_TEST(wakes_that_take_long_at_times_say_little) {
  for (int n = 0; n < 200; n++)
    wait_for(100, n % 2 == 0 ? 7000 : 90000);
  habit.spins = (struct gch_habit){0};
  ck_assert_int_le(wait_for(10 * MOST, 7000), 2 * LEAST);
}
END_TEST

START_TEST(a_spin_ends_at_the_deadline) {
  int64_t start = clock_now;
  ck_assert(!gch__spin(&parker, start, start + 5000));
  ck_assert_int_le(clock_now - start, 7000);
}
END_TEST

START_TEST(who_waits_for_long_spins_twice) {
  int spins = 0;
  for (int i = 0; i < 10000; i++)
    spins += wait_for(1000000, 5000) > 0;
  ck_assert_int_eq(spins, 2);
}
END_TEST

/* However long it takes to wake it. */
START_TEST(whose_waits_are_short_again_spins_again) {
  for (int i = 0; i < 100; i++)
    wait_for(1000000, 5000);
  ck_assert(!wait_for_nothing());
  for (int i = 0; i < 1 << MOST_SPINS && !gch__spins(); i++)
    wait_for(1000, 500000);
  ck_assert(gch__spins());
  ck_assert(wait_for_nothing());
}
END_TEST

START_TEST(one_in_vain_among_many_changes_nothing) {
  for (int i = 0; i < 100; i++) {
    ck_assert(wait_for_nothing());
    ck_assert_int_ge(wait_for(1000000, 5000), LEAST);
  }
}
END_TEST

/* Whom it waits for gets this very processor when it sleeps, and only then. */
START_TEST(spins_that_always_fail_become_rare) {
  int64_t spun = 0;
  int n = 10000;
  for (int i = 0; i < n; i++)
    spun += wait_for(3000, 3000);
  ck_assert_int_gt(spun, 0);
  ck_assert_int_le(spun / n, LEAST / 32);
}
END_TEST

START_TEST(yields_that_cost_milliseconds_become_rare) {
  int n = 100000;
  processors = _i;
  yield_takes = 3000000;
  given_in_yield = &parker;
  for (int i = 0; i < n; i++) {
    int64_t start = clock_now;
    atomic_store(&parker.state, GCH_PARKER_EMPTY);
    if (!gch__spin(&parker, start, GCH__FOREVER))
      gch__spin_slept(&parker, start);
  }
  ck_assert_int_gt(yields, 1);
  ck_assert_int_le(yields, 8);
}
END_TEST

START_TEST(cheap_yields_go_on) {
  given_in_yield = &parker;
  processors = _i;
  for (int i = 0; i < 1000; i++) {
    atomic_store(&parker.state, GCH_PARKER_EMPTY);
    ck_assert(gch__spin(&parker, clock_now, GCH__FOREVER));
  }
  ck_assert_int_eq(yields, 1000);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("spin");
  TCase *t = test_case(s, "habit");
  tcase_add_checked_fixture(t, set_up, NULL);
  tcase_add_test(t, a_spin_lasts_as_long_as_two_wakes);
  tcase_add_test(t, wakes_that_take_long_at_times_say_little);
  tcase_add_test(t, a_spin_ends_at_the_deadline);
  tcase_add_test(t, who_waits_for_long_spins_twice);
  tcase_add_test(t, whose_waits_are_short_again_spins_again);
  tcase_add_test(t, one_in_vain_among_many_changes_nothing);
  tcase_add_test(t, spins_that_always_fail_become_rare);
  tcase_add_loop_test(t, yields_that_cost_milliseconds_become_rare, 1, 3);
  tcase_add_loop_test(t, cheap_yields_go_on, 1, 3);
  return s;
}
