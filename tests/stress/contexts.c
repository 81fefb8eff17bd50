/* SPDX-License-Identifier: BSD-3-Clause */
/* Trees of contexts, made, cancelled, asked and dropped by several threads.
   Those of the user's own kind, and after_func, are in custom.c. */
#include "contexts.h"

#include <string.h>

static gch_ctx *must(gch_ctx *ctx) {
  require(ctx != NULL);
  return ctx;
}

gch_ctx *any_child(const gch_ctx *parent, uint32_t *random) {
  switch (pick(random, 5)) {
  case 0:
    return must(gch_ctx_with_timeout(parent, pick(random, MOMENT)));
  case 1:
    return must(
        gch_ctx_with_deadline_cause(parent, soon(random, MOMENT), EDOM));
  case 2:
    return must(gch_ctx_with_timeout(parent, GCH_HOUR));
  case 3: {
    GCH_CTX_UNREF_AUTO const gch_ctx *value =
        gch_ctx_with_value(parent, random, random);
    require(value != NULL);
    return must(gch_ctx_with_cancel(value));
  }
  default:
    return must(gch_ctx_with_cancel(parent));
  }
}

/* What must hold of any context at any time. */
void check_ctx(const gch_ctx *ctx) {
  int before = gch_ctx_err(ctx);
  gch_chan *done = gch_ctx_done(ctx); /* perhaps the first to ask for it */
  bool closed = gch_try_recv(done, NULL) == EPIPE;
  require(before == 0 || closed);
  int err = gch_ctx_err(ctx), cause = gch_ctx_cause(ctx);
  require(!closed || (err != 0 && cause != 0));
  require(err == 0 || err == ECANCELED || err == ETIMEDOUT);
  require(err == 0 || cause != 0);
  require(err == 0 || gch_try_recv(done, NULL) == EPIPE);
  require(err == 0 || (gch_ctx_err(ctx) == err && cause == gch_ctx_cause(ctx)));
}

/* A forest in slots. A slot holds a context and its parent, which may both be
   shared with other slots. */
enum { SLOTS = 16, GARDENERS = 6 };

struct slot {
  pthread_mutex_t mutex;
  gch_ctx *parent, *child;
};

struct forest {
  struct slot slots[SLOTS];
  int64_t end;
};

static void drop_pair(gch_ctx *parent, gch_ctx *child) {
  gch_ctx_unref(child);
  gch_ctx_unref(parent);
}

static void look(struct slot *s, gch_ctx **parent, gch_ctx **child) {
  pthread_mutex_lock(&s->mutex);
  *parent = gch_ctx_ref_cancel(s->parent);
  *child = gch_ctx_ref_cancel(s->child);
  pthread_mutex_unlock(&s->mutex);
}

/* Takes both references over. */
static void put(struct slot *s, gch_ctx *parent, gch_ctx *child) {
  pthread_mutex_lock(&s->mutex);
  gch_ctx *old_parent = s->parent, *old_child = s->child;
  s->parent = parent;
  s->child = child;
  pthread_mutex_unlock(&s->mutex);
  drop_pair(old_parent, old_child);
}

static void plant(struct slot *s, uint32_t *random) {
  gch_ctx *root = any_child(gch_ctx_background(), random);
  put(s, root, any_child(root, random));
}

static void grow(struct forest *f, gch_ctx *ctx, uint32_t *random) {
  put(&f->slots[pick(random, SLOTS)], gch_ctx_ref_cancel(ctx),
      any_child(ctx, random));
}

/* When cancel returns all descendants are done, with one cause. */
static void fell(gch_ctx *parent, gch_ctx *child, int cause) {
  gch_ctx_cancel_cause(parent, cause);
  require(gch_ctx_err(parent) != 0 && gch_ctx_err(child) != 0);
  gch_ctx *late = must(gch_ctx_with_cancel(child));
  require(gch_ctx_err(late) == gch_ctx_err(child));
  require(gch_ctx_cause(late) == gch_ctx_cause(child));
  gch_ctx_end(late);
}

static void wait_a_moment(const gch_ctx *ctx, uint32_t *random) {
  gch_chan *done = gch_ref(gch_ctx_done(ctx));
  int err = gch_recv_until(done, NULL, soon(random, MOMENT));
  require(err == EPIPE ? gch_ctx_err(ctx) != 0 : err == ETIMEDOUT);
  gch_unref(done);
}

static void garden(struct forest *f, uint32_t *random) {
  struct slot *s = &f->slots[pick(random, SLOTS)];
  gch_ctx *parent, *child;
  look(s, &parent, &child);
  check_ctx(child);
  switch (pick(random, 12)) {
  case 0:
    plant(s, random);
    break;
  case 1:
    fell(parent, child, (int)pick(random, 3));
    break;
  case 2:
    gch_ctx_cancel(child);
    check_ctx(child);
    break;
  case 3:
  case 4:
    wait_a_moment(child, random);
    break;
  default:
    if (gch_ctx_err(child) != 0)
      plant(s, random);
    else
      grow(f, child, random);
  }
  drop_pair(parent, child);
}

static void garden_main(void *shared, int id) {
  struct forest *f = shared;
  uint32_t random = stress_seed(id);
  while (gch_now() < f->end)
    garden(f, &random);
}

START_TEST(trees_are_cancelled_and_dropped_by_anyone) {
  struct forest f = {.end = stress_end(CONTEXT_TESTS)};
  struct crew crew;
  uint32_t random = stress_seed(0);
  for (int i = 0; i < SLOTS; i++) {
    pthread_mutex_init(&f.slots[i].mutex, NULL);
    plant(&f.slots[i], &random);
  }
  crew_start(&crew, GARDENERS, garden_main, &f);
  crew_join(&crew);
  for (int i = 0; i < SLOTS; i++) {
    put(&f.slots[i], NULL, NULL);
    pthread_mutex_destroy(&f.slots[i].mutex);
  }
}
END_TEST

/* One cancels, the others make children, and children of those. */
enum { PARENTS_CHILDREN = 5, CHAIN = 3 };

static struct {
  gch_ctx *top;
  gch_ctx *chain[PARENTS_CHILDREN][CHAIN];
  uint32_t random;
} race;

static void make_top(void *shared) {
  (void)shared;
  race.top = must(gch_ctx_with_cancel(gch_ctx_background()));
}

static void cancel_or_derive(void *shared, int id) {
  uint32_t random = stress_seed(id);
  (void)shared;
  dawdle(&random, 400);
  if (id < 2) {
    gch_ctx_cancel_cause(race.top, ENOENT + id);
    require(gch_ctx_err(race.top) == ECANCELED);
    return;
  }
  gch_ctx **chain = race.chain[id - 2];
  for (int i = 0; i < CHAIN; i++) {
    chain[i] =
        must(gch_ctx_with_timeout(i == 0 ? race.top : chain[i - 1], GCH_HOUR));
    check_ctx(chain[i]);
  }
}

static void check_derived(void *shared) {
  int cause = gch_ctx_cause(race.top);
  (void)shared;
  for (int i = 0; i < PARENTS_CHILDREN; i++)
    for (int k = 0; k < CHAIN; k++) {
      require(gch_ctx_err(race.chain[i][k]) == ECANCELED);
      require(gch_ctx_cause(race.chain[i][k]) == cause);
      gch_ctx_unref(race.chain[i][k]);
    }
  gch_ctx_unref(race.top);
}

START_TEST(a_child_made_while_its_parent_is_cancelled_is_done) {
  struct rounds r = {.prepare = make_top,
                     .act = cancel_or_derive,
                     .check = check_derived,
                     .end = stress_end(CONTEXT_TESTS)};
  rounds_run(&r, 2 + PARENTS_CHILDREN);
}
END_TEST

/* A deadline fires while its context is cancelled, derived from, or goes.
   Whoever sits on the done channel is woken in any case. */
static struct {
  gch_ctx *ctx;
  gch_chan *done[3];
  uint32_t random;
} timed;

static void make_timed(void *shared) {
  (void)shared;
  if (timed.random == 0)
    timed.random = stress_seed(0);
  timed.ctx = must(gch_ctx_with_timeout_cause(
      gch_ctx_background(), pick(&timed.random, MOMENT), EDOM));
  for (int i = 0; i < 3; i++) {
    timed.done[i] = gch_ref(gch_ctx_done(timed.ctx));
    gch_ctx_ref(timed.ctx);
  }
}

static void check_timed(void) {
  int err = gch_ctx_err(timed.ctx);
  require(err == ECANCELED || err == ETIMEDOUT);
  require(gch_ctx_cause(timed.ctx) == (err == ECANCELED ? ECANCELED : EDOM));
}

static void race_the_deadline(void *shared, int id) {
  uint32_t random = stress_seed(id);
  (void)shared;
  if (id == 3) {
    gch_sleep(pick(&random, MOMENT));
    if (pick(&random, 2) == 0) {
      gch_ctx_cancel(timed.ctx);
      check_timed();
    }
    gch_ctx_unref(timed.ctx);
    return;
  }
  if (id == 2) {
    gch_ctx *child = any_child(timed.ctx, &random);
    gch_ctx_unref(timed.ctx);
    require(gch_recv(gch_ctx_done(child), NULL) == EPIPE);
    check_ctx(child);
    gch_ctx_unref(child);
  } else {
    dawdle(&random, 2000);
    gch_ctx_unref(timed.ctx);
  }
  require(gch_recv(timed.done[id], NULL) == EPIPE);
  gch_unref(timed.done[id]);
}

START_TEST(a_deadline_races_the_cancel_and_the_last_unref) {
  struct rounds r = {.prepare = make_timed,
                     .act = race_the_deadline,
                     .end = stress_end(CONTEXT_TESTS)};
  rounds_run(&r, 4);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("stress/contexts");
  TCase *t = test_case(s, "trees");
  tcase_add_test(t, trees_are_cancelled_and_dropped_by_anyone);
  tcase_add_test(t, a_child_made_while_its_parent_is_cancelled_is_done);
  tcase_add_test(t, a_deadline_races_the_cancel_and_the_last_unref);
  add_custom_tests(test_case(s, "custom"));
  return s;
}
