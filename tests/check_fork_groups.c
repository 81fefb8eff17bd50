/* SPDX-License-Identifier: BSD-3-Clause */
/* Forked processes, and conds, onces and groups: whoever waited there in the
   parent is not there in the child. */
#include "fork_scene.h"

/* Cond */

/* Who waits is counted before he has given the mutex back: who holds it sees
   only those who have, and a fork then leaves no ghost with it. */
static size_t cond_sleepers(struct scene *s) {
  gch_mutex_lock(&s->mutex);
  size_t n = gch_cond_waiting(&s->cond);
  gch_mutex_unlock(&s->mutex);
  return n;
}

static void wait_for_cond(void *arg) {
  struct scene *s = arg;
  gch_mutex_lock(&s->mutex);
  gch_cond_wait(&s->cond, &s->mutex);
  gch_mutex_unlock(&s->mutex);
}

static void broadcast(struct scene *s) {
  gch_cond_broadcast(&s->cond);
}

static int use_cond(struct scene *s) {
  gch_wg wg = GCH_WG_INIT;
  require(cond_sleepers(s) == 0);
  gch_cond_signal(&s->cond);
  require(gch_wg_go(&wg, wait_for_cond, s) == 0);
  await_sleepers(s, cond_sleepers, 1);
  gch_cond_signal(&s->cond); /* for that one alone */
  gch_wg_wait(&wg);
  gch_mutex_lock(&s->mutex);
  require(gch_cond_wait_until(&s->cond, &s->mutex, gch_now() + MS) ==
          ETIMEDOUT);
  gch_mutex_unlock(&s->mutex);
  gch_cond_broadcast(&s->cond);
  return OK;
}

static int wait_at_once(struct scene *s) {
  gch_wg wg = GCH_WG_INIT;
  require(gch_wg_go(&wg, wait_for_cond, s) == 0);
  await_sleepers(s, cond_sleepers, 1);
  gch_cond_signal(&s->cond);
  gch_wg_wait(&wg);
  return use_cond(s);
}

START_TEST(a_signal_in_the_child_is_for_one_who_waits_there) {
  struct scene *s = scene_new();
  fork_among(_i, s, wait_for_cond, cond_sleepers, use_cond, broadcast);
  fork_among(_i, s, wait_for_cond, cond_sleepers, wait_at_once, broadcast);
}
END_TEST

/* Once */

static void run_once(void *arg) {
  struct scene *s = arg;
  atomic_fetch_add(&s->runs, 1);
  gch_close(s->begun);
  gch_recv(s->gate, NULL);
}

static void run_shortly(void *arg) {
  struct scene *s = arg;
  atomic_fetch_add(&s->runs, 1);
}

static void do_once(void *arg) {
  struct scene *s = arg;
  gch_once_do(&s->once, run_once, s);
}

static size_t once_sleepers(struct scene *s) {
  return gch_once_waiting(&s->once);
}

static void open_gate(struct scene *s) {
  gch_close(s->gate);
}

static void do_shortly(void *arg) {
  struct scene *s = arg;
  gch_once_do(&s->once, run_shortly, s);
}

static int do_anew(struct scene *s) {
  gch_wg wg = GCH_WG_INIT;
  for (int i = 0; i < 4; i++)
    require(gch_wg_go(&wg, do_shortly, s) == 0);
  do_shortly(s);
  require(atomic_load(&s->runs) == 2);
  gch_wg_wait(&wg);
  return atomic_load(&s->runs) == 2 ? OK : WRONG;
}

START_TEST(a_once_that_another_was_running_begins_anew) {
  struct scene *s = scene_new();
  test_thread *t = thread_start_as(_i, do_once, s);
  gch_recv(s->begun, NULL);
  check_child(s, do_anew);
  fork_among(_i, s, do_once, once_sleepers, do_anew, open_gate);
  thread_join(t);
  ck_assert_int_eq(s->runs, 1);
}
END_TEST

/* The function that forks goes on in the child, and is waited for there. */
static void fork_in_once(void *arg) {
  struct scene *s = arg;
  static gch_wg wg; /* outlives this call in the child */
  atomic_fetch_add(&s->runs, 1);
  s->waits = thread_start_as(false, do_shortly, s);
  await_sleepers(s, once_sleepers, 1);
  pid_t pid = fork_with_parent();
  if (pid == 0) {
    gch_wg_go(&wg, do_shortly, s);
    await_sleepers(s, once_sleepers, 1);
    gch_wg_add(&s->wg, 1); /* marks the child */
    return;
  }
  ck_assert_int_eq(status_of(pid), OK);
}

START_TEST(a_once_whose_function_forked_ends_in_the_child) {
  struct scene *s = scene_new();
  gch_once_do(&s->once, fork_in_once, s);
  if (gch_wg_wait_until(&s->wg, 0) == ETIMEDOUT) /* in the child */
    _exit(gch_once_do(&s->once, run_once, s) == 0 && atomic_load(&s->runs) == 1
              ? OK
              : WRONG);
  thread_join(s->waits);
  ck_assert_int_eq(s->runs, 1);
}
END_TEST

/* Wait group, error group */

static void wait_for_wg(void *arg) {
  struct scene *s = arg;
  gch_wg_wait(&s->wg);
}

static void done(struct scene *s) {
  gch_wg_done(&s->wg);
}

static int use_wg(struct scene *s) {
  gch_wg wg = GCH_WG_INIT;
  require(gch_wg_wait_until(&s->wg, gch_now() + MS) == ETIMEDOUT);
  require(gch_wg_go(&wg, wait_for_wg, s) == 0);
  gch_wg_done(&s->wg);
  gch_wg_wait(&wg);
  gch_wg_wait(&s->wg);
  return OK;
}

static int done_at_once(struct scene *s) {
  gch_wg_done(&s->wg);
  gch_wg_wait(&s->wg);
  gch_wg_add(&s->wg, 1);
  return use_wg(s);
}

/* How many wait can't be asked. */
START_TEST(the_last_done_in_the_child_wakes_nobody_of_the_parent) {
  struct scene *s = scene_new();
  for (int i = 0; i < 2; i++) {
    gch_wg_add(&s->wg, 1);
    test_thread *t = thread_start_as(_i, wait_for_wg, s);
    gch_sleep(5 * MS);
    check_child(s, i == 0 ? use_wg : done_at_once);
    done(s);
    thread_join(t);
  }
}
END_TEST

static int stay_in_group(const gch_ctx *ctx, void *arg) {
  struct scene *s = arg;
  (void)ctx;
  gch_recv(s->gate, NULL);
  return 0;
}

static int fails(const gch_ctx *ctx, void *arg) {
  (void)ctx;
  (void)arg;
  return EIO;
}

static int use_group(gch_errgroup *g) {
  require(gch_errgroup_set_limit(g, 1) == 0);
  require(gch_errgroup_go(g, fails, NULL) == 0);
  require(gch_errgroup_go(g, fails, NULL) == 0);
  require(gch_errgroup_wait(g) == EIO);
  gch_errgroup_free(g);
  return OK;
}

/* At the limit: the ghosts have all places. */
static int go_at_once(gch_errgroup *g) {
  require(gch_errgroup_try_go(g, fails, NULL) == 0);
  require(gch_errgroup_wait(g) == EIO);
  return use_group(g);
}

static int free_at_once(gch_errgroup *g) {
  gch_errgroup_free(g);
  return OK;
}

START_TEST(an_error_group_waits_for_no_task_of_the_parent) {
  static int (*const ways[])(gch_errgroup *) = {use_group, go_at_once,
                                                free_at_once};
  struct scene *s = scene_new();
  gch_errgroup *g = gch_errgroup_with_ctx(gch_ctx_background());
  gch_errgroup_set_limit(g, 2);
  gch_errgroup_go(g, stay_in_group, s);
  gch_errgroup_go(g, stay_in_group, s);
  await_waiting(s->gate, 0, 2);
  pid_t pid = fork_with_parent();
  if (pid == 0)
    _exit(ways[_i](g));
  ck_assert_int_eq(status_of(pid), OK);
  gch_close(s->gate);
  ck_assert_int_eq(gch_errgroup_wait(g), 0);
  gch_errgroup_free(g);
  await_no_tasks();
}
END_TEST

Suite *test_suite(void) {
  Suite *s = fork_suite("fork_groups");
  TCase *t = test_case(s, "cond and once");
  tcase_add_loop_test(t, a_signal_in_the_child_is_for_one_who_waits_there, 0,
                      KINDS);
  tcase_add_loop_test(t, a_once_that_another_was_running_begins_anew, 0, KINDS);
  add_thread_test(t, a_once_whose_function_forked_ends_in_the_child);
  t = test_case(s, "groups");
  tcase_add_loop_test(t, the_last_done_in_the_child_wakes_nobody_of_the_parent,
                      0, KINDS);
  tcase_add_loop_test(t, an_error_group_waits_for_no_task_of_the_parent, 0, 3);
  return s;
}
