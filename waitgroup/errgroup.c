/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A wait group, the first error, and for the limit a channel without elements
 * that holds one place a task. A task gives its place back before it is done,
 * so while wg counts none the channel may be replaced. wg's done is its last
 * touch of the group: when wait has returned the group may be freed.
 *
 * Fork. In the child none of the group's tasks runs, but perhaps the caller,
 * who ends the process at his end. So what wg counts and what places hold is of
 * ghosts, and forgotten at the first call that would wait for them; process is
 * as in park/sleepers.h.
 */
#include "chan/impl.h"
#include "go/spawn.h"
#include "park/fork.h"
#include "park/sleepers.h"
#include "park/strict.h"
#include "waitgroup/count.h"

#include <gulch/errgroup.h>

#include <stdatomic.h>
#include <stdlib.h>

struct gch_errgroup {
  gch_wg wg;
  _Atomic int first; /* the first error; 0: none yet */
  gch_ctx *ctx;      /* NULL: none of its own */
  gch_chan *places;  /* NULL: no limit */
  uint32_t process;
};

__attribute__((noinline)) static void adopt(gch_errgroup *g) {
  struct gch_lock *lock = gch__sleepers_lock(g);
  gch__lock(lock);
  if (gch__is_inherited(&g->process)) {
    g->wg = (gch_wg)GCH_WG_INIT;
    if (g->places)
      gch__drain(g->places);
    gch__adopt(&g->process);
  }
  gch__unlock(lock);
}

static inline void forget_ghosts(gch_errgroup *g) {
  if (gch__is_inherited(&g->process))
    adopt(g);
}

gch_errgroup *gch_errgroup_new(void) {
  gch_errgroup *g = calloc(1, sizeof *g);
  if (g)
    g->process = (uint32_t)gch__forks();
  else
    errno = ENOMEM;
  return g;
}

gch_errgroup *gch_errgroup_with_ctx(const gch_ctx *parent) {
  gch_ctx *ctx = gch_ctx_with_cancel(parent);
  if (!ctx)
    return NULL;
  gch_errgroup *g = gch_errgroup_new();
  if (!g) {
    gch_ctx_unref(ctx);
    errno = ENOMEM;
    return NULL;
  }
  g->ctx = ctx;
  return g;
}

const gch_ctx *gch_errgroup_ctx(gch_errgroup *g) {
  return g->ctx ? g->ctx : gch_ctx_background();
}

int gch_errgroup_set_limit(gch_errgroup *g, int n) {
  gch_chan *places = NULL;
  forget_ghosts(g);
  size_t running = gch__wg_count(&g->wg);
  if (running > 0) {
    if (gch__strict())
      gch_panic("errgroup: modify limit while %zu goroutines in the group "
                "are still active",
                running);
    return EBUSY;
  }
  int saved = errno;
  if (n >= 0 && !(places = gch_make(0, (size_t)n))) {
    errno = saved;
    return ENOMEM;
  }
  gch_unref(g->places);
  g->places = places;
  return 0;
}

static void end_one(gch_errgroup *g) {
  if (g->places)
    gch_recv(g->places, NULL);
  gch_wg_done(&g->wg);
}

static void run(void *fn, void *group, void *arg) {
  gch_errgroup *g = group;
  int none = 0, forks = gch__forks();
  int err = ((int (*)(const gch_ctx *, void *))fn)(gch_errgroup_ctx(g), arg);
  gch__exit_in_child(forks);
  if (err != 0 && atomic_compare_exchange_strong(&g->first, &none, err)) {
    gch_ctx_cancel_cause(g->ctx, err);
    gch__exit_in_child(forks); /* after what a custom context's functions do */
  }
  end_one(g);
}

static void run_copy(void *fn, void *copy, void *group) {
  run(fn, group, copy);
}

static void run_word(void *fn, void *word, void *group) {
  _Alignas(max_align_t) void *copy[1] = {word};
  run(fn, group, copy);
}

/* Waits for a place, where there is a limit, and counts. */
static void enter(gch_errgroup *g) {
  forget_ghosts(g);
  if (g->places)
    gch_send(g->places, NULL);
  gch_wg_add(&g->wg, 1);
}

/* err of a start that was counted, and had a place. */
static int started(gch_errgroup *g, int err) {
  if (err)
    end_one(g);
  return err;
}

int gch_errgroup_go(gch_errgroup *g, int (*fn)(const gch_ctx *, void *),
                    void *arg) {
  if (!fn)
    return gch__go_panics(EINVAL, EINVAL, GCH_NIL_FUNC);
  enter(g);
  return started(g, gch__spawn(run, (void *)fn, g, arg));
}

int gch_errgroup_try_go(gch_errgroup *g, int (*fn)(const gch_ctx *, void *),
                        void *arg) {
  if (!fn)
    return gch__go_panics(EINVAL, EINVAL, GCH_NIL_FUNC);
  forget_ghosts(g);
  if (g->places && gch_try_send(g->places, NULL) != 0)
    return EAGAIN;
  gch_wg_add(&g->wg, 1);
  return started(g, gch__spawn(run, (void *)fn, g, arg));
}

int gch_errgroup_go_copy(gch_errgroup *g, int (*fn)(const gch_ctx *, void *),
                         const void *arg, size_t size) {
  if (!fn)
    return gch__go_panics(EINVAL, EINVAL, GCH_NIL_FUNC);
  if (!arg && size > 0)
    return EINVAL;
  enter(g);
  return started(g,
                 gch__spawn_copy(run_copy, run_word, (void *)fn, arg, size, g));
}

int gch_errgroup_go_with(gch_errgroup *g, const gch_go_opts *opts,
                         int (*fn)(const gch_ctx *, void *), void *arg) {
  if (!fn)
    return gch__go_panics(EINVAL, EINVAL, GCH_NIL_FUNC);
  enter(g);
  return started(g, gch__spawn_as(opts, run, (void *)fn, g, arg));
}

int gch_errgroup_wait(gch_errgroup *g) {
  forget_ghosts(g);
  gch_wg_wait(&g->wg);
  int first = atomic_load(&g->first);
  gch_ctx_cancel_cause(g->ctx, first);
  return first;
}

void gch_errgroup_free(gch_errgroup *g) {
  if (!g)
    return;
  forget_ghosts(g);
  gch_wg_wait(&g->wg);
  gch_ctx_end(g->ctx);
  gch_unref(g->places);
  free(g);
}
