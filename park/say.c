/* SPDX-License-Identifier: BSD-3-Clause */
#include "park/say.h"

#include "park/cancel.h"
#include "park/clock.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE = 1000000000, MS = 1000000 }; /* nanoseconds */

/* Whether stderr takes something, before the time `end`. */
static bool ready(int64_t end) {
  struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
  int64_t left;
  int n = -1;
  errno = EINTR;
  while (n < 0 && errno == EINTR && (left = end - gch__now()) > 0)
    n = poll(&p, 1, (int)((left + MS - 1) / MS));
  /* Where poll is refused, let write try. */
  return n > 0 || (n < 0 && errno != EINTR);
}

static bool write_all(const char *text, size_t size) {
  int64_t end = gch__from_now(PATIENCE);
  while (size > 0 && ready(end)) {
    ssize_t n = write(STDERR_FILENO, text, size);
    if (n > 0) {
      text += n;
      size -= (size_t)n;
      end = gch__from_now(PATIENCE);
    } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
      return false; /* there is nobody else to tell */
    }
  }
  return size == 0;
}

/* Else the write would end the process, and not as its words say. */
static void block_sigpipe(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
}

bool gch__say(const char *fmt, ...) {
  char text[GCH_SAY_MAX];
  int saved = errno, cancel = gch__cancel_off();
  block_sigpipe();
  va_list ap;
  va_start(ap, fmt);
  int n = vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  bool said =
      n > 0 && write_all(text, n < GCH_SAY_MAX ? (size_t)n : sizeof text - 1);
  gch__cancel_as(cancel);
  errno = saved;
  return said;
}
