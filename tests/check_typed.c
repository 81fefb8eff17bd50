/* SPDX-License-Identifier: BSD-3-Clause */
/* Typed channels: every function that GCH_CHAN_TYPE makes, of the channel and
   of its two directions. */
#define _GNU_SOURCE
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct job {
  int id, weight;
};

typedef char name[20];
typedef struct {
  name text;
} label;

/* At file scope; the second is used only in part, and nothing warns. */
GCH_CHAN_TYPE(jobs, struct job)
GCH_CHAN_TYPE(labels, label)
GCH_CHAN_TYPE(texts, const char *)
GCH_CHAN_TYPE(job_chans, jobs)
GCH_CHAN_TYPE(unused, double)

static const struct job first = {1, 2}, second = {3, 4};

static void expect_job(struct job got, struct job expected) {
  ck_assert_int_eq(got.id, expected.id);
  ck_assert_int_eq(got.weight, expected.weight);
}

static jobs make_two(void) {
  jobs c = jobs_make(2);
  ck_assert_ptr_nonnull(c.c);
  return c;
}

START_TEST(make_gives_a_channel_of_that_capacity) {
  jobs c = jobs_make(8);
  ck_assert_uint_eq(jobs_cap(c), 8);
  ck_assert_uint_eq(gch_cap(c.c), 8);
  ck_assert_uint_eq(jobs_len(c), 0);
  jobs_unref(c);
}
END_TEST

START_TEST(make_gives_null_and_EINVAL_for_too_large_a_capacity) {
  errno = 0;
  jobs c = jobs_make(SIZE_MAX);
  int err = errno;
  ck_assert_ptr_null(c.c);
  ck_assert_int_eq(err, EINVAL);
}
END_TEST

START_TEST(send_takes_a_value_and_recv_gives_it) {
  jobs c = make_two();
  struct job j;
  ck_assert_int_eq(jobs_send(c, (struct job){5, 6}), 0);
  ck_assert_uint_eq(jobs_len(c), 1);
  ck_assert_int_eq(jobs_recv(c, &j), 0);
  expect_job(j, (struct job){5, 6});
  jobs_unref(c);
}
END_TEST

START_TEST(a_plain_channel_inside_carries_the_same_values) {
  jobs c = make_two();
  struct job j;
  jobs_send(c, first);
  ck_assert_int_eq(gch_recv(c.c, &j), 0);
  expect_job(j, first);
  jobs_unref(c);
}
END_TEST

START_TEST(the_try_forms_try) {
  jobs c = make_two();
  struct job j = second;
  ck_assert_int_eq(jobs_try_recv(c, &j), EAGAIN);
  expect_job(j, second);
  ck_assert_int_eq(jobs_try_send(c, first), 0);
  ck_assert_int_eq(jobs_try_send(c, first), 0);
  ck_assert_int_eq(jobs_try_send(c, first), EAGAIN);
  ck_assert_int_eq(jobs_try_recv(c, &j), 0);
  expect_job(j, first);
  jobs_unref(c);
}
END_TEST

START_TEST(the_until_forms_time_out) {
  jobs c = make_two();
  struct job j = second;
  ck_assert_int_eq(jobs_recv_until(c, &j, 0), ETIMEDOUT);
  ck_assert_int_eq(jobs_send_until(c, first, 0), 0);
  ck_assert_int_eq(jobs_send_until(c, first, GCH_FOREVER), 0);
  ck_assert_int_eq(jobs_send_until(c, first, gch_now()), ETIMEDOUT);
  ck_assert_int_eq(jobs_recv_until(c, &j, GCH_FOREVER), 0);
  expect_job(j, first);
  jobs_unref(c);
}
END_TEST

START_TEST(the_ctx_forms_obey_their_context) {
  jobs c = make_two();
  struct job j;
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  ck_assert_int_eq(jobs_send_ctx(ctx, c, first), 0);
  ck_assert_int_eq(jobs_recv_ctx(ctx, c, &j), 0);
  expect_job(j, first);
  gch_ctx_cancel(ctx);
  ck_assert_int_eq(jobs_send_ctx(ctx, c, first), ECANCELED);
  ck_assert_int_eq(jobs_recv_ctx(ctx, c, &j), ECANCELED);
  gch_ctx_end(ctx);
  jobs_unref(c);
}
END_TEST

START_TEST(close_ends_a_range_loop) {
  jobs c = make_two();
  struct job j;
  int n = 0;
  jobs_send(c, first);
  jobs_send(c, second);
  ck_assert_int_eq(jobs_close(c), 0);
  ck_assert_int_eq(jobs_close(c), EPIPE);
  while (jobs_recv(c, &j) == 0)
    expect_job(j, n++ == 0 ? first : second);
  ck_assert_int_eq(n, 2);
  expect_job(j, (struct job){0, 0});
  ck_assert_int_eq(jobs_send(c, first), EPIPE);
  jobs_unref(c);
}
END_TEST

START_TEST(ref_returns_the_channel_and_unref_ends_it) {
  jobs c = make_two();
  jobs d = jobs_ref(c);
  ck_assert_ptr_eq(c.c, d.c);
  jobs_unref(c);
  ck_assert_int_eq(jobs_send(d, first), 0);
  jobs_unref(d);
}
END_TEST

START_TEST(a_zeroed_channel_is_nil) {
  jobs nil = {NULL};
  struct job j = first;
  ck_assert_int_eq(jobs_try_send(nil, j), EAGAIN);
  ck_assert_int_eq(jobs_try_recv(nil, &j), EAGAIN);
  ck_assert_int_eq(jobs_recv_until(nil, &j, 0), ETIMEDOUT);
  ck_assert_int_eq(jobs_close(nil), EINVAL);
  ck_assert_uint_eq(jobs_len(nil), 0);
  ck_assert_uint_eq(jobs_cap(nil), 0);
  ck_assert_int_eq(gch_select(jobs_on_recv(nil, &j), GCH_DEFAULT), 1);
  ck_assert_ptr_null(jobs_ref(nil).c);
  ck_assert_int_eq(jobs_set_drop(nil, free), EINVAL);
  ck_assert_int_eq(jobs_recv_many(nil, &j, 0, NULL), EINVAL);
  ck_assert_int_eq(jobs_send_many(nil, NULL, 0, NULL), 0);
  ck_assert_int_eq(gch_select(jobs_on_send_err(nil, NULL, NULL), GCH_DEFAULT),
                   1);
  jobs_set_name(nil, NULL);
  jobs_unref(nil);
}
END_TEST

/* Select */

START_TEST(on_send_and_on_recv_are_select_cases) {
  jobs c = jobs_make(1);
  struct job j;
  ck_assert_int_eq(gch_select(jobs_on_recv(c, &j), jobs_on_send(c, &first)), 1);
  ck_assert_int_eq(gch_select(jobs_on_recv(c, &j), jobs_on_send(c, &second)),
                   0);
  expect_job(j, first);
  jobs_unref(c);
}
END_TEST

/* Directions */

START_TEST(a_sender_can_do_all_that_sends) {
  jobs c = jobs_make(5);
  jobs_sender s = jobs_to_sender(c);
  struct job j;
  ck_assert_int_eq(jobs_sender_send(s, first), 0);
  ck_assert_int_eq(jobs_sender_try_send(s, first), 0);
  ck_assert_int_eq(jobs_sender_send_until(s, first, 0), 0);
  ck_assert_int_eq(jobs_sender_send_ctx(gch_ctx_background(), s, first), 0);
  ck_assert_int_eq(gch_select(jobs_sender_on_send(s, &first)), 0);
  ck_assert_int_eq(jobs_sender_try_send(s, first), EAGAIN);
  ck_assert_uint_eq(jobs_len(c), 5);
  ck_assert_int_eq(jobs_sender_close(s), 0);
  for (int i = 0; i < 5; i++) {
    ck_assert_int_eq(jobs_recv(c, &j), 0);
    expect_job(j, first);
  }
  ck_assert_int_eq(jobs_recv(c, &j), EPIPE);
  jobs_unref(c);
}
END_TEST

START_TEST(a_receiver_can_do_all_that_receives) {
  jobs c = jobs_make(5);
  jobs_receiver r = jobs_to_receiver(c);
  struct job j[5];
  for (int i = 0; i < 5; i++)
    jobs_send(c, (struct job){i, -i});
  ck_assert_int_eq(jobs_receiver_recv(r, &j[0]), 0);
  ck_assert_int_eq(jobs_receiver_try_recv(r, &j[1]), 0);
  ck_assert_int_eq(jobs_receiver_recv_until(r, &j[2], 0), 0);
  ck_assert_int_eq(jobs_receiver_recv_ctx(gch_ctx_background(), r, &j[3]), 0);
  ck_assert_int_eq(gch_select(jobs_receiver_on_recv(r, &j[4])), 0);
  for (int i = 0; i < 5; i++)
    expect_job(j[i], (struct job){i, -i});
  ck_assert_int_eq(jobs_receiver_try_recv(r, &j[0]), EAGAIN);
  jobs_unref(c);
}
END_TEST

START_TEST(the_directions_borrow) {
  jobs c = make_two();
  jobs_sender s = jobs_to_sender(c);
  jobs_receiver r = jobs_to_receiver(c);
  ck_assert_ptr_eq(s.c, c.c);
  ck_assert_ptr_eq(r.c, c.c);
  jobs_unref(c); /* the only reference: LeakSanitizer would tell */
}
END_TEST

/* Many, errors, names and drops */

START_TEST(the_many_forms_carry_arrays) {
  jobs c = make_two();
  const struct job in[2] = {{1, 2}, {3, 4}};
  struct job out[3] = {{0, 0}, {0, 0}, {5, 6}};
  size_t n = 0;
  ck_assert_int_eq(jobs_send_many(c, in, 2, &n), 0);
  ck_assert_uint_eq(n, 2);
  ck_assert_int_eq(jobs_recv_many(c, out, 3, &n), 0);
  ck_assert_uint_eq(n, 2);
  expect_job(out[1], second);
  expect_job(out[2], (struct job){5, 6});
  ck_assert_int_eq(jobs_sender_send_many(jobs_to_sender(c), in, 1, &n), 0);
  ck_assert_int_eq(jobs_receiver_recv_many(jobs_to_receiver(c), out, 3, &n), 0);
  ck_assert_uint_eq(n, 1);
  jobs_unref(c);
}
END_TEST

START_TEST(the_err_cases_give_their_error) {
  jobs c = make_two();
  struct job j = first;
  int err = -1;
  ck_assert_int_eq(gch_select(jobs_on_send_err(c, &first, &err)), 0);
  ck_assert_int_eq(err, 0);
  jobs_close(c);
  jobs_sender s = jobs_to_sender(c);
  jobs_receiver r = jobs_to_receiver(c);
  ck_assert_int_eq(gch_select(jobs_on_send_err(c, &first, &err)), 0);
  ck_assert_int_eq(err, EPIPE);
  ck_assert_int_eq(gch_select(jobs_on_recv_err(c, &j, &err)), 0);
  ck_assert_int_eq(err, 0);
  ck_assert_int_eq(gch_select(jobs_receiver_on_recv_err(r, &j, &err)), 0);
  ck_assert_int_eq(err, EPIPE);
  err = 0;
  ck_assert_int_eq(gch_select(jobs_sender_on_send_err(s, &first, &err)), 0);
  ck_assert_int_eq(err, EPIPE);
  jobs_unref(c);
}
END_TEST

static int dropped;

static void drop_job(void *elem) {
  dropped += ((struct job *)elem)->id;
}

START_TEST(a_drop_is_set) {
  jobs c = make_two();
  ck_assert_int_eq(jobs_set_drop(c, NULL), EINVAL);
  ck_assert_int_eq(jobs_set_drop(c, drop_job), 0);
  jobs_send(c, first);
  ck_assert_int_eq(jobs_recv(c, NULL), 0);
  ck_assert_int_eq(dropped, 1);
  jobs_unref(c);
}
END_TEST

START_TEST(a_name_is_set) {
  jobs c = make_two();
  char text[4096] = "";
  FILE *out = fmemopen(text, sizeof text, "w");
  jobs_set_name(c, "the jobs");
  gch_dump(out);
  fclose(out);
  ck_assert_ptr_nonnull(strstr(text, "the jobs"));
  jobs_unref(c);
}
END_TEST

/* Other types */

START_TEST(an_array_in_a_struct_can_be_carried) {
  labels c = labels_make(1);
  label l;
  labels_send(c, (label){"abc"});
  labels_recv(c, &l);
  ck_assert_str_eq(l.text, "abc");
  labels_unref(c);
}
END_TEST

START_TEST(a_pointer_type_can_be_carried) {
  texts c = texts_make(1);
  const char *in = "abc", *out = NULL;
  ck_assert_int_eq(gch_select(texts_on_send(c, &in)), 0);
  texts_recv(c, &out);
  ck_assert_ptr_eq(in, out);
  texts_unref(c);
}
END_TEST

START_TEST(a_channel_of_channels_carries_a_typed_channel) {
  job_chans c = job_chans_make(1);
  jobs in = make_two(), out;
  job_chans_send(c, in);
  job_chans_recv(c, &out);
  ck_assert_ptr_eq(in.c, out.c);
  jobs_unref(out);
  job_chans_unref(c);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("typed");
  TCase *t = test_case(s, "channel");
  tcase_add_test(t, make_gives_a_channel_of_that_capacity);
  tcase_add_test(t, make_gives_null_and_EINVAL_for_too_large_a_capacity);
  tcase_add_test(t, send_takes_a_value_and_recv_gives_it);
  tcase_add_test(t, a_plain_channel_inside_carries_the_same_values);
  tcase_add_test(t, the_try_forms_try);
  tcase_add_test(t, the_until_forms_time_out);
  tcase_add_test(t, the_ctx_forms_obey_their_context);
  tcase_add_test(t, close_ends_a_range_loop);
  tcase_add_test(t, ref_returns_the_channel_and_unref_ends_it);
  tcase_add_test(t, a_zeroed_channel_is_nil);
  tcase_add_test(t, on_send_and_on_recv_are_select_cases);
  t = test_case(s, "directions");
  tcase_add_test(t, a_sender_can_do_all_that_sends);
  tcase_add_test(t, a_receiver_can_do_all_that_receives);
  tcase_add_test(t, the_directions_borrow);
  t = test_case(s, "more");
  tcase_add_test(t, the_many_forms_carry_arrays);
  tcase_add_test(t, the_err_cases_give_their_error);
  tcase_add_test(t, a_drop_is_set);
  tcase_add_test(t, a_name_is_set);
  t = test_case(s, "types");
  tcase_add_test(t, an_array_in_a_struct_can_be_carried);
  tcase_add_test(t, a_pointer_type_can_be_carried);
  tcase_add_test(t, a_channel_of_channels_carries_a_typed_channel);
  return s;
}
