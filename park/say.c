/* SPDX-License-Identifier: BSD-3-Clause */
#include "park/say.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE = 1000 }; /* milliseconds */

/* Whether stderr takes something. */
static bool ready(void) {
  struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
  int n;
  do
    n = poll(&p, 1, PATIENCE);
  while (n < 0 && errno == EINTR);
  return n != 0; /* where poll is refused, let write try */
}

static bool write_all(const char *text, size_t size) {
  while (size > 0 && ready()) {
    ssize_t n = write(STDERR_FILENO, text, size);
    if (n > 0) {
      text += n;
      size -= (size_t)n;
    } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
      return false; /* there is nobody else to tell */
    }
  }
  return size == 0;
}

bool gch__say(const char *fmt, ...) {
  char text[GCH_SAY_MAX];
  int saved = errno;
  va_list ap;
  va_start(ap, fmt);
  int n = vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  bool said =
      n > 0 && write_all(text, n < GCH_SAY_MAX ? (size_t)n : sizeof text - 1);
  errno = saved;
  return said;
}
