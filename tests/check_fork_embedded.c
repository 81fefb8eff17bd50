/* SPDX-License-Identifier: BSD-3-Clause */
/* Forked processes, and locks: whoever waited there in the parent is not there
   in the child. */
#include "fork_scene.h"

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
  return s;
}
