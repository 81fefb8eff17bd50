/* SPDX-License-Identifier: BSD-3-Clause */
/* Select where nobody has to wait: which case fires, and what it writes. */
#include "chan_forms.h"

#include <stdlib.h>

typedef int (*select_fn)(gch_case *cases, size_t n);
static const select_fn selects[] = {gch_select_cases, gch_select_cases_ordered};

/* A closed channel, and one with n values 1, 2, … of n that fit. */
static gch_chan *make_closed(void) {
  gch_chan *c = gch_make_of(int, 0);
  gch_close(c);
  return c;
}

static gch_chan *make_full(int n) {
  gch_chan *c = gch_make_of(int, (size_t)n);
  for (int i = 1; i <= n; i++)
    put_int(c, i);
  return c;
}

/* Position and outcome */

START_TEST(select_returns_the_position_of_the_ready_case) {
  enum { N = 6 };
  int v[N], err[N];
  gch_chan *full = make_full(1), *empty = gch_make_of(int, 0);
  for (int ready = 0; ready < N; ready++) {
    gch_case cases[N];
    for (int i = 0; i < N; i++) {
      v[i] = err[i] = -1;
      cases[i] = GCH_RECV_ERR(i == ready ? full : empty, &v[i], &err[i]);
    }
    ck_assert_int_eq(selects[_i](cases, N), ready);
    for (int i = 0; i < N; i++) { /* only the winner writes */
      ck_assert_int_eq(v[i], i == ready ? 1 : -1);
      ck_assert_int_eq(err[i], i == ready ? 0 : -1);
    }
    put_int(full, 1);
  }
  gch_unref(full);
  gch_unref(empty);
}
END_TEST

START_TEST(a_send_case_with_room_fires) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 1);
  int v = 7, err = -1;
  gch_case cases[] = {GCH_RECV(NULL, NULL), GCH_SEND_ERR(c, &v, &err)};
  ck_assert_int_eq(selects[_i](cases, 2), 1);
  ck_assert_int_eq(err, 0);
  ck_assert_int_eq(take_int(c), 7);
}
END_TEST

START_TEST(a_receive_from_a_closed_channel_fires_with_EPIPE_and_zeroes) {
  GCH_AUTO gch_chan *c = make_closed();
  for (int i = 0; i < 3; i++) {
    int v = 7, err = -1;
    gch_case cases[] = {GCH_UNTIL(0), GCH_RECV_ERR(c, &v, &err)};
    ck_assert_int_eq(selects[_i](cases, 2), 1);
    ck_assert_int_eq(err, EPIPE);
    ck_assert_int_eq(v, 0);
  }
}
END_TEST

START_TEST(a_plain_receive_from_a_closed_channel_zeroes) {
  GCH_AUTO gch_chan *c = make_closed();
  int v = 7;
  gch_case cases[] = {GCH_RECV(c, &v)};
  ck_assert_int_eq(selects[_i](cases, 1), 0);
  ck_assert_int_eq(v, 0);
}
END_TEST

START_TEST(a_send_on_a_closed_channel_fires_with_EPIPE) {
  GCH_AUTO gch_chan *c = make_closed();
  int v = 7, err = -1;
  gch_case cases[] = {GCH_SEND_ERR(c, &v, &err), GCH_DEFAULT};
  ck_assert_int_eq(selects[_i](cases, 2), 0);
  ck_assert_int_eq(err, EPIPE);
}
END_TEST

START_TEST(err_may_be_null) {
  GCH_AUTO gch_chan *c = make_full(1);
  int v = 0;
  gch_case cases[] = {GCH_RECV_ERR(c, &v, NULL)};
  ck_assert_int_eq(selects[_i](cases, 1), 0);
  ck_assert_int_eq(v, 1);
  gch_case send[] = {GCH_SEND_ERR(c, &v, NULL)};
  ck_assert_int_eq(selects[_i](send, 1), 0);
  ck_assert_int_eq(take_int(c), 1);
}
END_TEST

START_TEST(one_case_only_fires) {
  GCH_AUTO gch_chan *a = make_full(2);
  GCH_AUTO gch_chan *b = make_full(2);
  GCH_AUTO gch_chan *c = gch_make_of(int, 2);
  int v;
  gch_case cases[] = {GCH_RECV(a, &v), GCH_RECV(b, &v), GCH_SEND(c, &v)};
  selects[_i](cases, 3);
  size_t moved = 2 - gch_len(a) + 2 - gch_len(b) + gch_len(c);
  ck_assert_uint_eq(moved, 1);
}
END_TEST

START_TEST(an_all_zero_case_is_never_ready) {
  gch_case cases[3];
  memset(cases, 0, sizeof cases);
  cases[2] = GCH_DEFAULT;
  ck_assert_int_eq(selects[_i](cases, 3), 2);
}
END_TEST

START_TEST(a_null_channel_is_never_ready) {
  int v = 7, err = -1;
  gch_case cases[] = {GCH_RECV(NULL, &v), GCH_SEND(NULL, &v),
                      GCH_RECV_ERR(NULL, &v, &err),
                      GCH_SEND_ERR(NULL, &v, &err), GCH_DEFAULT};
  for (int i = 0; i < 100; i++)
    ck_assert_int_eq(selects[_i](cases, 5), 4);
  ck_assert_int_eq(v, 7);
  ck_assert_int_eq(err, -1);
}
END_TEST

START_TEST(a_send_of_no_element_on_a_null_channel_is_no_panic) {
  gch_case cases[] = {GCH_SEND(NULL, NULL), GCH_DEFAULT};
  ck_assert_int_eq(selects[_i](cases, 2), 1);
}
END_TEST

/* Default and deadlines */

START_TEST(a_lone_default_fires) {
  gch_case cases[] = {GCH_DEFAULT};
  ck_assert_int_eq(selects[_i](cases, 1), 0);
}
END_TEST

START_TEST(what_is_ready_beats_default_and_passed_deadlines) {
  GCH_AUTO gch_chan *c = make_closed();
  for (int i = 0; i < 100; i++) {
    gch_case cases[] = {GCH_DEFAULT, GCH_UNTIL(0), GCH_TIMEOUT(-1),
                        GCH_RECV(c, NULL)};
    ck_assert_int_eq(selects[_i](cases, 4), 3);
  }
}
END_TEST

START_TEST(default_beats_a_passed_deadline) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  gch_case cases[] = {GCH_UNTIL(0), GCH_TIMEOUT(0), GCH_RECV(c, NULL),
                      GCH_DEFAULT, GCH_UNTIL(INT64_MIN)};
  ck_assert_int_eq(selects[_i](cases, 5), 3);
}
END_TEST

START_TEST(of_passed_deadlines_the_earliest_fires) {
  gch_case cases[] = {GCH_UNTIL(3), GCH_UNTIL(2), GCH_UNTIL(5), GCH_UNTIL(2)};
  ck_assert_int_eq(selects[_i](cases, 4), 1);
}
END_TEST

START_TEST(an_absolute_deadline_and_a_timeout_are_compared) {
  gch_case past[] = {GCH_TIMEOUT(0), GCH_UNTIL(gch_now() - GCH_HOUR)};
  ck_assert_int_eq(selects[_i](past, 2), 1);
  gch_case later[] = {GCH_UNTIL(gch_now() + GCH_HOUR), GCH_TIMEOUT(0)};
  ck_assert_int_eq(selects[_i](later, 2), 1);
}
END_TEST

START_TEST(equal_timeouts_tie_to_the_first) {
  gch_case cases[] = {GCH_TIMEOUT(GCH_HOUR), GCH_TIMEOUT(0), GCH_TIMEOUT(0)};
  ck_assert_int_eq(selects[_i](cases, 3), 1);
}
END_TEST

START_TEST(the_shortest_and_the_longest_timeout_do_not_overflow) {
  gch_case cases[] = {GCH_TIMEOUT(INT64_MAX), GCH_UNTIL(GCH_FOREVER),
                      GCH_TIMEOUT(INT64_MIN)};
  ck_assert_int_eq(selects[_i](cases, 3), 2);
}
END_TEST

/* The ordered form */

START_TEST(ordered_takes_the_first_that_is_ready) {
  GCH_AUTO gch_chan *a = make_full(50);
  GCH_AUTO gch_chan *b = gch_make_of(int, 50);
  GCH_AUTO gch_chan *empty = gch_make_of(int, 0);
  int v = 0, out;
  for (int i = 0; i < 50; i++)
    ck_assert_int_eq(gch_select_ordered(GCH_UNTIL(0), GCH_RECV(empty, &out),
                                        GCH_SEND(b, &v), GCH_RECV(a, &out)),
                     2);
  for (int i = 0; i < 50; i++)
    ck_assert_int_eq(gch_select_ordered(GCH_DEFAULT, GCH_SEND(b, &v),
                                        GCH_RECV(a, &out), GCH_RECV(b, &out)),
                     2);
  ck_assert_int_eq(gch_select_ordered(GCH_DEFAULT, GCH_SEND(b, &v),
                                      GCH_RECV(a, &out), GCH_RECV(b, &out)),
                   3);
}
END_TEST

START_TEST(ordered_takes_a_closed_channel_in_its_place) {
  GCH_AUTO gch_chan *a = make_full(1);
  GCH_AUTO gch_chan *closed = make_closed();
  int v;
  ck_assert_int_eq(gch_select_ordered(GCH_RECV(closed, &v), GCH_RECV(a, &v)),
                   0);
  ck_assert_int_eq(gch_select_ordered(GCH_RECV(a, &v), GCH_RECV(closed, &v)),
                   0);
  ck_assert_int_eq(v, 1);
}
END_TEST

/* The same channel, many cases, the array again */

START_TEST(on_a_buffered_channel_of_its_own_the_possible_side_fires) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 1);
  int in = 7, out = -1;
  gch_case cases[] = {GCH_SEND(c, &in), GCH_RECV(c, &out)};
  for (int i = 0; i < 10; i++) {
    ck_assert_int_eq(selects[_i](cases, 2), i % 2);
    ck_assert_uint_eq(gch_len(c), i % 2 == 0);
  }
  ck_assert_int_eq(out, 7);
}
END_TEST

START_TEST(an_unbuffered_select_does_not_pair_with_itself) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  int in = 7, out = -1;
  gch_case cases[] = {GCH_SEND(c, &in), GCH_RECV(c, &out), GCH_SEND(c, &in),
                      GCH_DEFAULT};
  for (int i = 0; i < 100; i++)
    ck_assert_int_eq(selects[_i](cases, 4), 3);
  ck_assert_int_eq(out, -1);
}
END_TEST

START_TEST(the_same_channel_may_stand_in_many_cases) {
  enum { N = 20 };
  GCH_AUTO gch_chan *c = make_full(N);
  gch_case cases[N];
  int v[N] = {0}, sum = 0;
  for (int i = 0; i < N; i++)
    cases[i] = GCH_RECV(c, &v[i]);
  for (int i = 1; i <= N; i++) {
    int at = selects[_i](cases, N);
    ck_assert_int_eq(v[at], i);
    sum += v[at];
  }
  ck_assert_int_eq(sum, N * (N + 1) / 2);
}
END_TEST

static void one_ready_of_many(select_fn select, size_t n, gch_chan **others,
                              size_t channels) {
  gch_case *cases = calloc(n, sizeof *cases);
  gch_chan *ready = gch_make_of(int, 1);
  const size_t places[] = {0, n / 2, n - 1};
  int v = -1;
  ck_assert_ptr_nonnull(cases);
  for (size_t i = 0; i < n; i++)
    cases[i] = GCH_RECV(others[i % channels], &v);
  for (int k = 0; k < 3; k++) {
    gch_case saved = cases[places[k]];
    put_int(ready, k);
    cases[places[k]] = GCH_RECV(ready, &v);
    ck_assert_int_eq(select(cases, n), (int)places[k]);
    ck_assert_int_eq(v, k);
    cases[places[k]] = saved;
  }
  gch_unref(ready);
  free(cases);
}

static void make_all(gch_chan **c, size_t n) {
  for (size_t i = 0; i < n; i++)
    c[i] = gch_make_of(int, 0);
}

static void unref_all(gch_chan **c, size_t n) {
  for (size_t i = 0; i < n; i++)
    gch_unref(c[i]);
}

START_TEST(a_thousand_cases_work) {
  gch_chan *c[1000];
  make_all(c, 1000);
  one_ready_of_many(selects[_i], 1000, c, 1000);
  unref_all(c, 1000);
}
END_TEST

START_TEST(as_many_as_65536_cases_work) {
  gch_chan *c[16];
  make_all(c, 16);
  one_ready_of_many(selects[_i], 65536, c, 16);
  unref_all(c, 16);
}
END_TEST

START_TEST(the_array_may_be_used_again_as_it_is) {
  GCH_AUTO gch_chan *a = gch_make_of(int, 1);
  GCH_AUTO gch_chan *b = gch_make_of(int, 1);
  int v = 0;
  gch_case cases[] = {GCH_RECV(a, &v), GCH_RECV(b, &v), GCH_TIMEOUT(0),
                      GCH_RECV(NULL, NULL)};
  for (int i = 1; i <= 30; i++) {
    ck_assert_int_eq(selects[_i](cases, 4), 2);
    put_int(i % 2 ? a : b, i);
    ck_assert_int_eq(selects[_i](cases, 4), i % 2 ? 0 : 1);
    ck_assert_int_eq(v, i);
  }
}
END_TEST

static void both(TCase *t, const TTest *test) {
  tcase_add_loop_test(t, test, 0, 2);
}

Suite *test_suite(void) {
  Suite *s = suite_create("select");
  TCase *t = test_case(s, "outcome");
  both(t, select_returns_the_position_of_the_ready_case);
  both(t, a_send_case_with_room_fires);
  both(t, a_receive_from_a_closed_channel_fires_with_EPIPE_and_zeroes);
  both(t, a_plain_receive_from_a_closed_channel_zeroes);
  both(t, a_send_on_a_closed_channel_fires_with_EPIPE);
  both(t, err_may_be_null);
  both(t, one_case_only_fires);
  both(t, an_all_zero_case_is_never_ready);
  both(t, a_null_channel_is_never_ready);
  both(t, a_send_of_no_element_on_a_null_channel_is_no_panic);
  t = test_case(s, "default and deadlines");
  both(t, a_lone_default_fires);
  both(t, what_is_ready_beats_default_and_passed_deadlines);
  both(t, default_beats_a_passed_deadline);
  both(t, of_passed_deadlines_the_earliest_fires);
  both(t, an_absolute_deadline_and_a_timeout_are_compared);
  both(t, equal_timeouts_tie_to_the_first);
  both(t, the_shortest_and_the_longest_timeout_do_not_overflow);
  t = test_case(s, "ordered");
  tcase_add_test(t, ordered_takes_the_first_that_is_ready);
  tcase_add_test(t, ordered_takes_a_closed_channel_in_its_place);
  t = test_case(s, "cases");
  both(t, on_a_buffered_channel_of_its_own_the_possible_side_fires);
  both(t, an_unbuffered_select_does_not_pair_with_itself);
  both(t, the_same_channel_may_stand_in_many_cases);
  both(t, a_thousand_cases_work);
  both(t, as_many_as_65536_cases_work);
  both(t, the_array_may_be_used_again_as_it_is);
  return s;
}
