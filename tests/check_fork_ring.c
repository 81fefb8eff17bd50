/* SPDX-License-Identifier: BSD-3-Clause */
/* A child finds the channel locked by a ghost that was taking a value out, when
   so many have gone through that what counts them is near its end. */
#include "chan/impl.h"
#include "fork_life.h"

enum { CAP = 3, IN = 2 };

/* Of ints; head is 0, and IN values are in. */
static gch_chan *make_old(size_t taken) {
  gch_chan *c = gch_make_of(int, CAP);
  for (int i = 0; i < IN; i++)
    gch_send(c, &i);
  taken -= taken % CAP;
  atomic_store(&c->turns, taken);
  c->put = taken + IN;
  return c;
}

static void pass_through(gch_chan *c, int n) {
  for (int i = 0, v; i < n; i++) {
    ck_assert_int_eq(gch_recv(c, &v), 0);
    ck_assert_int_eq(v, i);
    v = i + IN;
    ck_assert_int_eq(gch_send(c, &v), 0);
  }
}

static void give_back(gch_chan *c) {
  atomic_store(&c->lock.word, GCH_LOCK_FREE);
  gch_unref(c);
}

/* The values first, first + 1, … are in, whole, and there is room for others. */
static int holds(gch_chan *c, int first, size_t n) {
  int v;
  require(gch_len(c) == n);
  for (size_t i = 0; i < n; i++)
    require(gch_try_recv(c, &v) == 0 && v == first + (int)i);
  require(gch_try_recv(c, &v) == EAGAIN);
  for (int i = 0; i < CAP; i++)
    require(gch_try_send(c, &i) == 0);
  for (int i = 0; i < CAP; i++)
    require(gch_try_recv(c, &v) == 0 && v == i);
  return OK;
}

static void expect_in_child(gch_chan *c, int first, size_t n) {
  atomic_store(&c->lock.word, GCH_LOCK_HELD);
  pid_t pid = fork_with_parent();
  if (pid == 0)
    _exit(holds(c, first, n));
  ck_assert_int_eq(status_of(pid), OK);
}

/* _i: from how many before the end; the last value goes when it is over. */
START_TEST(a_value_that_is_out_is_not_in_the_child) {
  gch_chan *c = make_old(SIZE_MAX - (size_t)_i);
  int passed = _i + 2 * CAP;
  pass_through(c, passed);
  atomic_fetch_add(&c->turns, 1);
  atomic_store(&c->head, (atomic_load(&c->head) + 1) % CAP);
  expect_in_child(c, passed + 1, IN - 1);
  give_back(c);
}
END_TEST

START_TEST(a_value_that_is_not_out_is_in_the_child) {
  gch_chan *c = make_old(SIZE_MAX - (size_t)_i);
  int passed = _i + 2 * CAP;
  pass_through(c, passed);
  atomic_fetch_add(&c->turns, 1);
  expect_in_child(c, passed, IN);
  give_back(c);
}
END_TEST

/* The ghost was making the counts smaller. */
START_TEST(all_values_are_in_the_child_while_counts_change) {
  gch_chan *c = make_old(SIZE_MAX / 2);
  c->put = IN;
  expect_in_child(c, 0, IN);
  give_back(c);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = fork_suite("fork_ring");
  TCase *t = test_case(s, "ring");
  if (sizeof(size_t) == 4) { /* 64 bits never come to their end */
    tcase_add_loop_test(t, a_value_that_is_out_is_not_in_the_child, 0, 2 * CAP);
    tcase_add_loop_test(t, a_value_that_is_not_out_is_in_the_child, 0, 2 * CAP);
  }
  tcase_add_test(t, all_values_are_in_the_child_while_counts_change);
  return s;
}
