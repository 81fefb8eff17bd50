/* SPDX-License-Identifier: BSD-3-Clause */
/* Wait groups and error groups. */
#include "timers.h"

#include <string.h>

/* The group's memory goes as soon as the wait returns, while the last done may
   still be on its way out. */
struct job {
  gch_wg wg;
  _Atomic int runs;
};

enum { WORKERS = 4, OWNERS = 3, MAX_JOBS = 6 };

static struct {
  gch_chan *jobs; /* of struct job * */
  gch_wg owners;
  int64_t end;
} shop;

static void wait_somehow(gch_wg *wg, uint32_t *random) {
  int err = ETIMEDOUT;
  uint32_t way = pick(random, 3);
  if (way == 0)
    gch_wg_wait(wg);
  while (way == 1 && err == ETIMEDOUT)
    err = gch_wg_wait_until(wg, soon(random, MOMENT));
  while (way == 2 && err == ETIMEDOUT) {
    gch_ctx *ctx =
        gch_ctx_with_deadline(gch_ctx_background(), soon(random, MOMENT));
    err = gch_wg_wait_ctx(ctx, wg);
    gch_ctx_end(ctx);
  }
  scribble();
}

static void free_job(struct job *j) {
  memset(j, 0xa5, sizeof *j);
  free(j);
}

static void own_jobs(uint32_t *random) {
  while (gch_now() < shop.end) {
    struct job *j = calloc(1, sizeof *j);
    int n = 1 + (int)pick(random, MAX_JOBS);
    require(j != NULL);
    gch_wg_add(&j->wg, n);
    for (int i = 0; i < n; i++)
      require(gch_send(shop.jobs, &j) == 0);
    wait_somehow(&j->wg, random);
    require(atomic_load(&j->runs) == n);
    free_job(j);
  }
  gch_wg_done(&shop.owners);
}

static void do_jobs(uint32_t *random) {
  struct job *j;
  while (gch_recv(shop.jobs, &j) == 0) {
    dawdle(random, 100);
    atomic_fetch_add(&j->runs, 1);
    gch_wg_done(&j->wg);
  }
}

static void shop_main(void *unused, int id) {
  uint32_t random = stress_seed(id);
  (void)unused;
  if (id < WORKERS)
    do_jobs(&random);
  else if (id < WORKERS + OWNERS)
    own_jobs(&random);
  else {
    gch_wg_wait(&shop.owners);
    gch_close(shop.jobs);
  }
}

START_TEST(a_wait_group_is_freed_at_once) {
  struct crew crew;
  shop.jobs = gch_make_of(struct job *, 2);
  shop.end = stress_end(TIMER_TESTS);
  gch_wg_add(&shop.owners, OWNERS);
  crew_start(&crew, WORKERS + OWNERS + 1, shop_main, NULL);
  crew_join(&crew);
  gch_unref(shop.jobs);
}
END_TEST

/* Several wait, with and without deadlines, for the same group, round after
   round; the last of them to return frees it. */
enum { DONERS = 3, WAITERS = 4 };

static struct {
  struct job *job;
  _Atomic int waiting;
} many;

static void make_many(void *unused) {
  (void)unused;
  many.job = calloc(1, sizeof *many.job);
  require(many.job != NULL);
  gch_wg_add(&many.job->wg, DONERS);
  atomic_store(&many.waiting, WAITERS);
}

static void done_or_wait(void *unused, int id) {
  struct job *j = many.job;
  uint32_t random = stress_seed(id);
  (void)unused;
  dawdle(&random, 400);
  if (id < DONERS) {
    atomic_fetch_add(&j->runs, 1);
    gch_wg_done(&j->wg);
    return;
  }
  wait_somehow(&j->wg, &random);
  require(atomic_load(&j->runs) == DONERS);
  if (atomic_fetch_sub(&many.waiting, 1) == 1)
    free_job(j);
}

START_TEST(all_waiters_return_and_the_last_frees) {
  struct rounds r = {.prepare = make_many,
                     .act = done_or_wait,
                     .end = stress_end(TIMER_TESTS)};
  rounds_run(&r, DONERS + WAITERS);
}
END_TEST

/* An error group keeps its limit and its first error, and may be freed at
   once; a limit is changed as soon as that is allowed. */
enum { TASKS = 12, LIMIT = 3 };

struct group {
  _Atomic int running, runs, first;
  int started;
};

static int run_task(const gch_ctx *ctx, void *arg) {
  struct group *g = arg;
  int none = 0, err = 0, n = atomic_fetch_add(&g->runs, 1);
  (void)ctx;
  require(atomic_fetch_add(&g->running, 1) < LIMIT);
  if (n % 3 == 2 && atomic_compare_exchange_strong(&g->first, &none, ENOENT))
    err = ENOENT;
  atomic_fetch_sub(&g->running, 1);
  return err;
}

static void start_task(gch_errgroup *e, struct group *g, uint32_t *random) {
  int err = 0;
  if (pick(random, 2) == 0)
    err = gch_errgroup_try_go(e, run_task, g);
  else
    require(gch_errgroup_go(e, run_task, g) == 0);
  require(err == 0 || err == EAGAIN);
  g->started += err == 0;
}

static void run_group(uint32_t *random) {
  struct group g = {0};
  gch_errgroup *e = gch_errgroup_with_ctx(gch_ctx_background());
  require(e && gch_errgroup_set_limit(e, LIMIT) == 0);
  const gch_ctx *ctx = gch_ctx_ref(gch_errgroup_ctx(e));
  for (int i = 0; i < TASKS; i++) {
    start_task(e, &g, random);
    if (pick(random, 4) == 0)
      for (int looks = 0; gch_errgroup_set_limit(e, LIMIT) == EBUSY; looks++)
        stand_by(looks);
  }
  int first = gch_errgroup_wait(e);
  gch_errgroup_free(e);
  require(first == atomic_load(&g.first) && atomic_load(&g.runs) == g.started);
  require(gch_ctx_err(ctx) == ECANCELED);
  require(gch_ctx_cause(ctx) == (first ? first : ECANCELED));
  gch_ctx_unref(ctx);
}

static void group_main(void *shared, int id) {
  int64_t end = *(int64_t *)shared;
  uint32_t random = stress_seed(id);
  while (gch_now() < end)
    run_group(&random);
}

START_TEST(an_error_group_keeps_its_limit_and_first_error) {
  int64_t end = stress_end(TIMER_TESTS);
  struct crew crew;
  crew_start(&crew, 4, group_main, &end);
  crew_join(&crew);
}
END_TEST

void add_group_tests(TCase *t) {
  tcase_add_test(t, a_wait_group_is_freed_at_once);
  tcase_add_test(t, all_waiters_return_and_the_last_frees);
  tcase_add_test(t, an_error_group_keeps_its_limit_and_first_error);
}
