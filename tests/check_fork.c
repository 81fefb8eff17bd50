/* SPDX-License-Identifier: BSD-3-Clause */
/* Forked processes: what the child creates works. */
#include "fork_life.h"

#include <stdatomic.h>

/* What the child creates works */

static int use_channels(struct life *l) {
  (void)l;
  int v = 0;
  gch_chan *c = gch_make_of(int, 1);
  require(gch_send(c, &(int){42}) == 0);
  require(gch_select(GCH_RECV(c, &v), GCH_DEFAULT) == 0 && v == 42);
  require(gch_recv_until(c, &v, gch_now() + 1) == ETIMEDOUT);
  gch_unref(c);
  return OK;
}

START_TEST(channels_made_in_the_child_work) {
  in_child(use_channels);
}
END_TEST

static int use_timers(struct life *l) {
  (void)l;
  gch_chan *c = gch_after(1 * MS);
  gch_timer *t = gch_timer_new(1 * MS);
  gch_ticker *k = gch_ticker_new(1 * MS);
  require(gch_recv(c, NULL) == 0);
  require(gch_recv(gch_timer_chan(t), NULL) == 0);
  require(gch_recv(gch_ticker_chan(k), NULL) == 0);
  require(gch_recv(gch_ticker_chan(k), NULL) == 0);
  gch_ticker_free(k);
  gch_timer_free(t);
  gch_unref(c);
  return OK;
}

START_TEST(timers_made_in_the_child_fire) {
  in_child(use_timers);
}
END_TEST

static void close_it(void *c) {
  gch_close(c);
}

static int use_tasks(struct life *l) {
  (void)l;
  gch_wg wg = GCH_WG_INIT;
  gch_chan *a = gch_make(0, 0), *b = gch_make(0, 0);
  require(gch_go(close_it, a) == 0);
  gch_recv(a, NULL);
  require(gch_wg_go(&wg, close_it, b) == 0);
  gch_wg_wait(&wg);
  require(gch_try_recv(b, NULL) == EPIPE);
  return OK;
}

START_TEST(tasks_started_in_the_child_run) {
  in_child(use_tasks);
}
END_TEST

static int use_contexts(struct life *l) {
  (void)l;
  gch_chan *c = gch_make(0, 0), *d = gch_make(0, 0);
  gch_ctx *ctx = gch_ctx_with_timeout(gch_ctx_background(), 1 * MS);
  gch_ctx *child = gch_ctx_with_cancel(ctx);
  gch_after_func *a = gch_ctx_after_func(child, close_it, c);
  gch_timer *t = gch_timer_func(1 * MS, close_it, d);
  gch_recv(gch_ctx_done(child), NULL);
  require(gch_ctx_err(child) == ETIMEDOUT);
  gch_recv(c, NULL);
  gch_recv(d, NULL);
  gch_timer_free(t);
  gch_after_func_release(a);
  gch_ctx_unref(child);
  gch_ctx_unref(ctx);
  return OK;
}

START_TEST(contexts_and_functions_of_the_child_work) {
  in_child(use_contexts);
}
END_TEST

static int use_signals(struct life *l) {
  (void)l;
  int sig = 0;
  gch_chan *c = gch_make_of(int, 1);
  require(gch_signal_notify(c, &(int){SIGUSR1}, 1) == 0);
  kill(getpid(), SIGUSR1);
  require(gch_recv(c, &sig) == 0 && sig == SIGUSR1);
  gch_ctx *ctx =
      gch_signal_notify_ctx(gch_ctx_background(), &(int){SIGUSR1}, 1);
  kill(getpid(), SIGUSR1);
  gch_recv(gch_ctx_done(ctx), NULL);
  gch_ctx_end(ctx);
  gch_signal_stop(c);
  gch_unref(c);
  return OK;
}

START_TEST(signals_arrive_in_the_child) {
  in_child(use_signals);
}
END_TEST

static int fork_again(struct life *l) {
  require(use_timers(l) == OK);
  int status = 0;
  pid_t pid = fork();
  if (pid == 0)
    _exit(use_timers(l) || use_tasks(l) || use_signals(l));
  require(waitpid(pid, &status, 0) == pid);
  require(WIFEXITED(status));
  return WEXITSTATUS(status);
}

START_TEST(a_childs_child_is_no_worse_off) {
  in_child(fork_again);
}
END_TEST

/* Forks in the midst of it all */

struct bustle {
  atomic_bool over;
  gch_ctx *parent;
};

static void nothing(void *arg) {
  (void)arg;
}

/* Tasks now and then only: they cost most. */
static void bustle(void *arg) {
  struct bustle *b = arg;
  gch_wg wg = GCH_WG_INIT;
  gch_chan *signals = gch_make_of(int, 1);
  for (int i = 0; !atomic_load(&b->over); i++) {
    gch_ctx *ctx = gch_ctx_with_timeout(b->parent, 20 * GCH_MICROSECOND);
    gch_timer *t = gch_timer_new(10 * GCH_MICROSECOND);
    gch_signal_notify(signals, &(int){SIGHUP}, 1);
    gch_recv(gch_timer_chan(t), NULL);
    gch_signal_stop(signals);
    if (i % 32 == 0)
      gch_wg_go(&wg, nothing, NULL);
    gch_wg_wait(&wg);
    gch_timer_free(t);
    gch_ctx_end(ctx);
  }
  gch_unref(signals);
}

START_TEST(a_fork_may_come_at_any_moment) {
  struct bustle b = {.parent = gch_ctx_with_cancel(gch_ctx_background())};
  struct life l = live();
  test_thread *t = thread_start(bustle, &b);
  for (int i = 0; i < scaled(8); i++) {
    pid_t pid = fork_with_parent();
    if (pid == 0)
      _exit(use_timers(&l) || use_tasks(&l) || use_signals(&l));
    ck_assert_int_eq(status_of(pid), OK);
  }
  atomic_store(&b.over, true);
  thread_join(t);
  end(&l);
  gch_ctx_end(b.parent);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = fork_suite("fork");
  TCase *t = test_case(s, "new");
  tcase_add_test(t, channels_made_in_the_child_work);
  tcase_add_test(t, timers_made_in_the_child_fire);
  tcase_add_test(t, tasks_started_in_the_child_run);
  tcase_add_test(t, contexts_and_functions_of_the_child_work);
  tcase_add_test(t, signals_arrive_in_the_child);
  tcase_add_test(t, a_childs_child_is_no_worse_off);
  if (!SANITIZED)
    tcase_add_test(t, a_fork_may_come_at_any_moment);
  return s;
}
