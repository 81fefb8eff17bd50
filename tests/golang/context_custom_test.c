/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's context/{x,context,afterfunc}_test.go: contexts of one's own kind. */
#include <stdlib.h>

#include "context_checks.h"

/* A context with a done channel and an error of its own. */
struct custom {
  gch_chan *done;
  _Atomic int err;
  const gch_ctx *ctx;
};

static gch_chan *custom_done(void *self, const gch_ctx *parent) {
  struct custom *c = self;
  (void)parent;
  return c->done;
}

static int custom_err(void *self, const gch_ctx *parent) {
  struct custom *c = self;
  (void)parent;
  return c->err;
}

static void custom_drop(void *self) {
  struct custom *c = self;
  gch_unref(c->done);
  free(c);
}

static struct custom *custom_of(const gch_ctx *parent) {
  static const gch_ctx_ops ops = {
      .done = custom_done, .err = custom_err, .drop = custom_drop};
  struct custom *c = malloc(sizeof *c);
  ck_assert_ptr_nonnull(c);
  *c = (struct custom){.done = gch_make(0, 0)};
  ck_assert_ptr_nonnull(c->done);
  c->ctx = gch_ctx_custom(parent, &ops, c);
  ck_assert_ptr_nonnull(c->ctx);
  return c;
}

static struct custom *new_custom(void) {
  return custom_of(gch_ctx_background());
}

static void custom_cancel(struct custom *c, int err) {
  c->err = err;
  ck_assert_int_eq(gch_close(c->done), 0);
}

static void custom_unref(struct custom *c) {
  gch_ctx_unref(c->ctx);
}

static gch_ctx *cancel_child(const gch_ctx *parent) {
  return gch_ctx_with_cancel(parent);
}

static gch_ctx *timeout_child(const gch_ctx *parent) {
  return gch_ctx_with_timeout(parent, VERY_LONG_DURATION);
}

/* x_test.go */

/* The wrapper's own done is not bypassed; the cause comes from inside it. */
START_TEST(TestCustomContextPropagation) {
  GCH_CTX_AUTO gch_ctx *ctx1 = gch_ctx_with_cancel(gch_ctx_background());
  struct custom *ctx2 = custom_of(ctx1);
  GCH_CTX_AUTO gch_ctx *ctx3 = gch_ctx_with_cancel(ctx2->ctx);

  gch_ctx_cancel_cause(ctx1, PARENT_CAUSE);
  check_open(ctx3);
  custom_cancel(ctx2, ECANCELED);
  check_done(ctx3, ECANCELED);
  ck_assert_int_eq(gch_ctx_cause(ctx3), PARENT_CAUSE);
  custom_unref(ctx2);
}
END_TEST

START_TEST(TestCustomContextCause) {
  struct custom *c = new_custom();
  check_open(c->ctx);
  custom_cancel(c, ECANCELED);
  check_done(c->ctx, ECANCELED);
  ck_assert_int_eq(gch_ctx_cause(c->ctx), ECANCELED);
  custom_unref(c);
}
END_TEST

START_TEST(TestCustomContextCause_child_canceled) {
  struct custom *c = new_custom();
  GCH_CTX_AUTO gch_ctx *child = gch_ctx_with_cancel(c->ctx);
  gch_ctx_cancel_cause(child, CHILD_CAUSE);
  check_done(child, ECANCELED);
  ck_assert_int_eq(gch_ctx_cause(child), CHILD_CAUSE);
  check_open(c->ctx);
  custom_unref(c);
}
END_TEST

START_TEST(TestCustomContextCause_child_canceled_before) {
  struct custom *c = new_custom();
  GCH_CTX_AUTO gch_ctx *child = gch_ctx_with_cancel(c->ctx);
  gch_ctx_cancel_cause(child, CHILD_CAUSE);
  custom_cancel(c, ECANCELED);
  check_done(child, ECANCELED);
  ck_assert_int_eq(gch_ctx_cause(child), CHILD_CAUSE);
  check_done(c->ctx, ECANCELED);
  ck_assert_int_eq(gch_ctx_cause(c->ctx), ECANCELED);
  custom_unref(c);
}
END_TEST

START_TEST(TestCustomContextCause_cancels_its_child) {
  struct custom *c = new_custom();
  GCH_CTX_AUTO gch_ctx *child = gch_ctx_with_cancel(c->ctx);
  custom_cancel(c, ECANCELED);
  gch_ctx_cancel_cause(child, CHILD_CAUSE);
  check_done(child, ECANCELED);
  ck_assert_int_eq(gch_ctx_cause(child), ECANCELED);
  custom_unref(c);
}
END_TEST

START_TEST(TestCustomContextCause_its_own_error) {
  struct custom *c = new_custom();
  GCH_CTX_AUTO gch_ctx *child = gch_ctx_with_cancel(c->ctx);
  custom_cancel(c, ETIMEDOUT);
  check_done(child, ETIMEDOUT);
  ck_assert_int_eq(gch_ctx_cause(child), ETIMEDOUT);
  custom_unref(c);
}
END_TEST

/* context_test.go: Go starts a goroutine where a parent's done is its own
   channel. Here nothing costs a thread. */

static void check_no_threads(const gch_ctx *parent) {
  int before = thread_count();
  GCH_CTX_AUTO gch_ctx *cancel = gch_ctx_with_cancel(parent);
  GCH_CTX_AUTO gch_ctx *timeout = timeout_child(parent);
  ck_assert_int_le(thread_count(), before);
  gch_ctx_cancel(cancel);
  gch_ctx_cancel(timeout);
  ck_assert_int_le(thread_count(), before);
}

/* The timers' thread, which all contexts share, is started first. */
static void start_timers(void) {
  GCH_CTX_AUTO gch_ctx *ctx = timeout_child(gch_ctx_background());
}

START_TEST(TestCustomContextGoroutines) {
  start_timers();
  struct custom *c = new_custom();
  check_no_threads(c->ctx);
  custom_unref(c);
}
END_TEST

START_TEST(TestCustomContextGoroutines_no_done) {
  start_timers();
  GCH_CTX_UNREF_AUTO const gch_ctx *ctx = other_context(gch_ctx_background());
  ck_assert_ptr_null(gch_ctx_done(ctx));
  check_no_threads(ctx);
}
END_TEST

START_TEST(TestCustomContextGoroutines_parents_done) {
  start_timers();
  GCH_CTX_AUTO gch_ctx *ctx1 = gch_ctx_with_cancel(gch_ctx_background());
  GCH_CTX_UNREF_AUTO const gch_ctx *ctx2 = other_context(ctx1);
  check_no_threads(ctx2);
}
END_TEST

START_TEST(TestCustomContextGoroutines_own_done_in_between) {
  start_timers();
  GCH_CTX_AUTO gch_ctx *ctx1 = gch_ctx_with_cancel(gch_ctx_background());
  struct custom *ctx2 = custom_of(ctx1);
  GCH_CTX_AUTO gch_ctx *ctx3 = timeout_child(ctx2->ctx);
  check_no_threads(ctx3);
  gch_ctx_cancel(ctx1);
  check_open(ctx3);
  custom_unref(ctx2);
}
END_TEST

START_TEST(TestCustomContextGoroutines_done_already) {
  start_timers();
  struct custom *c = new_custom();
  custom_cancel(c, ECANCELED);
  check_no_threads(c->ctx);
  custom_unref(c);
}
END_TEST

/* afterfunc_test.go: Go's custom context brings an AfterFunc of its own. A
   done channel is enough here; what the tests pin is the same. */

START_TEST(TestCustomContextAfterFuncCancel) {
  struct custom *c = new_custom();
  GCH_CTX_AUTO gch_ctx *child = cancel_child(c->ctx);
  custom_cancel(c, ECANCELED);
  check_done(child, ECANCELED);
  custom_unref(c);
}
END_TEST

START_TEST(TestCustomContextAfterFuncTimeout) {
  struct custom *c = new_custom();
  GCH_CTX_AUTO gch_ctx *child = timeout_child(c->ctx);
  custom_cancel(c, ECANCELED);
  check_done(child, ECANCELED);
  custom_unref(c);
}
END_TEST

static void tell(void *arg) {
  GCH_AUTO gch_chan *told = gch_ref(arg);
  gch_send(told, NULL);
}

START_TEST(TestCustomContextAfterFuncAfterFunc) {
  struct custom *c = new_custom();
  GCH_AUTO gch_chan *told = gch_make(0, 0);
  gch_after_func *a = gch_ctx_after_func(c->ctx, tell, told);
  ck_assert_ptr_nonnull(a);
  custom_cancel(c, ECANCELED);
  ck_assert_int_eq(gch_recv(told, NULL), 0);
  ck_assert(!gch_after_func_stop(a));
  custom_unref(c);
}
END_TEST

/* Nobody is left on done, and its close touches nothing that is gone: the
   address sanitizer would see it. */
static void check_unregistered(struct custom *c) {
  size_t receivers = 1;
  gch_waiting(c->done, NULL, &receivers);
  ck_assert_uint_eq(receivers, 0);
  custom_cancel(c, ECANCELED);
  custom_unref(c);
}

START_TEST(TestCustomContextAfterFuncUnregisterCancel) {
  struct custom *c = new_custom();
  gch_ctx *child1 = cancel_child(c->ctx), *child2 = cancel_child(c->ctx);
  gch_ctx_end(child1);
  gch_ctx_end(child2);
  check_unregistered(c);
}
END_TEST

START_TEST(TestCustomContextAfterFuncUnregisterTimeout) {
  struct custom *c = new_custom();
  gch_ctx_end(timeout_child(c->ctx));
  check_unregistered(c);
}
END_TEST

static void never(void *arg) {
  (void)arg;
  ck_abort_msg("called after its stop");
}

START_TEST(TestCustomContextAfterFuncUnregisterAfterFunc) {
  struct custom *c = new_custom();
  ck_assert(gch_after_func_stop(gch_ctx_after_func(c->ctx, never, NULL)));
  check_unregistered(c);
}
END_TEST

static void add_cause(Suite *s) {
  TCase *t = test_case(s, "cause");
  tcase_add_test(t, TestCustomContextPropagation);
  tcase_add_test(t, TestCustomContextCause);
  tcase_add_test(t, TestCustomContextCause_child_canceled);
  tcase_add_test(t, TestCustomContextCause_child_canceled_before);
  tcase_add_test(t, TestCustomContextCause_cancels_its_child);
  tcase_add_test(t, TestCustomContextCause_its_own_error);
}

static void add_threads(Suite *s) {
  TCase *t = test_case(s, "threads");
  tcase_add_test(t, TestCustomContextGoroutines);
  tcase_add_test(t, TestCustomContextGoroutines_no_done);
  tcase_add_test(t, TestCustomContextGoroutines_parents_done);
  tcase_add_test(t, TestCustomContextGoroutines_own_done_in_between);
  tcase_add_test(t, TestCustomContextGoroutines_done_already);
}

static void add_after_func(Suite *s) {
  TCase *t = test_case(s, "after func");
  tcase_add_test(t, TestCustomContextAfterFuncCancel);
  tcase_add_test(t, TestCustomContextAfterFuncTimeout);
  tcase_add_test(t, TestCustomContextAfterFuncAfterFunc);
  tcase_add_test(t, TestCustomContextAfterFuncUnregisterCancel);
  tcase_add_test(t, TestCustomContextAfterFuncUnregisterTimeout);
  tcase_add_test(t, TestCustomContextAfterFuncUnregisterAfterFunc);
}

Suite *test_suite(void) {
  Suite *s = suite_create("golang/context_custom");
  add_cause(s);
  add_threads(s);
  add_after_func(s);
  return s;
}
