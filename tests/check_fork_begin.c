/* SPDX-License-Identifier: BSD-3-Clause */
/* Forks while the library sets itself up, as it is loaded: this program's
   syscall and pthread_atfork, which it calls then, have another thread fork. */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "harness.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if SANITIZED
/* Sanitizers use these functions before they are ready themselves. */
Suite *test_suite(void) {
  return suite_create("fork_begin");
}
#else

enum { OK = 0, AT_FENCE = 0, BEFORE_HANDLERS, AFTER_HANDLERS, PLACES };

static struct {
  bool forked;
  int status;
} places[PLACES];

/* In the child, and in the child's child. */

static void done(void *wg) {
  gch_wg_done(wg);
}

static void use_tasks(void) {
  gch_wg wg = GCH_WG_INIT;
  gch_wg_add(&wg, 1);
  if (gch_go(done, &wg) != 0)
    _exit(1);
  gch_wg_wait(&wg);
}

static void use_in_child(void) {
  int status = 0;
  alarm(20);
  use_tasks();
  pid_t pid = fork();
  if (pid == 0) {
    alarm(10);
    use_tasks();
    _exit(OK);
  }
  waitpid(pid, &status, 0);
  _exit(status == 0 ? OK : 2);
}

static void *fork_here(void *place) {
  pid_t pid = fork();
  if (pid == 0)
    use_in_child();
  waitpid(pid, place, 0);
  return NULL;
}

/* At the first call. */
static void visit(int place) {
  static _Atomic pid_t first;
  pthread_t thread;
  pid_t none = 0;
  atomic_compare_exchange_strong(&first, &none, getpid());
  if (atomic_load(&first) != getpid() || places[place].forked)
    return;
  places[place].forked = true;
  if (pthread_create(&thread, NULL, fork_here, &places[place].status) == 0)
    pthread_join(thread, NULL);
}

static void find(const char *name, void *fn) {
  void *next = dlsym(RTLD_NEXT, name);
  memcpy(fn, &next, sizeof next);
}

long syscall(long number, ...) {
  static long (*real)(long number, ...);
  va_list ap;
  long a[6];
  va_start(ap, number);
  for (int i = 0; i < 6; i++)
    a[i] = va_arg(ap, long);
  va_end(ap);
  if (!real)
    find("syscall", &real);
#ifdef SYS_membarrier
  if (number == SYS_membarrier)
    visit(AT_FENCE);
#endif
  return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

typedef void handler(void);

#ifdef __GLIBC__
#define ATFORK __register_atfork
int ATFORK(handler *before, handler *in_parent, handler *in_child, void *dso);
int ATFORK(handler *before, handler *in_parent, handler *in_child, void *dso) {
  int (*real)(handler *, handler *, handler *, void *);
  find("__register_atfork", &real);
  visit(BEFORE_HANDLERS);
  int err = real(before, in_parent, in_child, dso);
#else
int pthread_atfork(handler *before, handler *in_parent, handler *in_child) {
  int (*real)(handler *, handler *, handler *);
  find("pthread_atfork", &real);
  visit(BEFORE_HANDLERS);
  int err = real(before, in_parent, in_child);
#endif
  visit(AFTER_HANDLERS);
  return err;
}

START_TEST(a_child_does_what_was_left) {
  ck_assert(_i == AT_FENCE || places[_i].forked);
  ck_assert_msg(places[_i].status == OK, "status %#x",
                (unsigned)places[_i].status);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("fork_begin");
  TCase *t = test_case(s, "fork_begin");
  tcase_add_loop_test(t, a_child_does_what_was_left, 0, PLACES);
  return s;
}

#endif
