/* SPDX-License-Identifier: BSD-3-Clause */
/* Go's context/x_test.go: values, bad arguments, cancels that race. */
#include "context_checks.h"

/* The first two are equal in all but their address. */
static const int k1 = 1, k2 = 1, k3 = 3;

static void check_values(const gch_ctx *c, const char *v1, const char *v2,
                         const char *v3) {
  ck_assert_pstr_eq(gch_ctx_value(c, &k1), v1);
  ck_assert_pstr_eq(gch_ctx_value(c, &k2), v2);
  ck_assert_pstr_eq(gch_ctx_value(c, &k3), v3);
}

START_TEST(TestValues) {
  const gch_ctx *c0 = gch_ctx_background();
  check_values(c0, NULL, NULL, NULL);

  GCH_CTX_UNREF_AUTO const gch_ctx *c1 = gch_ctx_with_value(c0, &k1, "c1k1");
  check_values(c1, "c1k1", NULL, NULL);
  check_string_begins(c1, "context.Background.WithValue(");

  GCH_CTX_UNREF_AUTO const gch_ctx *c2 = gch_ctx_with_value(c1, &k2, "c2k2");
  check_values(c2, "c1k1", "c2k2", NULL);

  GCH_CTX_UNREF_AUTO const gch_ctx *c3 = gch_ctx_with_value(c2, &k3, "c3k3");
  check_values(c3, "c1k1", "c2k2", "c3k3");

  GCH_CTX_UNREF_AUTO const gch_ctx *c4 = gch_ctx_with_value(c3, &k1, NULL);
  check_values(c4, NULL, "c2k2", "c3k3");
}
END_TEST

START_TEST(TestValues_otherContext) {
  const gch_ctx *bg = gch_ctx_background();
  GCH_CTX_UNREF_AUTO const gch_ctx *o0 = other_context(bg);
  check_values(o0, NULL, NULL, NULL);

  GCH_CTX_UNREF_AUTO const gch_ctx *c1 = gch_ctx_with_value(bg, &k1, "c1k1");
  GCH_CTX_UNREF_AUTO const gch_ctx *o1 = other_context(c1);
  check_values(o1, "c1k1", NULL, NULL);

  GCH_CTX_UNREF_AUTO const gch_ctx *o2 = gch_ctx_with_value(o1, &k2, "o2k2");
  check_values(o2, "c1k1", "o2k2", NULL);

  GCH_CTX_UNREF_AUTO const gch_ctx *o3 = gch_ctx_with_value(o2, &k3, "o3k3");
  GCH_CTX_UNREF_AUTO const gch_ctx *o4 = gch_ctx_with_value(o3, &k3, NULL);
  check_values(o4, "c1k1", "o2k2", NULL);
}
END_TEST

#define check_refused(made)                                                    \
  do {                                                                         \
    errno = 0;                                                                 \
    const gch_ctx *made_ = (made);                                             \
    int error_ = errno;                                                        \
    ck_assert_ptr_null(made_);                                                 \
    ck_assert_int_eq(error_, EINVAL);                                          \
  } while (0)

static void value_without_key(void *arg) {
  (void)arg;
  gch_ctx_with_value(gch_ctx_background(), NULL, "bar");
}

START_TEST(TestWithValueChecksKey) {
  check_refused(gch_ctx_with_value(gch_ctx_background(), NULL, "bar"));
}
END_TEST

START_TEST(TestWithValueChecksKey_strict) {
  expect_panic_strict(value_without_key, NULL, "nil key");
}
END_TEST

START_TEST(TestInvalidDerivedFail) {
  check_refused(gch_ctx_with_cancel(NULL));
  check_refused(gch_ctx_with_deadline(NULL, gch_now() + SHORT_DURATION));
  check_refused(gch_ctx_with_timeout(NULL, SHORT_DURATION));
  check_refused(gch_ctx_with_deadline_cause(NULL, gch_now(), TOO_SLOW));
  check_refused(gch_ctx_with_timeout_cause(NULL, SHORT_DURATION, TOO_SLOW));
  check_refused(gch_ctx_with_value(NULL, &k1, "bar"));
  check_refused(gch_ctx_without_cancel(NULL));
}
END_TEST

static void cancel_of_nil(void *arg) {
  (void)arg;
  gch_ctx_with_cancel(NULL);
}

static void deadline_of_nil(void *arg) {
  (void)arg;
  gch_ctx_with_deadline(NULL, gch_now());
}

static void timeout_of_nil(void *arg) {
  (void)arg;
  gch_ctx_with_timeout(NULL, SHORT_DURATION);
}

static void value_of_nil(void *arg) {
  (void)arg;
  gch_ctx_with_value(NULL, &k1, "bar");
}

static void without_cancel_of_nil(void *arg) {
  (void)arg;
  gch_ctx_without_cancel(NULL);
}

static void (*const of_nil[])(void *) = {cancel_of_nil, deadline_of_nil,
                                         timeout_of_nil, value_of_nil,
                                         without_cancel_of_nil};

START_TEST(TestInvalidDerivedFail_strict) {
  expect_panic_strict(of_nil[_i], NULL,
                      "cannot create context from nil parent");
}
END_TEST

/* What Go's DeadlineExceeded tells by its Timeout method. */
START_TEST(TestDeadlineExceededSupportsTimeout) {
  GCH_CTX_AUTO gch_ctx *c = gch_ctx_with_timeout(gch_ctx_background(), 0);
  ck_assert_int_eq(gch_ctx_err(c), ETIMEDOUT);
  ck_assert_str_eq(gch_strerror(ETIMEDOUT), "context deadline exceeded");
  ck_assert_str_eq(gch_strerror(ECANCELED), "context canceled");
}
END_TEST

static void cancel_it(void *ctx) {
  gch_ctx_cancel(ctx);
}

enum { TREE = 101, FOLD = 4 };

/* A tree in which each context has up to four children. */
START_TEST(TestSimultaneousCancels) {
  gch_ctx *tree[TREE];
  gch_wg wg = GCH_WG_INIT;

  tree[0] = gch_ctx_with_cancel(gch_ctx_background());
  for (int i = 1; i < TREE; i++)
    tree[i] = gch_ctx_with_cancel(tree[(i - 1) / FOLD]);
  /* 37 and 101 have no common factor: every context once, in no order. */
  for (int i = 0; i < TREE; i++)
    ck_assert_int_eq(gch_wg_go(&wg, cancel_it, tree[i * 37 % TREE]), 0);
  for (int i = 0; i < TREE; i++)
    await_done(tree[i]);
  gch_wg_wait(&wg);
  for (int i = 0; i < TREE; i++)
    gch_ctx_unref(tree[i]);
}
END_TEST

struct pair {
  gch_ctx *parent, *child;
};

static void cancel_child_after_parent(void *arg) {
  struct pair *p = arg;
  gch_recv(gch_ctx_done(p->parent), NULL);
  gch_ctx_cancel(p->child);
}

START_TEST(TestInterlockedCancels) {
  GCH_CTX_AUTO gch_ctx *parent = gch_ctx_with_cancel(gch_ctx_background());
  GCH_CTX_AUTO gch_ctx *child = gch_ctx_with_cancel(parent);
  struct pair p = {parent, child};
  gch_wg wg = GCH_WG_INIT;

  ck_assert_int_eq(gch_wg_go(&wg, cancel_child_after_parent, &p), 0);
  await_waiting(gch_ctx_done(parent), 0, 1);
  gch_ctx_cancel(parent);
  await_done(child);
  gch_wg_wait(&wg);
}
END_TEST

static void cancel_for_parent_cause(void *ctx) {
  gch_ctx_cancel_cause(ctx, PARENT_CAUSE);
}

START_TEST(TestWithCancelSimultaneouslyCanceledParent) {
  for (int i = 0; i < scaled(100); i++) {
    GCH_CTX_AUTO gch_ctx *parent = gch_ctx_with_cancel(gch_ctx_background());
    gch_wg wg = GCH_WG_INIT;
    ck_assert_int_eq(gch_wg_go(&wg, cancel_for_parent_cause, parent), 0);
    GCH_CTX_AUTO gch_ctx *c = gch_ctx_with_cancel(parent);
    await_done(c);
    ck_assert_int_eq(gch_ctx_err(c), ECANCELED);
    ck_assert_int_eq(gch_ctx_cause(c), PARENT_CAUSE);
    gch_wg_wait(&wg);
  }
}
END_TEST

enum { MIN_LAYERS = 30, MAX_LAYERS = 200 };

/* A pile of contexts, each the child of the one before. */
struct layers {
  uint32_t seed;
  int n, timers, cancels, values;
  const gch_ctx *all[MAX_LAYERS];
  gch_ctx *cancelable[MAX_LAYERS]; /* those that can be cancelled */
  const void *keys[MAX_LAYERS];    /* each also its own value */
};

static void put_layer(struct layers *l, uint32_t kind, int64_t timeout) {
  const gch_ctx *parent = l->n > 0 ? l->all[l->n - 1] : gch_ctx_background();
  const void *key = &l->keys[l->values];

  if (kind == 0) {
    l->keys[l->values++] = key;
    l->all[l->n++] = gch_ctx_with_value(parent, key, key);
    return;
  }
  gch_ctx *c = kind == 1 ? gch_ctx_with_cancel(parent)
                         : gch_ctx_with_timeout(parent, timeout);
  l->timers += kind == 2;
  l->cancelable[l->cancels++] = c;
  l->all[l->n++] = c;
}

static const gch_ctx *make_layers(struct layers *l, int64_t timeout) {
  uint32_t random = l->seed;
  while (l->n < MIN_LAYERS || !l->timers || l->timers == l->cancels ||
         !l->values) {
    ck_assert_int_lt(l->n, MAX_LAYERS);
    put_layer(l, test_random(&random) % 3, timeout);
    ck_assert_ptr_nonnull(l->all[l->n - 1]);
  }
  return l->all[l->n - 1];
}

static void check_layers(const struct layers *l, const gch_ctx *top) {
  for (int i = 0; i < l->values; i++)
    ck_assert_msg(gch_ctx_value(top, l->keys[i]) == l->keys[i],
                  "seed %u: value %d is lost", l->seed, i);
}

static void free_layers(struct layers *l) {
  for (int i = 0; i < l->n; i++)
    gch_ctx_unref(l->all[i]);
}

static uint32_t new_seed(void) {
  return (uint32_t)gch_now() | 1;
}

START_TEST(TestLayersCancel) {
  struct layers l = {.seed = new_seed()};
  const gch_ctx *top = make_layers(&l, VERY_LONG_DURATION);
  uint32_t random = ~l.seed | 1;

  check_open(top);
  check_string_begins(top, "context.Background.");
  check_layers(&l, top);
  gch_ctx_cancel(l.cancelable[test_random(&random) % (uint32_t)l.cancels]);
  ck_assert_msg(is_done(top), "seed %u: not done", l.seed);
  ck_assert_int_eq(gch_ctx_err(top), ECANCELED);
  check_layers(&l, top);
  free_layers(&l);
}
END_TEST

START_TEST(TestLayersTimeout) {
  struct layers l = {.seed = new_seed()};
  const gch_ctx *top = make_layers(&l, SHORT_DURATION);

  check_string_begins(top, "context.Background.");
  check_layers(&l, top);
  await_done(top);
  ck_assert_int_eq(gch_ctx_err(top), ETIMEDOUT);
  check_layers(&l, top);
  free_layers(&l);
}
END_TEST

static void add_values(Suite *s) {
  TCase *t = test_case(s, "values and arguments");
  tcase_add_test(t, TestValues);
  tcase_add_test(t, TestValues_otherContext);
  tcase_add_test(t, TestWithValueChecksKey);
  tcase_add_test(t, TestWithValueChecksKey_strict);
  tcase_add_test(t, TestInvalidDerivedFail);
  tcase_add_loop_test(t, TestInvalidDerivedFail_strict, 0, 5);
  tcase_add_test(t, TestDeadlineExceededSupportsTimeout);
}

static void add_races(Suite *s) {
  TCase *t = test_case(s, "races and layers");
  tcase_add_test(t, TestSimultaneousCancels);
  tcase_add_test(t, TestInterlockedCancels);
  tcase_add_test(t, TestWithCancelSimultaneouslyCanceledParent);
  tcase_add_test(t, TestLayersCancel);
  tcase_add_test(t, TestLayersTimeout);
}

Suite *test_suite(void) {
  Suite *s = suite_create("golang/context_x");
  add_values(s);
  add_races(s);
  return s;
}
