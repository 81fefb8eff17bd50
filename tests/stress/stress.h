/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the stress programs share. README.md says how to run them for long.
 *
 * A stress program has no facts of its own to test: it lets more threads than
 * there are processors do everything at once, and then requires that counts
 * and sums are exact. A wake that was lost shows as a hang, which the watchdog
 * ends.
 */
#ifndef GULCH_TESTS_STRESS_H
#define GULCH_TESTS_STRESS_H

#include "harness.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

/* Check's own assertions take a lock and write to a pipe each time, which
   would keep threads from racing. This one does so only when it fails. */
#define require(x) ((x) ? (void)0 : (void)ck_abort_msg("%s", #x))

enum { MAX_CREW = 32 };

/* Until when one of so many tests of a program may go on. */
static inline int64_t stress_end(int tests) {
  return gch_now() + (int64_t)(stress_seconds() * 1e9 / tests);
}

/* Each thread its own numbers, and others each time. */
static inline uint32_t stress_seed(int id) {
  return ((uint32_t)gch_now() ^ ((uint32_t)id + 1) * 2654435761u) | 1;
}

/* Uniform enough in [0, n). */
static inline uint32_t pick(uint32_t *random, uint32_t n) {
  return (test_random(random) >> 8) % n;
}

static inline int64_t soon(uint32_t *random, uint32_t ns) {
  return gch_now() + pick(random, ns);
}

/* Lets others run. Not by sched_yield: each of those puts the thread a whole
   slice behind every busy process on its processor. */
static inline void pause_a_little(void) {
  const struct timespec moment = {0, 10000};
  nanosleep(&moment, NULL);
}

/* Wastes a random moment, so that what follows races at another point. */
static inline void dawdle(uint32_t *random, uint32_t most) {
  volatile uint32_t n = pick(random, most);
  while (n > 0)
    n = n - 1;
  if (pick(random, 32) == 0)
    pause_a_little();
}

/* Overwrites the stack below the caller, where a thread that has just been
   woken had what its waker must not look at any more. */
__attribute__((noinline)) GCH_UNUSED static void scribble(void) {
  volatile unsigned char below[1024];
  for (size_t i = 0; i < sizeof below; i++)
    below[i] = 0xa5;
}

/* Between two looks at what another thread is to change. */
static inline void stand_by(int looks) {
  if (looks > 200)
    pause_a_little();
}

/* A barrier that lets all go at nearly the same time. */
struct gate {
  int n;
  _Atomic int here;
  _Atomic uint32_t round;
};

static inline void gate_pass(struct gate *g) {
  uint32_t round = atomic_load(&g->round);
  if (atomic_fetch_add(&g->here, 1) + 1 == g->n) {
    atomic_store(&g->here, 0);
    atomic_store(&g->round, round + 1);
    return;
  }
  for (int looks = 0; atomic_load(&g->round) == round; looks++)
    stand_by(looks);
}

/* A crew: threads, or tasks in their place, that run the same function. */
struct crew {
  int n;
  void (*fn)(void *shared, int id);
  void *shared;
  struct crew_member {
    test_thread *thread;
    struct crew *crew;
    int id;
  } members[MAX_CREW];
};

static inline void crew_main(void *arg) {
  struct crew_member *m = arg;
  m->crew->fn(m->crew->shared, m->id);
}

static inline void crew_start(struct crew *c, int n,
                              void (*fn)(void *shared, int id), void *shared) {
  require(n <= MAX_CREW);
  c->n = n;
  c->fn = fn;
  c->shared = shared;
  for (int i = 0; i < n; i++) {
    struct crew_member *m = &c->members[i];
    m->crew = c;
    m->id = i;
    m->thread = thread_start(crew_main, m);
  }
}

static inline void crew_join(struct crew *c) {
  for (int i = 0; i < c->n; i++)
    thread_join(c->members[i].thread);
}

/* Rounds: again and again prepare in one thread, act in all at once, check in
   one, until the time is over. prepare and check may be NULL. */
struct rounds {
  void (*prepare)(void *shared);
  void (*act)(void *shared, int id);
  void (*check)(void *shared);
  void *shared;
  int64_t end;
  struct gate gate;
  bool over;
};

static inline void rounds_member(void *arg, int id) {
  struct rounds *r = arg;
  for (;;) {
    if (id == 0 && r->prepare)
      r->prepare(r->shared);
    gate_pass(&r->gate);
    r->act(r->shared, id);
    gate_pass(&r->gate);
    if (id == 0) {
      if (r->check)
        r->check(r->shared);
      r->over = gch_now() >= r->end;
    }
    gate_pass(&r->gate);
    if (r->over)
      return;
  }
}

static inline void rounds_run(struct rounds *r, int threads) {
  struct crew crew;
  r->gate.n = threads;
  crew_start(&crew, threads, rounds_member, r);
  crew_join(&crew);
}

#endif
