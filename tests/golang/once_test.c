/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's sync/once_test.go. */
#include "tasks.h"

enum { CROWD = 10 };

struct one {
  gch_once once;
  int n; /* no atomic: do orders it */
};

static void increment(void *n) {
  ++*(int *)n;
}

static void run(void *arg) {
  struct one *o = arg;
  gch_once_do(&o->once, increment, &o->n);
  ck_assert_int_eq(o->n, 1);
}

START_TEST(TestOnce) {
  for (int i = 0; i < scaled(50); i++) {
    struct one o = {GCH_ONCE_INIT, 0};
    gch_wg wg = GCH_WG_INIT;
    for (int k = 0; k < CROWD; k++)
      ck_assert_int_eq(gch_wg_go(&wg, run, &o), 0);
    gch_wg_wait(&wg);
    ck_assert_int_eq(o.n, 1);
  }
  await_no_tasks();
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("golang/once");
  TCase *t = test_case(s, "once");
  tcase_add_test(t, TestOnce);
  return s;
}
