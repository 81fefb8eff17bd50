/* SPDX-License-Identifier: BSD-3-Clause */
/* Locks until a context is done: what is the same for a mutex and for both
   kinds of an rwmutex. */
#include "fork_life.h"
#include "lock_kinds.h"
#include "own_ctx.h"

static const gch_ctx_ops own_ops = {.done = own_done, .err = own_err};

/* Without a wait */

START_TEST(a_free_lock_is_taken) {
  const struct kind *k = &kinds[_i];
  union any_lock l = {{0}};
  gch_ctx *ctx = gch_ctx_with_cancel(bg());
  ck_assert_int_eq(k->lock_ctx(ctx, &l), 0);
  ck_assert(!is_free(k, &l));
  k->unlock(&l);
  ck_assert_int_eq(k->lock_ctx(bg(), &l), 0);
  k->unlock(&l);
  ck_assert(is_free(k, &l));
  gch_ctx_end(ctx);
}
END_TEST

START_TEST(a_done_context_wins_even_where_the_lock_is_free) {
  const struct kind *k = &kinds[_i];
  union any_lock l = {{0}};
  gch_ctx *ctx = gch_ctx_with_cancel(bg());
  gch_ctx *late = gch_ctx_with_timeout(bg(), 0);
  gch_ctx_cancel(ctx);
  ck_assert_int_eq(k->lock_ctx(ctx, &l), ECANCELED);
  ck_assert_int_eq(k->lock_ctx(late, &l), ETIMEDOUT);
  ck_assert(is_free(k, &l));
  gch_ctx_end(late);
  gch_ctx_end(ctx);
}
END_TEST

START_TEST(a_done_context_wins_where_the_lock_is_not_free) {
  struct held h;
  hold(&h, _i);
  gch_ctx_cancel(h.ctx);
  ck_assert_int_eq(h.k->lock_ctx(h.ctx, &h.l), ECANCELED);
  ck_assert_uint_eq(h.k->waiting(&h.l), 0);
  h.k->let_in(&h.l);
  release(&h);
}
END_TEST

static void lock_by_null(void *kind) {
  union any_lock l = {{0}};
  ((const struct kind *)kind)->lock_ctx(NULL, &l);
}

START_TEST(a_null_context_panics) {
  expect_panic(lock_by_null, (void *)(uintptr_t)&kinds[_i],
               "gulch: NULL context");
}
END_TEST

/* With a wait */

START_TEST(it_waits_for_the_unlock) {
  struct held h;
  hold(&h, _i);
  test_thread *t = start_waiter(&h.w);
  let_others_run();
  ck_assert_int_eq(h.w.over, 0);
  h.k->let_in(&h.l);
  expect_got(t, &h.w);
  release(&h);
}
END_TEST

START_TEST(a_context_that_is_never_done_waits_too) {
  const struct kind *k = &kinds[_i];
  union any_lock l = {{0}};
  struct waiter w = {.k = k, .ctx = bg(), .l = &l};
  k->exclude(&l);
  test_thread *t = start_waiter(&w);
  k->let_in(&l);
  expect_got(t, &w);
}
END_TEST

START_TEST(a_cancel_ends_the_wait) {
  struct held h;
  gch_ctx *ctx = gch_ctx_with_cancel(bg());
  hold_until(&h, _i, gch_ctx_with_cancel(ctx));
  test_thread *t = start_waiter(&h.w);
  gch_ctx_cancel(ctx);
  expect_gave_up(t, &h.w, ECANCELED);
  release(&h);
  gch_ctx_end(ctx);
}
END_TEST

START_TEST(a_deadline_ends_the_wait) {
  struct held h;
  hold_until(&h, _i, gch_ctx_with_timeout(bg(), 2 * MS));
  expect_gave_up(thread_start(lock, &h.w), &h.w, ETIMEDOUT);
  release(&h);
}
END_TEST

static void expect_end_by_own(const struct kind *k, int stored, int err) {
  union any_lock l = {{0}};
  struct own o = {.done = gch_make(0, 0)};
  const gch_ctx *ctx = gch_ctx_custom(bg(), &own_ops, &o);
  struct waiter w = {.k = k, .ctx = ctx, .l = &l};
  k->exclude(&l);
  test_thread *t = start_waiter(&w);
  atomic_store(&o.err, stored);
  gch_close(o.done);
  expect_gave_up(t, &w, err);
  gch_ctx_unref(ctx);
  gch_unref(o.done);
}

START_TEST(a_custom_context_ends_the_wait_with_its_error) {
  expect_end_by_own(&kinds[_i], EIO, EIO);
}
END_TEST

START_TEST(a_custom_context_that_stores_none_ends_it_by_ECANCELED) {
  expect_end_by_own(&kinds[_i], 0, ECANCELED);
}
END_TEST

START_TEST(who_gives_up_is_passed_over) {
  struct held h;
  hold(&h, _i);
  struct waiter second = {.k = h.k, .ctx = bg(), .l = &h.l};
  test_thread *t1 = start_waiter(&h.w), *t2 = start_waiter(&second);
  gch_ctx_cancel(h.ctx);
  thread_join(t1);
  ck_assert_int_eq(h.w.err, ECANCELED);
  ck_assert_int_eq(second.over, 0);
  h.k->let_in(&h.l);
  expect_got(t2, &second);
  release(&h);
}
END_TEST

/* A writer stops readers only as long as it waits. */

START_TEST(a_writer_that_gives_up_lets_readers_in) {
  union any_lock l = {{0}};
  gch_ctx *ctx = gch_ctx_with_cancel(bg());
  struct waiter writer = {.k = &kinds[2], .ctx = ctx, .l = &l};
  struct waiter reader = {.k = &kinds[3], .ctx = bg(), .l = &l};
  gch_rwmutex_rlock(&l.rw);
  test_thread *t1 = start_waiter(&writer), *t2 = start_waiter(&reader);
  gch_ctx_cancel(ctx);
  thread_join(t2);
  ck_assert_int_eq(reader.err, 0);
  thread_join(t1);
  ck_assert_int_eq(writer.err, ECANCELED);
  gch_rwmutex_runlock(&l.rw);
  gch_rwmutex_runlock(&l.rw);
  ck_assert_int_eq(gch_rwmutex_try_lock(&l.rw), 0);
  gch_ctx_end(ctx);
}
END_TEST

/* The waiter is the parent's, on the lock and on the context. */
START_TEST(in_a_forked_child_who_waited_is_not_there) {
  struct held h;
  hold(&h, _i);
  test_thread *t = start_waiter(&h.w);
  pid_t pid = fork_with_parent();
  if (pid == 0) {
    gch_ctx_cancel(h.ctx);
    h.k->let_in(&h.l);
    bool right =
        h.k->lock_ctx(h.ctx, &h.l) == ECANCELED && h.k->try_lock(&h.l) == 0;
    _exit(right ? OK : WRONG);
  }
  ck_assert_int_eq(status_of(pid), OK);
  h.k->let_in(&h.l);
  expect_got(t, &h.w);
  release(&h);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = fork_suite("sync_ctx");
  TCase *t = test_case(s, "at once");
  add_for_kinds(t, a_free_lock_is_taken);
  add_for_kinds(t, a_done_context_wins_even_where_the_lock_is_free);
  add_for_kinds(t, a_done_context_wins_where_the_lock_is_not_free);
  add_for_kinds(t, a_null_context_panics);
  t = test_case(s, "waits");
  add_for_kinds(t, it_waits_for_the_unlock);
  add_for_kinds(t, a_context_that_is_never_done_waits_too);
  add_for_kinds(t, a_cancel_ends_the_wait);
  add_for_kinds(t, a_deadline_ends_the_wait);
  add_for_kinds(t, a_custom_context_ends_the_wait_with_its_error);
  add_for_kinds(t, a_custom_context_that_stores_none_ends_it_by_ECANCELED);
  add_for_kinds(t, who_gives_up_is_passed_over);
  tcase_add_test(t, a_writer_that_gives_up_lets_readers_in);
  t = fork_case(s, "fork");
  add_for_kinds(t, in_a_forked_child_who_waited_is_not_there);
  return s;
}
