/* SPDX-License-Identifier: BSD-3-Clause */
/* Contexts one at a time: the roots, cancelling, what a context answers, how
   long it lives. */
#include "ctx_facts.h"

START_TEST(background_is_never_done) {
  const gch_ctx *bg = gch_ctx_background();
  ck_assert_ptr_null(gch_ctx_done(bg));
  ck_assert_int_eq(gch_ctx_err(bg), 0);
  ck_assert_int_eq(gch_ctx_cause(bg), 0);
}
END_TEST

START_TEST(todo_is_never_done) {
  const gch_ctx *todo = gch_ctx_todo();
  ck_assert_ptr_null(gch_ctx_done(todo));
  ck_assert_int_eq(gch_ctx_err(todo), 0);
  ck_assert_int_eq(gch_ctx_cause(todo), 0);
}
END_TEST

START_TEST(the_roots_have_no_deadline) {
  int64_t deadline = 42;
  ck_assert(!gch_ctx_deadline(gch_ctx_background(), &deadline));
  ck_assert(!gch_ctx_deadline(gch_ctx_todo(), &deadline));
  ck_assert_int_eq(deadline, 42);
}
END_TEST

START_TEST(the_roots_have_no_values) {
  int key;
  ck_assert_ptr_null(gch_ctx_value(gch_ctx_background(), &key));
  ck_assert_ptr_null(gch_ctx_value(gch_ctx_todo(), &key));
}
END_TEST

START_TEST(each_root_is_one_object) {
  ck_assert_ptr_eq(gch_ctx_background(), gch_ctx_background());
  ck_assert_ptr_eq(gch_ctx_todo(), gch_ctx_todo());
  ck_assert_ptr_ne(gch_ctx_background(), gch_ctx_todo());
}
END_TEST

START_TEST(the_roots_may_be_referenced_and_unreferenced) {
  const gch_ctx *bg = gch_ctx_background();
  ck_assert_ptr_eq(gch_ctx_ref(bg), bg);
  gch_ctx_unref(bg);
  ck_assert_int_eq(gch_ctx_err(bg), 0);
}
END_TEST

START_TEST(a_new_context_is_not_done) {
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  expect_not_done(ctx);
  gch_ctx_end(ctx);
}
END_TEST

START_TEST(cancel_closes_done_and_gives_err_and_cause) {
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  gch_ctx_cancel(ctx);
  expect_done(ctx, ECANCELED, ECANCELED);
  gch_ctx_unref(ctx);
}
END_TEST

START_TEST(cancel_cause_keeps_the_cause_beside_the_error) {
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  gch_ctx_cancel_cause(ctx, EIO);
  expect_done(ctx, ECANCELED, EIO);
  gch_ctx_unref(ctx);
}
END_TEST

START_TEST(cause_zero_means_canceled) {
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  gch_ctx_cancel_cause(ctx, 0);
  expect_done(ctx, ECANCELED, ECANCELED);
  gch_ctx_unref(ctx);
}
END_TEST

START_TEST(the_first_cause_sticks) {
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  gch_ctx_cancel_cause(ctx, EIO);
  gch_ctx_cancel_cause(ctx, ENOENT);
  gch_ctx_cancel(ctx);
  expect_done(ctx, ECANCELED, EIO);
  gch_ctx_unref(ctx);
}
END_TEST

START_TEST(a_plain_cancel_keeps_later_causes_out) {
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  gch_ctx_cancel(ctx);
  gch_ctx_cancel_cause(ctx, EIO);
  expect_done(ctx, ECANCELED, ECANCELED);
  gch_ctx_unref(ctx);
}
END_TEST

START_TEST(a_context_without_deadline_leaves_the_variable_alone) {
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  int64_t deadline = 42;
  ck_assert(!gch_ctx_deadline(ctx, &deadline));
  ck_assert(!gch_ctx_deadline(ctx, NULL));
  ck_assert_int_eq(deadline, 42);
  gch_ctx_end(ctx);
}
END_TEST

static void cancel_and_unref(void *ctx) {
  gch_ctx_end(ctx);
}

START_TEST(ref_cancel_hands_the_right_to_cancel_to_a_thread) {
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  test_thread *t = thread_start(cancel_and_unref, gch_ctx_ref_cancel(ctx));
  gch_recv(gch_ctx_done(ctx), NULL);
  ck_assert_int_eq(gch_ctx_err(ctx), ECANCELED);
  thread_join(t);
  gch_ctx_unref(ctx);
}
END_TEST

START_TEST(null_is_accepted_by_cancel_end_and_unref) {
  gch_ctx_cancel(NULL);
  gch_ctx_cancel_cause(NULL, EIO);
  gch_ctx_end(NULL);
  gch_ctx_unref(NULL);
}
END_TEST

START_TEST(done_is_the_same_channel_each_time) {
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  gch_chan *done = gch_ctx_done(ctx);
  ck_assert_ptr_nonnull(done);
  ck_assert_ptr_eq(gch_ctx_done(ctx), done);
  gch_ctx_cancel(ctx);
  ck_assert_ptr_eq(gch_ctx_done(ctx), done);
  gch_ctx_unref(ctx);
}
END_TEST

START_TEST(done_is_empty_and_unbuffered) {
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  ck_assert_uint_eq(gch_len(gch_ctx_done(ctx)), 0);
  ck_assert_uint_eq(gch_cap(gch_ctx_done(ctx)), 0);
  gch_ctx_end(ctx);
}
END_TEST

START_TEST(done_is_receive_only) {
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  gch_chan *done = gch_ctx_done(ctx);
  int err = 0;
  ck_assert_int_eq(gch_send(done, NULL), EPERM);
  ck_assert_int_eq(gch_try_send(done, NULL), EPERM);
  ck_assert_int_eq(gch_send_until(done, NULL, GCH_FOREVER), EPERM);
  ck_assert_int_eq(gch_select(GCH_SEND_ERR(done, NULL, &err)), 0);
  ck_assert_int_eq(err, EPERM);
  ck_assert_int_eq(gch_close(done), EPERM);
  expect_not_done(ctx);
  gch_ctx_end(ctx);
}
END_TEST

static void send_in_select(void *done) {
  gch_select(GCH_SEND(done, NULL));
}

START_TEST(a_send_arm_on_done_is_a_panic) {
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  expect_panic(send_in_select, gch_ctx_done(ctx),
               "send on receive-only channel");
  gch_ctx_end(ctx);
}
END_TEST

START_TEST(a_closed_done_fires_in_a_select) {
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  gch_chan *c = gch_make_of(int, 0);
  int v, err = 0;
  ck_assert_int_eq(gch_select(GCH_RECV(gch_ctx_done(ctx), NULL), GCH_DEFAULT),
                   1);
  gch_ctx_cancel(ctx);
  ck_assert_int_eq(
      gch_select(GCH_RECV(c, &v), GCH_RECV_ERR(gch_ctx_done(ctx), NULL, &err)),
      1);
  ck_assert_int_eq(err, EPIPE);
  gch_unref(c);
  gch_ctx_unref(ctx);
}
END_TEST

struct watch {
  gch_chan *done;
  int result;
};

static void receive_done(void *arg) {
  struct watch *w = arg;
  w->result = gch_recv(w->done, NULL);
}

START_TEST(cancel_wakes_all_who_receive_from_done) {
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  struct watch w[4];
  test_thread *t[4];
  for (int i = 0; i < 4; i++) {
    w[i] = (struct watch){gch_ctx_done(ctx), -1};
    t[i] = thread_start(receive_done, &w[i]);
  }
  await_waiting(gch_ctx_done(ctx), 0, 4);
  gch_ctx_cancel(ctx);
  for (int i = 0; i < 4; i++) {
    thread_join(t[i]);
    ck_assert_int_eq(w[i].result, EPIPE);
  }
  gch_ctx_unref(ctx);
}
END_TEST

static void ask_and_receive(void *ctx) {
  ck_assert_int_eq(gch_recv(gch_ctx_done(ctx), NULL), EPIPE);
}

START_TEST(done_is_first_asked_for_by_several_during_a_cancel) {
  for (int i = 0; i < scaled(100); i++) {
    gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
    test_thread *a = thread_start(ask_and_receive, ctx);
    test_thread *b = thread_start(ask_and_receive, ctx);
    gch_ctx_cancel(ctx);
    thread_join(a);
    thread_join(b);
    gch_ctx_unref(ctx);
  }
}
END_TEST

START_TEST(done_outlives_its_context_by_ref) {
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  gch_chan *done = gch_ref(gch_ctx_done(ctx));
  gch_ctx_end(ctx);
  ck_assert(is_closed(done));
  gch_unref(done);
}
END_TEST

START_TEST(unref_of_one_of_two_references_cancels_nothing) {
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  ck_assert_ptr_eq(gch_ctx_ref(ctx), ctx);
  gch_ctx_unref(ctx);
  expect_not_done(ctx);
  gch_ctx_end(ctx);
}
END_TEST

START_TEST(the_last_unref_cancels) {
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  gch_chan *done = gch_ref(gch_ctx_done(ctx));
  gch_ctx_unref(ctx);
  ck_assert(is_closed(done));
  gch_unref(done);
}
END_TEST

START_TEST(the_last_unref_wakes_a_receiver_of_done) {
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  struct watch w = {gch_ref(gch_ctx_done(ctx)), -1};
  test_thread *t = thread_start(receive_done, &w);
  await_waiting(w.done, 0, 1);
  gch_ctx_unref(ctx);
  thread_join(t);
  ck_assert_int_eq(w.result, EPIPE);
  gch_unref(w.done);
}
END_TEST

START_TEST(ctx_auto_ends_at_scope_exit) {
  gch_chan *done;
  gch_ctx *kept;
  {
    GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
    kept = gch_ctx_ref_cancel(ctx);
    done = gch_ctx_done(ctx);
    ck_assert(!is_closed(done));
  }
  ck_assert(is_closed(done));
  gch_ctx_unref(kept);
}
END_TEST

START_TEST(ctx_unref_auto_unrefs_at_scope_exit) {
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  gch_chan *done = gch_ref(gch_ctx_done(ctx));
  {
    GCH_CTX_UNREF_AUTO const gch_ctx *mine = ctx;
    ck_assert_int_eq(gch_ctx_err(mine), 0);
  }
  ck_assert(is_closed(done));
  gch_unref(done);
}
END_TEST

struct poll {
  const gch_ctx *ctx;
  int err, cause;
  bool closed;
};

static void poll_err(void *arg) {
  struct poll *p = arg;
  while ((p->err = gch_ctx_err(p->ctx)) == 0)
    gch_yield();
  p->closed = is_closed(gch_ctx_done(p->ctx));
  p->cause = gch_ctx_cause(p->ctx);
}

START_TEST(err_non_zero_implies_done_closed) {
  for (int i = 0; i < scaled(100); i++) {
    gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
    struct poll p = {.ctx = ctx};
    test_thread *t = thread_start(poll_err, &p);
    gch_ctx_cancel_cause(ctx, EIO);
    thread_join(t);
    ck_assert_int_eq(p.err, ECANCELED);
    ck_assert_int_eq(p.cause, EIO);
    ck_assert(p.closed);
    gch_ctx_unref(ctx);
  }
}
END_TEST

static void poll_cause(void *arg) {
  struct poll *p = arg;
  while ((p->cause = gch_ctx_cause(p->ctx)) == 0)
    gch_yield();
  p->err = gch_ctx_err(p->ctx);
  p->closed = is_closed(gch_ctx_done(p->ctx));
}

START_TEST(cause_goes_from_zero_to_the_cause_at_once) {
  for (int i = 0; i < scaled(100); i++) {
    gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
    struct poll p = {.ctx = ctx};
    test_thread *t = thread_start(poll_cause, &p);
    gch_ctx_cancel_cause(ctx, EIO);
    thread_join(t);
    ck_assert_int_eq(p.err, ECANCELED);
    ck_assert_int_eq(p.cause, EIO);
    ck_assert(p.closed);
    gch_ctx_unref(ctx);
  }
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("ctx");
  TCase *t = test_case(s, "roots");
  tcase_add_test(t, background_is_never_done);
  tcase_add_test(t, todo_is_never_done);
  tcase_add_test(t, the_roots_have_no_deadline);
  tcase_add_test(t, the_roots_have_no_values);
  tcase_add_test(t, each_root_is_one_object);
  tcase_add_test(t, the_roots_may_be_referenced_and_unreferenced);
  t = test_case(s, "cancel");
  tcase_add_test(t, a_new_context_is_not_done);
  tcase_add_test(t, cancel_closes_done_and_gives_err_and_cause);
  tcase_add_test(t, cancel_cause_keeps_the_cause_beside_the_error);
  tcase_add_test(t, cause_zero_means_canceled);
  tcase_add_test(t, the_first_cause_sticks);
  tcase_add_test(t, a_plain_cancel_keeps_later_causes_out);
  tcase_add_test(t, a_context_without_deadline_leaves_the_variable_alone);
  tcase_add_test(t, ref_cancel_hands_the_right_to_cancel_to_a_thread);
  tcase_add_test(t, null_is_accepted_by_cancel_end_and_unref);
  t = test_case(s, "done");
  tcase_add_test(t, done_is_the_same_channel_each_time);
  tcase_add_test(t, done_is_empty_and_unbuffered);
  tcase_add_test(t, done_is_receive_only);
  tcase_add_test(t, a_send_arm_on_done_is_a_panic);
  tcase_add_test(t, a_closed_done_fires_in_a_select);
  tcase_add_test(t, cancel_wakes_all_who_receive_from_done);
  tcase_add_test(t, done_is_first_asked_for_by_several_during_a_cancel);
  tcase_add_test(t, done_outlives_its_context_by_ref);
  tcase_add_test(t, err_non_zero_implies_done_closed);
  tcase_add_test(t, cause_goes_from_zero_to_the_cause_at_once);
  t = test_case(s, "lifetime");
  tcase_add_test(t, unref_of_one_of_two_references_cancels_nothing);
  tcase_add_test(t, the_last_unref_cancels);
  tcase_add_test(t, the_last_unref_wakes_a_receiver_of_done);
  tcase_add_test(t, ctx_auto_ends_at_scope_exit);
  tcase_add_test(t, ctx_unref_auto_unrefs_at_scope_exit);
  return s;
}
