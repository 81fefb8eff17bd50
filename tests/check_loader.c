/* SPDX-License-Identifier: BSD-3-Clause */
/* The dynamic linker's locks: while a constructor runs that dlopen has called,
   one is held; and after a fork they may be held for ever. */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "tasks.h"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

static void nothing(void *arg) {
  (void)arg;
}

/* Whoever asks the dynamic linker waits for a constructor, which uses the
   library too. This program has its own dladdr, which is that constructor. */

static void go(void) {
  gch_go(nothing, NULL);
}

static void go_as_thread(void) {
  gch_go_opts opts = {.thread = true};
  gch_go_with(&opts, nothing, NULL);
}

static void make_timer(void) {
  gch_timer_free(gch_timer_new(GCH_HOUR));
}

static void make_key(void) {
  gch_key_free(gch_key_new(NULL));
}

static void expect_signal(void) {
  gch_chan *c = gch_make_of(int, 1);
  gch_signal_notify(c, &(int){SIGUSR1}, 1);
  gch_signal_stop(c);
  gch_unref(c);
}

static void expect_func(void) {
  gch_timer_free(gch_timer_func(GCH_HOUR, nothing, NULL));
}

static void (*const uses[])(void) = {go,       go_as_thread,  make_timer,
                                     make_key, expect_signal, expect_func};
enum { USES = sizeof uses / sizeof *uses };

static _Atomic(void (*)(void)) of_constructor;

static void *construct(void *use) {
  (*(void (**)(void))use)();
  return NULL;
}

int dladdr(const void *addr, Dl_info *info) {
  (void)addr, (void)info;
  void (*use)(void) = atomic_exchange(&of_constructor, NULL);
  pthread_t thread;
  if (use && pthread_create(&thread, NULL, construct, &use) == 0)
    pthread_join(thread, NULL);
  return 0;
}

/* A deadlock ends by Check's timeout. */
START_TEST(a_plugins_constructor_may_do_what_others_are_just_doing) {
  atomic_store(&of_constructor, uses[_i % USES]);
  uses[_i / USES]();
}
END_TEST

/* After a fork */

static pthread_barrier_t held;

static int hold(struct dl_phdr_info *object, size_t size, void *arg) {
  (void)object, (void)size, (void)arg;
  pthread_barrier_wait(&held);
  while (pause() != 0)
    continue;
  return 0;
}

static void *hold_lock(void *unused) {
  dl_iterate_phdr(hold, NULL);
  return unused;
}

static void pass(void *gate) {
  gch_recv(gate, NULL);
}

/* So many that there is a new slab; and a stack for itself. */
static void use_it_all(void) {
  enum { TASKS = 600 };
  gch_go_opts large = {.stack_size = 1 << 20};
  gch_chan *gate = gch_make(0, 0);
  for (int i = 0; i < USES; i++)
    uses[i]();
  for (int i = 0; i < TASKS; i++)
    gch_go_with(i == 0 ? &large : NULL, pass, gate);
  gch_close(gate);
  while (gch_num_tasks() > 0)
    gch_yield();
  gch_unref(gate);
}

START_TEST(a_child_needs_no_lock_that_its_parents_threads_had) {
  pthread_t thread;
  int status;
  if (_i)
    go();
  pthread_barrier_init(&held, NULL, 2);
  ck_assert_int_eq(pthread_create(&thread, NULL, hold_lock, NULL), 0);
  pthread_barrier_wait(&held);
  pid_t pid = fork_alone();
  if (pid == 0) {
    alarm(10);
    use_it_all();
    _exit(0);
  }
  ck_assert_int_eq(waitpid(pid, &status, 0), pid);
  ck_assert_int_eq(status, 0);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("loader");
  TCase *t = test_case(s, "loader");
  tcase_add_loop_test(
      t, a_plugins_constructor_may_do_what_others_are_just_doing, 0,
      USES * USES);
  if (!SANITIZED)
    tcase_add_loop_test(t, a_child_needs_no_lock_that_its_parents_threads_had,
                        0, 2);
  return s;
}
