/* SPDX-License-Identifier: BSD-3-Clause */
/* Workers of different priority on one processor: who of the higher must not
   spin for what one of the lower has yet to do, since that gets no processor.
   And threads of a policy that lets them start no others. */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "tasks.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool set_policy(int policy, int priority) {
  struct sched_param p = {.sched_priority = priority};
  return sched_setscheduler(0, policy, &p) == 0;
}

static void to_processor(int cpu) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET((size_t)cpu, &one);
  ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
}

static atomic_int there, cpu, fifo;
static atomic_bool over;

/* Each keeps its thread until all are there: so each has another. The threads
   then are on one processor, each above the one before, and all above what
   other programs do there. */
static void prepare_thread(int workers) {
  int mine = atomic_fetch_add(&there, 1);
  while (atomic_load(&there) < workers)
    usleep(1000);
  to_processor(atomic_load(&cpu));
  if (set_policy(SCHED_FIFO, mine + 1))
    atomic_fetch_add(&fifo, 1);
}

static void yield_on(void *moves) {
  prepare_thread(2);
  while (!atomic_load(&over)) {
    atomic_fetch_add((_Atomic long *)moves, 1);
    gch_yield();
  }
}

static void wake_each_other(void *moves) {
  static gch_chan *c[2];
  static atomic_int next;
  int mine = atomic_fetch_add(&next, 1);
  c[mine] = gch_make(0, 0);
  prepare_thread(2);
  if (mine == 0)
    gch_send(c[1], NULL);
  while (!atomic_load(&over)) {
    gch_recv(c[mine], NULL);
    atomic_fetch_add((_Atomic long *)moves, 1);
    gch_send(c[!mine], NULL);
  }
}

/* The longest time for which nothing has moved, milliseconds, in the second or
   so that this takes. Who looks is above all. The kernel keeps a twentieth of
   each second for others. */
static int standstill(_Atomic long moves[2]) {
  enum { LOOK = 25 };
  int longest = 0, still = 0;
  long seen = 0;
  set_policy(SCHED_FIFO, 50);
  for (int i = 0; i < scaled(40) + 8; i++) {
    usleep(LOOK * 1000);
    long now = moves[0] + moves[1];
    still = now == seen ? still + LOOK : 0;
    longest = still > longest ? still : longest;
    seen = now;
  }
  return longest;
}

static void (*const kinds[])(void *) = {yield_on, wake_each_other};

START_TEST(a_worker_above_another_lets_it_go_on) {
  static _Atomic long moves[2];
  atomic_store(&cpu, sched_getcpu());
  gch_maxprocs(2);
  gch_go(kinds[_i], &moves[0]);
  gch_go(kinds[_i], &moves[1]);
  await_count(&there, 2);
  usleep(50000);
  if (atomic_load(&fifo) > 0)
    ck_assert_int_lt(standstill(moves), 150);
  _exit(0); /* with tasks, of which one may be in a send for ever */
}
END_TEST

/* Without SCHED_FLAG_RESET_ON_FORK; false: it may not be done here. */
static bool have_deadlines(void) {
  struct {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period; /* nanoseconds */
  } a = {.size = sizeof a,
         .policy = 6, /* SCHED_DEADLINE */
         .runtime = 10000000,
         .deadline = 20000000,
         .period = 20000000};
  return syscall(SYS_sched_setattr, 0, &a, 0) == 0;
}

static void close_it(void *c) {
  gch_close(c);
}

static void *use_all(void *started) {
  gch_go_opts own = {.thread = true};
  gch_chan *c = gch_make(0, 0);
  if (!have_deadlines())
    return NULL;
  ck_assert_int_eq(gch_go_with(&own, close_it, c), ENOMEM);
  ck_assert_int_eq(gch_go(close_it, c), started ? 0 : ENOMEM);
  if (started)
    gch_recv(c, NULL);
  gch_ctx *ctx = gch_ctx_with_timeout(gch_ctx_background(), GCH_MILLISECOND);
  ck_assert_int_eq(ctx != NULL, started != NULL);
  if (ctx)
    gch_recv(gch_ctx_done(ctx), NULL);
  gch_ctx_unref(ctx);
  gch_unref(c);
  return NULL;
}

static int nothing(void *unused) {
  (void)unused;
  return 0;
}

START_TEST(under_sched_deadline_what_was_started_serves_the_rest_is_enomem) {
  pthread_t t;
  if (_i)
    gch_run(nothing, NULL);
  ck_assert_int_eq(pthread_create(&t, NULL, use_all, _i ? &t : NULL), 0);
  pthread_join(t, NULL);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("real_time");
  TCase *t = test_case(s, "real_time");
  tcase_add_loop_test(t, a_worker_above_another_lets_it_go_on, 0,
                      sizeof kinds / sizeof *kinds);
  tcase_add_loop_test(
      t, under_sched_deadline_what_was_started_serves_the_rest_is_enomem, 0,
      2);
  return s;
}
