/* SPDX-License-Identifier: BSD-3-Clause */
/* The patterns of <gulch/chan.h>, "Who unrefs last?", word for word. What is
   given back once too often panics; what is not, LeakSanitizer tells. */
#include "harness.h"

#include <stdatomic.h>
#include <stdlib.h>

/* 1. The response channel */

struct request {
  int question;
  gch_chan *reply;
};

static void refuse(void *request) {
  gch_close_unref(((struct request *)request)->reply);
}

static int ask(gch_chan *server, int question, int *answer, int64_t deadline) {
  gch_chan *reply = gch_make_of(int, 1);
  struct request r = {question, gch_ref(reply)};
  int err = gch_send_until(server, &r, deadline);
  if (err)
    gch_unref(r.reply); /* refused: it stayed ours */
  else
    err = gch_recv_until(reply, answer, deadline);
  gch_unref(reply);
  return err;
}

static void serve(void *server) {
  struct request r;
  while (gch_recv(server, &r) == 0) {
    int answer = r.question + 1;
    gch_send(r.reply, &answer);
    gch_unref(r.reply);
  }
  gch_unref(server);
}

static gch_chan *server_new(size_t cap) {
  gch_chan *server = gch_make_of(struct request, cap);
  ck_assert_int_eq(gch_set_drop(server, refuse), 0);
  return server;
}

START_TEST(a_response_comes) {
  gch_chan *server = server_new(4);
  int answer = 0;
  test_thread *t = thread_start(serve, gch_ref(server));
  for (int i = 0; i < 10; i++) {
    ck_assert_int_eq(ask(server, i, &answer, GCH_FOREVER), 0);
    ck_assert_int_eq(answer, i + 1);
  }
  gch_close_unref(server);
  thread_join(t);
}
END_TEST

START_TEST(who_asks_gives_up_before_or_after_the_server_takes_it) {
  for (size_t cap = 0; cap < 2; cap++) {
    gch_chan *server = server_new(cap);
    int answer = 0;
    ck_assert_int_eq(ask(server, 1, &answer, gch_in(GCH_MILLISECOND)),
                     ETIMEDOUT);
    test_thread *t = thread_start(serve, gch_ref(server));
    ck_assert_int_eq(ask(server, 2, &answer, GCH_FOREVER), 0);
    ck_assert_int_eq(answer, 3);
    gch_close_unref(server);
    thread_join(t);
  }
}
END_TEST

static void ask_one(void *server) {
  int answer = 0;
  ck_assert_int_eq(ask(server, 1, &answer, GCH_FOREVER), EPIPE);
  gch_unref(server);
}

START_TEST(a_request_that_no_server_takes_is_refused) {
  gch_chan *server = server_new(1), *mine = gch_ref(server);
  test_thread *t = thread_start(ask_one, server);
  while (gch_len(mine) == 0)
    gch_sleep(GCH_MICROSECOND);
  ck_assert_int_eq(gch_recv(mine, NULL), 0); /* as its last unref would */
  thread_join(t);
  gch_unref(mine);
}
END_TEST

/* 2. The last closer */

struct team {
  _Atomic int left;
  gch_chan *out;
};

static void produce(void *arg) {
  struct team *t = arg;
  gch_send(t->out, &(int){1});
  if (atomic_fetch_sub(&t->left, 1) == 1)
    gch_close_unref(t->out);
}

static int consume(struct team *t, gch_chan *out) {
  int v, sum = 0;
  while (gch_recv(out, &v) == 0)
    sum += v;
  gch_unref(out);
  free(t);
  return sum;
}

START_TEST(the_last_one_closes) {
  enum { TEAM = 4 };
  for (int round = 0; round < scaled(100); round++) {
    gch_wg wg = GCH_WG_INIT;
    gch_chan *out = gch_make_of(int, (size_t)round % 3);
    struct team *t = malloc(sizeof *t);
    *t = (struct team){TEAM, gch_ref(out)};
    for (int i = 0; i < TEAM; i++)
      ck_assert_int_eq(gch_wg_go(&wg, produce, t), 0);
    ck_assert_int_eq(consume(t, out), TEAM);
    gch_wg_wait(&wg);
  }
}
END_TEST

/* 3. The waiter list */

struct entry {
  struct entry *next;
  gch_chan *c;
};
struct news {
  gch_mutex lock;
  struct entry *first;
};

static bool take_out(struct news *n, struct entry *e) {
  gch_mutex_lock(&n->lock);
  struct entry **link = &n->first;
  while (*link && *link != e)
    link = &(*link)->next;
  bool found = *link != NULL;
  if (found)
    *link = e->next;
  gch_mutex_unlock(&n->lock);
  return found;
}

static int await(struct news *n, int64_t deadline) {
  gch_chan *c = gch_make(0, 0);
  struct entry *e = malloc(sizeof *e);
  gch_mutex_lock(&n->lock);
  *e = (struct entry){n->first, gch_ref(c)};
  n->first = e;
  gch_mutex_unlock(&n->lock);
  int err = gch_recv_until(c, NULL, deadline);
  if (err == ETIMEDOUT && take_out(n, e)) {
    gch_unref(e->c);
    free(e);
  }
  gch_unref(c);
  return err == EPIPE ? 0 : err;
}

static void announce(struct news *n) {
  gch_mutex_lock(&n->lock);
  struct entry *e = n->first, *next;
  n->first = NULL;
  gch_mutex_unlock(&n->lock);
  for (; e; e = next) {
    next = e->next;
    gch_close_unref(e->c);
    free(e);
  }
}

static struct news news;
static _Atomic int told, gave_up;

static void await_long(void *arg) {
  (void)arg;
  ck_assert_int_eq(await(&news, GCH_FOREVER), 0);
  atomic_fetch_add(&told, 1);
}

static void await_short(void *arg) {
  for (int i = 0; i < scaled(300); i++)
    if (await(&news, gch_in(1000 * (i % 50))) == ETIMEDOUT)
      atomic_fetch_add(&gave_up, 1);
  (void)arg;
}

START_TEST(news_reach_all_who_wait) {
  gch_wg wg = GCH_WG_INIT;
  for (int i = 0; i < 10; i++)
    ck_assert_int_eq(gch_wg_go(&wg, await_long, NULL), 0);
  while (atomic_load(&told) < 10)
    announce(&news);
  gch_wg_wait(&wg);
  ck_assert_int_eq(await(&news, 0), ETIMEDOUT);
  ck_assert_ptr_null(news.first);
}
END_TEST

START_TEST(some_give_up_while_news_come) {
  gch_wg wg = GCH_WG_INIT;
  for (int i = 0; i < 4; i++)
    ck_assert_int_eq(gch_wg_go(&wg, await_short, NULL), 0);
  while (gch_wg_wait_until(&wg, gch_in(10 * GCH_MICROSECOND)) != 0)
    announce(&news);
  ck_assert_ptr_null(news.first);
}
END_TEST

/* 4. The callback with a context */

struct call {
  const gch_ctx *ctx;
  gch_chan *out;
};

static void call_end(struct call *k) {
  gch_ctx_unref(k->ctx);
  gch_unref(k->out);
  free(k);
}

static void call_run(void *arg) {
  struct call *k = arg;
  gch_send_ctx(k->ctx, k->out, &(int){1});
  call_end(k);
}

static gch_timer *call_later(const gch_ctx *ctx, gch_chan *out, int64_t ns,
                             struct call **call) {
  *call = malloc(sizeof **call);
  **call = (struct call){gch_ctx_ref(ctx), gch_ref(out)};
  return gch_timer_func(ns, call_run, *call);
}

static void call_off(gch_timer *t, struct call *k) {
  if (gch_timer_free(t))
    call_end(k);
}

START_TEST(the_callback_runs) {
  gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
  gch_chan *out = gch_make_of(int, 0);
  struct call *k;
  int v = 0;
  gch_timer *t = call_later(ctx, out, 0, &k);
  ck_assert_int_eq(gch_recv(out, &v), 0);
  ck_assert_int_eq(v, 1);
  call_off(t, k);
  gch_ctx_end(ctx);
  gch_unref(out);
}
END_TEST

START_TEST(the_callback_is_called_off_or_cancelled) {
  for (int i = 0; i < scaled(200); i++) {
    gch_ctx *ctx = gch_ctx_with_cancel(gch_ctx_background());
    gch_chan *out = gch_make_of(int, 0);
    struct call *k;
    gch_timer *t = call_later(ctx, out, i % 2 ? GCH_HOUR : 1000 * (i % 40), &k);
    call_off(t, k);
    gch_ctx_end(ctx); /* it cancels, so that one that runs ends */
    gch_unref(out);
  }
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("lifetime");
  TCase *t = test_case(s, "response channel");
  tcase_add_test(t, a_response_comes);
  tcase_add_test(t, who_asks_gives_up_before_or_after_the_server_takes_it);
  tcase_add_test(t, a_request_that_no_server_takes_is_refused);
  t = test_case(s, "last closer");
  tcase_add_test(t, the_last_one_closes);
  t = test_case(s, "waiter list");
  tcase_add_test(t, news_reach_all_who_wait);
  tcase_add_test(t, some_give_up_while_news_come);
  t = test_case(s, "callback");
  tcase_add_test(t, the_callback_runs);
  tcase_add_test(t, the_callback_is_called_off_or_cancelled);
  return s;
}
