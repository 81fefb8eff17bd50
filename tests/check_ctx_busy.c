/* SPDX-License-Identifier: BSD-3-Clause */
/* Contexts that come and go in several subtrees of one tree at once, until it
   is cancelled: where its lock is contended, lists have locks of their own. */
#include "ctx_facts.h"
#include "fork_life.h"

#include <stdatomic.h>

static const gch_ctx *bg(void) {
  return gch_ctx_background();
}

enum { SUBTREES = 4, KEPT = 32 };

struct subtree {
  gch_ctx *top;
  gch_ctx *kept[KEPT];
  atomic_int n; /* of those */
  test_thread *thread;
};

struct tree {
  gch_ctx *root;
  struct subtree sub[SUBTREES];
  atomic_bool over;
};

static void call(void *calls) {
  gch_wg_done(calls);
}

/* calls: of functions, that are under way. */
static void come_and_go(gch_ctx *parent, gch_wg *calls) {
  gch_ctx_end(gch_ctx_with_cancel(parent));
  gch_ctx_end(gch_ctx_with_timeout(parent, GCH_SECOND));
  gch_ctx_end(gch_ctx_with_timeout(parent, GCH_MICROSECOND));
  gch_ctx *asked = gch_ctx_with_cancel(parent);
  gch_ctx_done(asked);
  gch_wg_add(calls, 2);
  gch_after_func *f = gch_ctx_after_func(asked, call, calls);
  gch_after_func_release(gch_ctx_after_func(asked, call, calls));
  if (gch_after_func_stop(f))
    gch_wg_done(calls);
  gch_ctx_end(asked);
}

static void keep_one(struct subtree *s) {
  int n = atomic_load(&s->n);
  if (n == KEPT)
    return;
  s->kept[n] = gch_ctx_with_cancel(n % 4 ? s->kept[n - 1] : s->top);
  atomic_store(&s->n, n + 1);
}

struct share {
  struct tree *tree;
  struct subtree *sub;
};

/* Waits for the calls now and then: else they are many where each takes long. */
static void use(void *arg) {
  struct share *s = arg;
  gch_wg calls = GCH_WG_INIT;
  for (int i = 0; !atomic_load(&s->tree->over); i++) {
    come_and_go(s->sub->top, &calls);
    if (i % 8 != 0)
      continue;
    keep_one(s->sub);
    gch_wg_wait(&calls);
  }
  gch_wg_wait(&calls);
}

static void begin(struct tree *t, struct share *shares) {
  *t = (struct tree){.root = gch_ctx_with_cancel(bg())};
  for (int i = 0; i < SUBTREES; i++) {
    t->sub[i].top = gch_ctx_with_cancel(t->root);
    shares[i] = (struct share){t, &t->sub[i]};
    t->sub[i].thread = thread_start(use, &shares[i]);
  }
}

static void wait_until_used(struct tree *t) {
  for (int i = 0; i < SUBTREES; i++)
    while (atomic_load(&t->sub[i].n) < KEPT / 2)
      gch_yield();
}

static void stop_all(struct tree *t) {
  atomic_store(&t->over, true);
  for (int i = 0; i < SUBTREES; i++)
    thread_join(t->sub[i].thread);
}

static void unref_all(struct tree *t) {
  for (int i = 0; i < SUBTREES; i++) {
    for (int k = t->sub[i].n; k-- > 0;)
      gch_ctx_end(t->sub[i].kept[k]);
    gch_ctx_end(t->sub[i].top);
  }
  gch_ctx_end(t->root);
}

START_TEST(a_cancel_of_a_busy_tree_returns_when_all_in_it_are_done) {
  struct tree t;
  struct share shares[SUBTREES];
  for (int round = 0; round < scaled(40); round++) {
    int n[SUBTREES];
    begin(&t, shares);
    wait_until_used(&t);
    for (int i = 0; i < SUBTREES; i++)
      n[i] = atomic_load(&t.sub[i].n);
    gch_ctx_cancel(t.root);
    for (int i = SUBTREES; i-- > 0;)
      for (int k = n[i]; k-- > 0;)
        expect_done(t.sub[i].kept[k], ECANCELED, ECANCELED);
    stop_all(&t);
    for (int i = 0; i < SUBTREES; i++)
      for (int k = 0; k < t.sub[i].n; k++)
        expect_done(t.sub[i].kept[k], ECANCELED, ECANCELED);
    unref_all(&t);
  }
}
END_TEST

/* Each is cancelled by itself, while others of its list come and go. */
START_TEST(contexts_of_a_busy_tree_end_one_by_one) {
  struct tree t;
  struct share shares[SUBTREES];
  for (int round = 0; round < scaled(20); round++) {
    begin(&t, shares);
    wait_until_used(&t);
    for (int i = 0; i < SUBTREES; i++)
      for (int k = 0; k < KEPT / 2; k++) {
        gch_ctx_cancel(t.sub[i].kept[k]);
        expect_done(t.sub[i].kept[k], ECANCELED, ECANCELED);
        gch_ctx_cancel(t.sub[(i + 1) % SUBTREES].kept[k]);
      }
    ck_assert_int_eq(gch_ctx_err(t.sub[0].top), 0);
    gch_ctx_cancel(t.sub[0].top);
    stop_all(&t);
    ck_assert_int_eq(gch_ctx_err(t.sub[1].top), 0);
    unref_all(&t);
  }
}
END_TEST

static int goes_on(struct tree *t) {
  for (int i = 0; i < SUBTREES; i++) {
    struct subtree *s = &t->sub[i];
    gch_ctx *late = gch_ctx_with_cancel(s->top);
    gch_ctx_end(gch_ctx_with_cancel(s->top));
    require(gch_ctx_err(late) == 0);
    if (i == SUBTREES - 1)
      gch_ctx_cancel(t->root);
    else
      gch_ctx_cancel(s->top);
    require(gch_ctx_err(late) == ECANCELED);
    for (int k = atomic_load(&s->n); k-- > 0;)
      require(gch_ctx_err(s->kept[k]) == ECANCELED);
  }
  return OK;
}

START_TEST(in_a_child_of_a_fork_a_busy_tree_is_whole) {
  struct tree t;
  struct share shares[SUBTREES];
  begin(&t, shares);
  wait_until_used(&t);
  for (int round = 0; round < scaled(10); round++) {
    pid_t pid = fork_with_parent();
    if (pid == 0)
      _exit(goes_on(&t));
    ck_assert_int_eq(status_of(pid), OK);
  }
  stop_all(&t);
  unref_all(&t);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = fork_suite("ctx_busy");
  TCase *t = test_case(s, "busy");
  tcase_add_test(t, a_cancel_of_a_busy_tree_returns_when_all_in_it_are_done);
  tcase_add_test(t, contexts_of_a_busy_tree_end_one_by_one);
  t = test_case(s, "fork");
  tcase_add_test(t, in_a_child_of_a_fork_a_busy_tree_is_whole);
  return s;
}
