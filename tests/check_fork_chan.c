/* SPDX-License-Identifier: BSD-3-Clause */
/* Forked processes and inherited channels: who is parked on them in the parent,
   thread or task, is not there in the child. */
#include "fork_life.h"

#include <gulch/debug.h>

#include <stdatomic.h>

enum { GHOSTS = 3, KINDS = 2 }; /* threads, tasks */

struct scene {
  gch_chan *c, *gate;
  gch_ctx *ctx;
  _Atomic int served;
};

/* Runs fn in a child while GHOSTS others are parked in ghost, as senders or
   receivers of c. Then closes c, which ends them. */
static void fork_among(bool tasks, size_t cap, void (*ghost)(void *),
                       bool ghosts_send, int (*fn)(struct scene *s)) {
  struct scene s = {.c = gch_make_of(int, cap), .gate = gch_make(0, 0)};
  test_thread *ghosts[GHOSTS];
  s.ctx = gch_ctx_with_cancel(gch_ctx_background());
  for (int i = 0; ghosts_send && i < (int)cap; i++)
    gch_send(s.c, &i);
  for (int i = 0; i < GHOSTS; i++)
    ghosts[i] = thread_start_as(tasks, ghost, &s);
  await_waiting(s.c, ghosts_send ? GHOSTS : 0, ghosts_send ? 0 : GHOSTS);
  pid_t pid = fork_with_parent();
  if (pid == 0)
    _exit(fn(&s));
  ck_assert_int_eq(status_of(pid), OK);
  gch_close(s.c);
  for (int i = 0; i < GHOSTS; i++)
    thread_join(ghosts[i]);
  await_no_tasks();
  gch_ctx_end(s.ctx);
  gch_unref(s.gate);
  gch_unref(s.c);
}

static void receive(void *arg) {
  struct scene *s = arg;
  while (gch_recv(s->c, NULL) == 0)
    atomic_fetch_add(&s->served, 1);
}

static void receive_by_select(void *arg) {
  struct scene *s = arg;
  int err = 0;
  gch_select(GCH_RECV(s->gate, NULL), GCH_RECV_ERR(s->c, NULL, &err));
}

static void send_one(void *arg) {
  struct scene *s = arg;
  if (gch_send(s->c, &(int){-1}) == 0)
    atomic_fetch_add(&s->served, 1);
}

static void send_by_select(void *arg) {
  struct scene *s = arg;
  int err = 0;
  gch_select(GCH_RECV(s->gate, NULL), GCH_SEND_ERR(s->c, &(int){-1}, &err));
}

/* Nobody receives */

static int send_to_nobody(struct scene *s) {
  size_t senders = 1, receivers = 1;
  int v = 1, err = 0;
  gch_waiting(s->c, &senders, &receivers);
  require(senders == 0 && receivers == 0);
  require(gch_try_send(s->c, &v) == EAGAIN);
  require(gch_send_until(s->c, &v, gch_now() + MS) == ETIMEDOUT);
  require(gch_select(GCH_SEND(s->c, &v), GCH_DEFAULT) == 1);
  require(gch_select(GCH_SEND_ERR(s->c, &v, &err), GCH_TIMEOUT(MS)) == 1);
  return OK;
}

START_TEST(a_send_in_the_child_meets_no_receiver_of_the_parent) {
  fork_among(_i, 0, receive, false, send_to_nobody);
  fork_among(_i, 0, receive_by_select, false, send_to_nobody);
}
END_TEST

static int send_into_buffer(struct scene *s) {
  int v = 0;
  for (int i = 1; i <= 4; i++)
    require(gch_send(s->c, &i) == 0 && gch_len(s->c) == (size_t)i);
  require(gch_try_send(s->c, &v) == EAGAIN);
  for (int i = 1; i <= 4; i++)
    require(gch_recv(s->c, &v) == 0 && v == i);
  return OK;
}

START_TEST(a_send_in_the_child_goes_into_the_buffer) {
  fork_among(_i, 4, receive, false, send_into_buffer);
  fork_among(_i, 4, receive_by_select, false, send_into_buffer);
}
END_TEST

/* Nobody sends */

static int receive_from_nobody(struct scene *s) {
  int v = 7;
  require(gch_try_recv(s->c, &v) == EAGAIN && v == 7);
  require(gch_recv_until(s->c, &v, gch_now() + MS) == ETIMEDOUT);
  require(gch_select(GCH_RECV(s->c, &v), GCH_DEFAULT) == 1);
  require(gch_select(GCH_RECV(s->c, &v), GCH_TIMEOUT(MS)) == 1);
  return OK;
}

START_TEST(a_receive_in_the_child_meets_no_sender_of_the_parent) {
  fork_among(_i, 0, send_one, true, receive_from_nobody);
  fork_among(_i, 0, send_by_select, true, receive_from_nobody);
}
END_TEST

static int receive_what_is_buffered(struct scene *s) {
  int v = 7;
  for (int i = 0; i < 2; i++)
    require(gch_recv(s->c, &v) == 0 && v == i);
  require(gch_try_recv(s->c, &v) == EAGAIN);
  require(gch_try_send(s->c, &v) == 0);
  return OK;
}

START_TEST(a_receive_in_the_child_takes_what_is_buffered_and_no_more) {
  fork_among(_i, 2, send_one, true, receive_what_is_buffered);
  fork_among(_i, 2, send_by_select, true, receive_what_is_buffered);
}
END_TEST

/* The channel goes on */

static void answer(void *arg) {
  struct scene *s = arg;
  int v;
  while (gch_recv(s->c, &v) == 0)
    if (v == 0)
      gch_close(s->gate);
}

static int use_with_others(struct scene *s) {
  gch_wg wg = GCH_WG_INIT;
  require(gch_wg_go(&wg, answer, s) == 0);
  for (int i = 100; i >= 0; i--)
    require(gch_send(s->c, &i) == 0);
  require(gch_recv(s->gate, NULL) == EPIPE);
  require(gch_close(s->c) == 0);
  gch_wg_wait(&wg);
  return OK;
}

START_TEST(tasks_of_the_child_use_an_inherited_channel) {
  fork_among(_i, 0, receive, false, use_with_others);
  fork_among(_i, 0, send_by_select, true, use_with_others);
}
END_TEST

static int close_and_unref(struct scene *s) {
  require(gch_close(s->c) == 0);
  require(gch_recv(s->c, NULL) == EPIPE);
  gch_unref(s->c);
  gch_unref(s->gate);
  gch_ctx_end(s->ctx);
  return atomic_load(&s->served) == 0 ? OK : WRONG;
}

static int unref_at_once(struct scene *s) {
  gch_unref(s->c);
  gch_unref(s->gate);
  return OK;
}

START_TEST(an_inherited_channel_is_given_back) {
  fork_among(_i, 0, receive, false, close_and_unref);
  fork_among(_i, 0, receive_by_select, false, unref_at_once);
  fork_among(_i, 0, send_one, true, unref_at_once);
  fork_among(_i, 0, send_by_select, true, close_and_unref);
}
END_TEST

/* Those of the child are ghosts to its own child. */
static int fork_again(struct scene *s) {
  int status = OK;
  gch_go(receive, s);
  await_waiting(s->c, 0, 1);
  pid_t pid = fork_alone();
  if (pid == 0)
    _exit(send_to_nobody(s) || unref_at_once(s));
  require(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
  require(WEXITSTATUS(status) == OK);
  require(gch_send(s->c, &(int){1}) == 0 && gch_close(s->c) == 0);
  await_no_tasks();
  return atomic_load(&s->served) == 1 ? OK : WRONG;
}

START_TEST(a_childs_child_meets_those_of_neither) {
  fork_among(_i, 0, receive, false, fork_again);
}
END_TEST

/* Contexts and timers */

static void wait_for_done(void *arg) {
  struct scene *s = arg;
  gch_recv(gch_ctx_done(s->ctx), NULL);
}

static int end_ctx(struct scene *s) {
  size_t waiting;
  gch_ctx *below = gch_ctx_with_cancel(s->ctx);
  gch_waiting(gch_ctx_done(s->ctx), NULL, &waiting);
  require(waiting == 0);
  gch_ctx_cancel(s->ctx);
  require(gch_recv(gch_ctx_done(below), NULL) == EPIPE);
  gch_ctx_end(below);
  gch_ctx_end(s->ctx);
  return OK;
}

START_TEST(an_inherited_context_is_cancelled_and_given_back) {
  struct scene s = {.ctx = gch_ctx_with_cancel(gch_ctx_background())};
  test_thread *t = thread_start_as(_i, wait_for_done, &s);
  await_waiting(gch_ctx_done(s.ctx), 0, 1);
  pid_t pid = fork_with_parent();
  if (pid == 0)
    _exit(end_ctx(&s));
  ck_assert_int_eq(status_of(pid), OK);
  gch_ctx_cancel(s.ctx);
  thread_join(t);
  gch_ctx_unref(s.ctx);
}
END_TEST

static void wait_for_timer(void *arg) {
  struct scene *s = arg;
  gch_select(GCH_RECV(s->c, NULL), GCH_RECV(s->gate, NULL));
}

START_TEST(an_inherited_after_is_given_back) {
  struct scene s = {.c = gch_after(GCH_HOUR), .gate = gch_make(0, 0)};
  test_thread *t = thread_start_as(_i, wait_for_timer, &s);
  await_waiting(s.c, 0, 1);
  pid_t pid = fork_with_parent();
  if (pid == 0) {
    bool silent = gch_recv_until(s.c, NULL, gch_now() + MS) == ETIMEDOUT;
    _exit(silent ? unref_at_once(&s) : WRONG);
  }
  ck_assert_int_eq(status_of(pid), OK);
  gch_close(s.gate);
  thread_join(t);
  gch_unref(s.gate);
  gch_unref(s.c);
}
END_TEST

/* In the midst of it all */

struct bustle {
  gch_chan *c; /* of int */
  gch_ctx *ctx;
  atomic_bool over;
};

static void count_up(void *arg) {
  struct bustle *b = arg;
  for (int i = 0; !atomic_load(&b->over); i++)
    gch_send(b->c, &i);
  gch_close(b->c);
}

static void take(void *arg) {
  struct bustle *b = arg;
  while (gch_recv(b->c, NULL) == 0)
    ;
}

/* What is buffered are consecutive numbers, whole. Then it is a channel like
   any other. */
static int take_consecutive(struct bustle *b) {
  int v, before = -1;
  size_t n = 0, len = gch_len(b->c), cap = gch_cap(b->c);
  require(len <= cap);
  for (; gch_try_recv(b->c, &v) == 0; before = v, n++)
    require(n == 0 || v == before + 1);
  require(n == len);
  for (int i = 0; i < (int)cap; i++)
    require(gch_try_send(b->c, &i) == 0);
  require(gch_try_send(b->c, &v) == EAGAIN);
  for (int i = 0; i < (int)cap; i++)
    require(gch_try_recv(b->c, &v) == 0 && v == i);
  require(gch_try_recv(b->c, &v) == EAGAIN);
  gch_close(b->c);
  gch_unref(b->c);
  return OK;
}

START_TEST(values_are_in_the_child_once_and_in_order) {
  static const size_t caps[] = {1, 2, 3, 64};
  struct bustle b = {.c = gch_make_of(int, caps[_i / 2])};
  test_thread *from = thread_start_as(_i % 2, count_up, &b);
  test_thread *to = thread_start_as(_i % 2, take, &b);
  for (int i = 0; i < scaled(60); i++) {
    pid_t pid = fork_with_parent();
    if (pid == 0)
      _exit(take_consecutive(&b));
    ck_assert_int_eq(status_of(pid), OK);
  }
  atomic_store(&b.over, true);
  thread_join(from);
  thread_join(to);
  gch_unref(b.c);
}
END_TEST

static void make_and_end(void *arg) {
  struct bustle *b = arg;
  while (!atomic_load(&b->over)) {
    gch_ctx *a = gch_ctx_with_cancel(b->ctx);
    gch_ctx *below = gch_ctx_with_timeout(a, GCH_HOUR);
    gch_ctx_done(below);
    gch_ctx_cancel(a);
    gch_ctx_end(below);
    gch_ctx_end(a);
  }
}

static int use_below(struct bustle *b) {
  gch_ctx *a = gch_ctx_with_timeout(b->ctx, MS);
  gch_ctx *below = gch_ctx_with_cancel(a);
  require(gch_recv(gch_ctx_done(below), NULL) == EPIPE);
  require(gch_ctx_err(a) == ETIMEDOUT && gch_ctx_err(b->ctx) == 0);
  gch_ctx_end(below);
  gch_ctx_end(a);
  below = gch_ctx_with_cancel(b->ctx);
  gch_ctx_cancel(b->ctx);
  require(gch_ctx_err(below) == ECANCELED);
  require(gch_recv(gch_ctx_done(below), NULL) == EPIPE);
  gch_ctx_end(below);
  gch_ctx_end(b->ctx);
  return OK;
}

START_TEST(contexts_below_an_inherited_one_work_whatever_others_did) {
  struct bustle b = {.ctx = gch_ctx_with_cancel(gch_ctx_background())};
  test_thread *threads[3];
  for (int i = 0; i < 3; i++)
    threads[i] = thread_start_as(_i, make_and_end, &b);
  for (int i = 0; i < scaled(60); i++) {
    pid_t pid = fork_with_parent();
    if (pid == 0)
      _exit(use_below(&b));
    ck_assert_int_eq(status_of(pid), OK);
  }
  atomic_store(&b.over, true);
  for (int i = 0; i < 3; i++)
    thread_join(threads[i]);
  gch_ctx_end(b.ctx);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = fork_suite("fork_chan");
  TCase *t = test_case(s, "parked");
  tcase_add_loop_test(t, a_send_in_the_child_meets_no_receiver_of_the_parent, 0,
                      KINDS);
  tcase_add_loop_test(t, a_send_in_the_child_goes_into_the_buffer, 0, KINDS);
  tcase_add_loop_test(
      t, a_receive_in_the_child_meets_no_sender_of_the_parent, 0, KINDS);
  tcase_add_loop_test(
      t, a_receive_in_the_child_takes_what_is_buffered_and_no_more, 0, KINDS);
  tcase_add_loop_test(t, tasks_of_the_child_use_an_inherited_channel, 0, KINDS);
  tcase_add_loop_test(t, an_inherited_channel_is_given_back, 0, KINDS);
  tcase_add_loop_test(t, a_childs_child_meets_those_of_neither, 0, KINDS);
  t = test_case(s, "owned");
  tcase_add_loop_test(t, an_inherited_context_is_cancelled_and_given_back, 0,
                      KINDS);
  tcase_add_loop_test(t, an_inherited_after_is_given_back, 0, KINDS);
  if (SANITIZED)
    return s;
  t = test_case(s, "bustle");
  tcase_add_loop_test(t, values_are_in_the_child_once_and_in_order, 0, 8);
  tcase_add_loop_test(
      t, contexts_below_an_inherited_one_work_whatever_others_did, 0, KINDS);
  return s;
}
