/* SPDX-License-Identifier: BSD-3-Clause */
/* Threads and tasks in one load, beside tasks that disturb the scheduler:
   they block outside, compute, sleep, start others, change maxprocs. */
#define TEST_AS_IS
#include "tasks_mix.h"

#include "mix.h"
#include "tasks.h"

#include <unistd.h>

/* Disturbers */

struct disturber {
  int64_t end;
  gch_wg running;
  _Atomic uint32_t begun, ended; /* tasks that disturbers started */
};

static void block_outside(struct disturber *d, uint32_t *random) {
  (void)d;
  usleep(pick(random, 2) ? pick(random, 100) : pick(random, 12000));
}

static void compute(struct disturber *d, uint32_t *random) {
  int64_t end = soon(random, pick(random, 8) ? 50000 : 7000000);
  (void)d;
  while (gch_now() < end)
    continue;
}

static void sleep_inside(struct disturber *d, uint32_t *random) {
  (void)d;
  gch_sleep(pick(random, 200000));
}

static void yield_often(struct disturber *d, uint32_t *random) {
  (void)d;
  for (uint32_t n = pick(random, 50); n > 0; n--)
    gch_yield();
}

static void wait_for_timer(struct disturber *d, uint32_t *random) {
  gch_chan *c = gch_after(pick(random, 100000));
  (void)d;
  require(c && gch_recv(c, NULL) == 0);
  gch_unref(c);
}

static void change_maxprocs(struct disturber *d, uint32_t *random) {
  (void)d;
  gch_maxprocs((int)pick(random, 6) + 1);
}

static void end_soon(void *arg) {
  struct disturber *d = arg;
  gch_yield();
  atomic_fetch_add(&d->ended, 1);
}

static void start_others(struct disturber *d, uint32_t *random) {
  gch_wg wg = GCH_WG_INIT;
  uint32_t n = pick(random, 100);
  atomic_fetch_add(&d->begun, n);
  for (uint32_t i = 0; i < n; i++)
    require(gch_wg_go(&wg, end_soon, d) == 0);
  gch_wg_wait(&wg);
}

typedef void disturb_fn(struct disturber *d, uint32_t *random);

static disturb_fn *const ways_to_disturb[] = {
    block_outside,  compute,         sleep_inside, yield_often,
    wait_for_timer, change_maxprocs, start_others,
};

static void disturb(void *arg) {
  enum { N = sizeof ways_to_disturb / sizeof *ways_to_disturb };
  struct disturber *d = arg;
  uint32_t random = stress_seed((int)(uintptr_t)&d);
  while (gch_now() < d->end)
    ways_to_disturb[pick(&random, N)](d, &random);
}

static void disturbers_start(struct disturber *d, int n) {
  for (int i = 0; i < n; i++)
    require(gch_wg_go(&d->running, disturb, d) == 0);
}

static void disturbers_end(struct disturber *d) {
  gch_wg_wait(&d->running);
  await_no_tasks();
  require(atomic_load(&d->begun) == atomic_load(&d->ended));
}

/* The mixed load of all kinds of operations */

struct member {
  struct mix *m;
  int id;
};

static void take_part(void *arg) {
  struct member *m = arg;
  mix_main(m->m, m->id);
}

static void run_mix(int64_t end, uint32_t *random) {
  struct mix *m = mix_new(end);
  struct member members[MIX_THREADS];
  test_thread *threads[MIX_THREADS];
  for (int i = 0; i < MIX_THREADS; i++) {
    members[i] = (struct member){m, i};
    threads[i] = thread_start_as(pick(random, 3) > 0, take_part, &members[i]);
  }
  for (int i = 0; i < MIX_THREADS; i++)
    thread_join(threads[i]);
  mix_check(m);
}

START_TEST(threads_and_tasks_lose_and_double_nothing) {
  struct disturber d = {.end = stress_end(TASKS_TESTS)};
  uint32_t random = stress_seed(0);
  disturbers_start(&d, 6);
  while (gch_now() < d.end) {
    int64_t end = gch_now() + 300 * GCH_MILLISECOND;
    run_mix(end < d.end ? end : d.end, &random);
  }
  disturbers_end(&d);
}
END_TEST

/* Rings: a token that goes round among tasks, each ring beside the others. */

enum { PLACES = 16 };

struct ring {
  gch_chan *chans[PLACES]; /* of int */
  int64_t end;
  gch_wg running;
};

struct place {
  struct ring *ring;
  int at;
};

/* The first keeps the token in the end; then each closes for the next. */
static void hand_on(void *arg) {
  struct place *p = arg;
  gch_chan *from = p->ring->chans[p->at];
  gch_chan *to = p->ring->chans[(p->at + 1) % PLACES];
  for (int v; gch_recv(from, &v) == 0;) {
    require(v % PLACES == p->at);
    if (p->at == 0 && gch_now() >= p->ring->end)
      break;
    v++;
    require(gch_send(to, &v) == 0);
  }
  gch_close(to);
  free(p);
}

static void ring_start(struct ring *r, int64_t end) {
  *r = (struct ring){.end = end};
  for (int i = 0; i < PLACES; i++)
    require((r->chans[i] = gch_make_of(int, (size_t)i % 2)) != NULL);
  for (int i = 0; i < PLACES; i++) {
    struct place *p = malloc(sizeof *p);
    require(p != NULL);
    *p = (struct place){r, i};
    require(gch_wg_go(&r->running, hand_on, p) == 0);
  }
  require(gch_send(r->chans[0], &(int){0}) == 0);
}

START_TEST(tokens_go_round_whatever_others_do) {
  enum { RINGS = 8 };
  struct disturber d = {.end = stress_end(TASKS_TESTS)};
  struct ring rings[RINGS];
  disturbers_start(&d, 6);
  for (int i = 0; i < RINGS; i++)
    ring_start(&rings[i], d.end);
  for (int i = 0; i < RINGS; i++)
    gch_wg_wait(&rings[i].running);
  disturbers_end(&d);
  for (int i = 0; i < RINGS; i++)
    for (int j = 0; j < PLACES; j++)
      gch_unref(rings[i].chans[j]);
}
END_TEST

void add_mixed_task_tests(TCase *t) {
  tcase_add_test(t, threads_and_tasks_lose_and_double_nothing);
  tcase_add_test(t, tokens_go_round_whatever_others_do);
}
