/* SPDX-License-Identifier: BSD-3-Clause */
/* How the done channel of a custom context is watched: unseen by others, at
   the cost of no thread, in chains of any depth, and against all races. */
#include "ctx_facts.h"
#include "own_ctx.h"

#include <stdlib.h>

static const gch_ctx *bg(void) {
  return gch_ctx_background();
}

static const gch_ctx_ops own_ops = {.done = own_done, .err = own_err};

static void own_init(struct own *o, size_t cap) {
  o->done = gch_make(0, cap);
  atomic_init(&o->err, 0);
}

static void own_end(void *arg) {
  struct own *o = arg;
  atomic_store(&o->err, EIO);
  gch_close(o->done);
}

/* What a watch is not */

START_TEST(the_watch_does_not_count_as_a_receiver) {
  struct own o;
  size_t senders = 9, receivers = 9;
  own_init(&o, 0);
  const gch_ctx *ctx = gch_ctx_custom(bg(), &own_ops, &o);
  gch_ctx *child = gch_ctx_with_cancel(ctx);
  gch_waiting(o.done, &senders, &receivers);
  ck_assert_uint_eq(senders, 0);
  ck_assert_uint_eq(receivers, 0);
  ck_assert_int_eq(gch_try_send(o.done, NULL), EAGAIN);
  gch_ctx_unref(child);
  gch_ctx_unref(ctx);
  gch_unref(o.done);
}
END_TEST

START_TEST(the_watch_takes_no_values) {
  struct own o;
  own_init(&o, 2);
  const gch_ctx *ctx = gch_ctx_custom(bg(), &own_ops, &o);
  gch_ctx *child = gch_ctx_with_cancel(ctx);
  gch_send(o.done, NULL);
  gch_send(o.done, NULL);
  ck_assert_uint_eq(gch_len(o.done), 2);
  ck_assert_int_eq(gch_ctx_err(child), 0);
  own_end(&o);
  ck_assert_uint_eq(gch_len(o.done), 2);
  expect_done(child, EIO, EIO);
  gch_ctx_unref(child);
  gch_ctx_unref(ctx);
  gch_unref(o.done);
}
END_TEST

START_TEST(watches_cost_no_threads) {
  enum { MANY = 100 };
  struct own o[MANY];
  const gch_ctx *ctx[MANY];
  gch_ctx *child[MANY];
  int before = thread_count();
  for (int i = 0; i < MANY; i++) {
    own_init(&o[i], 0);
    ctx[i] = gch_ctx_custom(bg(), &own_ops, &o[i]);
    child[i] = gch_ctx_with_cancel(ctx[i]);
  }
  ck_assert_int_le(thread_count(), before);
  for (int i = 0; i < MANY; i++) {
    own_end(&o[i]);
    expect_done(child[i], EIO, EIO);
    gch_ctx_unref(child[i]);
    gch_ctx_unref(ctx[i]);
    gch_unref(o[i].done);
  }
}
END_TEST

START_TEST(several_contexts_may_share_a_channel) {
  struct own o;
  own_init(&o, 0);
  const gch_ctx *a = gch_ctx_custom(bg(), &own_ops, &o);
  const gch_ctx *b = gch_ctx_custom(bg(), &own_ops, &o);
  gch_ctx *child_a = gch_ctx_with_cancel(a);
  gch_ctx *child_b = gch_ctx_with_cancel(b);
  own_end(&o);
  expect_done(child_a, EIO, EIO);
  expect_done(child_b, EIO, EIO);
  gch_ctx_unref(child_b);
  gch_ctx_unref(child_a);
  gch_ctx_unref(b);
  gch_ctx_unref(a);
  gch_unref(o.done);
}
END_TEST

START_TEST(a_context_that_is_gone_is_not_told) {
  struct own o;
  own_init(&o, 0);
  const gch_ctx *ctx = gch_ctx_custom(bg(), &own_ops, &o);
  gch_ctx_unref(gch_ctx_with_cancel(ctx));
  gch_ctx_unref(ctx);
  own_end(&o);
  gch_unref(o.done);
}
END_TEST

/* Chains */

static gch_chan *parents_done(void *self, const gch_ctx *parent) {
  (void)self;
  return gch_ctx_done(parent);
}

static int parents_err(void *self, const gch_ctx *parent) {
  (void)self;
  return gch_ctx_err(parent);
}

static const gch_ctx_ops wraps = {.done = parents_done, .err = parents_err};
static const gch_ctx_ops inherits = {0};

/* depth custom contexts on parent, each held by the next; the last. */
static const gch_ctx *wrap(const gch_ctx *parent, const gch_ctx_ops *ops,
                           int depth) {
  const gch_ctx *ctx = gch_ctx_ref(parent);
  for (int i = 0; i < depth; i++) {
    const gch_ctx *next = gch_ctx_custom(ctx, ops, NULL);
    gch_ctx_unref(ctx);
    ctx = next;
  }
  return ctx;
}

START_TEST(a_wrapper_of_its_parents_done_is_seen_through) {
  gch_ctx *top = gch_ctx_with_cancel(bg());
  const gch_ctx *ctx = wrap(top, &wraps, 3);
  gch_ctx *child = gch_ctx_with_cancel(ctx);
  ck_assert_ptr_eq(gch_ctx_done(ctx), gch_ctx_done(top));
  gch_ctx_cancel_cause(top, EIO);
  expect_done(ctx, ECANCELED, EIO);
  expect_done(child, ECANCELED, EIO);
  gch_ctx_unref(child);
  gch_ctx_unref(ctx);
  gch_ctx_unref(top);
}
END_TEST

static void cancel_below(const gch_ctx_ops *ops, int depth) {
  gch_ctx *top = gch_ctx_with_cancel(bg());
  const gch_ctx *ctx = wrap(top, ops, depth);
  gch_ctx *child = gch_ctx_with_cancel(ctx);
  gch_ctx_cancel_cause(top, EIO);
  expect_done(ctx, ECANCELED, EIO);
  expect_done(child, ECANCELED, EIO);
  gch_ctx_unref(child);
  gch_ctx_unref(ctx);
  gch_ctx_unref(top);
}

START_TEST(a_chain_of_wrappers_thousands_deep_ends) {
  cancel_below(&wraps, scaled(3000));
}
END_TEST

START_TEST(a_chain_of_heirs_a_hundred_thousand_deep_ends) {
  cancel_below(&inherits, scaled(100000));
}
END_TEST

/* A custom context whose done is that of a context made on the one before:
   each link is watched, and each close ends the next. */
struct link {
  gch_ctx *cancel;
  const gch_ctx *ctx;
};

static gch_chan *link_done(void *self, const gch_ctx *parent) {
  (void)parent;
  return gch_ctx_done(((struct link *)self)->cancel);
}

static int link_err(void *self, const gch_ctx *parent) {
  (void)parent;
  return gch_ctx_err(((struct link *)self)->cancel);
}

static const gch_ctx_ops link_ops = {.done = link_done, .err = link_err};

START_TEST(a_chain_of_watches_thousands_deep_ends_with_one_close) {
  int depth = scaled(5000);
  struct own o;
  own_init(&o, 0);
  struct link *links = calloc((size_t)depth, sizeof *links);
  const gch_ctx *top = gch_ctx_custom(bg(), &own_ops, &o), *last = top;
  for (int i = 0; i < depth; i++) {
    links[i].cancel = gch_ctx_with_cancel(last);
    last = links[i].ctx = gch_ctx_custom(bg(), &link_ops, &links[i]);
  }
  gch_ctx *child = gch_ctx_with_cancel(last);
  own_end(&o);
  expect_done(child, EIO, EIO);
  gch_ctx_unref(child);
  for (int i = depth; i-- > 0;) {
    gch_ctx_unref(links[i].ctx);
    gch_ctx_unref(links[i].cancel);
  }
  gch_ctx_unref(top);
  free(links);
  gch_unref(o.done);
}
END_TEST

/* Races */

enum { CROWD = 50 };

START_TEST(a_child_made_while_the_channel_is_being_closed_is_done) {
  for (int i = 0; i < scaled(100); i++) {
    struct own o;
    gch_ctx *children[CROWD];
    own_init(&o, 0);
    const gch_ctx *ctx = gch_ctx_custom(bg(), &own_ops, &o);
    test_thread *t = thread_start(own_end, &o);
    for (int k = 0; k < CROWD; k++)
      children[k] = gch_ctx_with_cancel(ctx);
    thread_join(t);
    for (int k = 0; k < CROWD; k++) {
      expect_done(children[k], EIO, EIO);
      gch_ctx_unref(children[k]);
    }
    gch_ctx_unref(ctx);
    gch_unref(o.done);
  }
}
END_TEST

START_TEST(the_last_unref_may_race_the_close) {
  for (int i = 0; i < scaled(200); i++) {
    struct own o;
    own_init(&o, 0);
    const gch_ctx *ctx = gch_ctx_custom(bg(), &own_ops, &o);
    gch_ctx *child = gch_ctx_with_cancel(ctx);
    gch_ctx_unref(ctx);
    test_thread *t = thread_start(own_end, &o);
    gch_ctx_unref(child);
    thread_join(t);
    gch_unref(o.done);
  }
}
END_TEST

START_TEST(a_cancel_may_race_the_close) {
  for (int i = 0; i < scaled(100); i++) {
    struct own o;
    own_init(&o, 0);
    const gch_ctx *ctx = gch_ctx_custom(bg(), &own_ops, &o);
    gch_ctx *child = gch_ctx_with_cancel(ctx);
    gch_ctx *leaf = gch_ctx_with_cancel(child);
    test_thread *t = thread_start(own_end, &o);
    gch_ctx_cancel(child);
    int err = gch_ctx_err(child);
    ck_assert(err == ECANCELED || err == EIO);
    expect_done(leaf, err, err);
    thread_join(t);
    gch_ctx_unref(leaf);
    gch_ctx_unref(child);
    gch_ctx_unref(ctx);
    gch_unref(o.done);
  }
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("ctx_watch");
  TCase *t = test_case(s, "watch");
  tcase_add_test(t, the_watch_does_not_count_as_a_receiver);
  tcase_add_test(t, the_watch_takes_no_values);
  tcase_add_test(t, watches_cost_no_threads);
  tcase_add_test(t, several_contexts_may_share_a_channel);
  tcase_add_test(t, a_context_that_is_gone_is_not_told);
  t = test_case(s, "chain");
  tcase_add_test(t, a_wrapper_of_its_parents_done_is_seen_through);
  tcase_add_test(t, a_chain_of_wrappers_thousands_deep_ends);
  tcase_add_test(t, a_chain_of_heirs_a_hundred_thousand_deep_ends);
  tcase_add_test(t, a_chain_of_watches_thousands_deep_ends_with_one_close);
  t = test_case(s, "race");
  tcase_add_test(t, a_child_made_while_the_channel_is_being_closed_is_done);
  tcase_add_test(t, the_last_unref_may_race_the_close);
  tcase_add_test(t, a_cancel_may_race_the_close);
  return s;
}
