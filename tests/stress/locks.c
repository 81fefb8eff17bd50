/* SPDX-License-Identifier: BSD-3-Clause */
/* Mutexes, rwmutexes, conds and onces. */
#include "stress.h"

#include <string.h>

enum { TESTS = 5, CREW = 6, MOMENT = 30000 };

/* What all are after: how often each had it, and plain numbers that show when
   two have it at once. */
struct prize {
  gch_mutex m;
  gch_rwmutex rw;
  int64_t end;
  long sum, copy;
  _Atomic long expected, shares[CREW];
};

static struct prize *prize_new(void) {
  struct prize *p = calloc(1, sizeof *p);
  require(p != NULL);
  p->end = stress_end(TESTS);
  return p;
}

/* With the lock held for writing. */
static void win(struct prize *p, uint32_t *random, int id) {
  require(p->sum == p->copy);
  p->sum++;
  dawdle(random, 100);
  p->copy++;
  atomic_fetch_add(&p->shares[id], 1);
  atomic_fetch_add(&p->expected, 1);
}

static void prize_free(struct prize *p, int winners) {
  require(p->sum == p->copy && p->sum == p->expected);
  for (int i = 0; i < winners; i++)
    require(p->shares[i] > 0);
  require(gch_mutex_try_lock(&p->m) == 0);
  require(gch_rwmutex_try_lock(&p->rw) == 0);
  free(p);
}

/* All forms against each other: the time of a timed lock is such that it often
   runs out just when the unlock comes. */
static gch_ctx *until_soon(uint32_t *random) {
  return gch_ctx_with_deadline(gch_ctx_background(), soon(random, MOMENT));
}

static bool ended(gch_ctx *ctx, int err) {
  gch_ctx_end(ctx);
  return err != 0;
}

static bool lock_somehow(gch_mutex *m, uint32_t *random) {
  gch_ctx *ctx;
  switch (pick(random, 5)) {
  case 0:
    return gch_mutex_try_lock(m) == 0;
  case 1:
    return gch_mutex_lock_until(m, soon(random, MOMENT)) == 0;
  case 2:
    ctx = until_soon(random);
    return !ended(ctx, gch_mutex_lock_ctx(ctx, m));
  default:
    gch_mutex_lock(m);
    return true;
  }
}

static void lock_often(void *arg, int id) {
  struct prize *p = arg;
  uint32_t random = stress_seed(id);
  while (p->shares[id] == 0 || gch_now() < p->end) {
    bool has = lock_somehow(&p->m, &random);
    scribble();
    if (has) {
      win(p, &random, id);
      gch_mutex_unlock(&p->m);
    }
    if (pick(&random, 3) == 0)
      dawdle(&random, 400);
  }
}

START_TEST(a_mutex_is_had_by_one_at_a_time) {
  struct crew crew;
  struct prize *p = prize_new();
  crew_start(&crew, CREW, lock_often, p);
  crew_join(&crew);
  prize_free(p, CREW);
}
END_TEST

/* All but the first lock again at once; the first, which comes seldom, gets it
   all the same. Nobody else ends before it has had it often enough. */
enum { ENOUGH = 20 };

static void hog_or_come_seldom(void *arg, int id) {
  struct prize *p = arg;
  uint32_t random = stress_seed(id);
  while (p->shares[0] < ENOUGH || gch_now() < p->end) {
    gch_mutex_lock(&p->m);
    win(p, &random, id);
    gch_mutex_unlock(&p->m);
    if (id == 0)
      pause_a_little();
  }
}

START_TEST(nobody_starves_at_a_mutex) {
  struct crew crew;
  struct prize *p = prize_new();
  crew_start(&crew, CREW, hog_or_come_seldom, p);
  crew_join(&crew);
  prize_free(p, 1);
}
END_TEST

static bool write_somehow(gch_rwmutex *rw, uint32_t *random) {
  gch_ctx *ctx;
  switch (pick(random, 5)) {
  case 0:
    return gch_rwmutex_try_lock(rw) == 0;
  case 1:
    return gch_rwmutex_lock_until(rw, soon(random, MOMENT)) == 0;
  case 2:
    ctx = until_soon(random);
    return !ended(ctx, gch_rwmutex_lock_ctx(ctx, rw));
  default:
    gch_rwmutex_lock(rw);
    return true;
  }
}

static bool read_somehow(gch_rwmutex *rw, uint32_t *random) {
  gch_ctx *ctx;
  switch (pick(random, 5)) {
  case 0:
    return gch_rwmutex_try_rlock(rw) == 0;
  case 1:
    return gch_rwmutex_rlock_until(rw, soon(random, MOMENT)) == 0;
  case 2:
    ctx = until_soon(random);
    return !ended(ctx, gch_rwmutex_rlock_ctx(ctx, rw));
  default:
    gch_rwmutex_rlock(rw);
    return true;
  }
}

static void write_one(struct prize *p, uint32_t *random, int id) {
  bool has = write_somehow(&p->rw, random);
  scribble();
  if (!has)
    return;
  win(p, random, id);
  gch_rwmutex_unlock(&p->rw);
}

static void read_one(struct prize *p, uint32_t *random) {
  bool has = read_somehow(&p->rw, random);
  scribble();
  if (!has)
    return;
  long seen = p->sum;
  require(p->copy == seen);
  dawdle(random, 100);
  require(p->sum == seen);
  gch_rwmutex_runlock(&p->rw);
}

static void read_or_write(void *arg, int id) {
  struct prize *p = arg;
  uint32_t random = stress_seed(id);
  while (p->shares[id] == 0 || gch_now() < p->end) {
    if (pick(&random, 4) == 0)
      write_one(p, &random, id);
    else
      read_one(p, &random);
  }
}

START_TEST(a_rwmutex_is_had_by_one_writer_or_by_readers) {
  struct crew crew;
  struct prize *p = prize_new();
  crew_start(&crew, CREW, read_or_write, p);
  crew_join(&crew);
  prize_free(p, CREW);
}
END_TEST

/* The first two write, the others read without end; neither may wait for the
   other kind to pause. */
static bool all_had_enough(struct prize *p) {
  for (int i = 0; i < CREW; i++)
    if (p->shares[i] < ENOUGH)
      return false;
  return true;
}

static void write_forever_or_read(void *arg, int id) {
  struct prize *p = arg;
  uint32_t random = stress_seed(id);
  while (!all_had_enough(p) || gch_now() < p->end) {
    if (id < 2) {
      gch_rwmutex_lock(&p->rw);
      win(p, &random, id);
      gch_rwmutex_unlock(&p->rw);
      continue;
    }
    gch_rwmutex_rlock(&p->rw);
    atomic_fetch_add(&p->shares[id], 1);
    dawdle(&random, 400);
    gch_rwmutex_runlock(&p->rw);
  }
}

START_TEST(neither_readers_nor_writers_starve) {
  struct crew crew;
  struct prize *p = prize_new();
  crew_start(&crew, CREW, write_forever_or_read, p);
  crew_join(&crew);
  prize_free(p, CREW);
}
END_TEST

/* A counter under a mutex, and a cond for "more": a signal for each that is
   added, so a signal that a timed wait has lost leaves a waiter behind. */
static struct {
  gch_mutex m;
  gch_cond more;
  long added, taken;
  bool closed;
  int64_t end;
} store;

static void wait_somehow(uint32_t *random) {
  gch_ctx *ctx;
  switch (pick(random, 3)) {
  case 0:
    gch_cond_wait_until(&store.more, &store.m, soon(random, MOMENT));
    return;
  case 1:
    ctx = until_soon(random);
    ended(ctx, gch_cond_wait_ctx(ctx, &store.more, &store.m));
    return;
  default:
    gch_cond_wait(&store.more, &store.m);
  }
}

static bool take_one(uint32_t *random) {
  gch_mutex_lock(&store.m);
  while (store.added == store.taken && !store.closed) {
    wait_somehow(random);
    scribble();
  }
  bool got = store.taken < store.added;
  store.taken += got;
  gch_mutex_unlock(&store.m);
  return got;
}

static void add_one(uint32_t *random) {
  gch_mutex_lock(&store.m);
  store.added++;
  bool inside = pick(random, 2) == 0;
  if (inside)
    gch_cond_signal(&store.more);
  gch_mutex_unlock(&store.m);
  if (!inside)
    gch_cond_signal(&store.more);
}

static void close_store(void) {
  gch_mutex_lock(&store.m);
  store.closed = true;
  gch_mutex_unlock(&store.m);
  gch_cond_broadcast(&store.more);
}

/* Now and then all that was added has to be taken before more is. */
static void await_taken(void) {
  for (bool all = false; !all;) {
    gch_mutex_lock(&store.m);
    all = store.added == store.taken;
    gch_mutex_unlock(&store.m);
    pause_a_little();
  }
}

static void add_or_take(void *unused, int id) {
  uint32_t random = stress_seed(id);
  (void)unused;
  if (id > 0) {
    while (take_one(&random))
      dawdle(&random, 100);
    return;
  }
  while (gch_now() < store.end) {
    add_one(&random);
    dawdle(&random, 400);
    if (pick(&random, 16) == 0)
      await_taken();
  }
  close_store();
}

START_TEST(no_signal_is_lost) {
  struct crew crew;
  memset(&store, 0, sizeof store);
  store.end = stress_end(TESTS);
  crew_start(&crew, CREW, add_or_take, NULL);
  crew_join(&crew);
  require(store.added == store.taken);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("stress/locks");
  TCase *t = test_case(s, "mutex");
  tcase_add_test(t, a_mutex_is_had_by_one_at_a_time);
  tcase_add_test(t, nobody_starves_at_a_mutex);
  t = test_case(s, "rwmutex");
  tcase_add_test(t, a_rwmutex_is_had_by_one_writer_or_by_readers);
  tcase_add_test(t, neither_readers_nor_writers_starve);
  t = test_case(s, "cond");
  tcase_add_test(t, no_signal_is_lost);
  return s;
}
