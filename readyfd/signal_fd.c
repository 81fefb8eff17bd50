/* SPDX-License-Identifier: BSD-3-Clause */
#include "readyfd/signal_fd.h"

#include "park/cancel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>
#if __has_include(<sys/eventfd.h>)
#include <sys/eventfd.h>
#endif

#ifdef EFD_CLOEXEC
static int open_eventfd(void) {
  return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}
#else
static int open_eventfd(void) {
  return -1;
}
#endif

static int open_pipe(struct gch_signal_fd *s) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
    return errno;
  s->fd = ends[0];
  s->written = ends[1];
  return 0;
}

int gch__signal_fd_open(struct gch_signal_fd *s) {
  int saved = errno, err = 0;
  s->readable = false;
  s->fd = s->written = open_eventfd();
  if (s->fd < 0)
    err = open_pipe(s);
  errno = saved;
  return err;
}

static void close_ends(int fd, int written) {
  if (fd >= 0)
    close(fd);
  if (written >= 0 && written != fd)
    close(written);
}

void gch__signal_fd_close(struct gch_signal_fd *s) {
  int saved = errno, cancel = gch__cancel_off();
  close_ends(s->fd, s->written);
  s->fd = s->written = -1;
  gch__cancel_as(cancel);
  errno = saved;
}

/* Neither waits: there is never more than one in it. */
void gch__signal_fd_set(struct gch_signal_fd *s, bool readable) {
  uint64_t one = 1;
  if (s->written < 0 || s->readable == readable)
    return;
  int saved = errno, cancel = gch__cancel_off();
  ssize_t n = readable ? write(s->written, &one, sizeof one)
                       : read(s->fd, &one, sizeof one);
  s->readable = n == sizeof one ? readable : s->readable;
  gch__cancel_as(cancel);
  errno = saved;
}

void gch__signal_fd_forked(struct gch_signal_fd *s) {
  int saved = errno, cancel = gch__cancel_off(), fd = s->fd;
  if (s->written != fd && s->written >= 0)
    close(s->written);
  if (gch__signal_fd_open(s) == 0) {
    int own = s->fd;
    bool moved = dup3(own, fd, O_CLOEXEC) >= 0;
    if (s->written == own)
      s->written = moved ? fd : -1;
    close(own);
  } else {
    s->written = -1;
  }
  s->fd = fd;
  gch__cancel_as(cancel);
  errno = saved;
}
