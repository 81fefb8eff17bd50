/* SPDX-License-Identifier: BSD-3-Clause */
/* Fork in a task: the child goes on in that task alone, with fresh workers. */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "crowd.h"
#include "fork_life.h"

/* What a task finds on each side of its fork. */
struct forked {
  int (*in_child)(struct forked *f);
  gch_chan *gate;
  _Atomic int through; /* the gate */
  int status;
};

static void pass_gate(void *arg) {
  struct forked *f = arg;
  gch_recv(f->gate, NULL);
  atomic_fetch_add(&f->through, 1);
}

static int fork_in_task(void *arg) {
  struct forked *f = arg;
  pid_t pid = fork_with_parent();
  if (pid == 0)
    _exit(f->in_child(f));
  f->status = status_of(pid);
  return 0;
}

/* fn in the child of a task, while other tasks wait at the gate; here they then
   pass it. */
static void in_childs_task(int (*fn)(struct forked *f)) {
  enum { OTHERS = 5 };
  struct forked f = {.in_child = fn, .gate = gch_make(0, 0)};
  for (int i = 0; i < OTHERS; i++)
    gch_go(pass_gate, &f);
  await_waiting(f.gate, 0, OTHERS);
  gch_run(fork_in_task, &f);
  ck_assert_int_eq(f.status, OK);
  gch_close(f.gate);
  await_no_tasks();
  ck_assert_int_eq(f.through, OTHERS);
  gch_unref(f.gate);
}

static int count_tasks(struct forked *f) {
  (void)f;
  return gch_num_tasks() == 1 ? OK : WRONG;
}

START_TEST(the_task_is_the_only_one_in_the_child) {
  in_childs_task(count_tasks);
}
END_TEST

static int block_and_start_others(struct forked *f) {
  (void)f;
  gch_chan *c = gch_make(0, 0);
  require(gch_recv_until(c, NULL, gch_now() + MS) == ETIMEDOUT);
  gch_sleep(MS);
  gch_yield();
  pairs_run(20, 20);
  gch_unref(c);
  return OK;
}

START_TEST(the_task_can_block_and_start_others_in_the_child) {
  in_childs_task(block_and_start_others);
}
END_TEST

static void sleep_outside(void *over) {
  while (!atomic_load((atomic_bool *)over))
    usleep(1000);
}

static int block_outside(struct forked *f) {
  atomic_bool over = false;
  (void)f;
  for (int i = 0; i < 4; i++)
    require(gch_go(sleep_outside, &over) == 0);
  pairs_run(20, 20);
  atomic_store(&over, true);
  return OK;
}

START_TEST(tasks_may_block_outside_in_the_child) {
  in_childs_task(block_outside);
}
END_TEST

static void set_flag(void *flag) {
  atomic_store((atomic_bool *)flag, true);
}

/* One processor is all there is: the monitor has to take it away. */
static int compute(struct forked *f) {
  (void)f;
  atomic_bool ran = false;
  require(gch_go(set_flag, &ran) == 0);
  while (!atomic_load(&ran))
    ;
  return OK;
}

START_TEST(others_run_while_the_task_computes_in_the_child) {
  gch_maxprocs(1);
  in_childs_task(compute);
}
END_TEST

/* The others' records are still in the channel's queue. */
static int send_to_the_gone(struct forked *f) {
  for (int i = 0; i < 10; i++)
    gch_send_until(f->gate, NULL, gch_now() + MS / 10);
  for (int i = 0; i < 100; i++)
    gch_yield();
  gch_sleep(5 * MS);
  return atomic_load(&f->through) == 0 ? OK : WRONG;
}

START_TEST(a_send_in_the_child_runs_no_task_of_the_parent) {
  in_childs_task(send_to_the_gone);
}
END_TEST

static int close_on_the_gone(struct forked *f) {
  gch_close(f->gate);
  gch_sleep(5 * MS);
  require(gch_recv(f->gate, NULL) == EPIPE);
  return atomic_load(&f->through) == 0 ? OK : WRONG;
}

START_TEST(a_close_in_the_child_runs_no_task_of_the_parent) {
  in_childs_task(close_on_the_gone);
}
END_TEST

static int fork_in_child_task(void *arg) {
  (void)arg;
  pid_t pid = fork();
  if (pid == 0)
    return WRONG; /* the function's end: _exit(0) */
  return status_of(pid);
}

static int fork_again(struct forked *f) {
  (void)f;
  pid_t pid = fork();
  if (pid == 0)
    _exit(block_and_start_others(f));
  require(status_of(pid) == OK);
  return gch_run(fork_in_child_task, NULL);
}

START_TEST(the_child_may_fork_again) {
  in_childs_task(fork_again);
}
END_TEST

START_TEST(the_main_task_ends_the_child_with_zero) {
  ck_assert_int_eq(gch_run(fork_in_child_task, NULL), 0);
}
END_TEST

static void fork_and_return(void *arg) {
  fork_in_child_task(arg);
}

START_TEST(a_task_of_a_wait_group_ends_the_child_with_zero) {
  gch_wg wg = GCH_WG_INIT;
  gch_wg_go(&wg, fork_and_return, NULL);
  gch_wg_wait(&wg);
  await_no_tasks();
}
END_TEST

/* A thread that forks while tasks run */

static int use_tasks(void) {
  pairs_run(20, 20);
  return gch_num_tasks() <= 40 ? OK : WRONG;
}

START_TEST(a_thread_may_fork_while_tasks_run) {
  atomic_bool over = false;
  gch_wg wg = GCH_WG_INIT;
  struct pair *p = pair_start(&wg, 0, &over), *q = pair_start(&wg, 0, &over);
  for (int i = 0; i < scaled(20); i++) {
    pid_t pid = fork_with_parent();
    if (pid == 0)
      _exit(use_tasks());
    ck_assert_int_eq(status_of(pid), OK);
  }
  atomic_store(&over, true);
  gch_wg_wait(&wg);
  pair_free(p);
  pair_free(q);
}
END_TEST

static int fork_often(void *arg) {
  (void)arg;
  for (int i = 0; i < scaled(20); i++) {
    pid_t pid = fork_with_parent();
    if (pid == 0)
      _exit(use_tasks());
    ck_assert_int_eq(status_of(pid), OK);
    gch_yield();
  }
  return 0;
}

START_TEST(a_task_may_fork_while_others_run) {
  atomic_bool over = false;
  gch_wg wg = GCH_WG_INIT;
  struct pair *p = pair_start(&wg, 0, &over), *q = pair_start(&wg, 0, &over);
  gch_run(fork_often, NULL);
  atomic_store(&over, true);
  gch_wg_wait(&wg);
  pair_free(p);
  pair_free(q);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = fork_suite("task_fork");
  if (THREAD_SANITIZED)
    return s;
  TCase *t = test_case(s, "child");
  tcase_add_test(t, the_task_is_the_only_one_in_the_child);
  tcase_add_test(t, the_task_can_block_and_start_others_in_the_child);
  tcase_add_test(t, tasks_may_block_outside_in_the_child);
  tcase_add_test(t, others_run_while_the_task_computes_in_the_child);
  tcase_add_test(t, a_send_in_the_child_runs_no_task_of_the_parent);
  tcase_add_test(t, a_close_in_the_child_runs_no_task_of_the_parent);
  tcase_add_test(t, the_child_may_fork_again);
  tcase_add_test(t, the_main_task_ends_the_child_with_zero);
  tcase_add_test(t, a_task_of_a_wait_group_ends_the_child_with_zero);
  if (SANITIZED)
    return s;
  t = test_case(s, "running");
  tcase_add_test(t, a_thread_may_fork_while_tasks_run);
  tcase_add_test(t, a_task_may_fork_while_others_run);
  return s;
}
