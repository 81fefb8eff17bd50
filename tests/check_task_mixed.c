/* SPDX-License-Identifier: BSD-3-Clause */
/* Plain threads and tasks on the same channels, selects, groups, contexts. */
#define TEST_AS_IS
#include "crowd.h"

enum { THREADS = 4, TASKS = 12, EACH = 200 };

/* fn(arg) in THREADS plain threads and TASKS tasks at once, to their end. */
static void run_mixed(void (*fn)(void *), void *arg) {
  test_thread *threads[THREADS];
  for (int i = 0; i < THREADS; i++)
    threads[i] = thread_start(fn, arg);
  for (int i = 0; i < TASKS; i++)
    ck_assert_int_eq(gch_go(fn, arg), 0);
  for (int i = 0; i < THREADS; i++)
    thread_join(threads[i]);
  await_no_tasks();
}

struct traffic {
  gch_chan *a, *b; /* of int */
  gch_wg sending;
  atomic_int turn, sent, received;
  _Atomic int64_t balance; /* of what was sent, less what came */
};

static struct traffic traffic(size_t cap) {
  struct traffic t = {.a = gch_make_of(int, cap), .b = gch_make_of(int, cap)};
  gch_wg_add(&t.sending, (THREADS + TASKS) / 2);
  return t;
}

static void expect_balance(struct traffic *t) {
  ck_assert_int_eq(t->sent, (THREADS + TASKS) / 2 * EACH);
  ck_assert_int_eq(t->received, t->sent);
  ck_assert_int_eq(t->balance, 0);
  gch_unref(t->a);
  gch_unref(t->b);
}

static void count_sent(struct traffic *t, int v) {
  atomic_fetch_add(&t->balance, v);
  atomic_fetch_add(&t->sent, 1);
}

static void count_received(struct traffic *t, int v) {
  atomic_fetch_sub(&t->balance, v);
  atomic_fetch_add(&t->received, 1);
}

/* Every other one sends; the last of those closes. */
static bool is_sender(struct traffic *t, bool *is_last) {
  int turn = atomic_fetch_add(&t->turn, 1);
  *is_last = turn == 0;
  return turn % 2 == 0;
}

static void end_sending(struct traffic *t, bool is_last) {
  gch_wg_done(&t->sending);
  if (!is_last)
    return;
  gch_wg_wait(&t->sending);
  gch_close(t->a);
  gch_close(t->b);
}

static void send_or_receive(void *arg) {
  struct traffic *t = arg;
  bool is_last;
  if (is_sender(t, &is_last)) {
    for (int i = 0; i < EACH; i++) {
      ck_assert_int_eq(gch_send(t->a, &i), 0);
      count_sent(t, i);
    }
    end_sending(t, is_last);
  } else {
    for (int v; gch_recv(t->a, &v) == 0;)
      count_received(t, v);
  }
}

START_TEST(threads_and_tasks_share_an_unbuffered_channel) {
  struct traffic t = traffic(0);
  run_mixed(send_or_receive, &t);
  expect_balance(&t);
}
END_TEST

START_TEST(threads_and_tasks_share_a_buffered_channel) {
  struct traffic t = traffic(3);
  run_mixed(send_or_receive, &t);
  expect_balance(&t);
}
END_TEST

static void select_receives(struct traffic *t) {
  gch_chan *a = t->a, *b = t->b;
  while (a || b) {
    int v, err = 0, err_b = 0;
    bool from_a =
        gch_select(GCH_RECV_ERR(a, &v, &err), GCH_RECV_ERR(b, &v, &err_b)) == 0;
    if (err == 0 && err_b == 0)
      count_received(t, v);
    else if (from_a)
      a = NULL;
    else
      b = NULL;
  }
}

static void select_either(void *arg) {
  struct traffic *t = arg;
  bool is_last;
  if (is_sender(t, &is_last)) {
    for (int i = 0; i < EACH; i++) {
      gch_select(GCH_SEND(t->a, &i), GCH_SEND(t->b, &i));
      count_sent(t, i);
    }
    end_sending(t, is_last);
  } else {
    select_receives(t);
  }
}

START_TEST(threads_and_tasks_share_channels_by_select) {
  struct traffic t = traffic(0);
  run_mixed(select_either, &t);
  expect_balance(&t);
}
END_TEST

static void wait_for_group(void *arg) {
  struct traffic *t = arg;
  bool is_last;
  if (is_sender(t, &is_last))
    gch_wg_done(&t->sending);
  gch_wg_wait(&t->sending);
  atomic_fetch_add(&t->received, 1);
}

START_TEST(threads_and_tasks_share_a_wait_group) {
  struct traffic t = traffic(0);
  run_mixed(wait_for_group, &t);
  ck_assert_int_eq(t.received, THREADS + TASKS);
  gch_unref(t.a);
  gch_unref(t.b);
}
END_TEST

static void wait_until_cancelled(void *ctx) {
  ck_assert_int_eq(gch_recv_ctx(ctx, NULL, NULL), ECANCELED);
}

static void cancel_when_all_wait(void *ctx) {
  await_waiting(gch_ctx_done(ctx), 0, THREADS + TASKS);
  gch_ctx_cancel(ctx);
}

START_TEST(a_cancel_wakes_threads_and_tasks) {
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  test_thread *t = thread_start(cancel_when_all_wait, ctx);
  run_mixed(wait_until_cancelled, ctx);
  thread_join(t);
  gch_ctx_unref(ctx);
}
END_TEST

static void wait_until_timeout(void *ctx) {
  ck_assert_int_eq(gch_recv_ctx(ctx, NULL, NULL), ETIMEDOUT);
}

START_TEST(a_deadline_wakes_threads_and_tasks) {
  gch_ctx *ctx =
      gch_ctx_with_timeout(gch_ctx_background(), 5 * GCH_MILLISECOND);
  run_mixed(wait_until_timeout, ctx);
  gch_ctx_unref(ctx);
}
END_TEST

/* Those who blocked first are served first, whichever kind they are. */
struct queuer {
  gch_chan *c, *served; /* of int */
};

static void queue_up(void *arg) {
  struct queuer *q = arg;
  int v = 0;
  gch_recv(q->c, &v);
  gch_send(q->served, &v);
}

START_TEST(threads_and_tasks_are_served_in_the_order_they_came) {
  enum { N = 8 };
  struct queuer q[N];
  test_thread *threads[N];
  gch_chan *c = gch_make_of(int, 0);
  for (int i = 0; i < N; i++) {
    q[i] = (struct queuer){c, gch_make_of(int, 0)};
    if (i % 2)
      threads[i] = thread_start(queue_up, &q[i]);
    else
      gch_go(queue_up, &q[i]);
    await_waiting(c, 0, (size_t)i + 1);
  }
  for (int i = 0; i < N; i++)
    gch_send(c, &i);
  for (int i = 0; i < N; i++) {
    int v = -1;
    gch_recv(q[i].served, &v);
    ck_assert_int_eq(v, i);
    if (i % 2)
      thread_join(threads[i]);
  }
  await_no_tasks();
  for (int i = 0; i < N; i++)
    gch_unref(q[i].served);
  gch_unref(c);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("task_mixed");
  TCase *t = test_case(s, "mixed");
  tcase_add_test(t, threads_and_tasks_share_an_unbuffered_channel);
  tcase_add_test(t, threads_and_tasks_share_a_buffered_channel);
  tcase_add_test(t, threads_and_tasks_share_channels_by_select);
  tcase_add_test(t, threads_and_tasks_share_a_wait_group);
  tcase_add_test(t, a_cancel_wakes_threads_and_tasks);
  tcase_add_test(t, a_deadline_wakes_threads_and_tasks);
  tcase_add_test(t, threads_and_tasks_are_served_in_the_order_they_came);
  return s;
}
