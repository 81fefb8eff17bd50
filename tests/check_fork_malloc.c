/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forks beside an allocator that takes its lock before a fork, and gives it
 * back after, by handlers of its own: before ours on the way there, after ours
 * in the child. So in our handlers nobody may allocate or free, nor wait for
 * who allocates.
 */
#define TEST_AS_IS
#define _GNU_SOURCE
#include "fork_alone.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>

#if defined(__GLIBC__) && !SANITIZED

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void __libc_free(void *);

static pthread_mutex_t heap = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool heap_is_for_fork;

static void enter(void) {
  pthread_mutex_lock(&heap);
}

static void leave(void) {
  pthread_mutex_unlock(&heap);
}

void *malloc(size_t size) {
  enter();
  void *p = __libc_malloc(size);
  leave();
  return p;
}

void *calloc(size_t n, size_t size) {
  enter();
  void *p = __libc_calloc(n, size);
  leave();
  return p;
}

void *realloc(void *old, size_t size) {
  enter();
  void *p = __libc_realloc(old, size);
  leave();
  return p;
}

void free(void *p) {
  enter();
  __libc_free(p);
  leave();
}

static void before(void) {
  enter();
  atomic_store(&heap_is_for_fork, true);
}

/* A thread that is being created while another forks: it allocates only once
   that has the heap. */

static atomic_bool meet_fork;
static _Atomic int creating;

typedef int create_fn(pthread_t *, const pthread_attr_t *, void *(*)(void *),
                      void *);

int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                   void *(*fn)(void *), void *arg) {
  create_fn *real = (create_fn *)dlsym(RTLD_NEXT, "pthread_create");
  if (atomic_exchange(&meet_fork, false)) {
    atomic_store(&creating, 1);
    while (!atomic_load(&heap_is_for_fork))
      usleep(100);
    free(malloc(1));
  }
  return real(thread, attr, fn, arg);
}

/* Requires that the child ends well, and soon. */
static void expect_child(pid_t pid) {
  int status = -1;
  for (int i = 0; i < 20000 && waitpid(pid, &status, WNOHANG) == 0; i++)
    usleep(1000);
  if (status == -1)
    kill(pid, SIGKILL);
  ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* What the child lets go of */

static const int usr = SIGUSR1;
static _Atomic int drops;

static void drop_and_fork(void *elem) {
  atomic_fetch_add(&drops, *(int *)elem);
  pid_t pid = fork();
  if (pid == 0)
    _exit(0);
  int status = -1;
  waitpid(pid, &status, 0);
  if (status == 0)
    atomic_fetch_add(&drops, 1);
}

static void listen_with_last_reference(void) {
  gch_chan *c = gch_make_of(int, 1);
  gch_set_drop(c, drop_and_fork);
  gch_send(c, &(int){10});
  ck_assert_int_eq(gch_signal_notify(c, &usr, 1), 0);
  gch_unref(c);
}

static int in_child(void) {
  if (atomic_load(&drops) != 0)
    return 1;
  gch_signal_reset(NULL, 0);
  return atomic_load(&drops) == 11 ? 0 : 2;
}

START_TEST(a_child_drops_what_listened_at_its_next_signal_call) {
  pthread_atfork(before, leave, leave);
  listen_with_last_reference();
  pid_t pid = fork();
  if (pid == 0)
    _exit(in_child());
  expect_child(pid);
  ck_assert_int_eq(atomic_load(&drops), 0);
}
END_TEST

static int end_twice_forked(void) {
  pid_t pid = fork();
  if (pid == 0)
    _exit(in_child());
  int status = -1;
  waitpid(pid, &status, 0);
  if (status != 0)
    return 3;
  return in_child();
}

START_TEST(so_does_the_child_of_a_child) {
  listen_with_last_reference();
  pid_t pid = fork();
  if (pid == 0)
    _exit(end_twice_forked());
  expect_child(pid);
}
END_TEST

/* While a thread is created */

static void count(void *c) {
  gch_send(*(gch_chan **)c, NULL);
}

static int use_all(void) {
  gch_chan *timer = gch_after(0), *task = gch_make(0, 0);
  gch_recv(timer, NULL);
  int err = gch_go_copy(count, &task, sizeof task);
  if (err == 0)
    gch_recv(task, NULL);
  gch_unref(timer);
  gch_unref(task);
  return err;
}

static void start_library_thread(void) {
  gch_unref(gch_after(GCH_HOUR));
}

static void start_worker(void) {
  use_all();
}

static void (*const starts[])(void) = {start_library_thread, start_worker,
                                       start_worker};

static void *start_in_thread(void *fn) {
  atomic_store(&meet_fork, true);
  (*(void (*const *)(void))fn)();
  return NULL;
}

START_TEST(a_fork_does_not_wait_for_who_creates_a_thread) {
  pthread_t thread;
  pthread_atfork(before, leave, leave);
  if (_i == 2)
    start_library_thread();
  ck_assert_int_eq(pthread_create(&thread, NULL, start_in_thread,
                                  (void *)(uintptr_t)&starts[_i]),
                   0);
  await_count(&creating, 1);
  pid_t pid = fork();
  if (pid == 0)
    _exit(use_all());
  expect_child(pid);
  pthread_join(thread, NULL);
  ck_assert_int_eq(use_all(), 0);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("fork_malloc");
  TCase *t = test_case(s, "allocator");
  tcase_set_timeout(t, 60); /* the watchdog allocates */
  tcase_add_test(t, a_child_drops_what_listened_at_its_next_signal_call);
  tcase_add_test(t, so_does_the_child_of_a_child);
  tcase_add_loop_test(t, a_fork_does_not_wait_for_who_creates_a_thread, 0, 3);
  return s;
}

#else

Suite *test_suite(void) {
  return suite_create("fork_malloc");
}

#endif
