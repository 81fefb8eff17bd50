/* SPDX-License-Identifier: BSD-3-Clause */
/* The binary interface: sizes of what users fill or embed, where pointers have
   64 bits. Changing one breaks every program that was built before. */
#include "harness.h"

START_TEST(case_has_112_bytes) {
  ck_assert_uint_eq(sizeof(gch_case), 112);
}
END_TEST

START_TEST(wg_has_32_bytes) {
  ck_assert_uint_eq(sizeof(gch_wg), 32);
}
END_TEST

START_TEST(mutex_has_32_bytes) {
  ck_assert_uint_eq(sizeof(gch_mutex), 32);
}
END_TEST

START_TEST(rwmutex_has_48_bytes) {
  ck_assert_uint_eq(sizeof(gch_rwmutex), 48);
}
END_TEST

START_TEST(cond_has_32_bytes) {
  ck_assert_uint_eq(sizeof(gch_cond), 32);
}
END_TEST

START_TEST(once_has_32_bytes) {
  ck_assert_uint_eq(sizeof(gch_once), 32);
}
END_TEST

START_TEST(ctx_ops_has_72_bytes) {
  ck_assert_uint_eq(sizeof(gch_ctx_ops), 72);
}
END_TEST

START_TEST(go_opts_has_56_bytes) {
  ck_assert_uint_eq(sizeof(gch_go_opts), 56);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("abi");
  TCase *sizes = test_case(s, "sizes");
#if UINTPTR_MAX == UINT64_MAX
  tcase_add_test(sizes, case_has_112_bytes);
  tcase_add_test(sizes, wg_has_32_bytes);
  tcase_add_test(sizes, mutex_has_32_bytes);
  tcase_add_test(sizes, rwmutex_has_48_bytes);
  tcase_add_test(sizes, cond_has_32_bytes);
  tcase_add_test(sizes, once_has_32_bytes);
  tcase_add_test(sizes, ctx_ops_has_72_bytes);
  tcase_add_test(sizes, go_opts_has_56_bytes);
#endif
  return s;
}
