/* SPDX-License-Identifier: BSD-3-Clause */
/* gch_closed and gch_close_unref. */
#include "chan_forms.h"

START_TEST(close_unref_closes_and_gives_the_reference_back) {
  gch_chan *c = gch_ref(gch_make_of(int, 1));
  put_int(c, 3);
  ck_assert_int_eq(gch_close_unref(c), 0);
  ck_assert_int_eq(take_int(c), 3);
  ck_assert_int_eq(gch_recv(c, NULL), EPIPE);
  ck_assert_int_eq(gch_close_unref(c), EPIPE); /* LeakSanitizer would tell */
  ck_assert_int_eq(gch_close_unref(NULL), EINVAL);
}
END_TEST

static void recv_then_unref(void *c) {
  ck_assert_int_eq(gch_recv(c, NULL), EPIPE);
  gch_unref(c);
}

START_TEST(close_unref_may_leave_the_last_reference_to_whom_it_wakes) {
  for (int i = 0; i < scaled(200); i++) {
    gch_chan *c = gch_make_of(int, 0);
    test_thread *t = thread_start(recv_then_unref, gch_ref(c));
    if (i % 2 == 0)
      await_waiting(c, 0, 1);
    ck_assert_int_eq(gch_close_unref(c), 0);
    thread_join(t);
  }
}
END_TEST

START_TEST(close_unref_of_an_owned_channel_gives_a_reference_back) {
  GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  ck_assert_int_eq(gch_close_unref(gch_ref(gch_ctx_done(ctx))), EPERM);
  ck_assert_int_eq(gch_close_unref(gch_after(GCH_HOUR)), EPERM);
}
END_TEST

START_TEST(closed_is_true_from_the_close_on) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 1);
  GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  ck_assert(!gch_closed(NULL));
  ck_assert(!gch_closed(c));
  put_int(c, 1);
  gch_close(c);
  ck_assert(gch_closed(c));
  take_int(c);
  ck_assert(gch_closed(c));
  ck_assert(!gch_closed(gch_ctx_done(ctx)));
  gch_ctx_cancel(ctx);
  ck_assert(gch_closed(gch_ctx_done(ctx)));
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("chan_closed");
  TCase *t = test_case(s, "closing");
  tcase_add_test(t, close_unref_closes_and_gives_the_reference_back);
  tcase_add_test(t, close_unref_may_leave_the_last_reference_to_whom_it_wakes);
  tcase_add_test(t, close_unref_of_an_owned_channel_gives_a_reference_back);
  tcase_add_test(t, closed_is_true_from_the_close_on);
  return s;
}
