/* SPDX-License-Identifier: BSD-3-Clause */
/* A fork while the library installs its handlers of faults. This program's
   sigaction has another thread fork then, once. */
#define _GNU_SOURCE
#define TEST_AS_IS
#include "tasks.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HANDLED = 7 };
static atomic_bool forks;
static int status;

static void handle(int sig) {
  (void)sig;
  _Exit(HANDLED);
}

static void fault(void *nowhere) {
  *(volatile int *)nowhere = 0;
}

static void nothing(void *arg) {
  (void)arg;
}

static void *fork_here(void *unused) {
  pid_t pid = fork();
  if (pid == 0) {
    alarm(10);
    gch_go(fault, (void *)1);
    for (;;)
      pause();
  }
  waitpid(pid, &status, 0);
  return unused;
}

typedef int action_fn(int, const struct sigaction *, struct sigaction *);

int sigaction(int sig, const struct sigaction *now, struct sigaction *old) {
  action_fn *real;
  pthread_t thread;
  void *next = dlsym(RTLD_NEXT, "sigaction");
  memcpy(&real, &next, sizeof real);
  if (sig == SIGBUS && now && atomic_exchange(&forks, false) &&
      pthread_create(&thread, NULL, fork_here, NULL) == 0)
    pthread_join(thread, NULL);
  return real(sig, now, old);
}

START_TEST(the_childs_faults_come_to_who_handled_them_before) {
  signal(SIGSEGV, handle);
  atomic_store(&forks, true);
  gch_timer_free(gch_timer_func(GCH_HOUR, nothing, NULL));
  ck_assert(!atomic_load(&forks));
  ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == HANDLED,
                "status %#x", (unsigned)status);
}
END_TEST

Suite *test_suite(void) {
  Suite *s = suite_create("fork_once");
  TCase *t = test_case(s, "fork_once");
  if (!SANITIZED)
    tcase_add_test(t, the_childs_faults_come_to_who_handled_them_before);
  return s;
}
