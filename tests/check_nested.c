/* SPDX-License-Identifier: BSD-3-Clause */
/* GNU C's nested functions: one that is called by a pointer, and uses what its
   parent has, is a few instructions on the stack. gcc alone knows them; and
   AddressSanitizer puts them elsewhere. */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "tasks.h"

#if defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)

__attribute__((noipa)) static int call(int (*fn)(int n), int n) {
  return fn(n);
}

static void nest(void *sum) {
  int base = 40;
  int add(int n) {
    return base + n;
  }
  *(int *)sum = call(add, 2);
}

/* _i: bytes of the stack. */
START_TEST(a_nested_function_may_be_called_by_a_pointer) {
  int sum = 0;
  gch_go_opts opts = {.stack_size = (size_t)_i << 10};
  ck_assert_int_eq(gch_go_with(&opts, nest, &sum), 0);
  await_no_tasks();
  ck_assert_int_eq(sum, 42);
}
END_TEST

static void add_tests(TCase *t) {
  tcase_add_loop_test(t, a_nested_function_may_be_called_by_a_pointer, 0, 1);
  tcase_add_loop_test(t, a_nested_function_may_be_called_by_a_pointer, 1024,
                      1025);
}

#else
static void add_tests(TCase *t) {
  (void)t;
}
#endif

Suite *test_suite(void) {
  Suite *s = suite_create("nested");
  add_tests(test_case(s, "nested"));
  return s;
}
