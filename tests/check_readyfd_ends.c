/* SPDX-License-Identifier: BSD-3-Clause */
/* A readyfd over the end of channels, over contexts and timers; joining it and
   leaving it. */
#include "readyfd_facts.h"

#include <fcntl.h>
#include <unistd.h>

enum { R = GCH_CAN_RECV, S = GCH_CAN_SEND };

static void end(gch_readyfd *r, gch_chan *c) {
  gch_readyfd_free(r);
  gch_unref(c);
}

/* Close, contexts, timers */

START_TEST(a_close_is_ready_for_good) {
  gch_chan *c = gch_make_of(int, 1);
  gch_readyfd *r = readyfd_of(c, R);
  gch_close(c);
  ck_assert(readable(r));
  ck_assert_int_eq(gch_try_recv(c, NULL), EPIPE);
  ck_assert(readable(r));
  ck_assert_uint_eq(gch_readyfd_ready(r, NULL, 0), 1);
  end(r, c);
}
END_TEST

START_TEST(a_done_context_makes_it_readable) {
  gch_ctx *top = gch_ctx_with_cancel(gch_ctx_background());
  gch_ctx *ctx = gch_ctx_with_cancel(top);
  gch_readyfd *r = readyfd_of(gch_ctx_done(ctx), R);
  ck_assert(!readable(r));
  gch_ctx_cancel(top);
  ck_assert(readable(r));
  gch_readyfd_free(r);
  gch_ctx_end(ctx);
  gch_ctx_end(top);

  ctx = gch_ctx_with_timeout(gch_ctx_background(), GCH_MILLISECOND);
  r = readyfd_of(gch_ctx_done(ctx), R);
  await_readable(r);
  ck_assert_int_eq(gch_ctx_err(ctx), ETIMEDOUT);
  gch_ctx_end(ctx); /* r holds the channel */
  ck_assert(readable(r));
  gch_readyfd_free(r);
}
END_TEST

START_TEST(what_refuses_sends_is_ready_to_refuse_them) {
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  gch_readyfd *r = readyfd_of(gch_ctx_done(ctx), S);
  ck_assert_int_eq(gch_try_send(gch_ctx_done(ctx), NULL), EPERM);
  ck_assert(readable(r));
  gch_readyfd_free(r);
  gch_ctx_end(ctx);
}
END_TEST

START_TEST(a_timer_that_is_due_makes_it_readable) {
  gch_chan *c = gch_after(GCH_MILLISECOND);
  gch_readyfd *r = readyfd_of(c, R);
  await_readable(r);
  ck_assert_int_eq(gch_try_recv(c, NULL), 0);
  ck_assert_int_eq(gch_try_recv(c, NULL), EAGAIN);
  await_unreadable(r);
  end(r, c);
}
END_TEST

START_TEST(each_tick_makes_it_readable) {
  gch_ticker *t = gch_ticker_new(GCH_MILLISECOND);
  gch_chan *c = gch_ticker_chan(t);
  gch_readyfd *r = readyfd_of(c, R), *other = readyfd_of(c, R);
  for (int i = 0; i < 10; i++) {
    await_readable(r);
    await_readable(other);
    ck_assert_int_eq(i % 2 ? gch_recv(c, NULL) : gch_try_recv(c, NULL), 0);
  }
  gch_ticker_stop(t);
  await_unreadable(r);
  gch_readyfd_free(r);
  gch_readyfd_free(other);
  gch_ticker_free(t);
}
END_TEST

START_TEST(a_timer_is_watched_over_stop_and_reset) {
  gch_timer *t = gch_timer_new(GCH_HOUR);
  gch_readyfd *r = readyfd_of(gch_timer_chan(t), R);
  gch_timer_reset(t, 0);
  await_readable(r);
  ck_assert_uint_eq(gch_readyfd_ready(r, NULL, 0), 1);
  gch_timer_stop(t);
  await_unreadable(r);
  gch_timer_reset(t, GCH_MILLISECOND);
  await_readable(r);
  gch_timer_free(t);
  await_unreadable(r);
  gch_readyfd_free(r);
}
END_TEST

static void recv_timer(void *c) {
  gch_recv(c, NULL);
}

START_TEST(receivers_who_leave_a_timer_leave_the_alarm) {
  gch_timer *t = gch_timer_new(20 * GCH_MILLISECOND);
  gch_chan *c = gch_timer_chan(t);
  gch_readyfd *r = readyfd_of(c, R);
  ck_assert_int_eq(gch_recv_until(c, NULL, gch_in(1)), ETIMEDOUT);
  await_readable(r);
  gch_timer_reset(t, GCH_HOUR);
  test_thread *th = thread_start(recv_timer, c);
  await_waiting(c, 0, 1);
  gch_timer_reset(t, 0);
  thread_join(th); /* who is parked goes first */
  ck_assert_int_eq(gch_try_recv(c, NULL), EAGAIN);
  await_unreadable(r);
  gch_readyfd_free(r);
  gch_timer_free(t);
}
END_TEST

/* Adding and removing */

START_TEST(wrong_arguments_are_told) {
  gch_readyfd *r = gch_readyfd_new();
  gch_chan *c = gch_make_of(int, 1);
  ck_assert_int_eq(gch_readyfd_add(r, NULL, R, NULL), EINVAL);
  ck_assert_int_eq(gch_readyfd_add(r, c, 0, NULL), EINVAL);
  ck_assert_int_eq(gch_readyfd_add(r, c, 4 | R, NULL), EINVAL);
  ck_assert_int_eq(gch_readyfd_add(NULL, c, R, NULL), EINVAL);
  ck_assert_int_eq(gch_readyfd_remove(r, c), ENOENT);
  ck_assert_int_eq(gch_readyfd_add(r, c, R, NULL), 0);
  ck_assert_int_eq(gch_readyfd_add(r, c, S, NULL), EEXIST);
  ck_assert_int_eq(gch_readyfd_remove(r, c), 0);
  ck_assert_int_eq(gch_readyfd_remove(r, c), ENOENT);
  ck_assert_int_eq(gch_readyfd_add(r, c, S, NULL), 0);
  gch_readyfd_free(r);
  gch_readyfd_free(NULL);
  ck_assert_uint_eq(gch_readyfd_ready(NULL, NULL, 0), 0);
  ck_assert_int_eq(gch_readyfd_fd(NULL), -1);
  gch_unref(c);
}
END_TEST

START_TEST(what_is_removed_while_ready_is_not_told_of) {
  gch_chan *c = gch_make_of(int, 1);
  gch_readyfd *r = readyfd_of(c, R);
  int v = 1;
  gch_send(c, &v);
  ck_assert(readable(r));
  gch_readyfd_remove(r, c);
  ck_assert(!readable(r));
  gch_recv(c, &v);
  gch_send(c, &v);
  ck_assert(!readable(r));
  gch_close(c);
  ck_assert_int_eq(gch_readyfd_add(r, c, R, NULL), 0);
  ck_assert(readable(r));
  gch_readyfd_remove(r, c);
  ck_assert(!readable(r));
  end(r, c);
}
END_TEST

START_TEST(it_holds_the_channel) {
  gch_chan *c = gch_make_of(int, 1);
  gch_readyfd *r = readyfd_of(c, R | S);
  int v = 1;
  gch_send(c, &v);
  gch_unref(c);
  ck_assert_int_eq(gch_try_recv(c, &v), 0);
  gch_readyfd_free(r);
}
END_TEST

START_TEST(any_number_watch_one_channel) {
  enum { N = 20 };
  gch_chan *c = gch_make_of(int, 1);
  gch_readyfd *r[N];
  int v = 1;
  for (int i = 0; i < N; i++)
    r[i] = readyfd_of(c, i % 2 ? R : S);
  gch_send(c, &v);
  for (int i = 0; i < N; i += 3)
    gch_readyfd_free(r[i]);
  ck_assert_int_eq(gch_try_send(c, &v), EAGAIN);
  for (int i = 0; i < N; i++)
    if (i % 3 != 0)
      ck_assert_int_eq(readable(r[i]), i % 2);
  gch_recv(c, &v);
  for (int i = 0; i < N; i++)
    if (i % 3 != 0) {
      ck_assert_int_eq(i % 2 || readable(r[i]), 1);
      gch_readyfd_free(r[i]);
    }
  gch_unref(c);
}
END_TEST

START_TEST(free_closes_the_descriptor) {
  gch_readyfd *r = gch_readyfd_new();
  int fd = gch_readyfd_fd(r);
  ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  gch_readyfd_free(r);
  ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}
END_TEST

START_TEST(others_than_try_forms_go_on_as_before) {
  gch_chan *c = gch_make_of(int, 2);
  gch_readyfd *r = readyfd_of(c, R | S);
  int v;
  for (int i = 0; i < 10; i++) {
    for (v = 0; v < 2; v++)
      ck_assert_int_eq(gch_send(c, &v), 0);
    ck_assert_int_eq(gch_send_until(c, &v, gch_in(1)), ETIMEDOUT);
    for (int want = 0; want < 2; want++) {
      ck_assert_int_eq(gch_recv(c, &v), 0);
      ck_assert_int_eq(v, want);
    }
    ck_assert_int_eq(gch_recv_until(c, &v, gch_in(1)), ETIMEDOUT);
  }
  end(r, c);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("readyfd, ends");
  TCase *t = test_case(s, "close, contexts, timers");
  tcase_add_test(t, a_close_is_ready_for_good);
  tcase_add_test(t, a_done_context_makes_it_readable);
  tcase_add_test(t, what_refuses_sends_is_ready_to_refuse_them);
  tcase_add_test(t, a_timer_that_is_due_makes_it_readable);
  tcase_add_test(t, each_tick_makes_it_readable);
  tcase_add_test(t, a_timer_is_watched_over_stop_and_reset);
  tcase_add_test(t, receivers_who_leave_a_timer_leave_the_alarm);
  t = test_case(s, "members");
  tcase_add_test(t, wrong_arguments_are_told);
  tcase_add_test(t, what_is_removed_while_ready_is_not_told_of);
  tcase_add_test(t, it_holds_the_channel);
  tcase_add_test(t, any_number_watch_one_channel);
  tcase_add_test(t, free_closes_the_descriptor);
  tcase_add_test(t, others_than_try_forms_go_on_as_before);
  return s;
}
