/* SPDX-License-Identifier: BSD-3-Clause */
/* The binary interface: sizes of what users fill or embed. Changing one breaks
   every program that was built before. */
#include "harness.h"

/* Where pointers have 64 bits, or 32; there i386, where a uint64_t may begin at
   any four bytes, has sizes of its own. */
#if UINTPTR_MAX == UINT64_MAX
#define SIZE(of_64, of_32, of_i386) of_64
#elif defined(__i386__)
#define SIZE(of_64, of_32, of_i386) of_i386
#else
#define SIZE(of_64, of_32, of_i386) of_32
#endif

START_TEST(case_keeps_its_size) {
  ck_assert_uint_eq(sizeof(gch_case), SIZE(112, 72, 64));
}
END_TEST

START_TEST(wg_keeps_its_size) {
  ck_assert_uint_eq(sizeof(gch_wg), SIZE(32, 24, 24));
}
END_TEST

START_TEST(mutex_keeps_its_size) {
  ck_assert_uint_eq(sizeof(gch_mutex), SIZE(32, 20, 20));
}
END_TEST

START_TEST(rwmutex_keeps_its_size) {
  ck_assert_uint_eq(sizeof(gch_rwmutex), SIZE(48, 28, 28));
}
END_TEST

START_TEST(cond_keeps_its_size) {
  ck_assert_uint_eq(sizeof(gch_cond), SIZE(32, 20, 20));
}
END_TEST

START_TEST(once_keeps_its_size) {
  ck_assert_uint_eq(sizeof(gch_once), SIZE(32, 20, 20));
}
END_TEST

START_TEST(ctx_ops_keeps_its_size) {
  ck_assert_uint_eq(sizeof(gch_ctx_ops), SIZE(72, 36, 36));
}
END_TEST

START_TEST(go_opts_keeps_its_size) {
  ck_assert_uint_eq(sizeof(gch_go_opts), SIZE(56, 28, 28));
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("abi");
  TCase *sizes = test_case(s, "sizes");
  tcase_add_test(sizes, case_keeps_its_size);
  tcase_add_test(sizes, wg_keeps_its_size);
  tcase_add_test(sizes, mutex_keeps_its_size);
  tcase_add_test(sizes, rwmutex_keeps_its_size);
  tcase_add_test(sizes, cond_keeps_its_size);
  tcase_add_test(sizes, once_keeps_its_size);
  tcase_add_test(sizes, ctx_ops_keeps_its_size);
  tcase_add_test(sizes, go_opts_keeps_its_size);
  return s;
}
