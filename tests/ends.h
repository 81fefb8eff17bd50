/* SPDX-License-Identifier: BSD-3-Clause */
/* How a process ends: its status, and what it says on stderr. */
#ifndef GULCH_TESTS_ENDS_H
#define GULCH_TESTS_ENDS_H

#include "harness.h"
#include "hear.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct ending {
  int status; /* as waitpid says */
  char text[4096]; /* what is longer is cut */
};

static inline _Noreturn void end_with(int (*fn)(void *), void *arg, int fds[]) {
  const struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(fds[1], STDERR_FILENO);
  close(fds[0]);
  close(fds[1]);
  exit(fn(arg));
}

/* A process that does exit(fn(arg)), as main does by returning. */
static inline struct ending ending_of(int (*fn)(void *), void *arg) {
  struct ending e = {0};
  int fds[2];
  if (pipe(fds) != 0)
    abort();
  fflush(NULL);
  pid_t pid = fork_alone();
  if (pid < 0)
    abort();
  if (pid == 0)
    end_with(fn, arg, fds);
  close(fds[1]);
  hear(fds[0], e.text, sizeof e.text);
  while (waitpid(pid, &e.status, 0) < 0)
    if (errno != EINTR)
      abort();
  return e;
}

/* It exits so. */
static inline void expect_exit(int (*fn)(void *), void *arg, int status) {
  struct ending e = ending_of(fn, arg);
  ck_assert_msg(WIFEXITED(e.status) && WEXITSTATUS(e.status) == status,
                "status %#x, stderr: %s", (unsigned)e.status, e.text);
}

/* It says these words and aborts. */
static inline void expect_abort(int (*fn)(void *), void *arg,
                                const char *words) {
  struct ending e = ending_of(fn, arg);
  ck_assert_msg(WIFSIGNALED(e.status) && WTERMSIG(e.status) == SIGABRT &&
                    strstr(e.text, words),
                "status %#x, stderr: %s", (unsigned)e.status, e.text);
}

#endif
