/* SPDX-License-Identifier: BSD-3-Clause */
/* What else Go's test/ says of channels: 235.go, chancap.go, chanlinear.go,
   nil.go, range.go. */
#include "blocking.h"

#include <stdlib.h>

/* chancap.go */

START_TEST(chancap_len_counts_values_and_cap_is_fixed) {
  gch_chan *c = ints(10);
  ck_assert_uint_eq(gch_len(c), 0);
  ck_assert_uint_eq(gch_cap(c), 10);
  put_all(c, 3);
  ck_assert_uint_eq(gch_len(c), 3);
  ck_assert_uint_eq(gch_cap(c), 10);
  gch_unref(c);
}
END_TEST

START_TEST(chancap_unbuffered_has_neither) {
  gch_chan *c = ints(0);
  ck_assert_uint_eq(gch_len(c), 0);
  ck_assert_uint_eq(gch_cap(c), 0);
  gch_unref(c);
}
END_TEST

static void make_minus_one(void *arg) {
  (void)arg;
  gch_unref(gch_make_of(int, (size_t)-1));
}

/* -1 as a size_t, more than half of all addresses, and a product that
   overflows. */
START_TEST(chancap_size_out_of_range) {
  const size_t caps[] = {(size_t)-1, PTRDIFF_MAX / 4 + 1, SIZE_MAX / 4 + 2};
  for (size_t i = 0; i < sizeof caps / sizeof *caps; i++) {
    errno = 0;
    ck_assert_ptr_null(gch_make(4, caps[i]));
    ck_assert_int_eq(errno, EINVAL);
  }
  expect_panic_strict(make_minus_one, NULL, "makechan: size out of range");
}
END_TEST

/* chanlinear.go. That it takes no longer a head the longer the queue is, is
   for the benchmarks; here: everybody leaves a crowded queue again and again,
   and each time all are queued once. */

enum { MESSAGES = 10 };

struct member {
  gch_chan *c, *d;
};

static void queue_again(void *arg) {
  struct member *m = arg;
  for (int i = 0; i < MESSAGES; i++)
    require(gch_select(GCH_RECV(m->c, NULL), GCH_RECV(m->d, NULL)) == 1);
}

START_TEST(chanlinear_a_crowd_leaves_a_queue_and_queues_again) {
  gch_wg wg = GCH_WG_INIT;
  int n = scaled(100);
  struct member *crowd = calloc((size_t)n, sizeof *crowd);
  gch_chan *c = ints(0);
  for (int i = 0; i < n; i++) {
    crowd[i] = (struct member){c, ints(0)};
    go(&wg, queue_again, &crowd[i]);
  }
  for (int i = 0; i < MESSAGES; i++) {
    await_waiting(c, 0, (size_t)n);
    for (int j = 0; j < n; j++)
      put(crowd[j].d, 1);
  }
  gch_wg_wait(&wg);
  ck_assert(nobody_waits(c));
  for (int i = 0; i < n; i++)
    gch_unref(crowd[i].d);
  gch_unref(c);
  free(crowd);
}
END_TEST

/* Leaving from the middle of a queue of thousands, of which one thread can
   make itself a member. */
struct long_queue {
  gch_chan *c, *d;
  gch_case *cases;
  size_t n;
};

static void queue_many_times(void *arg) {
  struct long_queue *q = arg;
  require(gch_select_cases(q->cases, q->n) == (int)q->n - 1);
}

static void queue_and_leave(struct long_queue *q, int times) {
  for (int i = 0; i < times; i++)
    require(gch_select(GCH_RECV(q->c, NULL), GCH_TIMEOUT(1)) == 1);
}

START_TEST(chanlinear_one_leaves_a_queue_of_thousands) {
  gch_wg wg = GCH_WG_INIT;
  struct long_queue q = {ints(0), ints(0), NULL, (size_t)scaled(10000) + 1};
  q.cases = calloc(q.n, sizeof *q.cases);
  for (size_t i = 0; i < q.n; i++)
    q.cases[i] = GCH_RECV(q.c, NULL);
  q.cases[q.n - 1] = GCH_RECV(q.d, NULL);
  go(&wg, queue_many_times, &q);
  await_waiting(q.c, 0, q.n - 1);
  queue_and_leave(&q, 1000);
  await_waiting(q.c, 0, q.n - 1);
  put(q.d, 1);
  gch_wg_wait(&wg);
  ck_assert(nobody_waits(q.c));
  free(q.cases);
  gch_unref(q.c);
  gch_unref(q.d);
}
END_TEST

/* nil.go */

static void send_nil(void *arg) {
  gch_send(NULL, arg);
}

static void receive_nil(void *arg) {
  (void)arg;
  gch_recv(NULL, NULL);
}

START_TEST(nil_channel_is_never_ready) {
  int one = 1;
  blocks_for_ever(send_nil, &one);
  blocks_for_ever(receive_nil, NULL);
}
END_TEST

START_TEST(nil_channel_has_no_len_and_no_cap) {
  ck_assert_uint_eq(gch_len(NULL), 0);
  ck_assert_uint_eq(gch_cap(NULL), 0);
}
END_TEST

/* range.go */

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz";

static void gen(void *c) {
  for (char i = 'a'; i <= 'z'; i++)
    require(gch_send(c, &i) == 0);
  require(gch_close(c) == 0);
}

START_TEST(range_testchan) {
  gch_wg wg = GCH_WG_INIT;
  gch_chan *c = gch_make_of(char, 0);
  char s[sizeof alphabet + 1] = "";
  size_t n = 0;
  go(&wg, gen, c);
  for (char i; gch_recv(c, &i) == 0;)
    s[n++] = i;
  ck_assert_str_eq(s, alphabet);
  gch_wg_wait(&wg);
  gch_unref(c);
}
END_TEST

START_TEST(range_testchan_without_a_variable) {
  gch_wg wg = GCH_WG_INIT;
  gch_chan *c = gch_make_of(char, 0);
  int n = 0;
  go(&wg, gen, c);
  while (gch_recv(c, NULL) == 0)
    n++;
  ck_assert_int_eq(n, 26);
  gch_wg_wait(&wg);
  gch_unref(c);
}
END_TEST

/* 235.go: all numbers with no prime factors but 2, 3 and 5 (Hamming). */

static const uint64_t hamming[] = {
    2,   3,   4,   5,   6,   8,   9,    10,   12,   15,   16,   18,   20,
    24,  25,  27,  30,  32,  36,  40,   45,   48,   50,   54,   60,   64,
    72,  75,  80,  81,  90,  96,  100,  108,  120,  125,  128,  135,  144,
    150, 160, 162, 180, 192, 200, 216,  225,  240,  243,  250,  256,  270,
    288, 300, 320, 324, 360, 375, 384,  400,  405,  432,  450,  480,  486,
    500, 512, 540, 576, 600, 625, 640,  648,  675,  720,  729,  750,  768,
    800, 810, 864, 900, 960, 972, 1000, 1024, 1080, 1125, 1152, 1200, 1215};
enum { HAMMING = sizeof hamming / sizeof *hamming, FACTORS = 3 };

GCH_CHAN_TYPE(u64s, uint64_t)

struct multiplier {
  u64s in, out;
  uint64_t factor, next;
};

static void multiply(void *arg) {
  struct multiplier *m = arg;
  for (uint64_t x; u64s_recv(m->in, &x) == 0;)
    require(u64s_send(m->out, m->factor * x) == 0);
}

/* Feeds x to all; those whose product was x compute the next. The least. */
static uint64_t next_hamming(struct multiplier m[FACTORS], uint64_t x) {
  uint64_t least = UINT64_MAX;
  for (int i = 0; i < FACTORS; i++)
    require(u64s_send(m[i].in, x) == 0);
  for (int i = 0; i < FACTORS; i++) {
    if (m[i].next == x)
      require(u64s_recv(m[i].out, &m[i].next) == 0);
    if (m[i].next < least)
      least = m[i].next;
  }
  return least;
}

START_TEST(solve_235) {
  static const uint64_t factors[FACTORS] = {2, 3, 5};
  gch_wg wg = GCH_WG_INIT;
  struct multiplier m[FACTORS];
  uint64_t x = 1;
  for (int i = 0; i < FACTORS; i++) {
    m[i] = (struct multiplier){u64s_make(100), u64s_make(100), factors[i], 1};
    go(&wg, multiply, &m[i]);
  }
  for (int i = 0; i < HAMMING; i++) {
    x = next_hamming(m, x);
    require(x == hamming[i]);
  }
  for (int i = 0; i < FACTORS; i++)
    u64s_close(m[i].in);
  gch_wg_wait(&wg);
  for (int i = 0; i < FACTORS; i++) {
    u64s_unref(m[i].in);
    u64s_unref(m[i].out);
  }
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("golang/test_misc");
  TCase *t = test_case(s, "chancap");
  tcase_add_test(t, chancap_len_counts_values_and_cap_is_fixed);
  tcase_add_test(t, chancap_unbuffered_has_neither);
  tcase_add_test(t, chancap_size_out_of_range);
  t = test_case(s, "chanlinear");
  tcase_add_test(t, chanlinear_a_crowd_leaves_a_queue_and_queues_again);
  tcase_add_test(t, chanlinear_one_leaves_a_queue_of_thousands);
  t = test_case(s, "others");
  tcase_add_test(t, nil_channel_is_never_ready);
  tcase_add_test(t, nil_channel_has_no_len_and_no_cap);
  tcase_add_test(t, range_testchan);
  tcase_add_test(t, range_testchan_without_a_variable);
  tcase_add_test(t, solve_235);
  return s;
}
