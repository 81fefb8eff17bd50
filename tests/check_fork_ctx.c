/* SPDX-License-Identifier: BSD-3-Clause */
/* Forked processes, and contexts that were just about to be done: who was to
   make them so may not be there in the child. */
#include "fork_life.h"
#include "own_ctx.h"

#include <stdatomic.h>

enum { KINDS = 2 }; /* threads, tasks */

/* A context whose err is asked by who closes its channel, and answers when the
   gate is open; at once while what is to hang on it is not there yet. */
struct slow {
  gch_chan *done, *gate;
  atomic_bool planted;
  atomic_int asked, asked_early;
};

static gch_chan *slow_done(void *self, const gch_ctx *parent) {
  (void)parent;
  return ((struct slow *)self)->done;
}

static int slow_err(void *self, const gch_ctx *parent) {
  struct slow *s = self;
  (void)parent;
  if (!atomic_load(&s->planted)) {
    atomic_fetch_add(&s->asked_early, 1);
    return EIO;
  }
  atomic_fetch_add(&s->asked, 1);
  gch_recv(s->gate, NULL);
  return EIO;
}

static const gch_ctx_ops slow_ops = {.done = slow_done, .err = slow_err};

/* What hangs on it: child, leaf; and beside, whose channel is leaf's. */
struct tree {
  struct slow slow;
  struct own beside;
  gch_ctx *top; /* whose channel it has, or NULL */
  const gch_ctx *custom, *inherits, *other;
  gch_ctx *child, *leaf, *below_other;
};

static const gch_ctx_ops inherits_all = {0};
static const gch_ctx_ops own_ops = {.done = own_done, .err = own_err};

/* done becomes t's. asked: so has the child's channel been. */
static void plant(struct tree *t, gch_chan *done, bool asked) {
  *t = (struct tree){.slow.done = done};
  t->slow.gate = gch_make(0, 0);
  t->custom = gch_ctx_custom(gch_ctx_background(), &slow_ops, &t->slow);
  t->child = gch_ctx_with_cancel(t->custom);
  t->inherits = gch_ctx_custom(t->child, &inherits_all, NULL);
  t->leaf = gch_ctx_with_timeout_cause(t->inherits, GCH_HOUR, ENOENT);
  t->beside.done = gch_ref(gch_ctx_done(t->leaf));
  atomic_init(&t->beside.err, EAGAIN);
  t->other = gch_ctx_custom(gch_ctx_background(), &own_ops, &t->beside);
  t->below_other = gch_ctx_with_cancel(t->other);
  if (asked)
    gch_ctx_done(t->child);
  atomic_store(&t->slow.planted, true);
}

static void plant_on(struct tree *t, gch_ctx *top, bool asked) {
  plant(t, gch_ref(gch_ctx_done(top)), asked);
  t->top = top;
}

static void fell(struct tree *t) {
  gch_ctx_unref(t->below_other);
  gch_ctx_unref(t->other);
  gch_unref(t->beside.done);
  gch_ctx_unref(t->leaf);
  gch_ctx_unref(t->inherits);
  gch_ctx_unref(t->child);
  gch_ctx_unref(t->custom);
  gch_unref(t->slow.done);
  gch_unref(t->slow.gate);
  gch_ctx_unref(t->top);
}

static bool is_done(const gch_ctx *ctx, int err) {
  return gch_try_recv(gch_ctx_done(ctx), NULL) == EPIPE &&
         gch_ctx_err(ctx) == err && gch_ctx_cause(ctx) == err;
}

static int all_are_done(struct tree *t) {
  gch_close(t->slow.gate);
  require(is_done(t->child, EIO));
  int asked = atomic_load(&t->slow.asked);
  require(is_done(t->child, EIO) && is_done(t->leaf, EIO));
  require(is_done(t->inherits, EIO));
  require(atomic_load(&t->slow.asked) == asked);
  require(is_done(t->custom, EIO));
  require(is_done(t->below_other, EAGAIN));
  const gch_ctx *parents[] = {t->custom, t->child, t->leaf, t->inherits};
  for (int i = 0; i < 4; i++) {
    gch_ctx *late = gch_ctx_with_timeout(parents[i], GCH_HOUR);
    require(is_done(late, EIO));
    gch_ctx_cancel_cause(late, ENOENT);
    require(is_done(late, EIO));
    gch_ctx_end(late);
  }
  gch_ctx_cancel_cause(t->child, ENOENT);
  require(is_done(t->child, EIO) && gch_recv_ctx(t->leaf, NULL, NULL) == EIO);
  fell(t);
  return OK;
}

static void close_done(void *arg) {
  struct tree *t = arg;
  if (t->top)
    gch_ctx_cancel(t->top);
  else
    gch_close(t->slow.done);
}

/* Forks while err is being asked. */
static void fork_in_err(struct tree *t) {
  await_count(&t->slow.asked, 1);
  pid_t pid = fork_with_parent();
  if (pid == 0)
    _exit(all_are_done(t));
  ck_assert_int_eq(status_of(pid), OK);
  gch_close(t->slow.gate);
}

static void expect_done(struct tree *t) {
  gch_recv(gch_ctx_done(t->leaf), NULL);
  gch_recv(gch_ctx_done(t->below_other), NULL);
  ck_assert(is_done(t->leaf, EIO) && is_done(t->below_other, EAGAIN));
  fell(t);
}

START_TEST(what_is_below_a_custom_context_that_was_being_closed_is_done) {
  for (int way = 0; way < 4; way++) {
    struct tree t;
    if (way & 1)
      plant_on(&t, gch_ctx_with_cancel(gch_ctx_background()), way & 2);
    else
      plant(&t, gch_make(0, 0), way & 2);
    test_thread *thread = thread_start_as(_i, close_done, &t);
    fork_in_err(&t);
    thread_join(thread);
    expect_done(&t);
  }
  await_no_tasks();
}
END_TEST

/* The deadline passes when all is planted, or it is told that it was early. */
static bool plant_in_time(struct tree *t, int64_t timeout, bool asked) {
  plant_on(t, gch_ctx_with_timeout(gch_ctx_background(), timeout), asked);
  while (atomic_load(&t->slow.asked) + atomic_load(&t->slow.asked_early) == 0)
    gch_sleep(20 * GCH_MICROSECOND);
  return atomic_load(&t->slow.asked_early) == 0;
}

START_TEST(what_is_below_a_custom_context_that_a_deadline_closed_is_done) {
  struct tree t;
  for (int64_t timeout = MS; !plant_in_time(&t, timeout, _i); timeout *= 2) {
    gch_close(t.slow.gate);
    expect_done(&t);
  }
  fork_in_err(&t);
  expect_done(&t);
  await_no_tasks();
}
END_TEST

/* Whoever closes makes one call after the other. */
enum { TREES = 3 };

static int trees_are_done(struct tree *t) {
  for (int i = 0; i < TREES; i++)
    require(all_are_done(&t[i]) == OK);
  return OK;
}

static int all_asked(struct tree *t) {
  int n = 0;
  for (int i = 0; i < TREES; i++)
    n += atomic_load(&t[i].slow.asked);
  return n;
}

START_TEST(what_is_below_one_whose_turn_was_to_come_is_done) {
  struct tree t[TREES];
  gch_chan *done = gch_make(0, 0);
  for (int i = 0; i < TREES; i++)
    plant(&t[i], gch_ref(done), _i);
  gch_unref(done);
  test_thread *thread = thread_start_as(_i, close_done, &t[0]);
  while (all_asked(t) == 0)
    gch_sleep(20 * GCH_MICROSECOND);
  pid_t pid = fork_with_parent();
  if (pid == 0)
    _exit(trees_are_done(t));
  ck_assert_int_eq(status_of(pid), OK);
  for (int i = 0; i < TREES; i++)
    gch_close(t[i].slow.gate);
  thread_join(thread);
  for (int i = 0; i < TREES; i++)
    expect_done(&t[i]);
  await_no_tasks();
}
END_TEST

/* Whoever forks goes on in the child. */
struct forker {
  gch_chan *done;
  pid_t pid; /* -1: not yet */
  int drops;
};

static gch_chan *forkers_done(void *self, const gch_ctx *parent) {
  (void)parent;
  return ((struct forker *)self)->done;
}

static int fork_and_err(void *self, const gch_ctx *parent) {
  struct forker *f = self;
  (void)parent;
  if (f->pid < 0)
    f->pid = fork_with_parent();
  return EIO;
}

static void count_drop(void *self) {
  ((struct forker *)self)->drops++;
}

static int closed_below(gch_ctx *child, const gch_ctx *custom,
                        struct forker *f) {
  require(is_done(child, EIO));
  gch_ctx_unref(child);
  gch_ctx_unref(custom);
  return f->drops == 1 ? OK : WRONG;
}

START_TEST(an_err_that_forks_is_an_error_in_both) {
  static const gch_ctx_ops ops = {
      .done = forkers_done, .err = fork_and_err, .drop = count_drop};
  struct forker f = {.done = gch_make(0, 0), .pid = -1};
  const gch_ctx *custom = gch_ctx_custom(gch_ctx_background(), &ops, &f);
  gch_ctx *child = gch_ctx_with_cancel(custom);
  gch_close(f.done);
  int status = closed_below(child, custom, &f);
  if (f.pid == 0)
    _exit(status);
  ck_assert_int_eq(status, OK);
  ck_assert_int_eq(status_of(f.pid), OK);
  gch_unref(f.done);
}
END_TEST

/* What the library's thread was about to end is done in the child, or it is
   not, and can be. */
enum { DUE = 500 };

static int done_or_not(gch_ctx **ctx, gch_ctx **child) {
  for (int i = 0; i < DUE; i++) {
    int err = gch_ctx_err(ctx[i]);
    require(err == 0 || err == ETIMEDOUT);
    require(err == 0 || is_done(child[i], ETIMEDOUT));
    gch_ctx_cancel(ctx[i]);
    err = err ? err : ECANCELED;
    require(is_done(ctx[i], err) && is_done(child[i], err));
    gch_ctx_end(child[i]);
    gch_ctx_end(ctx[i]);
  }
  return OK;
}

START_TEST(a_deadline_at_a_fork_comes_before_it_or_never) {
  gch_ctx *ctx[DUE], *child[DUE];
  for (int round = 0; round < scaled(20); round++) {
    int64_t at = gch_in(MS);
    for (int i = 0; i < DUE; i++) {
      ctx[i] = gch_ctx_with_deadline(gch_ctx_background(), at);
      child[i] = gch_ctx_with_cancel(ctx[i]);
    }
    gch_recv(gch_ctx_done(ctx[_i ? DUE / 2 : 0]), NULL);
    pid_t pid = fork_with_parent();
    if (pid == 0)
      _exit(done_or_not(ctx, child));
    ck_assert_int_eq(status_of(pid), OK);
    for (int i = 0; i < DUE; i++) {
      gch_recv(gch_ctx_done(child[i]), NULL);
      ck_assert_int_eq(gch_ctx_err(child[i]), ETIMEDOUT);
      gch_ctx_end(child[i]);
      gch_ctx_end(ctx[i]);
    }
  }
}
END_TEST

Suite *test_suite(void) {
  Suite *s = fork_suite("fork_ctx");
  TCase *t = test_case(s, "closed");
  tcase_add_loop_test(
      t, what_is_below_a_custom_context_that_was_being_closed_is_done, 0,
      KINDS);
  tcase_add_loop_test(
      t, what_is_below_a_custom_context_that_a_deadline_closed_is_done, 0, 2);
  tcase_add_loop_test(t, what_is_below_one_whose_turn_was_to_come_is_done, 0,
                      KINDS);
  tcase_add_test(t, an_err_that_forks_is_an_error_in_both);
  t = test_case(s, "deadline");
  tcase_add_loop_test(t, a_deadline_at_a_fork_comes_before_it_or_never, 0, 2);
  return s;
}
