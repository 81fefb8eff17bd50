/* SPDX-License-Identifier: BSD-3-Clause */
/* Operations that nobody can ever complete. */
#ifndef GULCH_TESTS_BLOCKING_H
#define GULCH_TESTS_BLOCKING_H

#include "chan_checks.h"
#include "fork_alone.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static inline _Noreturn void block_in_child(void (*fn)(void *), void *arg) {
  alarm(120); /* if the parent is gone */
  fn(arg);
  _exit(0);
}

/* The state that the kernel shows: S is asleep, Z has ended. */
static inline char state_of(pid_t pid) {
  char path[64], state = '?';
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  FILE *f = fopen(path, "r");
  if (f == NULL)
    return 'S';
  require(fscanf(f, "%*d (%*[^)]) %c", &state) == 1);
  fclose(f);
  return state;
}

static inline void await_sleep(pid_t pid) {
  for (char state; (state = state_of(pid)) != 'S';) {
    require(state != 'Z');
    gch_yield();
  }
}

/* fn(arg), in a process of its own, goes to sleep and does not return. */
static inline void blocks_for_ever(void (*fn)(void *), void *arg) {
  int status;
  pid_t pid = fork_alone();
  require(pid >= 0);
  if (pid == 0)
    block_in_child(fn, arg);
  await_sleep(pid);
  gch_sleep(5 * GCH_MILLISECOND);
  require(waitpid(pid, &status, WNOHANG) == 0);
  kill(pid, SIGKILL);
  require(waitpid(pid, &status, 0) == pid);
}

#endif
