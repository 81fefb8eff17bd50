/* SPDX-License-Identifier: BSD-3-Clause */
/* Conds and wait groups until a context is done. */
#include "ctx_race.h"
#include "own_ctx.h"
#include "sync_facts.h"

static const gch_ctx_ops own_ops = {.done = own_done, .err = own_err};

/* Conds */

struct room {
  gch_mutex m;
  gch_cond c;
};

struct sitter {
  struct room *room;
  const gch_ctx *ctx; /* NULL: waits without one */
  int err;
  bool held; /* the mutex, when it came back */
  atomic_int over;
};

static void sit(void *arg) {
  struct sitter *s = arg;
  struct room *r = s->room;
  gch_mutex_lock(&r->m);
  if (s->ctx)
    s->err = gch_cond_wait_ctx(s->ctx, &r->c, &r->m);
  else
    gch_cond_wait(&r->c, &r->m);
  s->held = gch_mutex_try_lock(&r->m) == EAGAIN;
  gch_mutex_unlock(&r->m);
  atomic_store(&s->over, 1);
}

static test_thread *start_sitter(struct sitter *s) {
  size_t before = gch_cond_waiting(&s->room->c);
  test_thread *t = thread_start(sit, s);
  await_asleep(gch_cond_waiting(&s->room->c), before + 1);
  return t;
}

static void expect_back(test_thread *t, struct sitter *s, int err) {
  thread_join(t);
  ck_assert_int_eq(s->err, err);
  ck_assert(s->held);
}

START_TEST(a_signal_ends_a_wait_with_a_context) {
  struct room r = {GCH_MUTEX_INIT, GCH_COND_INIT};
  gch_ctx *ctx = gch_ctx_with_cancel(bg());
  struct sitter s = {.room = &r, .ctx = ctx}, never = {.room = &r, .ctx = bg()};
  test_thread *t = start_sitter(&s);
  gch_cond_signal(&r.c);
  expect_back(t, &s, 0);
  t = start_sitter(&never);
  gch_cond_broadcast(&r.c);
  expect_back(t, &never, 0);
  gch_ctx_end(ctx);
}
END_TEST

START_TEST(a_cancel_ends_it_and_the_mutex_is_held) {
  struct room r = {GCH_MUTEX_INIT, GCH_COND_INIT};
  gch_ctx *ctx = gch_ctx_with_cancel(bg());
  struct sitter s = {.room = &r, .ctx = ctx};
  test_thread *t = start_sitter(&s);
  gch_ctx_cancel(ctx);
  expect_back(t, &s, ECANCELED);
  ck_assert_uint_eq(gch_cond_waiting(&r.c), 0);
  gch_ctx_end(ctx);
}
END_TEST

START_TEST(a_deadline_ends_it_and_the_mutex_is_held) {
  struct room r = {GCH_MUTEX_INIT, GCH_COND_INIT};
  gch_ctx *ctx = gch_ctx_with_timeout(bg(), 2 * MS);
  struct sitter s = {.room = &r, .ctx = ctx};
  expect_back(thread_start(sit, &s), &s, ETIMEDOUT);
  gch_ctx_end(ctx);
}
END_TEST

START_TEST(a_custom_context_ends_it) {
  struct room r = {GCH_MUTEX_INIT, GCH_COND_INIT};
  struct own o = {.done = gch_make(0, 0)};
  const gch_ctx *ctx = gch_ctx_custom(bg(), &own_ops, &o);
  struct sitter s = {.room = &r, .ctx = ctx};
  test_thread *t = start_sitter(&s);
  atomic_store(&o.err, EIO);
  gch_close(o.done);
  expect_back(t, &s, EIO);
  gch_ctx_unref(ctx);
  gch_unref(o.done);
}
END_TEST

static void lock_and_note(void *arg) {
  struct sitter *s = arg;
  gch_mutex_lock(&s->room->m);
  atomic_store(&s->over, 1);
  gch_mutex_unlock(&s->room->m);
}

START_TEST(with_a_done_context_the_mutex_is_held_throughout) {
  struct room r = {GCH_MUTEX_INIT, GCH_COND_INIT};
  struct sitter other = {.room = &r};
  gch_ctx *ctx = gch_ctx_with_cancel(bg());
  gch_ctx_cancel(ctx);
  gch_mutex_lock(&r.m);
  test_thread *t = thread_start(lock_and_note, &other);
  await_asleep(gch_mutex_waiting(&r.m), 1);
  ck_assert_int_eq(gch_cond_wait_ctx(ctx, &r.c, &r.m), ECANCELED);
  ck_assert_int_eq(other.over, 0);
  gch_mutex_unlock(&r.m);
  thread_join(t);
  gch_ctx_end(ctx);
}
END_TEST

static void wait_unlocked(void *ctx) {
  struct room r = {GCH_MUTEX_INIT, GCH_COND_INIT};
  gch_cond_wait_ctx(ctx, &r.c, &r.m);
}

START_TEST(without_the_mutex_it_panics_whatever_the_context) {
  gch_ctx *ctx = gch_ctx_with_cancel(bg());
  expect_panic(wait_unlocked, ctx, "sync: unlock of unlocked mutex");
  gch_ctx_cancel(ctx);
  expect_panic(wait_unlocked, ctx, "sync: unlock of unlocked mutex");
  gch_ctx_end(ctx);
}
END_TEST

static void wait_by_null(void *unused) {
  struct room r = {GCH_MUTEX_INIT, GCH_COND_INIT};
  (void)unused;
  gch_mutex_lock(&r.m);
  gch_cond_wait_ctx(NULL, &r.c, &r.m);
}

START_TEST(a_null_context_panics) {
  expect_panic(wait_by_null, NULL, "gulch: NULL context");
}
END_TEST

START_TEST(who_gave_up_has_used_up_no_signal) {
  struct room r = {GCH_MUTEX_INIT, GCH_COND_INIT};
  gch_ctx *ctx = gch_ctx_with_cancel(bg());
  struct sitter first = {.room = &r, .ctx = ctx}, second = {.room = &r};
  test_thread *t1 = start_sitter(&first), *t2 = start_sitter(&second);
  gch_ctx_cancel(ctx);
  expect_back(t1, &first, ECANCELED);
  gch_cond_signal(&r.c);
  expect_back(t2, &second, 0);
  gch_ctx_end(ctx);
}
END_TEST

/* One signal: who is first takes it or gives up, and only then it is the
   second's. */
START_TEST(a_signal_and_a_cancel_wake_one_by_the_signal) {
  int rounds = scaled(300);
  for (int i = 0; i < rounds; i++) {
    struct room r = {GCH_MUTEX_INIT, GCH_COND_INIT};
    gch_ctx *ctx = gch_ctx_with_cancel(bg());
    struct sitter first = {.room = &r, .ctx = ctx}, second = {.room = &r};
    test_thread *t1 = start_sitter(&first), *t2 = start_sitter(&second);
    test_thread *c = start_cancel(ctx, i);
    gch_cond_signal(&r.c);
    join_cancel(c);
    thread_join(t1);
    ck_assert(first.err == 0 || first.err == ECANCELED);
    if (first.err == 0) {
      ck_assert_int_eq(second.over, 0);
      gch_cond_signal(&r.c);
    }
    thread_join(t2);
    ck_assert_uint_eq(gch_cond_waiting(&r.c), 0);
    gch_ctx_end(ctx);
  }
}
END_TEST

START_TEST(a_broadcast_reaches_all_whoever_gives_up) {
  enum { MANY = 6 };
  int rounds = scaled(60);
  for (int i = 0; i < rounds; i++) {
    struct room r = {GCH_MUTEX_INIT, GCH_COND_INIT};
    gch_ctx *ctx = gch_ctx_with_cancel(bg());
    struct sitter s[MANY];
    test_thread *t[MANY];
    for (int j = 0; j < MANY; j++) {
      s[j] = (struct sitter){.room = &r, .ctx = j % 2 ? bg() : ctx};
      t[j] = start_sitter(&s[j]);
    }
    test_thread *c = start_cancel(ctx, i);
    gch_cond_broadcast(&r.c);
    join_cancel(c);
    for (int j = 0; j < MANY; j++) {
      thread_join(t[j]);
      ck_assert(s[j].err == 0 || (j % 2 == 0 && s[j].err == ECANCELED));
    }
    gch_ctx_end(ctx);
  }
}
END_TEST

/* Wait groups */

struct waiter {
  gch_wg *wg;
  const gch_ctx *ctx;
  gch_chan *ready;
  int err;
};

static void wait_ctx(void *arg) {
  struct waiter *w = arg;
  gch_send(w->ready, NULL);
  w->err = gch_wg_wait_ctx(w->ctx, w->wg);
}

static test_thread *start_waiter(struct waiter *w) {
  w->ready = gch_make(0, 0);
  test_thread *t = thread_start(wait_ctx, w);
  gch_recv(w->ready, NULL);
  return t;
}

static void expect_waited(test_thread *t, struct waiter *w, int err) {
  thread_join(t);
  gch_unref(w->ready);
  ck_assert_int_eq(w->err, err);
}

START_TEST(of_zero_the_wait_is_over) {
  gch_wg wg = GCH_WG_INIT;
  gch_ctx *ctx = gch_ctx_with_cancel(bg());
  ck_assert_int_eq(gch_wg_wait_ctx(ctx, &wg), 0);
  ck_assert_int_eq(gch_wg_wait_ctx(bg(), &wg), 0);
  gch_ctx_end(ctx);
}
END_TEST

START_TEST(a_done_context_wins_whatever_the_count) {
  gch_wg wg = GCH_WG_INIT;
  gch_ctx *ctx = gch_ctx_with_cancel(bg());
  gch_ctx *late = gch_ctx_with_timeout(bg(), 0);
  gch_ctx_cancel(ctx);
  ck_assert_int_eq(gch_wg_wait_ctx(ctx, &wg), ECANCELED);
  gch_wg_add(&wg, 1);
  ck_assert_int_eq(gch_wg_wait_ctx(ctx, &wg), ECANCELED);
  ck_assert_int_eq(gch_wg_wait_ctx(late, &wg), ETIMEDOUT);
  gch_wg_done(&wg);
  gch_ctx_end(late);
  gch_ctx_end(ctx);
}
END_TEST

static void wg_wait_null(void *unused) {
  gch_wg wg = GCH_WG_INIT;
  (void)unused;
  gch_wg_wait_ctx(NULL, &wg);
}

START_TEST(a_wait_group_wants_a_context) {
  expect_panic(wg_wait_null, NULL, "gulch: NULL context");
}
END_TEST

START_TEST(the_last_done_ends_the_wait) {
  gch_wg wg = GCH_WG_INIT;
  gch_ctx *ctx = gch_ctx_with_cancel(bg());
  struct waiter w[] = {{.wg = &wg, .ctx = ctx}, {.wg = &wg, .ctx = bg()}};
  gch_wg_add(&wg, 2);
  test_thread *t0 = start_waiter(&w[0]), *t1 = start_waiter(&w[1]);
  gch_wg_done(&wg);
  let_others_run();
  gch_wg_done(&wg);
  expect_waited(t0, &w[0], 0);
  expect_waited(t1, &w[1], 0);
  gch_ctx_end(ctx);
}
END_TEST

START_TEST(a_cancel_ends_the_wait_and_the_count_stays) {
  gch_wg wg = GCH_WG_INIT;
  gch_ctx *ctx = gch_ctx_with_cancel(bg());
  struct waiter w = {.wg = &wg, .ctx = ctx};
  gch_wg_add(&wg, 1);
  test_thread *t = start_waiter(&w);
  let_others_run();
  gch_ctx_cancel(ctx);
  expect_waited(t, &w, ECANCELED);
  ck_assert_int_eq(gch_wg_wait_until(&wg, 0), ETIMEDOUT);
  gch_wg_done(&wg);
  gch_wg_wait(&wg);
  gch_ctx_end(ctx);
}
END_TEST

START_TEST(a_deadline_ends_the_wait) {
  gch_wg wg = GCH_WG_INIT;
  gch_ctx *ctx = gch_ctx_with_timeout(bg(), 2 * MS);
  gch_wg_add(&wg, 1);
  ck_assert_int_eq(gch_wg_wait_ctx(ctx, &wg), ETIMEDOUT);
  gch_wg_done(&wg);
  gch_ctx_end(ctx);
}
END_TEST

static void finish(void *wg) {
  gch_wg_done(wg);
}

/* Who is told 0 may free it at once. */
START_TEST(a_done_and_a_cancel_end_it_once_and_its_memory_may_go) {
  int rounds = scaled(300);
  for (int i = 0; i < rounds; i++) {
    gch_wg *wg = calloc(1, sizeof *wg);
    gch_ctx *ctx = gch_ctx_with_cancel(bg());
    gch_wg_add(wg, 1);
    test_thread *d = thread_start(finish, wg), *c = start_cancel(ctx, i);
    int err = gch_wg_wait_ctx(ctx, wg);
    ck_assert(err == 0 || err == ECANCELED);
    if (err)
      gch_wg_wait(wg);
    memset(wg, 0xa5, sizeof *wg);
    free(wg);
    join_cancel(c);
    thread_join(d);
    gch_ctx_end(ctx);
  }
}
END_TEST

START_TEST(others_wait_on_when_one_gives_up) {
  gch_wg wg = GCH_WG_INIT;
  gch_ctx *ctx = gch_ctx_with_cancel(bg());
  struct waiter a = {.wg = &wg, .ctx = ctx}, b = {.wg = &wg, .ctx = bg()};
  gch_wg_add(&wg, 1);
  test_thread *ta = start_waiter(&a), *tb = start_waiter(&b);
  gch_ctx_cancel(ctx);
  expect_waited(ta, &a, ECANCELED);
  gch_wg_done(&wg);
  expect_waited(tb, &b, 0);
  gch_ctx_end(ctx);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("wait_ctx");
  TCase *t = test_case(s, "cond");
  tcase_add_test(t, a_signal_ends_a_wait_with_a_context);
  tcase_add_test(t, a_cancel_ends_it_and_the_mutex_is_held);
  tcase_add_test(t, a_deadline_ends_it_and_the_mutex_is_held);
  tcase_add_test(t, a_custom_context_ends_it);
  tcase_add_test(t, with_a_done_context_the_mutex_is_held_throughout);
  tcase_add_test(t, without_the_mutex_it_panics_whatever_the_context);
  tcase_add_test(t, a_null_context_panics);
  tcase_add_test(t, who_gave_up_has_used_up_no_signal);
  tcase_add_test(t, a_signal_and_a_cancel_wake_one_by_the_signal);
  tcase_add_test(t, a_broadcast_reaches_all_whoever_gives_up);
  t = test_case(s, "wg");
  tcase_add_test(t, of_zero_the_wait_is_over);
  tcase_add_test(t, a_done_context_wins_whatever_the_count);
  tcase_add_test(t, a_wait_group_wants_a_context);
  tcase_add_test(t, the_last_done_ends_the_wait);
  tcase_add_test(t, a_cancel_ends_the_wait_and_the_count_stays);
  tcase_add_test(t, a_deadline_ends_the_wait);
  tcase_add_test(t, a_done_and_a_cancel_end_it_once_and_its_memory_may_go);
  tcase_add_test(t, others_wait_on_when_one_gives_up);
  return s;
}
