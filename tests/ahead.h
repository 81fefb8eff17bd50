/* SPDX-License-Identifier: BSD-3-Clause */
/* Processes that take long because they wait: a program starts them before its
   tests, so that they wait side by side, and each test reads how its own ended.
   */
#ifndef GULCH_TESTS_AHEAD_H
#define GULCH_TESTS_AHEAD_H

#include "harness.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

static inline void write_whole(int fd, const char *bytes, size_t size) {
  while (size > 0) {
    ssize_t n = write(fd, bytes, size);
    if (n <= 0)
      _exit(1);
    bytes += n;
    size -= (size_t)n;
  }
}

/* Has a process of its own call see(arg, ending), which fills in size bytes,
   and asserts nothing: Check has begun no test. Returns what read_ahead reads
   from. */
static inline int start_ahead(void (*see)(void *arg, void *ending), void *arg,
                              size_t size) {
  int fds[2];
  if (pipe(fds) != 0)
    abort();
  pid_t pid = fork();
  if (pid < 0)
    abort();
  if (pid == 0) {
    char *ending = calloc(1, size);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(fds[0]);
    see(arg, ending);
    write_whole(fds[1], ending, size);
    _exit(0);
  }
  close(fds[1]);
  return fds[0];
}

/* Once for each that was started: waits until it has ended. */
static inline void read_ahead(int fd, void *ending, size_t size) {
  size_t have = 0;
  for (ssize_t n; have < size; have += (size_t)n)
    if ((n = read(fd, (char *)ending + have, size - have)) <= 0)
      break;
  ck_assert_uint_eq(have, size);
  close(fd);
}

#endif
