/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's context/x_test.go: AfterFunc. */
#include <stdlib.h>

#include "context_checks.h"

/* What the functions here do: count themselves, then tell. */
struct call {
  _Atomic int count;
  gch_chan *told; /* room for what is sent, or the function blocks */
};

static struct call new_call(size_t room) {
  struct call c = {0, gch_make(0, room)};
  ck_assert_ptr_nonnull(c.told);
  return c;
}

static void tell(void *arg) {
  struct call *c = arg;
  GCH_AUTO gch_chan *told = gch_ref(c->told);
  c->count++;
  gch_send(told, NULL);
}

static gch_after_func *tell_after(const gch_ctx *ctx, struct call *c) {
  gch_after_func *a = gch_ctx_after_func(ctx, tell, c);
  ck_assert_ptr_nonnull(a);
  return a;
}

START_TEST(TestAfterFuncCalledAfterCancel) {
  GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  struct call c = new_call(1);
  gch_after_func *a = tell_after(ctx, &c);

  ck_assert_int_eq(gch_try_recv(c.told, NULL), EAGAIN);
  gch_ctx_cancel(ctx);
  ck_assert_int_eq(gch_recv(c.told, NULL), 0);
  ck_assert(!gch_after_func_stop(a));
  ck_assert_int_eq(c.count, 1);
  gch_unref(c.told);
}
END_TEST

START_TEST(TestAfterFuncCalledAfterTimeout) {
  GCH_CTX_AUTO gch_ctx *ctx =
      gch_ctx_with_timeout(gch_ctx_background(), SHORT_DURATION);
  struct call c = new_call(1);
  gch_after_func_release(tell_after(ctx, &c));
  ck_assert_int_eq(gch_recv(c.told, NULL), 0);
  ck_assert_int_eq(gch_ctx_err(ctx), ETIMEDOUT);
  gch_unref(c.told);
}
END_TEST

START_TEST(TestAfterFuncCalledImmediately) {
  GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  struct call c = new_call(1);
  gch_ctx_cancel(ctx);
  gch_after_func_release(tell_after(ctx, &c));
  ck_assert_int_eq(gch_recv(c.told, NULL), 0);
  gch_unref(c.told);
}
END_TEST

/* A second function, registered later, tells that the cancel is through; the
   first one's argument is freed, so that the address sanitizer would see a
   late call of it. */
START_TEST(TestAfterFuncNotCalledAfterStop) {
  GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  struct call *stopped = malloc(sizeof *stopped);
  struct call other = new_call(1);

  ck_assert_ptr_nonnull(stopped);
  *stopped = new_call(1);
  gch_after_func *a = tell_after(ctx, stopped);
  ck_assert(gch_after_func_stop(a));
  gch_after_func_release(tell_after(ctx, &other));
  gch_ctx_cancel(ctx);
  ck_assert_int_eq(gch_recv(other.told, NULL), 0);
  ck_assert_int_eq(stopped->count, 0);
  gch_unref(stopped->told);
  free(stopped);
  gch_unref(other.told);
}
END_TEST

/* The function blocks until told is received from: cancel does not wait. */
START_TEST(TestAfterFuncCalledAsynchronously) {
  GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  struct call c = new_call(0);
  gch_after_func *a = tell_after(ctx, &c);
  gch_ctx_cancel(ctx);
  ck_assert_int_eq(gch_recv(c.told, NULL), 0);
  ck_assert(!gch_after_func_stop(a));
  gch_unref(c.told);
}
END_TEST

/* Nor does stop wait for a function that is running. */
START_TEST(TestAfterFuncCalledAsynchronously_stop) {
  GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  struct call c = new_call(0);
  gch_after_func *a = tell_after(ctx, &c);
  gch_ctx_cancel(ctx);
  await_waiting(c.told, 1, 0);
  ck_assert(!gch_after_func_stop(a));
  ck_assert_int_eq(gch_recv(c.told, NULL), 0);
  gch_unref(c.told);
}
END_TEST

/* Two functions that wait for each other: each has a task of its own. */
struct meeting {
  gch_chan *meet;
  gch_wg *wg;
};

static void meet_as_sender(void *arg) {
  struct meeting *m = arg;
  gch_send(m->meet, NULL);
  gch_wg_done(m->wg);
}

static void meet_as_receiver(void *arg) {
  struct meeting *m = arg;
  gch_recv(m->meet, NULL);
  gch_wg_done(m->wg);
}

START_TEST(TestAfterFuncCalledAsynchronously_each_in_its_own_task) {
  GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  GCH_AUTO gch_chan *meet = gch_make(0, 0);
  gch_wg wg = GCH_WG_INIT;
  struct meeting m = {meet, &wg};

  gch_wg_add(&wg, 2);
  gch_after_func_release(gch_ctx_after_func(ctx, meet_as_sender, &m));
  gch_after_func_release(gch_ctx_after_func(ctx, meet_as_receiver, &m));
  gch_ctx_cancel(ctx);
  gch_wg_wait(&wg);
}
END_TEST

/* Stopping one registration of a function leaves the other. */
START_TEST(TestAfterFunc_registrations_are_independent) {
  GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  struct call c = new_call(2);
  gch_after_func *first = tell_after(ctx, &c);
  gch_after_func_release(tell_after(ctx, &c));

  ck_assert(gch_after_func_stop(first));
  gch_ctx_cancel(ctx);
  ck_assert_int_eq(gch_recv(c.told, NULL), 0);
  ck_assert_int_eq(c.count, 1);
  gch_unref(c.told);
}
END_TEST

START_TEST(TestAfterFunc_called_once_for_two_cancels) {
  GCH_CTX_AUTO gch_ctx *parent = gch_ctx_with_cancel(gch_ctx_background());
  GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_cancel(parent);
  struct call c = new_call(2), last = new_call(1);

  gch_after_func_release(tell_after(ctx, &c));
  gch_ctx_cancel(ctx);
  gch_ctx_cancel(parent);
  gch_after_func_release(tell_after(ctx, &last));
  ck_assert_int_eq(gch_recv(c.told, NULL), 0);
  ck_assert_int_eq(gch_recv(last.told, NULL), 0);
  ck_assert_int_eq(c.count, 1);
  gch_unref(c.told);
  gch_unref(last.told);
}
END_TEST

static void count_sum(void *arg) {
  ++*(_Atomic int *)arg;
}

static void cancel_it(void *ctx) {
  gch_ctx_cancel(ctx);
}

/* A stop that races the cancel is true if and only if nothing runs. */
START_TEST(TestAfterFunc_stop_against_cancel) {
  _Atomic int ran = 0;
  int stopped = 0, rounds = scaled(100);

  for (int i = 0; i < rounds; i++) {
    gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
    gch_after_func *a = gch_ctx_after_func(ctx, count_sum, &ran);
    test_thread *canceller = thread_start(cancel_it, ctx);
    stopped += gch_after_func_stop(a);
    thread_join(canceller);
    gch_ctx_unref(ctx);
  }
  await_count(&ran, rounds - stopped);
  ck_assert_int_eq(ran, rounds - stopped);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("golang/afterfunc");
  TCase *t = test_case(s, "after func");
  tcase_add_test(t, TestAfterFuncCalledAfterCancel);
  tcase_add_test(t, TestAfterFuncCalledAfterTimeout);
  tcase_add_test(t, TestAfterFuncCalledImmediately);
  tcase_add_test(t, TestAfterFuncNotCalledAfterStop);
  tcase_add_test(t, TestAfterFuncCalledAsynchronously);
  tcase_add_test(t, TestAfterFuncCalledAsynchronously_stop);
  tcase_add_test(t, TestAfterFuncCalledAsynchronously_each_in_its_own_task);
  tcase_add_test(t, TestAfterFunc_registrations_are_independent);
  tcase_add_test(t, TestAfterFunc_called_once_for_two_cancels);
  tcase_add_test(t, TestAfterFunc_stop_against_cancel);
  return s;
}
