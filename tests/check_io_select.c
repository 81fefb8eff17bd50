/* SPDX-License-Identifier: BSD-3-Clause */
/* Descriptors as arms of a select. */
#include "io_facts.h"

#include <setjmp.h>

START_TEST(an_arm_is_ready_where_a_call_would_not_wait) {
  struct ends e = make_ends(_i);
  int err = 77;
  ck_assert_int_eq(gch_select(GCH_READABLE(e.out), GCH_DEFAULT), 1);
  ck_assert_int_eq(gch_select(GCH_WRITABLE_ERR(e.in, &err), GCH_DEFAULT), 0);
  ck_assert_int_eq(err, 0);
  put(e.in, "x");
  for (int i = 0; i < 2; i++) { /* nothing is read */
    err = 77;
    ck_assert_int_eq(gch_select(GCH_READABLE_ERR(e.out, &err), GCH_DEFAULT), 0);
    ck_assert_int_eq(err, 0);
  }
  expect(e.out, "x");
  fill(e.in);
  ck_assert_int_eq(gch_select(GCH_WRITABLE(e.in), GCH_DEFAULT), 1);
  close_ends(e);
}
END_TEST

START_TEST(the_end_is_ready) {
  struct ends e = make_ends(_i);
  ck_assert_int_eq(gch_io_close(e.in), 0);
  ck_assert_int_eq(gch_select(GCH_READABLE(e.out), GCH_DEFAULT), 0);
  ck_assert_int_eq(gch_io_close(e.out), 0);
}
END_TEST

START_TEST(a_negative_descriptor_is_never_ready) {
  ck_assert_int_eq(gch_select(GCH_READABLE(-1), GCH_WRITABLE(-7), GCH_DEFAULT),
                   2);
  ck_assert_int_eq(gch_select(GCH_READABLE(-1), GCH_TIMEOUT(1000)), 1);
}
END_TEST

START_TEST(an_arm_that_does_not_fire_writes_nothing) {
  struct ends e = make_ends(_i);
  int err = 77;
  put(e.in, "x");
  fill(e.in);
  ck_assert_int_eq(
      gch_select(GCH_READABLE(e.out), GCH_WRITABLE_ERR(e.in, &err)), 0);
  ck_assert_int_eq(err, 77);
  close_ends(e);
}
END_TEST

struct arms {
  int fd;
  gch_chan *c;
  int fired, err, value;
};

static void select_both(void *arg) {
  struct arms *a = arg;
  a->err = a->value = 77;
  a->fired = gch_select(GCH_READABLE_ERR(a->fd, &a->err),
                        GCH_RECV(a->c, &a->value));
}

START_TEST(a_select_that_waits_is_woken_by_a_descriptor) {
  struct ends e = make_ends(_i);
  struct arms a = {.fd = e.out, .c = gch_make_of(int, 0)};
  test_thread *t = thread_start(select_both, &a);
  await_io(e.out, 1, 0);
  put(e.in, "x");
  thread_join(t);
  ck_assert_int_eq(a.fired, 0);
  ck_assert_int_eq(a.err, 0);
  ck_assert_int_eq(a.value, 77);
  await_waiting(a.c, 0, 0);
  await_io(e.out, 0, 0);
  gch_unref(a.c);
  close_ends(e);
}
END_TEST

START_TEST(or_by_a_channel) {
  struct ends e = make_ends(_i);
  struct arms a = {.fd = e.out, .c = gch_make_of(int, 0)};
  test_thread *t = thread_start(select_both, &a);
  await_io(e.out, 1, 0);
  ck_assert_int_eq(gch_send(a.c, &(int){5}), 0);
  thread_join(t);
  ck_assert_int_eq(a.fired, 1);
  ck_assert_int_eq(a.value, 5);
  ck_assert_int_eq(a.err, 77);
  await_io(e.out, 0, 0);
  gch_unref(a.c);
  close_ends(e);
}
END_TEST

START_TEST(or_by_its_deadline) {
  struct ends e = make_ends(_i);
  for (int i = 0; i < 3; i++)
    ck_assert_int_eq(
        gch_select(GCH_READABLE(e.out), GCH_TIMEOUT(GCH_MILLISECOND)), 1);
  put(e.in, "x");
  ck_assert_int_eq(gch_select(GCH_UNTIL(1), GCH_READABLE(e.out)), 1);
  close_ends(e);
}
END_TEST

START_TEST(or_by_a_timer) {
  struct ends e = make_ends(_i);
  gch_timer *timer = gch_timer_new(GCH_MILLISECOND);
  ck_assert_int_eq(gch_select(GCH_READABLE(e.out),
                              GCH_RECV(gch_timer_chan(timer), NULL)),
                   1);
  gch_timer_free(timer);
  close_ends(e);
}
END_TEST

START_TEST(one_of_many_descriptors) {
  enum { MANY = 40 };
  struct ends e[MANY];
  gch_case cases[MANY];
  for (int i = 0; i < MANY; i++) {
    e[i] = make_ends(_i);
    cases[i] = GCH_READABLE(e[i].out);
  }
  for (int i = 0; i < MANY; i += 7) {
    put(e[i].in, "x");
    ck_assert_int_eq(gch_select_cases(cases, MANY), i);
    expect(e[i].out, "x");
  }
  for (int i = 0; i < MANY; i++)
    close_ends(e[i]);
}
END_TEST

START_TEST(the_choice_is_uniform_over_descriptors_and_channels) {
  enum { ROUNDS = 3000 };
  struct ends e = make_ends(_i);
  gch_chan *c = gch_make_of(int, ROUNDS);
  int count[3] = {0};
  put(e.in, "x");
  for (int i = 0; i < ROUNDS; i++)
    gch_send(c, &i);
  for (int i = 0; i < ROUNDS; i++)
    count[gch_select(GCH_READABLE(e.out), GCH_RECV(c, NULL),
                     GCH_READABLE(e.out))]++;
  for (int i = 0; i < 3; i++)
    ck_assert(count[i] > ROUNDS / 3 - ROUNDS / 10 &&
              count[i] < ROUNDS / 3 + ROUNDS / 10);
  gch_unref(c);
  close_ends(e);
}
END_TEST

START_TEST(an_ordered_select_takes_the_first) {
  struct ends e = make_ends(_i);
  gch_chan *c = gch_make_of(int, 100);
  put(e.in, "x");
  for (int i = 0; i < 50; i++) {
    gch_send(c, &i);
    ck_assert_int_eq(gch_select_ordered(GCH_READABLE(e.out), GCH_RECV(c, NULL)),
                     0);
    ck_assert_int_eq(gch_select_ordered(GCH_RECV(c, NULL), GCH_READABLE(e.out)),
                     0);
  }
  ck_assert_int_eq(gch_select_ordered(GCH_DEFAULT, GCH_READABLE(e.out)), 1);
  gch_unref(c);
  close_ends(e);
}
END_TEST

/* One of two who are woken reads what there is. */
static void select_and_read(void *arg) {
  struct io_call *c = arg;
  c->n = 0;
  for (;;) {
    int i = gch_select(GCH_READABLE(c->fd),
                       GCH_RECV(gch_ctx_done(c->ctx), NULL));
    if (i == 1)
      break;
    size_t n;
    if (gch_io_read_until(c->fd, c->buf, 1, &n, 0) == 0)
      c->n += n;
  }
}

START_TEST(many_selects_on_one_descriptor_lose_nothing) {
  enum { TAKERS = 4, BYTES = 500 };
  struct ends e = make_ends(_i);
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  struct io_call c[TAKERS];
  test_thread *t[TAKERS];
  for (int i = 0; i < TAKERS; i++) {
    c[i] = (struct io_call){.fd = e.out, .ctx = ctx};
    t[i] = thread_start(select_and_read, &c[i]);
  }
  for (int i = 0; i < BYTES; i++)
    put(e.in, "x");
  while (gch_select(GCH_READABLE(e.out), GCH_DEFAULT) == 0)
    gch_sleep(50 * GCH_MICROSECOND);
  gch_ctx_cancel(ctx);
  size_t sum = 0;
  for (int i = 0; i < TAKERS; i++) {
    thread_join(t[i]);
    sum += c[i].n;
  }
  ck_assert_uint_eq(sum, BYTES);
  gch_ctx_end(ctx);
  close_ends(e);
}
END_TEST

START_TEST(an_array_may_be_used_again) {
  struct ends e = make_ends(_i);
  gch_chan *c = gch_make_of(int, 1);
  gch_case cases[] = {GCH_READABLE(e.out), GCH_RECV(c, NULL),
                      GCH_TIMEOUT(GCH_MILLISECOND)};
  for (int i = 0; i < 3; i++) {
    ck_assert_int_eq(gch_select_cases(cases, 3), 2);
    put(e.in, "x");
    ck_assert_int_eq(gch_select_cases(cases, 3), 0);
    expect(e.out, "x");
    gch_send(c, &i);
    ck_assert_int_eq(gch_select_cases(cases, 3), 1);
  }
  gch_unref(c);
  close_ends(e);
}
END_TEST

START_TEST(a_case_may_be_made_by_a_function) {
  struct ends e = make_ends(_i);
  int err = 77;
  gch_case cases[] = {gch_case_readable(e.out, &err),
                      gch_case_writable(e.in, &err)};
  ck_assert_int_eq(gch_select_cases(cases, 2), 1);
  ck_assert_int_eq(err, 0);
  close_ends(e);
}
END_TEST

static jmp_buf out;

static void leave(const char *words) {
  (void)words;
  longjmp(out, 1);
}

/* A close would wait for a select that had kept the record. */
START_TEST(a_panic_that_is_left_lets_go_of_the_descriptors) {
  struct ends e = make_ends(_i);
  gch_chan *c = gch_make_of(int, 1);
  gch_close(c);
  gch_set_panic_hook(leave);
  if (setjmp(out) == 0) {
    gch_select_ordered(GCH_SEND(c, &(int){1}), GCH_READABLE(e.out));
    ck_abort_msg("no panic");
  }
  gch_set_panic_hook(NULL);
  gch_unref(c);
  close_ends(e);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("io_select");
  TCase *t = test_case(s, "at once");
  add_io_test(t, an_arm_is_ready_where_a_call_would_not_wait);
  add_io_test(t, the_end_is_ready);
  tcase_add_test(t, a_negative_descriptor_is_never_ready);
  add_io_test(t, an_arm_that_does_not_fire_writes_nothing);
  t = test_case(s, "waiting");
  add_io_test(t, a_select_that_waits_is_woken_by_a_descriptor);
  add_io_test(t, or_by_a_channel);
  add_io_test(t, or_by_its_deadline);
  add_io_test(t, or_by_a_timer);
  add_io_test(t, one_of_many_descriptors);
  add_io_test(t, many_selects_on_one_descriptor_lose_nothing);
  t = test_case(s, "which");
  add_io_test(t, the_choice_is_uniform_over_descriptors_and_channels);
  add_io_test(t, an_ordered_select_takes_the_first);
  add_io_test(t, an_array_may_be_used_again);
  add_io_test(t, a_case_may_be_made_by_a_function);
  add_io_test(t, a_panic_that_is_left_lets_go_of_the_descriptors);
  return s;
}
