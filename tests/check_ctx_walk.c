/* SPDX-License-Identifier: BSD-3-Clause */
/* Cancels of so many contexts that each goes over them in pieces: what others
   do in between, and what each of several cancels promises. */
#include "ctx_facts.h"
#include "fork_life.h"
#include "own_ctx.h"

#include <stdatomic.h>
#include <stdlib.h>

static const gch_ctx *bg(void) {
  return gch_ctx_background();
}

/* A root with branches, each of many contexts: of a branch's contexts each
   tenth hangs on the branch, the others below it; and the last on a long
   chain. */
enum { BRANCHES = 8 };

struct wood {
  int n; /* contexts of a branch */
  gch_ctx *root, *branch[BRANCHES];
  gch_ctx **c[BRANCHES];
  atomic_int ready, undone;
};

static void plant_branch(struct wood *w, int b) {
  w->branch[b] = gch_ctx_with_cancel(b ? w->branch[b - 1] : w->root);
  w->c[b] = calloc((size_t)w->n, sizeof *w->c[b]);
  for (int i = 0; i < w->n; i++) {
    gch_ctx *above = i % 10 ? w->c[b][i - i % 10] : w->branch[b];
    w->c[b][i] = gch_ctx_with_cancel(i > w->n / 2 ? w->c[b][i - 1] : above);
    if (i % 3 == 0)
      gch_ctx_done(w->c[b][i]);
  }
}

static void plant(struct wood *w, int n) {
  atomic_init(&w->ready, 0);
  atomic_init(&w->undone, 0);
  w->n = n;
  w->root = gch_ctx_with_cancel(bg());
  for (int b = 0; b < BRANCHES; b++)
    plant_branch(w, b);
}

static void fell(struct wood *w) {
  for (int b = BRANCHES; b-- > 0;) {
    for (int i = w->n; i-- > 0;)
      gch_ctx_unref(w->c[b][i]);
    free(w->c[b]);
    gch_ctx_unref(w->branch[b]);
  }
  gch_ctx_unref(w->root);
}

/* Branch b and those below it. The last first, which are done last. */
static void look_at(struct wood *w, int b) {
  for (int k = BRANCHES; k-- > b;)
    for (int i = w->n; i-- > 0;)
      if (gch_ctx_err(w->c[k][i]) != ECANCELED ||
          !is_closed(gch_ctx_done(w->c[k][i])))
        atomic_fetch_add(&w->undone, 1);
}

static void cancel_branch(struct wood *w, int b) {
  gch_ctx_cancel(w->branch[b]);
  look_at(w, b);
}

static void cancel_root(void *arg) {
  struct wood *w = arg;
  gch_ctx_cancel(w->root);
  look_at(w, 0);
}

/* The cancel comes second: the branch is done, the branches below may not
   be. */
static void cancel_first_when_done(void *arg) {
  struct wood *w = arg;
  atomic_fetch_add(&w->ready, 1);
  while (gch_ctx_err(w->branch[0]) == 0)
    gch_yield();
  cancel_branch(w, 0);
}

START_TEST(a_cancel_of_what_another_made_done_returns_when_all_below_are) {
  struct wood w;
  for (int i = 0; i < scaled(10); i++) {
    plant(&w, 2000);
    test_thread *t = thread_start(cancel_first_when_done, &w);
    await_count(&w.ready, 1);
    cancel_root(&w);
    thread_join(t);
    fell(&w);
    ck_assert_int_eq(w.undone, 0);
  }
}
END_TEST

/* The cancel comes first to its context, but another has begun below it. */
static void cancel_last_branches(void *arg) {
  struct wood *w = arg;
  atomic_fetch_add(&w->ready, 1);
  cancel_branch(w, BRANCHES / 2);
}

START_TEST(a_cancel_above_one_under_way_returns_when_all_below_are_done) {
  struct wood w;
  for (int i = 0; i < scaled(10); i++) {
    plant(&w, 2000);
    test_thread *t = thread_start(cancel_last_branches, &w);
    while (gch_ctx_err(w.branch[BRANCHES / 2]) == 0)
      gch_yield();
    cancel_branch(&w, 1);
    thread_join(t);
    fell(&w);
    ck_assert_int_eq(w.undone, 0);
  }
}
END_TEST

static void cancel_even(void *arg) {
  struct wood *w = arg;
  for (int b = BRANCHES - 2; b >= 0; b -= 2)
    cancel_branch(w, b);
}

static void cancel_odd(void *arg) {
  struct wood *w = arg;
  for (int b = BRANCHES - 1; b >= 0; b -= 2)
    cancel_branch(w, b);
}

START_TEST(cancels_at_several_heights_of_one_tree_meet) {
  struct wood w;
  for (int i = 0; i < scaled(10); i++) {
    plant(&w, 1000);
    test_thread *a = thread_start(cancel_even, &w);
    test_thread *b = thread_start(cancel_odd, &w);
    cancel_root(&w);
    thread_join(a);
    thread_join(b);
    for (int k = 0; k < w.n; k++)
      expect_done(w.c[BRANCHES - 1][k], ECANCELED, ECANCELED);
    fell(&w);
    ck_assert_int_eq(w.undone, 0);
  }
}
END_TEST

static void deadlines_pass(void *arg) {
  struct wood *w = arg;
  for (int i = 0; i < w->n; i++) {
    int b = i % BRANCHES;
    gch_ctx *t = gch_ctx_with_timeout(w->c[b][i], i % 50 * GCH_MICROSECOND);
    gch_ctx *below = gch_ctx_with_cancel(t);
    gch_ctx *sister = gch_ctx_with_cancel(w->c[b][w->n - 1]);
    gch_ctx_unref(sister);
    gch_ctx_cancel(t);
    if (gch_ctx_err(below) == 0)
      atomic_fetch_add(&w->undone, 1);
    gch_ctx_unref(below);
    gch_ctx_unref(t);
  }
}

START_TEST(contexts_come_and_go_in_a_tree_that_is_being_cancelled) {
  struct wood w;
  for (int i = 0; i < scaled(10); i++) {
    plant(&w, 1000);
    test_thread *a = thread_start(deadlines_pass, &w);
    test_thread *b = thread_start(cancel_odd, &w);
    cancel_root(&w);
    thread_join(a);
    thread_join(b);
    fell(&w);
    ck_assert_int_eq(w.undone, 0);
  }
}
END_TEST

/* A deadline, which the library's own thread goes over in several jobs. */
START_TEST(a_deadline_of_many_contexts_makes_all_done) {
  int n = scaled(20000);
  gch_ctx **c = calloc((size_t)n, sizeof *c);
  gch_ctx *t = gch_ctx_with_timeout_cause(bg(), 50 * MS, EIO);
  for (int i = 0; i < n; i++)
    c[i] = gch_ctx_with_cancel(i % 10 ? c[i - 1] : t);
  for (int i = n; i-- > 0;)
    gch_recv(gch_ctx_done(c[i]), NULL);
  for (int i = n; i-- > 0;) {
    expect_done(c[i], ETIMEDOUT, EIO);
    gch_ctx_unref(c[i]);
  }
  gch_ctx_unref(t);
  free(c);
}
END_TEST

/* That of the test's own kind, whose cancel is a close. */
START_TEST(the_close_of_a_custom_context_makes_many_done) {
  static const gch_ctx_ops ops = {.done = own_done, .err = own_err};
  int n = scaled(20000);
  gch_ctx **c = calloc((size_t)n, sizeof *c);
  struct own own = {.done = gch_make(0, 0)};
  const gch_ctx *custom = gch_ctx_custom(bg(), &ops, &own);
  for (int i = 0; i < n; i++)
    c[i] = gch_ctx_with_cancel(i % 10 ? c[i - 1] : custom);
  atomic_store(&own.err, EIO);
  gch_close(own.done);
  for (int i = n; i-- > 0;) {
    expect_done(c[i], EIO, EIO);
    gch_ctx_unref(c[i]);
  }
  gch_ctx_unref(custom);
  gch_unref(own.done);
  free(c);
}
END_TEST

/* after_funcs, of which the last unref starts as many. */
static void count(void *n) {
  atomic_fetch_add((atomic_int *)n, 1);
}

START_TEST(the_last_unref_starts_many_after_funcs) {
  int n = scaled(2000);
  atomic_int calls = 0;
  gch_ctx *ctx = gch_ctx_with_cancel(bg());
  for (int i = 0; i < n; i++)
    gch_after_func_release(gch_ctx_after_func(ctx, count, &calls));
  gch_ctx_end(ctx);
  await_count(&calls, n);
}
END_TEST

/* Forks */

static int all_below_are_done(struct wood *w) {
  if (gch_ctx_err(w->root) == 0)
    gch_ctx_cancel(w->root);
  for (int b = BRANCHES; b-- > 0;)
    for (int i = w->n; i-- > 0;) {
      require(gch_ctx_err(w->c[b][i]) == ECANCELED);
      require(gch_recv(gch_ctx_done(w->c[b][i]), NULL) == EPIPE);
    }
  gch_ctx *late = gch_ctx_with_cancel(w->c[0][0]);
  require(gch_ctx_err(late) == ECANCELED);
  gch_ctx_end(late);
  fell(w);
  return OK;
}

static void cancel_and_tell(void *arg) {
  struct wood *w = arg;
  gch_ctx_cancel(w->root);
  atomic_store(&w->ready, 1);
}

START_TEST(in_a_child_forked_in_the_midst_of_a_cancel_all_are_done) {
  struct wood w;
  for (int i = 0; i < scaled(6); i++) {
    plant(&w, 4000);
    test_thread *t = thread_start(cancel_and_tell, &w);
    while (gch_ctx_err(w.branch[0]) == 0)
      gch_yield();
    pid_t pid = fork_with_parent();
    if (pid == 0)
      _exit(all_below_are_done(&w));
    ck_assert_int_eq(status_of(pid), OK);
    thread_join(t);
    fell(&w);
  }
}
END_TEST

Suite *test_suite(void) {
  Suite *s = fork_suite("ctx_walk");
  TCase *t = test_case(s, "several");
  tcase_add_test(t,
                 a_cancel_of_what_another_made_done_returns_when_all_below_are);
  tcase_add_test(t,
                 a_cancel_above_one_under_way_returns_when_all_below_are_done);
  tcase_add_test(t, cancels_at_several_heights_of_one_tree_meet);
  tcase_add_test(t, contexts_come_and_go_in_a_tree_that_is_being_cancelled);
  t = test_case(s, "one");
  tcase_add_test(t, a_deadline_of_many_contexts_makes_all_done);
  tcase_add_test(t, the_close_of_a_custom_context_makes_many_done);
  tcase_add_test(t, the_last_unref_starts_many_after_funcs);
  t = test_case(s, "fork");
  tcase_add_test(t, in_a_child_forked_in_the_midst_of_a_cancel_all_are_done);
  return s;
}
