/* SPDX-License-Identifier: BSD-3-Clause */
/* What another process writes into a pipe. */
#ifndef GULCH_TESTS_HEAR_H
#define GULCH_TESTS_HEAR_H

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Reads fd to its end, and closes it: who writes is never to find that nobody
   reads. What does not fit into the size bytes at text, with a 0, is cut. */
static inline void hear(int fd, char *text, size_t size) {
  char some[4096];
  ssize_t n;
  while ((n = read(fd, some, sizeof some)) > 0 || (n < 0 && errno == EINTR)) {
    size_t kept = n < 0 ? 0 : (size_t)n < size - 1 ? (size_t)n : size - 1;
    memcpy(text, some, kept);
    text += kept;
    size -= kept;
  }
  *text = '\0';
  close(fd);
}

#endif
