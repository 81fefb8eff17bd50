/* SPDX-License-Identifier: BSD-3-Clause */
/* after_func against cancel, and contexts of the user's own kind. */
#include "contexts.h"
#include "own_ctx.h"

/* fn runs, or stop says that it will not: one of the two. */
enum { REGISTRARS = 4, FUNCS = 3 };

struct call {
  _Atomic int runs;
  gch_wg *ended;
};

static struct {
  gch_ctx *ctx;
  gch_wg ended;
  struct call calls[REGISTRARS][FUNCS];
  _Atomic int stops[REGISTRARS][FUNCS];
  uint32_t random;
} funcs;

static void run_func(void *arg) {
  struct call *c = arg;
  atomic_fetch_add(&c->runs, 1);
  gch_wg_done(c->ended);
}

static void make_funcs(void *shared) {
  (void)shared;
  if (funcs.random == 0)
    funcs.random = stress_seed(0);
  gch_wg_add(&funcs.ended, REGISTRARS * FUNCS);
  funcs.ctx = any_child(gch_ctx_background(), &funcs.random);
  for (int i = 0; i < REGISTRARS; i++) {
    gch_ctx_ref(funcs.ctx);
    for (int k = 0; k < FUNCS; k++) {
      atomic_store(&funcs.calls[i][k].runs, 0);
      atomic_store(&funcs.stops[i][k], 0);
      funcs.calls[i][k].ended = &funcs.ended;
    }
  }
}

static void stop_or_release(gch_after_func *a, _Atomic int *stops,
                            uint32_t *random) {
  dawdle(random, 200);
  if (pick(random, 3) == 0) {
    gch_after_func_release(a);
  } else if (gch_after_func_stop(a)) {
    atomic_fetch_add(stops, 1);
    gch_wg_done(&funcs.ended);
  }
}

static void register_funcs(int id, uint32_t *random) {
  gch_after_func *a[FUNCS];
  for (int k = 0; k < FUNCS; k++) {
    a[k] = gch_ctx_after_func(funcs.ctx, run_func, &funcs.calls[id][k]);
    require(a[k] != NULL);
  }
  gch_ctx_unref(funcs.ctx);
  for (int k = 0; k < FUNCS; k++)
    stop_or_release(a[k], &funcs.stops[id][k], random);
}

static void cancel_or_register(void *shared, int id) {
  uint32_t random = stress_seed(id);
  (void)shared;
  dawdle(&random, 400);
  if (id < REGISTRARS)
    register_funcs(id, &random);
  else if (pick(&random, 2) == 0)
    gch_ctx_end(funcs.ctx);
  else
    gch_ctx_unref(funcs.ctx);
}

static void check_funcs(void *shared) {
  (void)shared;
  gch_wg_wait(&funcs.ended);
  for (int i = 0; i < REGISTRARS; i++)
    for (int k = 0; k < FUNCS; k++)
      require(atomic_load(&funcs.calls[i][k].runs) +
                  atomic_load(&funcs.stops[i][k]) ==
              1);
}

START_TEST(an_after_func_runs_or_is_stopped) {
  struct rounds r = {.prepare = make_funcs,
                     .act = cancel_or_register,
                     .check = check_funcs,
                     .end = stress_end(CONTEXT_TESTS)};
  rounds_run(&r, REGISTRARS + 1);
}
END_TEST

/* A custom context is closed while others hang children on it, and drop them,
   and it. */
enum { HANGERS = 5 };

static _Atomic int owns_made, owns_dropped;

static void own_free(void *self) {
  struct own *o = self;
  gch_unref(o->done);
  free(o);
  atomic_fetch_add(&owns_dropped, 1);
}

static const gch_ctx_ops own_ops = {
    .done = own_done, .err = own_err, .drop = own_free};

static struct {
  struct own *own;
  const gch_ctx *ctx;
  gch_ctx *child[HANGERS];
} hung;

static void make_own(void *shared) {
  (void)shared;
  hung.own = calloc(1, sizeof *hung.own);
  require(hung.own && (hung.own->done = gch_make(0, 0)));
  hung.ctx = gch_ctx_custom(gch_ctx_background(), &own_ops, hung.own);
  require(hung.ctx != NULL);
  for (int i = 0; i < HANGERS; i++)
    gch_ctx_ref(hung.ctx);
  atomic_fetch_add(&owns_made, 1);
}

static void hang(int id, uint32_t *random) {
  gch_ctx *child = any_child(hung.ctx, random);
  gch_ctx_unref(hung.ctx);
  check_ctx(child);
  if (pick(random, 2) == 0) {
    gch_ctx_unref(child);
    child = NULL;
  } else if (pick(random, 2) == 0) {
    require(gch_recv(gch_ctx_done(child), NULL) == EPIPE);
    require(gch_ctx_err(child) != 0);
  }
  hung.child[id] = child;
}

/* The closer owns no context at the close: the last may go meanwhile. */
static void close_or_hang(void *shared, int id) {
  uint32_t random = stress_seed(id);
  (void)shared;
  if (id < HANGERS) {
    dawdle(&random, 300);
    hang(id, &random);
    return;
  }
  gch_chan *done = gch_ref(hung.own->done);
  dawdle(&random, 300);
  atomic_store(&hung.own->err, ECANCELED);
  gch_ctx_unref(hung.ctx);
  require(gch_close(done) == 0);
  gch_unref(done);
}

static void check_hung(void *shared) {
  (void)shared;
  for (int i = 0; i < HANGERS; i++)
    if (hung.child[i]) {
      require(gch_ctx_err(hung.child[i]) != 0);
      gch_ctx_unref(hung.child[i]);
    }
  /* What a deadline dropped last, it dropped in a task. */
  await_count(&owns_dropped, atomic_load(&owns_made) - 1);
}

START_TEST(a_custom_done_is_closed_while_children_come_and_go) {
  struct rounds r = {.prepare = make_own,
                     .act = close_or_hang,
                     .check = check_hung,
                     .end = stress_end(CONTEXT_TESTS)};
  rounds_run(&r, HANGERS + 1);
  await_count(&owns_dropped, atomic_load(&owns_made));
}
END_TEST

void add_custom_tests(TCase *t) {
  tcase_add_test(t, an_after_func_runs_or_is_stopped);
  tcase_add_test(t, a_custom_done_is_closed_while_children_come_and_go);
}
