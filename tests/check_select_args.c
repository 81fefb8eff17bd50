/* SPDX-License-Identifier: BSD-3-Clause */
/* The arguments of a select are evaluated once, left to right, chosen or not:
   as a test in C, and by select_args.cc as a program of its own in C++. */
#include <gulch.h>

#include <string.h>

/* What was evaluated, in order. */
static char trace[100];

static void note(char what) {
  size_t n = strlen(trace);
  if (n + 1 < sizeof trace)
    trace[n] = what;
}

static gch_chan *chan(char what, gch_chan *c) {
  note(what);
  return c;
}

static int *place(char what, int *at) {
  note(what);
  return at;
}

static int64_t when(char what, int64_t ns) {
  note(what);
  return ns;
}

static int v = 1, err;

#define ALL_CASES(c)                                                           \
  GCH_RECV(chan('a', c), place('b', &v)),                                      \
      GCH_SEND(chan('c', c), place('d', &v)),                                  \
      GCH_RECV_ERR(chan('e', c), place('f', &v), place('g', &err)),            \
      GCH_SEND_ERR(chan('h', c), place('i', &v), place('j', &err)),            \
      GCH_UNTIL(when('k', GCH_FOREVER)), GCH_TIMEOUT(when('l', 0))

static void select_all(gch_chan *c) {
  memset(trace, 0, sizeof trace);
  gch_select(ALL_CASES(c));
}

static void select_all_ordered(gch_chan *c) {
  memset(trace, 0, sizeof trace);
  gch_select_ordered(ALL_CASES(c));
}

static void select_one_with_comma(gch_chan *c) {
  memset(trace, 0, sizeof trace);
  gch_select(GCH_RECV((note('x'), c), (note('y'), &v)), GCH_DEFAULT);
}

#ifdef __cplusplus
#include <stdio.h>

static int differs(const char *expected) {
  if (strcmp(trace, expected) == 0)
    return 0;
  fprintf(stderr, "evaluated %s, not %s\n", trace, expected);
  return 1;
}

int main() {
  int failures = 0;
  gch_chan *c = gch_make_of(int, 2);
  gch_send(c, &v);
  select_all(c);
  failures += differs("abcdefghijkl");
  select_all_ordered(c);
  failures += differs("abcdefghijkl");
  select_all(nullptr);
  failures += differs("abcdefghijkl");
  select_one_with_comma(c);
  failures += differs("xy");
  gch_unref(c);
  return failures != 0;
}

#else
#include "harness.h"

static gch_chan *half_full(void) {
  gch_chan *c = gch_make_of(int, 2);
  ck_assert_int_eq(gch_send(c, &v), 0);
  return c;
}

START_TEST(arguments_are_evaluated_once_left_to_right) {
  GCH_AUTO gch_chan *c = half_full();
  select_all(c);
  ck_assert_str_eq(trace, "abcdefghijkl");
}
END_TEST

START_TEST(so_they_are_in_the_ordered_form) {
  GCH_AUTO gch_chan *c = half_full();
  select_all_ordered(c);
  ck_assert_str_eq(trace, "abcdefghijkl");
}
END_TEST

START_TEST(so_they_are_for_channels_that_are_never_ready) {
  select_all(NULL);
  ck_assert_str_eq(trace, "abcdefghijkl");
}
END_TEST

START_TEST(an_argument_may_be_a_comma_expression) {
  GCH_AUTO gch_chan *c = half_full();
  select_one_with_comma(c);
  ck_assert_str_eq(trace, "xy");
}
END_TEST

struct job {
  int id, weight;
};

START_TEST(an_element_may_be_a_compound_literal_with_commas) {
  GCH_AUTO gch_chan *c = gch_make_of(struct job, 2);
  struct job j = {0, 0};
  gch_select(GCH_SEND(c, &(struct job){1, 2}));
  gch_select_ordered(GCH_SEND_ERR(c, &(struct job){3, 4}, &err));
  gch_recv(c, &j);
  ck_assert_int_eq(j.weight, 2);
  gch_recv(c, &j);
  ck_assert_int_eq(j.weight, 4);
}
END_TEST

START_TEST(a_case_is_an_expression) {
  GCH_AUTO gch_chan *c = half_full();
  gch_case cases[2];
  int out = 0;
  cases[0] = GCH_DEFAULT;
  cases[1] = c ? GCH_RECV(c, &out) : GCH_TIMEOUT(0);
  ck_assert_int_eq(gch_select_cases(cases, 2), 1);
  ck_assert_int_eq(out, 1);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("select_args");
  TCase *t = test_case(s, "arguments");
  tcase_add_test(t, arguments_are_evaluated_once_left_to_right);
  tcase_add_test(t, so_they_are_in_the_ordered_form);
  tcase_add_test(t, so_they_are_for_channels_that_are_never_ready);
  tcase_add_test(t, an_argument_may_be_a_comma_expression);
  tcase_add_test(t, an_element_may_be_a_compound_literal_with_commas);
  tcase_add_test(t, a_case_is_an_expression);
  return s;
}
#endif
