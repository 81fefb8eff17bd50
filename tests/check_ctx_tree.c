/* SPDX-License-Identifier: BSD-3-Clause */
/* Trees of contexts: who is done when, who holds whom, what races a cancel. */
#include "ctx_facts.h"

#include <stdatomic.h>

static const gch_ctx *bg(void) {
  return gch_ctx_background();
}

static void cancel(void *ctx) {
  gch_ctx_cancel(ctx);
}

/* Who is done */

START_TEST(cancel_ends_children_of_every_kind) {
  static int key, value;
  gch_ctx *root = gch_ctx_with_cancel(bg());
  gch_ctx *plain = gch_ctx_with_cancel(root);
  gch_ctx *timeout = gch_ctx_with_timeout_cause(plain, GCH_HOUR, ENOENT);
  const gch_ctx *leaf = gch_ctx_with_value(timeout, &key, &value);
  gch_ctx *under_value = gch_ctx_with_cancel(leaf);
  gch_ctx_cancel_cause(root, EIO);
  expect_done(plain, ECANCELED, EIO);
  expect_done(timeout, ECANCELED, EIO);
  expect_done(leaf, ECANCELED, EIO);
  expect_done(under_value, ECANCELED, EIO);
  gch_ctx_unref(under_value);
  gch_ctx_unref(leaf);
  gch_ctx_unref(timeout);
  gch_ctx_unref(plain);
  gch_ctx_unref(root);
}
END_TEST

START_TEST(cancel_leaves_parent_and_siblings_alone) {
  gch_ctx *root = gch_ctx_with_cancel(bg());
  gch_ctx *child = gch_ctx_with_cancel(root);
  gch_ctx *sibling = gch_ctx_with_cancel(root);
  gch_ctx_cancel(child);
  expect_not_done(root);
  expect_not_done(sibling);
  gch_ctx_unref(sibling);
  gch_ctx_unref(child);
  gch_ctx_end(root);
}
END_TEST

START_TEST(a_child_of_a_done_parent_is_born_done) {
  gch_ctx *parent = gch_ctx_with_cancel(bg());
  gch_ctx_cancel_cause(parent, EIO);
  gch_ctx *plain = gch_ctx_with_cancel(parent);
  gch_ctx *timeout = gch_ctx_with_timeout_cause(parent, GCH_HOUR, ENOENT);
  expect_done(plain, ECANCELED, EIO);
  expect_done(timeout, ECANCELED, EIO);
  gch_ctx_unref(timeout);
  gch_ctx_unref(plain);
  gch_ctx_unref(parent);
}
END_TEST

START_TEST(the_parents_cause_comes_first_if_the_parent_did) {
  gch_ctx *parent = gch_ctx_with_cancel(bg());
  gch_ctx *child = gch_ctx_with_cancel(parent);
  gch_ctx_cancel_cause(parent, EIO);
  gch_ctx_cancel_cause(child, ENOENT);
  expect_done(child, ECANCELED, EIO);
  gch_ctx_unref(child);
  gch_ctx_unref(parent);
}
END_TEST

START_TEST(the_childs_cause_comes_first_if_the_child_did) {
  gch_ctx *parent = gch_ctx_with_cancel(bg());
  gch_ctx *child = gch_ctx_with_cancel(parent);
  gch_ctx_cancel_cause(child, ENOENT);
  gch_ctx_cancel_cause(parent, EIO);
  expect_done(child, ECANCELED, ENOENT);
  expect_done(parent, ECANCELED, EIO);
  gch_ctx_unref(child);
  gch_ctx_unref(parent);
}
END_TEST

START_TEST(a_plainly_cancelled_parent_keeps_the_childs_cause_out) {
  gch_ctx *parent = gch_ctx_with_cancel(bg());
  gch_ctx *child = gch_ctx_with_cancel(parent);
  gch_ctx_cancel(parent);
  gch_ctx_cancel_cause(child, ENOENT);
  expect_done(child, ECANCELED, ECANCELED);
  gch_ctx_unref(child);
  gch_ctx_unref(parent);
}
END_TEST

START_TEST(a_plainly_cancelled_child_keeps_the_parents_cause_out) {
  gch_ctx *parent = gch_ctx_with_cancel(bg());
  gch_ctx *child = gch_ctx_with_cancel(parent);
  gch_ctx_cancel(child);
  gch_ctx_cancel_cause(parent, EIO);
  expect_done(child, ECANCELED, ECANCELED);
  gch_ctx_unref(child);
  gch_ctx_unref(parent);
}
END_TEST

/* Who holds whom */

START_TEST(a_child_holds_its_parent) {
  gch_ctx *parent = gch_ctx_with_cancel(bg());
  gch_ctx *child = gch_ctx_with_cancel(parent);
  gch_ctx_unref(parent);
  expect_not_done(parent);
  expect_not_done(child);
  gch_ctx_end(child);
}
END_TEST

START_TEST(a_parent_does_not_hold_its_child) {
  gch_ctx *parent = gch_ctx_with_cancel(bg());
  gch_ctx *child = gch_ctx_with_cancel(parent);
  gch_chan *done = gch_ref(gch_ctx_done(child));
  gch_ctx_unref(child);
  ck_assert(is_closed(done));
  expect_not_done(parent);
  gch_unref(done);
  gch_ctx_end(parent);
}
END_TEST

START_TEST(the_last_unref_of_a_child_lets_its_parent_go) {
  gch_ctx *parent = gch_ctx_with_cancel(bg());
  gch_chan *done = gch_ref(gch_ctx_done(parent));
  gch_ctx *child = gch_ctx_with_cancel(parent);
  gch_ctx_unref(parent);
  ck_assert(!is_closed(done));
  gch_ctx_unref(child);
  ck_assert(is_closed(done));
  gch_unref(done);
}
END_TEST

/* What races a cancel */

enum { CROWD = 500 };

struct tree {
  gch_ctx *root;
  gch_ctx *children[CROWD];
  atomic_int ready, undone;
};

static void plant(struct tree *t) {
  atomic_init(&t->ready, 0);
  t->root = gch_ctx_with_cancel(bg());
  for (int i = 0; i < CROWD; i++)
    t->children[i] = gch_ctx_with_cancel(i % 3 ? t->children[i - 1] : t->root);
}

static void fell(struct tree *t) {
  for (int i = CROWD; i-- > 0;)
    gch_ctx_unref(t->children[i]);
  gch_ctx_unref(t->root);
}

static void cancel_and_look(struct tree *t) {
  gch_ctx_cancel(t->root);
  for (int i = CROWD; i-- > 0;)
    if (gch_ctx_err(t->children[i]) != ECANCELED ||
        !is_closed(gch_ctx_done(t->children[i])))
      atomic_fetch_add(&t->undone, 1);
}

/* Comes second: the root's channel is closed before its children are done. */
static void cancel_when_closed(void *arg) {
  struct tree *t = arg;
  atomic_store(&t->ready, 1);
  while (!is_closed(gch_ctx_done(t->root)))
    gch_yield();
  cancel_and_look(t);
}

START_TEST(any_cancel_returns_when_all_descendants_are_done) {
  struct tree t;
  atomic_init(&t.undone, 0);
  for (int i = 0; i < scaled(20); i++) {
    plant(&t);
    test_thread *other = thread_start(cancel_when_closed, &t);
    await_count(&t.ready, 1);
    cancel_and_look(&t);
    thread_join(other);
    fell(&t);
  }
  ck_assert_int_eq(t.undone, 0);
}
END_TEST

static void cancel_by_turns(void *arg) {
  struct tree *t = arg;
  for (int i = 0; i < CROWD; i += 2)
    gch_ctx_cancel(t->children[i]);
  gch_ctx_cancel(t->root);
}

START_TEST(cancels_all_over_a_tree_meet) {
  struct tree t;
  for (int i = 0; i < scaled(50); i++) {
    plant(&t);
    test_thread *other = thread_start(cancel_by_turns, &t);
    for (int k = CROWD; k-- > 0;)
      gch_ctx_cancel(t.children[k]);
    thread_join(other);
    for (int k = 0; k < CROWD; k++)
      expect_done(t.children[k], ECANCELED, ECANCELED);
    fell(&t);
  }
}
END_TEST

struct pair {
  gch_ctx *parent, *child;
};

static void cancel_child_when_done(void *arg) {
  struct pair *p = arg;
  gch_recv(gch_ctx_done(p->parent), NULL);
  gch_ctx_cancel_cause(p->child, ENOENT);
}

START_TEST(a_child_may_be_cancelled_while_its_parent_is_being_cancelled) {
  for (int i = 0; i < scaled(100); i++) {
    struct pair p;
    p.parent = gch_ctx_with_cancel(bg());
    p.child = gch_ctx_with_cancel(p.parent);
    test_thread *t = thread_start(cancel_child_when_done, &p);
    gch_ctx_cancel_cause(p.parent, EIO);
    expect_done(p.parent, ECANCELED, EIO);
    ck_assert_int_eq(gch_ctx_err(p.child), ECANCELED);
    thread_join(t);
    gch_ctx_unref(p.child);
    gch_ctx_unref(p.parent);
  }
}
END_TEST

START_TEST(a_child_made_while_its_parent_is_being_cancelled_is_done) {
  struct tree t;
  for (int i = 0; i < scaled(100); i++) {
    t.root = gch_ctx_with_cancel(bg());
    test_thread *other = thread_start(cancel, t.root);
    for (int k = 0; k < CROWD; k++)
      t.children[k] = gch_ctx_with_cancel(t.root);
    thread_join(other);
    for (int k = 0; k < CROWD; k++)
      expect_done(t.children[k], ECANCELED, ECANCELED);
    fell(&t);
  }
}
END_TEST

static void unref_children(void *arg) {
  struct tree *t = arg;
  for (int i = CROWD; i-- > 0;)
    gch_ctx_unref(t->children[i]);
}

START_TEST(children_may_go_while_their_parent_is_being_cancelled) {
  struct tree t;
  for (int i = 0; i < scaled(50); i++) {
    plant(&t);
    test_thread *other = thread_start(unref_children, &t);
    gch_ctx_cancel(t.root);
    thread_join(other);
    gch_ctx_unref(t.root);
  }
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("ctx_tree");
  TCase *t = test_case(s, "done");
  tcase_add_test(t, cancel_ends_children_of_every_kind);
  tcase_add_test(t, cancel_leaves_parent_and_siblings_alone);
  tcase_add_test(t, a_child_of_a_done_parent_is_born_done);
  tcase_add_test(t, the_parents_cause_comes_first_if_the_parent_did);
  tcase_add_test(t, the_childs_cause_comes_first_if_the_child_did);
  tcase_add_test(t, a_plainly_cancelled_parent_keeps_the_childs_cause_out);
  tcase_add_test(t, a_plainly_cancelled_child_keeps_the_parents_cause_out);
  t = test_case(s, "hold");
  tcase_add_test(t, a_child_holds_its_parent);
  tcase_add_test(t, a_parent_does_not_hold_its_child);
  tcase_add_test(t, the_last_unref_of_a_child_lets_its_parent_go);
  t = test_case(s, "race");
  tcase_add_test(t, any_cancel_returns_when_all_descendants_are_done);
  tcase_add_test(t, cancels_all_over_a_tree_meet);
  tcase_add_test(t,
                 a_child_may_be_cancelled_while_its_parent_is_being_cancelled);
  tcase_add_test(t, a_child_made_while_its_parent_is_being_cancelled_is_done);
  tcase_add_test(t, children_may_go_while_their_parent_is_being_cancelled);
  return s;
}
