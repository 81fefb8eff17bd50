/* SPDX-License-Identifier: BSD-3-Clause */
/* How large a tree of contexts may grow, on how small a stack, and that none
   costs a thread. */
#include "ctx_facts.h"

#include <pthread.h>
#include <stdlib.h>

static const gch_ctx *bg(void) {
  return gch_ctx_background();
}

START_TEST(a_hundred_thousand_children_end_with_their_parent) {
  int n = scaled(100000);
  gch_ctx **children = calloc((size_t)n, sizeof *children);
  gch_ctx *parent = gch_ctx_with_cancel(bg());
  for (int i = 0; i < n; i++)
    children[i] = gch_ctx_with_cancel(parent);
  gch_ctx_cancel_cause(parent, EIO);
  for (int i = 0; i < n; i++) {
    ck_assert(gch_ctx_err(children[i]) == ECANCELED);
    gch_ctx_unref(children[i]);
  }
  gch_ctx_unref(parent);
  free(children);
}
END_TEST

START_TEST(a_hundred_thousand_children_end_one_by_one) {
  int n = scaled(100000);
  gch_ctx **children = calloc((size_t)n, sizeof *children);
  gch_ctx *parent = gch_ctx_with_cancel(bg());
  for (int i = 0; i < n; i++)
    children[i] = gch_ctx_with_cancel(parent);
  for (int i = 0; i < n; i++) /* from both ends */
    gch_ctx_end(children[i % 2 ? n - 1 - i / 2 : i / 2]);
  expect_not_done(parent);
  gch_ctx_end(parent);
  free(children);
}
END_TEST

struct chain {
  int depth;
  gch_ctx *top, *bottom;
  bool done, values_found;
};

/* Each context is held by the one below only. */
static void forge(struct chain *c) {
  c->top = gch_ctx_with_cancel(bg());
  gch_ctx *below = gch_ctx_ref_cancel(c->top);
  for (int i = 1; i < c->depth; i++) {
    gch_ctx *next = gch_ctx_with_cancel(below);
    gch_ctx_unref(below);
    below = next;
  }
  c->bottom = below;
}

static void *cancel_chain(void *arg) {
  struct chain *c = arg;
  forge(c);
  gch_ctx_cancel(c->top);
  c->done = gch_ctx_err(c->bottom) == ECANCELED;
  gch_ctx_unref(c->top);
  gch_ctx_unref(c->bottom);
  return NULL;
}

static void *unref_chain(void *arg) {
  struct chain *c = arg;
  forge(c);
  gch_chan *done = gch_ref(gch_ctx_done(c->top));
  gch_ctx_unref(c->top);
  gch_ctx_unref(c->bottom);
  c->done = is_closed(done);
  gch_unref(done);
  return NULL;
}

static void *value_chain(void *arg) {
  static int key, value, miss;
  struct chain *c = arg;
  const gch_ctx *below = gch_ctx_with_value(bg(), &key, &value);
  for (int i = 1; i < c->depth; i++) {
    const gch_ctx *next = gch_ctx_with_value(below, &miss, NULL);
    gch_ctx_unref(below);
    below = next;
  }
  c->values_found = gch_ctx_value(below, &key) == &value;
  c->done = gch_ctx_err(below) != 0;
  gch_ctx_unref(below);
  return NULL;
}

static struct chain on_small_stack(void *(*fn)(void *), int depth) {
  struct chain c = {.depth = depth};
  pthread_attr_t attr;
  pthread_t id;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, 64 * 1024);
  ck_assert_int_eq(pthread_create(&id, &attr, fn, &c), 0);
  pthread_attr_destroy(&attr);
  ck_assert_int_eq(pthread_join(id, NULL), 0);
  return c;
}

START_TEST(a_chain_a_thousand_deep_is_cancelled_on_a_small_stack) {
  ck_assert(on_small_stack(cancel_chain, 1000).done);
}
END_TEST

START_TEST(a_chain_a_million_deep_is_cancelled_on_a_small_stack) {
  ck_assert(on_small_stack(cancel_chain, scaled(1000000)).done);
}
END_TEST

START_TEST(a_long_chain_is_unreferenced_on_a_small_stack) {
  ck_assert(on_small_stack(unref_chain, scaled(100000)).done);
}
END_TEST

START_TEST(a_long_chain_of_values_needs_no_deep_stack) {
  struct chain c = on_small_stack(value_chain, scaled(100000));
  ck_assert(c.values_found);
  ck_assert(!c.done);
}
END_TEST

START_TEST(contexts_cost_no_threads) {
  enum { MANY = 100 };
  gch_ctx *ctx[MANY];
  int before = thread_count();
  for (int i = 0; i < MANY; i++)
    ctx[i] = i % 2 ? gch_ctx_with_cancel(ctx[i - 1])
                   : gch_ctx_with_timeout(bg(), GCH_HOUR + i);
  ck_assert_int_le(thread_count(), before + 1);
  for (int i = MANY; i-- > 0;)
    gch_ctx_end(ctx[i]);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("ctx_size");
  TCase *t = test_case(s, "size");
  tcase_add_test(t, a_hundred_thousand_children_end_with_their_parent);
  tcase_add_test(t, a_hundred_thousand_children_end_one_by_one);
  tcase_add_test(t, a_chain_a_thousand_deep_is_cancelled_on_a_small_stack);
  tcase_add_test(t, a_chain_a_million_deep_is_cancelled_on_a_small_stack);
  tcase_add_test(t, a_long_chain_is_unreferenced_on_a_small_stack);
  tcase_add_test(t, a_long_chain_of_values_needs_no_deep_stack);
  tcase_add_test(t, contexts_cost_no_threads);
  return s;
}
