/* SPDX-License-Identifier: BSD-3-Clause */
/* Forked processes: what was before is gone in the child; tasks that fork. */
#define TEST_AS_IS
#include "fork_life.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* What there was before */

static int reuse(struct life *l) {
  gch_timer_reset(l->timer, 1 * MS);
  require(gch_recv(gch_timer_chan(l->timer), NULL) == 0);
  require(gch_ticker_reset(l->ticker, 1 * MS) == 0);
  require(gch_recv(gch_ticker_chan(l->ticker), NULL) == 0);
  gch_ctx *child = gch_ctx_with_cancel(l->timeout);
  gch_ctx_cancel(l->timeout);
  require(gch_ctx_err(child) == ECANCELED);
  gch_ctx_unref(child);
  return OK;
}

START_TEST(what_was_before_may_be_set_going_again) {
  in_child(reuse);
}
END_TEST

static int clean_up(struct life *l) {
  gch_signal_stop(l->signals);
  gch_unref(l->signals);
  gch_ctx_end(l->on_signal);
  gch_ctx_end(l->timeout);
  gch_timer_free(l->timer);
  gch_ticker_free(l->ticker);
  return OK;
}

START_TEST(what_was_before_may_be_freed) {
  in_child(clean_up);
}
END_TEST

static int count_tasks(struct life *l) {
  (void)l;
  return gch_num_tasks() == 0 ? OK : WRONG;
}

START_TEST(no_task_goes_on_in_the_child) {
  in_child(count_tasks);
}
END_TEST

static atomic_int handled;

static void handler(int sig) {
  (void)sig;
  atomic_fetch_add(&handled, 1);
}

static int expect_old_handler(struct life *l) {
  raise(SIGUSR1);
  require(atomic_load(&handled) == 1);
  require(gch_len(l->signals) == 0);
  return OK;
}

START_TEST(nobody_listens_to_signals_in_the_child) {
  struct sigaction mine = {.sa_handler = handler};
  sigaction(SIGUSR1, &mine, NULL);
  in_child(expect_old_handler);
}
END_TEST

static int stay_quiet(struct life *l) {
  gch_chan *c = gch_after(2 * MS); /* ten ticks */
  gch_try_recv(gch_ticker_chan(l->ticker), NULL);
  gch_recv(c, NULL);
  return gch_try_recv(gch_ticker_chan(l->ticker), NULL) == EAGAIN ? OK : WRONG;
}

START_TEST(a_ticker_from_before_never_ticks) {
  in_child(stay_quiet);
}
END_TEST

/* Timers that come due after the fork. */
static void close_it(void *c) {
  gch_close(c);
}

struct due {
  gch_ctx *ctx;
  gch_timer *timer, *func;
  gch_chan *ran;
};

static int outlast(struct due *d) {
  int64_t deadline = 0;
  gch_ctx_deadline(d->ctx, &deadline);
  if (gch_now() >= deadline)
    return LATE;
  gch_chan *c = gch_after(deadline - gch_now() + 2 * MS);
  gch_recv(c, NULL);
  require(gch_try_recv(gch_timer_chan(d->timer), NULL) == EAGAIN);
  require(gch_ctx_err(d->ctx) == 0);
  require(gch_try_recv(d->ran, NULL) == EAGAIN);
  return OK;
}

static int fork_before(int64_t ns) {
  struct due d;
  d.ran = gch_make(0, 0);
  d.ctx = gch_ctx_with_timeout(gch_ctx_background(), ns);
  d.timer = gch_timer_new(ns);
  d.func = gch_timer_func(ns, close_it, d.ran);
  pid_t pid = fork_with_parent();
  if (pid == 0)
    _exit(outlast(&d));
  gch_recv(gch_timer_chan(d.timer), NULL); /* in the parent they do come */
  gch_recv(gch_ctx_done(d.ctx), NULL);
  gch_recv(d.ran, NULL);
  await_no_tasks();
  gch_timer_free(d.func);
  gch_timer_free(d.timer);
  gch_ctx_unref(d.ctx);
  gch_unref(d.ran);
  return status_of(pid);
}

START_TEST(deadlines_from_before_never_come) {
  int64_t ns = 10 * MS;
  int status;
  while ((status = fork_before(ns)) == LATE)
    ns *= 2;
  ck_assert_int_eq(status, OK);
}
END_TEST

/* What the child creates below them */

static int below_later_deadline(gch_ctx *gone) {
  int key;
  const gch_ctx *value = gch_ctx_with_value(gone, &key, &key);
  gch_ctx *late = gch_ctx_with_timeout(value, GCH_HOUR);
  gch_ctx *soon = gch_ctx_with_timeout(late, 1 * MS);
  int64_t first = 0, deadline = 0;
  require(gch_ctx_deadline(gone, &first));
  require(gch_ctx_deadline(late, &deadline) && deadline > first);
  require(gch_recv(gch_ctx_done(soon), NULL) == EPIPE);
  require(gch_ctx_err(soon) == ETIMEDOUT && gch_ctx_err(late) == 0);
  gch_ctx_end(soon);
  gch_ctx_end(late);
  gch_ctx_unref(value);
  return OK;
}

START_TEST(below_a_deadline_that_never_comes_a_later_one_counts) {
  gch_ctx *timeout = gch_ctx_with_timeout(gch_ctx_background(), GCH_MINUTE);
  gch_ctx *gone = gch_ctx_with_cancel(timeout);
  pid_t pid = fork_with_parent();
  if (pid == 0)
    _exit(below_later_deadline(gone));
  ck_assert_int_eq(status_of(pid), OK);
  gch_ctx_end(gone);
  gch_ctx_end(timeout);
}
END_TEST

/* Deadlines that have passed when the child looks, but not the fork. */
static int below_one_that_passed(gch_ctx *gone) {
  int64_t deadline = 0;
  require(gch_ctx_deadline(gone, &deadline));
  if (gch_now() >= deadline)
    return LATE;
  gch_chan *c = gch_after(deadline - gch_now() + 1 * MS);
  gch_recv(c, NULL);
  gch_ctx *passed = gch_ctx_with_deadline_cause(gone, gch_now(), EIO);
  require(gch_ctx_err(passed) == ETIMEDOUT && gch_ctx_cause(passed) == EIO);
  gch_ctx *later = gch_ctx_with_timeout(gone, 1 * MS);
  require(gch_recv(gch_ctx_done(later), NULL) == EPIPE);
  require(gch_ctx_err(gone) == 0);
  gch_ctx_end(later);
  gch_ctx_end(passed);
  gch_ctx_end(gone);
  return OK;
}

static int fork_before_it_passes(int64_t ns) {
  gch_ctx *gone = gch_ctx_with_timeout(gch_ctx_background(), ns);
  pid_t pid = fork_with_parent();
  if (pid == 0)
    _exit(below_one_that_passed(gone));
  gch_ctx_end(gone);
  return status_of(pid);
}

START_TEST(a_deadline_below_one_that_has_passed_in_vain_comes) {
  int64_t ns = 10 * MS;
  int status;
  while ((status = fork_before_it_passes(ns)) == LATE)
    ns *= 2;
  ck_assert_int_eq(status, OK);
}
END_TEST

/* A task that forks */

struct forker {
  gch_chan *pids; /* of pid_t */
};

static void exit_otherwise(void) {
  _exit(WRONG);
}

static void fork_and_return(void *arg) {
  struct forker *f = arg;
  pid_t pid = fork();
  if (pid == 0) {
    atexit(exit_otherwise);
    return;
  }
  gch_send(f->pids, &pid);
}

START_TEST(a_task_that_forked_ends_its_child_with_zero_at_once) {
  struct forker f = {gch_make_of(pid_t, 0)};
  pid_t pid = 0;
  ck_assert_int_eq(gch_go(fork_and_return, &f), 0);
  gch_recv(f.pids, &pid);
  ck_assert_int_eq(status_of(pid), 0);
  await_no_tasks();
  gch_unref(f.pids);
}
END_TEST

static int use_timer(void) {
  gch_chan *c = gch_after(1 * MS);
  require(gch_recv(c, NULL) == 0);
  gch_unref(c);
  return OK;
}

static void fork_and_count(void *arg) {
  struct forker *f = arg;
  pid_t pid = fork_alone();
  if (pid == 0)
    _exit(gch_num_tasks() == 1 && use_timer() == OK ? OK : WRONG);
  gch_send(f->pids, &pid);
}

START_TEST(a_task_that_forked_is_the_only_one_in_the_child) {
  struct forker f = {gch_make_of(pid_t, 0)};
  pid_t pid = 0;
  ck_assert_int_eq(gch_go(fork_and_count, &f), 0);
  gch_recv(f.pids, &pid);
  ck_assert_int_eq(status_of(pid), OK);
  await_no_tasks();
  gch_unref(f.pids);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = fork_suite("fork_old");
  TCase *t = test_case(s, "old");
  tcase_add_test(t, what_was_before_may_be_set_going_again);
  tcase_add_test(t, what_was_before_may_be_freed);
  tcase_add_test(t, no_task_goes_on_in_the_child);
  tcase_add_test(t, nobody_listens_to_signals_in_the_child);
  tcase_add_test(t, a_ticker_from_before_never_ticks);
  tcase_add_test(t, deadlines_from_before_never_come);
  tcase_add_test(t, below_a_deadline_that_never_comes_a_later_one_counts);
  tcase_add_test(t, a_deadline_below_one_that_has_passed_in_vain_comes);
  t = test_case(s, "task");
  tcase_add_test(t, a_task_that_forked_ends_its_child_with_zero_at_once);
  if (!THREAD_SANITIZED) /* it ignores what the forking task does, then */
    tcase_add_test(t, a_task_that_forked_is_the_only_one_in_the_child);
  return s;
}
