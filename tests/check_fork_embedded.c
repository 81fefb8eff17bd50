/* SPDX-License-Identifier: BSD-3-Clause */
/* Forked processes, and what programs embed: whoever waited there in the parent
   is not there in the child. */
#include "fork_life.h"

#include <gulch/debug.h>
#include <gulch/sync.h>

#include <stdatomic.h>

enum { GHOSTS = 2, KINDS = 2 }; /* threads, tasks */

struct scene {
  gch_mutex mutex;
  gch_rwmutex rw;
  gch_cond cond;
  gch_once once;
  gch_wg wg;
  gch_chan *gate, *begun;
  _Atomic int runs;
  test_thread *waits;
};

static struct scene *scene_new(void) {
  static struct scene s; /* each test in its own process */
  s.gate = gch_make(0, 0);
  s.begun = gch_make(0, 0);
  return &s;
}

/* Returns when count(s) is n. */
static void await_sleepers(struct scene *s, size_t (*count)(struct scene *),
                           size_t n) {
  while (count(s) != n)
    gch_sleep(20 * GCH_MICROSECOND);
}

static void check_child(struct scene *s, int (*fn)(struct scene *s)) {
  pid_t pid = fork_with_parent();
  if (pid == 0)
    _exit(fn(s));
  ck_assert_int_eq(status_of(pid), OK);
}

/* fn in a child of a process where GHOSTS wait in ghost; then let(s), which
   lets them go. */
static void fork_among(bool tasks, struct scene *s, void (*ghost)(void *),
                       size_t (*count)(struct scene *),
                       int (*fn)(struct scene *s),
                       void (*let)(struct scene *s)) {
  test_thread *ghosts[GHOSTS];
  for (int i = 0; i < GHOSTS; i++)
    ghosts[i] = thread_start_as(tasks, ghost, s);
  await_sleepers(s, count, GHOSTS);
  check_child(s, fn);
  let(s);
  for (int i = 0; i < GHOSTS; i++)
    thread_join(ghosts[i]);
  await_no_tasks();
}

/* Mutex */

static size_t lockers(struct scene *s) {
  return gch_mutex_waiting(&s->mutex);
}

static void lock_and_unlock(void *arg) {
  struct scene *s = arg;
  gch_mutex_lock(&s->mutex);
  gch_mutex_unlock(&s->mutex);
}

static void unlock(struct scene *s) {
  gch_mutex_unlock(&s->mutex);
}

/* Held by the caller, to begin with. */
static int use_mutex(struct scene *s) {
  gch_wg wg = GCH_WG_INIT;
  require(lockers(s) == 0);
  require(gch_mutex_try_lock(&s->mutex) == EAGAIN);
  for (int i = 0; i < 3; i++) {
    gch_mutex_unlock(&s->mutex);
    require(gch_mutex_lock_until(&s->mutex, gch_now() + GCH_SECOND) == 0);
    require(gch_mutex_lock_until(&s->mutex, gch_now() + MS) == ETIMEDOUT);
  }
  require(gch_wg_go(&wg, lock_and_unlock, s) == 0);
  await_sleepers(s, lockers, 1);
  gch_mutex_unlock(&s->mutex);
  gch_wg_wait(&wg);
  return gch_mutex_try_lock(&s->mutex) == 0 ? OK : WRONG;
}

static int unlock_first(struct scene *s) {
  gch_mutex_unlock(&s->mutex);
  gch_mutex_lock(&s->mutex);
  return use_mutex(s);
}

static int fork_twice(struct scene *s) {
  int status;
  pid_t pid = fork_alone();
  if (pid == 0)
    _exit(use_mutex(s));
  require(waitpid(pid, &status, 0) == pid && status == 0);
  return use_mutex(s);
}

START_TEST(a_mutex_that_the_caller_holds_is_unlocked_and_locked_again) {
  static int (*const ways[])(struct scene *) = {use_mutex, unlock_first,
                                                fork_twice};
  struct scene *s = scene_new();
  for (int i = 0; i < 3; i++) {
    gch_mutex_lock(&s->mutex);
    fork_among(_i, s, lock_and_unlock, lockers, ways[i], unlock);
  }
}
END_TEST

/* One has been woken, and perhaps not tried yet. */
START_TEST(a_mutex_is_the_childs_though_another_was_woken) {
  struct scene *s = scene_new();
  for (int i = 0; i < scaled(100); i++) {
    gch_mutex_lock(&s->mutex);
    test_thread *a = thread_start_as(_i, lock_and_unlock, s);
    test_thread *b = thread_start_as(_i, lock_and_unlock, s);
    await_sleepers(s, lockers, 2);
    gch_mutex_unlock(&s->mutex);
    if (gch_mutex_try_lock(&s->mutex) == 0) {
      check_child(s, use_mutex);
      gch_mutex_unlock(&s->mutex);
    }
    thread_join(a);
    thread_join(b);
  }
}
END_TEST

/* Rwmutex */

static size_t writers(struct scene *s) {
  size_t n;
  gch_rwmutex_waiting(&s->rw, NULL, &n);
  return n;
}

static size_t readers(struct scene *s) {
  size_t n;
  gch_rwmutex_waiting(&s->rw, &n, NULL);
  return n;
}

static void write_it(void *arg) {
  struct scene *s = arg;
  gch_rwmutex_lock(&s->rw);
  gch_rwmutex_unlock(&s->rw);
}

static void read_it(void *arg) {
  struct scene *s = arg;
  gch_rwmutex_rlock(&s->rw);
  gch_rwmutex_runlock(&s->rw);
}

static void unlock_rw(struct scene *s) {
  gch_rwmutex_unlock(&s->rw);
}

static void runlock_rw(struct scene *s) {
  gch_rwmutex_runlock(&s->rw);
}

/* Free, to begin with. */
static int use_rw(struct scene *s) {
  gch_wg wg = GCH_WG_INIT;
  int64_t soon = gch_now() + GCH_SECOND;
  require(readers(s) == 0 && writers(s) == 0);
  require(gch_rwmutex_rlock_until(&s->rw, soon) == 0);
  require(gch_rwmutex_try_rlock(&s->rw) == 0);
  require(gch_rwmutex_try_lock(&s->rw) == EAGAIN);
  gch_rwmutex_runlock(&s->rw);
  gch_rwmutex_runlock(&s->rw);
  require(gch_rwmutex_lock_until(&s->rw, soon) == 0);
  require(gch_rwmutex_try_rlock(&s->rw) == EAGAIN);
  require(gch_wg_go(&wg, write_it, s) == 0);
  await_sleepers(s, writers, 1);
  require(gch_wg_go(&wg, read_it, s) == 0);
  await_sleepers(s, readers, 1);
  gch_rwmutex_unlock(&s->rw);
  gch_wg_wait(&wg);
  return gch_rwmutex_try_lock(&s->rw) == 0 ? OK : WRONG;
}

static int unlock_and_use_rw(struct scene *s) {
  gch_rwmutex_unlock(&s->rw);
  return use_rw(s);
}

static int runlock_and_use_rw(struct scene *s) {
  gch_rwmutex_runlock(&s->rw);
  return use_rw(s);
}

/* A writer that waits stops readers; but not one that is not there. */
static int read_beside(struct scene *s) {
  require(gch_rwmutex_try_rlock(&s->rw) == 0);
  gch_rwmutex_rlock(&s->rw);
  gch_rwmutex_runlock(&s->rw);
  gch_rwmutex_runlock(&s->rw);
  return runlock_and_use_rw(s);
}

START_TEST(a_writers_rwmutex_is_unlocked_and_locked_again) {
  struct scene *s = scene_new();
  gch_rwmutex_lock(&s->rw);
  fork_among(_i, s, write_it, writers, unlock_and_use_rw, unlock_rw);
  gch_rwmutex_lock(&s->rw);
  fork_among(_i, s, read_it, readers, unlock_and_use_rw, unlock_rw);
}
END_TEST

START_TEST(a_readers_rwmutex_is_unlocked_and_locked_again) {
  struct scene *s = scene_new();
  gch_rwmutex_rlock(&s->rw);
  fork_among(_i, s, write_it, writers, runlock_and_use_rw, runlock_rw);
  gch_rwmutex_rlock(&s->rw);
  fork_among(_i, s, write_it, writers, read_beside, runlock_rw);
}
END_TEST

/* Cond */

static size_t cond_sleepers(struct scene *s) {
  return gch_cond_waiting(&s->cond);
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
  Suite *s = fork_suite("fork_embedded");
  TCase *t = test_case(s, "locks");
  tcase_add_loop_test(
      t, a_mutex_that_the_caller_holds_is_unlocked_and_locked_again, 0, KINDS);
  tcase_add_loop_test(t, a_mutex_is_the_childs_though_another_was_woken, 0,
                      KINDS);
  tcase_add_loop_test(t, a_writers_rwmutex_is_unlocked_and_locked_again, 0,
                      KINDS);
  tcase_add_loop_test(t, a_readers_rwmutex_is_unlocked_and_locked_again, 0,
                      KINDS);
  t = test_case(s, "cond and once");
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
