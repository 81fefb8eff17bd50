/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of signals share. */
#ifndef GULCH_TESTS_SIGNAL_CHECKS_H
#define GULCH_TESTS_SIGNAL_CHECKS_H

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fork_alone.h"

/* ThreadSanitizer keeps a table of handlers of its own, and now and then loses
   a signal that comes while a handler gives way to the default action. */
#if defined(__SANITIZE_THREAD__)
#define LOSES_SIGNALS 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LOSES_SIGNALS 1
#endif
#endif
#ifndef LOSES_SIGNALS
#define LOSES_SIGNALS 0
#endif

/* Sends sig to this thread, which may be the main one or a worker's: it has
   arrived when this returns. */
static inline void raise_here(int sig) {
  raise(sig);
}

static inline void set_disposition(int sig, void (*handler)(int)) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  ck_assert_int_eq(sigaction(sig, &action, NULL), 0);
}

static inline void (*disposition(int sig))(int) {
  struct sigaction action;
  ck_assert_int_eq(sigaction(sig, NULL, &action), 0);
  return action.sa_handler;
}

/* Check's own assertions are for the test process; this is for its child. */
#define require(condition)                                                     \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);          \
      _exit(1);                                                                \
    }                                                                          \
  } while (0)

/* Runs fn in a forked process; its wait status. The child has no watchdog, but
   an alarm (for which Check has a handler, that would kill the test too). */
static inline int status_of_child(void (*fn)(void)) {
  int status;
  fflush(NULL);
  pid_t pid = fork_alone();
  ck_assert_int_ge(pid, 0);
  if (pid == 0) {
    signal(SIGALRM, SIG_DFL);
    alarm(50);
    fn();
    _exit(0);
  }
  while (waitpid(pid, &status, 0) < 0)
    ck_assert_int_eq(errno, EINTR);
  return status;
}

/* The child ends well, or where killed_by is not 0 by that signal. */
static inline void check_child(void (*fn)(void), int killed_by) {
  int status = status_of_child(fn);
  if (killed_by == 0)
    ck_assert_msg(status == 0, "status %#x", (unsigned)status);
  else
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == killed_by,
                  "status %#x", (unsigned)status);
}

#endif
