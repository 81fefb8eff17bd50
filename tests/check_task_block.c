/* SPDX-License-Identifier: BSD-3-Clause */
/* A task may block in C code that knows nothing of tasks: it keeps its thread,
   and the others go on. */
#define TEST_AS_IS
#include "crowd.h"

#include <pthread.h>
#include <unistd.h>

enum { BLOCKED = 4, PAIRS = 500, TRIPS = 5 };

/* What BLOCKED tasks do outside the library until they are let go. */
struct outside {
  void (*stay)(struct outside *o);
  void (*let_go)(struct outside *o);
  int fds[2];
  pthread_mutex_t mutex;
  atomic_bool over;
  atomic_int inside, left;
};

static void stay_outside(void *arg) {
  struct outside *o = arg;
  atomic_fetch_add(&o->inside, 1);
  o->stay(o);
  atomic_fetch_add(&o->left, 1);
}

static void come_back_from(struct outside *o, int n) {
  ck_assert_int_eq(atomic_load(&o->left), 0);
  o->let_go(o);
  await_count(&o->left, n);
  await_no_tasks();
}

/* Two processors, and more tasks than that outside. */
static void go_outside(struct outside *o) {
  gch_maxprocs(2);
  for (int i = 0; i < BLOCKED; i++)
    ck_assert_int_eq(gch_go(stay_outside, o), 0);
  await_count(&o->inside, BLOCKED);
}

static void come_back(struct outside *o) {
  come_back_from(o, BLOCKED);
}

static void expect_others_go_on(struct outside *o) {
  go_outside(o);
  pairs_run(scaled(PAIRS), TRIPS);
  come_back(o);
}

/* read */

static void stay_in_read(struct outside *o) {
  char c;
  ck_assert_int_eq(read(o->fds[0], &c, 1), 0);
}

static void close_pipe(struct outside *o) {
  close(o->fds[1]);
}

static struct outside in_read(void) {
  struct outside o = {.stay = stay_in_read, .let_go = close_pipe};
  ck_assert_int_eq(pipe(o.fds), 0);
  return o;
}

START_TEST(a_thousand_tasks_go_on_while_four_are_in_read) {
  struct outside o = in_read();
  expect_others_go_on(&o);
  close(o.fds[0]);
}
END_TEST

static int go_on_beside(void *arg) {
  struct outside *o = arg;
  go_outside(o);
  pairs_run(scaled(PAIRS), TRIPS);
  ck_assert_int_eq(atomic_load(&o->left), 0);
  return 42;
}

START_TEST(a_main_task_goes_on_while_four_are_in_read) {
  struct outside o = in_read();
  ck_assert_int_eq(gch_run(go_on_beside, &o), 42);
  come_back(&o);
  close(o.fds[0]);
}
END_TEST

/* pthread_mutex_lock */

static void stay_in_lock(struct outside *o) {
  pthread_mutex_lock(&o->mutex);
  pthread_mutex_unlock(&o->mutex);
}

static void unlock(struct outside *o) {
  pthread_mutex_unlock(&o->mutex);
}

START_TEST(a_thousand_tasks_go_on_while_four_wait_for_a_pthread_mutex) {
  struct outside o = {.stay = stay_in_lock, .let_go = unlock};
  pthread_mutex_init(&o.mutex, NULL);
  pthread_mutex_lock(&o.mutex);
  expect_others_go_on(&o);
  pthread_mutex_destroy(&o.mutex);
}
END_TEST

/* usleep */

static void set_over(struct outside *o) {
  atomic_store(&o->over, true);
}

static void stay_in_usleep(struct outside *o) {
  while (!atomic_load(&o->over))
    usleep(100000);
}

START_TEST(a_thousand_tasks_go_on_while_four_are_in_usleep) {
  struct outside o = {.stay = stay_in_usleep, .let_go = set_over};
  expect_others_go_on(&o);
}
END_TEST

/* Computing */

static void compute(struct outside *o) {
  while (!atomic_load(&o->over))
    continue;
}

START_TEST(a_thousand_tasks_go_on_while_four_compute) {
  struct outside o = {.stay = compute, .let_go = set_over};
  expect_others_go_on(&o);
}
END_TEST

/* Again and again */

enum { POOL = 20, CALL_US = 2000, CALLS = 500 };

struct pool {
  atomic_int inside, most, calls;
};

/* Until half of them were seen in the call at once. */
static void call_often(void *arg) {
  struct pool *p = arg;
  while (atomic_load(&p->most) < POOL / 2 &&
         atomic_fetch_add(&p->calls, 1) < POOL * CALLS) {
    int now = atomic_fetch_add(&p->inside, 1) + 1;
    int most = atomic_load(&p->most);
    while (now > most && !atomic_compare_exchange_weak(&p->most, &most, now))
      continue;
    usleep(CALL_US);
    atomic_fetch_sub(&p->inside, 1);
    gch_yield();
  }
}

/* Each call is over before a worker counts as stuck. */
START_TEST(short_calls_of_many_tasks_pass_at_once) {
  struct pool p = {0};
  gch_wg wg = GCH_WG_INIT;
  gch_maxprocs(1);
  for (int i = 0; i < POOL; i++)
    gch_wg_go(&wg, call_often, &p);
  gch_wg_wait(&wg);
  ck_assert_int_ge(p.most, POOL / 2);
  await_no_tasks();
}
END_TEST

/* Those of a pool: each has nothing left to block for when it ends. */
struct jobs {
  gch_chan *c;
  bool look;
  char dump[4096];
};

static void do_jobs(void *arg) {
  struct jobs *j = arg;
  if (j->look) {
    FILE *f = fmemopen(j->dump, sizeof j->dump, "w");
    gch_dump(f);
    fclose(f);
  }
  while (gch_recv(j->c, NULL) == 0)
    usleep(CALL_US);
}

static void work_off(struct jobs *j, int workers, int jobs) {
  gch_wg wg = GCH_WG_INIT;
  j->c = gch_make(0, 0);
  for (int i = 0; i < workers; i++)
    gch_wg_go(&wg, do_jobs, j);
  for (int i = 0; i < jobs; i++)
    gch_send(j->c, NULL);
  await_waiting(j->c, 0, (size_t)workers);
  gch_close(j->c);
  gch_wg_wait(&wg);
  gch_unref(j->c);
}

START_TEST(new_tasks_of_a_function_that_blocks_begin_outside) {
  struct jobs j = {0};
  work_off(&j, POOL, POOL * CALLS);
  j.look = true;
  work_off(&j, 1, 0);
  ck_assert_msg(strstr(j.dump, "outside in a call") != NULL, "%s", j.dump);
  await_no_tasks();
}
END_TEST

/* Tasks that were found to block, and then only do what others do. */
static void call_then_play(void *arg) {
  usleep(CALL_US);
  pairs_run(2, TRIPS);
  for (int i = 0; i < 20; i++)
    gch_yield();
  (void)arg;
}

START_TEST(tasks_that_have_blocked_are_tasks_as_before) {
  gch_wg wg = GCH_WG_INIT;
  for (int procs = 1; procs <= 2; procs++) {
    gch_maxprocs(procs);
    for (int i = 0; i < POOL; i++)
      gch_wg_go(&wg, call_then_play, NULL);
    gch_wg_wait(&wg);
  }
  await_no_tasks();
}
END_TEST

/* The library's own, the caller's, and those that are kept: fewer than were
   there (gulch knows how many it keeps, this test does not). */
START_TEST(threads_that_are_needed_no_more_go) {
  enum { MANY = 60 };
  struct outside o = in_read();
  gch_maxprocs(2);
  for (int i = 0; i < MANY; i++)
    gch_go(stay_outside, &o);
  await_count(&o.inside, MANY);
  come_back_from(&o, MANY);
  while (thread_count() > MANY / 3)
    gch_sleep(GCH_MILLISECOND);
  close(o.fds[0]);
}
END_TEST

/* Each look at a channel with many waiters has its lock for long. */
static void stay_on(void *c) {
  gch_recv(c, NULL);
}

START_TEST(who_sleeps_for_a_lock_of_the_librarys_keeps_its_processor) {
  const size_t many = sizeof(void *) == 4 ? 6000 : 60000;
  enum { FEW = 60 };
  gch_chan *c = gch_make(0, 0);
  size_t senders, there = 0;
  for (size_t i = 0; i < many; i++)
    gch_go(stay_on, c);
  int64_t end = gch_in(2 * GCH_SECOND);
  for (int looks = 0; there < many && gch_now() < end; looks++) {
    gch_waiting(c, &senders, &there);
    if (looks % 64 == 0)
      ck_assert_int_lt(thread_count(), FEW);
  }
  gch_close(c);
  await_no_tasks();
  gch_unref(c);
}
END_TEST

/* One whose processor has gone to another worker meanwhile. */
static void stay_in_read_then_play(struct outside *o) {
  stay_in_read(o);
  pairs_run(1, TRIPS);
}

START_TEST(a_task_back_from_outside_is_a_task_as_before) {
  struct outside o = in_read();
  o.stay = stay_in_read_then_play;
  go_outside(&o);
  come_back(&o);
  close(o.fds[0]);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("task_block");
  TCase *t = test_case(s, "blocked");
  tcase_add_test(t, a_thousand_tasks_go_on_while_four_are_in_read);
  tcase_add_test(t, a_main_task_goes_on_while_four_are_in_read);
  tcase_add_test(t, a_thousand_tasks_go_on_while_four_wait_for_a_pthread_mutex);
  tcase_add_test(t, a_thousand_tasks_go_on_while_four_are_in_usleep);
  tcase_add_test(t, a_thousand_tasks_go_on_while_four_compute);
  tcase_add_test(t, a_task_back_from_outside_is_a_task_as_before);
  tcase_add_test(t, short_calls_of_many_tasks_pass_at_once);
  tcase_add_test(t, new_tasks_of_a_function_that_blocks_begin_outside);
  tcase_add_test(t, tasks_that_have_blocked_are_tasks_as_before);
  if (!SANITIZED) /* whose own locks are the same to the kernel as any */
    tcase_add_test(t,
                   who_sleeps_for_a_lock_of_the_librarys_keeps_its_processor);
  tcase_add_test(t, threads_that_are_needed_no_more_go);
  return s;
}
