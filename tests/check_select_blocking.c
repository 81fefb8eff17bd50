/* SPDX-License-Identifier: BSD-3-Clause */
/* Select that parks: how it is woken, and what it leaves behind. */
#include "chan_forms.h"

enum { N = 4 };

/* A thread that selects among N channels: receives, or sends of 10 + i. */
struct selector {
  gch_chan *c[N];
  bool ordered, sends;
  int v[N], err[N], fired;
  test_thread *thread;
};

static void selector_main(void *arg) {
  struct selector *s = arg;
  gch_case cases[N];
  for (int i = 0; i < N; i++)
    cases[i] = s->sends ? GCH_SEND_ERR(s->c[i], &s->v[i], &s->err[i])
                        : GCH_RECV_ERR(s->c[i], &s->v[i], &s->err[i]);
  s->fired = s->ordered ? gch_select_cases_ordered(cases, N)
                        : gch_select_cases(cases, N);
}

static void selector_start(struct selector *s) {
  s->fired = -1;
  for (int i = 0; i < N; i++) {
    s->v[i] = s->sends ? 10 + i : -1;
    s->err[i] = -1;
  }
  s->thread = thread_start(selector_main, s);
  for (int i = 0; i < N; i++)
    await_waiting(s->c[i], s->sends, !s->sends);
}

/* It fired at i with err, wrote nothing else and left nothing. */
static void selector_end(struct selector *s, int i, int err) {
  thread_join(s->thread);
  ck_assert_int_eq(s->fired, i);
  for (int k = 0; k < N; k++) {
    ck_assert_int_eq(s->err[k], k == i ? err : -1);
    if (k != i)
      ck_assert_int_eq(s->v[k], s->sends ? 10 + k : -1);
    await_waiting(s->c[k], 0, 0);
  }
}

static void selector_init(struct selector *s, int kind) {
  memset(s, 0, sizeof *s);
  s->ordered = kind & 1;
  s->sends = kind & 2;
  for (int i = 0; i < N; i++)
    s->c[i] = gch_make_of(int, 0);
}

/* The unref panics if something is left in a queue. */
static void selector_free(struct selector *s) {
  for (int i = 0; i < N; i++)
    gch_unref(s->c[i]);
}

START_TEST(a_parked_select_is_woken_at_the_case_that_was_served) {
  struct selector s;
  selector_init(&s, _i);
  for (int i = 0; i < N; i++) {
    int v = 70 + i;
    selector_start(&s);
    if (s.sends)
      ck_assert_int_eq(take_int(s.c[i]), 10 + i);
    else
      put_int(s.c[i], v);
    selector_end(&s, i, 0);
    ck_assert_int_eq(s.v[i], s.sends ? 10 + i : v);
  }
  selector_free(&s);
}
END_TEST

START_TEST(a_parked_select_is_woken_at_the_case_that_was_closed) {
  struct selector s;
  selector_init(&s, _i);
  for (int i = 0; i < N; i++) {
    selector_start(&s);
    gch_close(s.c[i]);
    selector_end(&s, i, EPIPE);
    ck_assert_int_eq(s.v[i], s.sends ? 10 + i : 0);
    gch_unref(s.c[i]);
    s.c[i] = gch_make_of(int, 0);
  }
  selector_free(&s);
}
END_TEST

START_TEST(a_parked_select_is_served_once) {
  struct selector s;
  selector_init(&s, _i);
  for (int i = 0; i < N; i++) {
    int v = 0, err[N];
    selector_start(&s);
    for (int k = 0; k < N; k++) { /* whether or not it has woken yet */
      gch_chan *c = s.c[(i + k) % N];
      err[k] = s.sends ? gch_try_recv(c, &v) : gch_try_send(c, &v);
    }
    ck_assert_int_eq(err[0], 0);
    for (int k = 1; k < N; k++)
      ck_assert_int_eq(err[k], EAGAIN);
    selector_end(&s, i, 0);
  }
  selector_free(&s);
}
END_TEST

START_TEST(closing_all_channels_wakes_a_select_once) {
  struct selector s;
  selector_init(&s, _i);
  selector_start(&s);
  for (int i = 0; i < N; i++)
    gch_close(s.c[i]);
  selector_end(&s, 0, EPIPE);
  selector_free(&s);
}
END_TEST

START_TEST(the_same_channel_in_all_cases_is_served_once) {
  struct selector s;
  selector_init(&s, _i);
  for (int i = 1; i < N; i++) {
    gch_unref(s.c[i]);
    s.c[i] = gch_ref(s.c[0]);
  }
  for (int round = 0; round < 3; round++) {
    size_t senders = s.sends ? 1 : 0;
    int v = 5;
    s.fired = -1;
    for (int i = 0; i < N; i++)
      s.v[i] = 5;
    s.thread = thread_start(selector_main, &s);
    await_waiting(s.c[0], senders * N, (1 - senders) * N);
    if (round == 2)
      gch_close(s.c[0]);
    else if (s.sends)
      take_int(s.c[0]);
    else
      put_int(s.c[0], v);
    if (round < 2)
      ck_assert_int_eq(s.sends ? gch_try_recv(s.c[0], &v)
                               : gch_try_send(s.c[0], &v),
                       EAGAIN);
    thread_join(s.thread);
    ck_assert_int_ge(s.fired, 0);
    ck_assert_int_eq(s.err[s.fired], round == 2 ? EPIPE : 0);
    await_waiting(s.c[0], 0, 0);
  }
  selector_free(&s);
}
END_TEST

/* Selects among themselves */

static int send_or_recv(gch_chan *c, void *elem) {
  int *v = elem, err = -1;
  gch_case cases[] = {GCH_SEND_ERR(c, &v[0], &err),
                      GCH_RECV_ERR(c, &v[1], &err)};
  int fired = gch_select_cases(cases, 2);
  return err == 0 ? fired : -1;
}

START_TEST(a_select_that_sends_and_receives_waits_for_another) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  struct party p;
  int v[2] = {7, -1};
  party_start(&p, send_or_recv, c, v);
  await_waiting(c, 1, 1);
  ck_assert_int_eq(take_int(c), 7);
  ck_assert_int_eq(party_end(&p), 0);
  party_start(&p, send_or_recv, c, v);
  await_waiting(c, 1, 1);
  put_int(c, 8);
  ck_assert_int_eq(party_end(&p), 1);
  ck_assert_int_eq(v[1], 8);
  await_waiting(c, 0, 0);
}
END_TEST

START_TEST(two_selects_that_send_and_receive_serve_each_other) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  for (int i = scaled(100); i > 0; i--) {
    int v[2] = {1, -1}, w[2] = {2, -1};
    struct party p;
    party_start(&p, send_or_recv, c, v);
    int mine = send_or_recv(c, w);
    int other = party_end(&p);
    ck_assert_int_eq(mine + other, 1);
    ck_assert_int_eq(mine == 1 ? w[1] : v[1], mine == 1 ? 1 : 2);
  }
}
END_TEST

struct duel {
  gch_chan *a, *b;
  int rounds;
};

static void select_a_b(void *arg) {
  struct duel *d = arg;
  int v = 1;
  for (int i = 0; i < d->rounds; i++)
    gch_select(GCH_SEND(d->a, &v), GCH_RECV(d->b, &v));
}

static void select_b_a(void *arg) {
  struct duel *d = arg;
  int v = 1;
  for (int i = 0; i < d->rounds; i++)
    gch_select(GCH_SEND(d->b, &v), GCH_RECV(d->a, &v));
}

START_TEST(selects_in_opposite_order_do_not_deadlock) {
  struct duel d = {gch_make_of(int, 0), gch_make_of(int, 0), scaled(1000)};
  test_thread *t = thread_start(select_a_b, &d);
  select_b_a(&d);
  thread_join(t);
  gch_unref(d.a);
  gch_unref(d.b);
}
END_TEST

/* Deadlines */

START_TEST(a_timeout_is_not_before_its_time_and_counts_from_each_call) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  gch_case cases[] = {GCH_RECV(c, NULL), GCH_TIMEOUT(GCH_MILLISECOND)};
  for (int i = 0; i < 3; i++) {
    int64_t start = gch_now();
    ck_assert_int_eq(gch_select_cases(cases, 2), 1);
    ck_assert(gch_now() - start >= GCH_MILLISECOND);
    await_waiting(c, 0, 0);
  }
}
END_TEST

START_TEST(an_absolute_deadline_stays_where_it_is) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  int64_t deadline = gch_now() + GCH_MILLISECOND;
  gch_case cases[] = {GCH_TIMEOUT(GCH_HOUR), GCH_RECV(c, NULL),
                      GCH_UNTIL(deadline)};
  ck_assert_int_eq(gch_select_cases(cases, 3), 2);
  ck_assert(gch_now() >= deadline);
  cases[0] = GCH_TIMEOUT(0); /* later than a deadline that has passed */
  ck_assert_int_eq(gch_select_cases(cases, 3), 2);
}
END_TEST

START_TEST(of_several_deadlines_the_earliest_fires_and_ties_go_to_the_first) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  int64_t soon = gch_now() + GCH_MILLISECOND;
  gch_case cases[] = {GCH_RECV(c, NULL),      GCH_TIMEOUT(GCH_HOUR),
                      GCH_UNTIL(GCH_FOREVER), GCH_UNTIL(soon),
                      GCH_UNTIL(soon),        GCH_UNTIL(soon + GCH_HOUR)};
  ck_assert_int_eq(gch_select_cases(cases, 6), 3);
  ck_assert(gch_now() >= soon);
  await_waiting(c, 0, 0);
}
END_TEST

START_TEST(a_null_channel_and_a_deadline_wait_for_the_deadline) {
  int64_t soon = gch_now() + GCH_MILLISECOND;
  int v = 7;
  ck_assert_int_eq(
      gch_select(GCH_RECV(NULL, &v), GCH_SEND(NULL, &v), GCH_UNTIL(soon)), 2);
  ck_assert(gch_now() >= soon);
  ck_assert_int_eq(v, 7);
}
END_TEST

START_TEST(a_timed_out_select_is_in_no_queue) {
  GCH_AUTO gch_chan *c = gch_make_of(int, 0);
  int v = 1, out = 7, err = -1;
  ck_assert_int_eq(gch_select(GCH_RECV_ERR(c, &out, &err),
                              GCH_SEND_ERR(c, &v, &err),
                              GCH_TIMEOUT(GCH_MILLISECOND)),
                   2);
  ck_assert_int_eq(err, -1);
  ck_assert_int_eq(gch_try_send(c, &v), EAGAIN);
  ck_assert_int_eq(gch_try_recv(c, &out), EAGAIN);
  ck_assert_int_eq(out, 7);
}
END_TEST

static void select_soon(void *arg) {
  struct selector *s = arg;
  gch_case cases[] = {GCH_RECV(s->c[0], &s->v[0]), GCH_RECV(s->c[1], &s->v[1]),
                      GCH_TIMEOUT(30 * GCH_MICROSECOND)};
  s->fired = gch_select_cases(cases, 3);
}

START_TEST(a_deadline_that_races_a_send_is_all_or_nothing) {
  struct selector s;
  selector_init(&s, 0);
  for (int i = scaled(200); i > 0; i--) {
    gch_chan *c = s.c[i % 2];
    s.v[0] = s.v[1] = -1;
    s.thread = thread_start(select_soon, &s);
    int err = gch_send_until(c, &i, gch_now() + 60 * GCH_MICROSECOND);
    thread_join(s.thread);
    ck_assert_int_eq(s.fired, err == 0 ? i % 2 : 2);
    ck_assert_int_eq(s.v[i % 2], err == 0 ? i : -1);
    ck_assert_int_eq(s.v[1 - i % 2], -1);
  }
  selector_free(&s);
}
END_TEST

START_TEST(a_timer_and_a_context_wake_a_select) {
  int64_t when = 0, start = gch_now();
  gch_timer *t = gch_timer_new(GCH_MILLISECOND);
  GCH_CTX_AUTO gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  ck_assert_int_eq(gch_select(GCH_RECV(gch_ctx_done(ctx), NULL),
                              GCH_RECV(gch_timer_chan(t), &when)),
                   1);
  ck_assert(when >= start + GCH_MILLISECOND && when <= gch_now());
  gch_timer_free(t);
  gch_ctx_cancel(ctx);
  ck_assert_int_eq(gch_select(GCH_RECV(gch_ctx_done(ctx), NULL)), 0);
}
END_TEST

/* The kinds of selector: plain or ordered, receiving or sending. */
static void each_kind(TCase *t, const TTest *test) {
  tcase_add_loop_test(t, test, 0, 4);
}

Suite *test_suite(void) {
  Suite *s = suite_create("select_blocking");
  TCase *t = test_case(s, "woken");
  each_kind(t, a_parked_select_is_woken_at_the_case_that_was_served);
  each_kind(t, a_parked_select_is_woken_at_the_case_that_was_closed);
  each_kind(t, a_parked_select_is_served_once);
  each_kind(t, closing_all_channels_wakes_a_select_once);
  each_kind(t, the_same_channel_in_all_cases_is_served_once);
  t = test_case(s, "among themselves");
  tcase_add_test(t, a_select_that_sends_and_receives_waits_for_another);
  tcase_add_test(t, two_selects_that_send_and_receive_serve_each_other);
  tcase_add_test(t, selects_in_opposite_order_do_not_deadlock);
  t = test_case(s, "deadlines");
  tcase_add_test(t, a_timeout_is_not_before_its_time_and_counts_from_each_call);
  tcase_add_test(t, an_absolute_deadline_stays_where_it_is);
  tcase_add_test(
      t, of_several_deadlines_the_earliest_fires_and_ties_go_to_the_first);
  tcase_add_test(t, a_null_channel_and_a_deadline_wait_for_the_deadline);
  tcase_add_test(t, a_timed_out_select_is_in_no_queue);
  tcase_add_test(t, a_deadline_that_races_a_send_is_all_or_nothing);
  tcase_add_test(t, a_timer_and_a_context_wake_a_select);
  return s;
}
