/* SPDX-License-Identifier: BSD-3-Clause */
/* Very many tasks: at once, in a chain, one after the other. */
#define TEST_AS_IS
#include "tasks_mix.h"

#include "tasks.h"

#include <stdio.h>
#include <unistd.h>

enum { MANY = 100000, MILLION = 1000000 };

/* Bytes of memory that the process has. */
static size_t resident(void) {
  unsigned long pages = 0;
  FILE *f = fopen("/proc/self/statm", "r");
  require(f && fscanf(f, "%*u %lu", &pages) == 1);
  fclose(f);
  return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* A crowd at one gate */

struct crowd {
  gch_chan *gate;
  _Atomic int here, through;
};

static void pass(void *arg) {
  struct crowd *c = arg;
  int v = 1;
  atomic_fetch_add(&c->here, 1);
  require(gch_recv(c->gate, &v) == EPIPE && v == 0);
  atomic_fetch_add(&c->through, 1);
}

/* How many bytes each of n took. */
static size_t gather_and_open(int n) {
  struct crowd c = {.gate = gch_make_of(int, 0)};
  size_t before = resident();
  for (int i = 0; i < n; i++)
    require(gch_go(pass, &c) == 0);
  await_count(&c.here, n); /* await_waiting holds the gate up while it counts */
  await_waiting(c.gate, 0, (size_t)n);
  size_t bytes = (resident() - before) / (size_t)n;
  require(gch_num_tasks() == (size_t)n && c.through == 0);
  gch_close(c.gate);
  await_no_tasks();
  require(c.through == n);
  gch_unref(c.gate);
  return bytes;
}

START_TEST(a_hundred_thousand_are_woken_by_one_close) {
  gather_and_open(scaled(MANY));
}
END_TEST

/* Gigabytes: only where it is asked for. */
START_TEST(a_million_are_alive_at_once) {
  int64_t begin = gch_now();
  size_t bytes = gather_and_open(MILLION);
  printf("a million tasks: %zu bytes each, %.1f s\n", bytes,
         (double)(gch_now() - begin) / 1e9);
}
END_TEST

/* A chain: each takes from the right, adds one, gives to the left. */

struct link {             /* holds both */
  gch_chan *left, *right; /* of int */
};

static void pass_on(void *arg) {
  struct link *l = arg;
  int v;
  require(gch_recv(l->right, &v) == 0);
  v++;
  require(gch_send(l->left, &v) == 0);
  gch_unref(l->left);
  gch_unref(l->right);
}

START_TEST(a_hundred_thousand_make_a_chain) {
  int n = scaled(MANY), v = 0;
  gch_chan *first = gch_make_of(int, 0), *c = gch_ref(first);
  for (int i = 0; i < n; i++) {
    struct link l = {c, gch_make_of(int, 0)};
    require(l.right && gch_go_copy(pass_on, &l, sizeof l) == 0);
    c = gch_ref(l.right);
  }
  require(gch_send(c, &v) == 0);
  require(gch_recv(first, &v) == 0 && v == n);
  await_no_tasks();
  gch_unref(c);
  gch_unref(first);
}
END_TEST

/* One after the other */

static void count(void *n) {
  atomic_fetch_add((_Atomic int *)n, 1);
}

static void run_some(int n) {
  _Atomic int ran = 0;
  gch_wg wg = GCH_WG_INIT;
  for (int i = 0; i < n; i++)
    require(gch_wg_go(&wg, count, (void *)&ran) == 0);
  gch_wg_wait(&wg);
  require(ran == n);
}

static int run_many(void *arg) {
  int64_t end = *(int64_t *)arg;
  int some = scaled(MANY / 10);
  run_some(some);
  size_t before = resident(), tasks = (size_t)some;
  for (; gch_now() < end; tasks += (size_t)some)
    run_some(some);
  size_t after = resident();
  if (stress_seconds() > 10)
    printf("%zu tasks: %zu kB, then %zu kB\n", tasks, before / 1024,
           after / 1024);
  require(SANITIZED || after < before + (32 << 20));
  return 0;
}

START_TEST(tasks_that_come_and_go_take_no_more_memory) {
  int64_t end = stress_end(TASKS_TESTS);
  run_many(&end);
}
END_TEST

START_TEST(tasks_that_a_task_starts_take_no_more_memory) {
  int64_t end = stress_end(TASKS_TESTS);
  gch_run(run_many, &end);
  await_no_tasks();
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("stress tasks");
  TCase *t = test_case(s, "crowd");
  tcase_add_test(t, a_hundred_thousand_are_woken_by_one_close);
  tcase_add_test(t, a_hundred_thousand_make_a_chain);
  if (getenv("GULCH_STRESS_MILLION"))
    tcase_add_test(t, a_million_are_alive_at_once);
  t = test_case(s, "stream");
  tcase_add_test(t, tasks_that_come_and_go_take_no_more_memory);
  tcase_add_test(t, tasks_that_a_task_starts_take_no_more_memory);
  add_mixed_task_tests(test_case(s, "mixed"));
  return s;
}
