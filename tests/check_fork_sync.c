/* SPDX-License-Identifier: BSD-3-Clause */
/* Forked processes and <gulch/sync.h>: what the child creates works, whatever
   others were doing at that moment. */
#include "fork_life.h"

#include <stdatomic.h>

enum { MANY = 512 }; /* enough to meet each of the library's own locks */

struct bustle {
  gch_mutex locked[MANY];
  atomic_bool over;
};

static void lock_all(gch_mutex *m) {
  for (int i = 0; i < MANY; i++)
    gch_mutex_lock(&m[i]);
}

/* Each enlists and leaves. */
static bool all_time_out(gch_mutex *m) {
  for (int i = 0; i < MANY; i++)
    if (gch_mutex_lock_until(&m[i], 0) != ETIMEDOUT)
      return false;
  return true;
}

static void time_out_again_and_again(void *arg) {
  struct bustle *b = arg;
  while (!atomic_load(&b->over))
    all_time_out(b->locked);
}

static void unlock_it(void *m) {
  gch_mutex_unlock(m);
}

static int use_mutexes(void) {
  static gch_mutex mine[MANY];
  gch_wg wg = GCH_WG_INIT;
  lock_all(mine);
  require(all_time_out(mine));
  require(gch_wg_go(&wg, unlock_it, &mine[0]) == 0);
  gch_mutex_lock(&mine[0]);
  gch_wg_wait(&wg);
  return OK;
}

START_TEST(mutexes_of_the_child_work) {
  pid_t pid = fork_with_parent();
  if (pid == 0)
    _exit(use_mutexes());
  ck_assert_int_eq(status_of(pid), OK);
}
END_TEST

START_TEST(a_fork_may_come_while_others_enlist) {
  static struct bustle b;
  lock_all(b.locked);
  test_thread *s = thread_start(time_out_again_and_again, &b);
  test_thread *t = thread_start(time_out_again_and_again, &b);
  for (int i = 0; i < scaled(40); i++) {
    pid_t pid = fork_with_parent();
    if (pid == 0)
      _exit(use_mutexes());
    ck_assert_int_eq(status_of(pid), OK);
  }
  atomic_store(&b.over, true);
  thread_join(s);
  thread_join(t);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = fork_suite("fork_sync");
  TCase *t = test_case(s, "mutex");
  tcase_add_test(t, mutexes_of_the_child_work);
  if (!SANITIZED)
    tcase_add_test(t, a_fork_may_come_while_others_enlist);
  return s;
}
