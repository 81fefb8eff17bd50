/* SPDX-License-Identifier: BSD-3-Clause */
/* Locks until a context is done, where the end and the unlock come together. */
#include "lock_kinds.h"

/* Who has it is told so, and who is told otherwise has it not. */
START_TEST(an_unlock_and_a_cancel_leave_it_to_one) {
  int rounds = scaled(300);
  for (int i = 0; i < rounds; i++) {
    struct held h;
    hold(&h, _i);
    test_thread *t = thread_start(lock, &h.w);
    if (i % 4 < 2)
      await_asleep(h.k->waiting(&h.l), 1);
    test_thread *c = start_cancel(h.ctx, i);
    h.k->let_in(&h.l);
    join_cancel(c);
    thread_join(t);
    ck_assert(h.w.err == 0 || h.w.err == ECANCELED);
    ck_assert_int_eq(is_free(h.k, &h.l), h.w.err != 0);
    if (h.w.err == 0)
      h.k->unlock(&h.l);
    release(&h);
  }
}
END_TEST

START_TEST(a_deadline_and_a_cancel_end_it_once) {
  int rounds = scaled(50);
  for (int i = 0; i < rounds; i++) {
    struct held h;
    hold_until(&h, _i, gch_ctx_with_timeout(bg(), 200 * GCH_MICROSECOND));
    test_thread *t = thread_start(lock, &h.w);
    gch_sleep(190 * GCH_MICROSECOND);
    gch_ctx_cancel(h.ctx);
    expect_gave_up(t, &h.w, gch_ctx_err(h.ctx));
    release(&h);
  }
}
END_TEST

/* Who is lost when the turn comes: many wait, half of whom a cancel ends just
   when the lock becomes free. All others get it. */
enum { MANY = 6 };

/* Those who are over; who got it gives it back. */
static int join_those_over(struct waiter *w, test_thread **t) {
  int over = 0;
  for (int i = 0; i < MANY; i++) {
    if (!t[i] || !atomic_load(&w[i].over))
      continue;
    thread_join(t[i]);
    t[i] = NULL;
    over++;
    ck_assert(w[i].err == 0 || (w[i].ctx != bg() && w[i].err == ECANCELED));
    if (w[i].err == 0)
      w[i].k->unlock(w[i].l);
  }
  return over;
}

START_TEST(others_get_it_whoever_gives_up) {
  const struct kind *k = &kinds[_i];
  int rounds = scaled(60);
  for (int i = 0; i < rounds; i++) {
    union any_lock l = {{0}};
    gch_ctx *ctx = gch_ctx_with_cancel(bg());
    struct waiter w[MANY];
    test_thread *t[MANY];
    k->exclude(&l);
    for (int j = 0; j < MANY; j++) {
      w[j] = (struct waiter){.k = k, .ctx = j % 2 ? bg() : ctx, .l = &l};
      t[j] = start_waiter(&w[j]);
    }
    test_thread *c = start_cancel(ctx, i);
    k->let_in(&l);
    for (int left = MANY; left > 0; let_others_run())
      left -= join_those_over(w, t);
    join_cancel(c);
    ck_assert(is_free(k, &l));
    gch_ctx_end(ctx);
  }
}
END_TEST

START_TEST(readers_behind_a_lost_writer_get_in) {
  int rounds = scaled(300);
  for (int i = 0; i < rounds; i++) {
    union any_lock l = {{0}};
    gch_ctx *ctx = gch_ctx_with_cancel(bg());
    struct waiter writer = {.k = &kinds[2], .ctx = ctx, .l = &l};
    struct waiter reader = {.k = &kinds[3], .ctx = bg(), .l = &l};
    gch_rwmutex_rlock(&l.rw);
    test_thread *t1 = start_waiter(&writer), *t2 = start_waiter(&reader);
    test_thread *c = start_cancel(ctx, i);
    gch_rwmutex_runlock(&l.rw);
    join_cancel(c);
    thread_join(t1);
    if (writer.err == 0)
      gch_rwmutex_unlock(&l.rw);
    thread_join(t2);
    gch_rwmutex_runlock(&l.rw);
    ck_assert_int_eq(gch_rwmutex_try_lock(&l.rw), 0);
    gch_ctx_end(ctx);
  }
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("sync_ctx_race");
  TCase *t = test_case(s, "races");
  add_for_kinds(t, an_unlock_and_a_cancel_leave_it_to_one);
  add_for_kinds(t, a_deadline_and_a_cancel_end_it_once);
  add_for_kinds(t, others_get_it_whoever_gives_up);
  tcase_add_test(t, readers_behind_a_lost_writer_get_in);
  return s;
}
