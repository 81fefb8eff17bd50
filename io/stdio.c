/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Streams whose reads and writes park. stdio locks a stream for its calls, and
 * that lock is a thread's, where a task may go on in another; so it is told to
 * leave locking to the caller.
 */
#include <gulch/io.h>

#include "io/call.h"

#include <fcntl.h>
#include <stdio_ext.h>
#include <string.h>
#include <unistd.h>

#ifdef __GLIBC__
typedef off64_t stream_off;
#define stream_seek lseek64
#else
typedef off_t stream_off;
#define stream_seek lseek
#endif

static int fd_of(void *cookie) {
  return (int)(intptr_t)cookie;
}

static ssize_t read_stream(void *cookie, char *buf, size_t len) {
  size_t n;
  int err = gch_io_read(fd_of(cookie), buf, len, &n);
  if (err == 0)
    return (ssize_t)n;
  errno = err;
  return -1;
}

/* 0 is an error. */
static ssize_t write_stream(void *cookie, const char *buf, size_t len) {
  size_t n;
  int err = gch_io_write(fd_of(cookie), buf, len, &n);
  if (err)
    errno = err;
  return (ssize_t)n;
}

/* At the end, as O_APPEND does it; what can't be sought ends where it is. */
static ssize_t append_stream(void *cookie, const char *buf, size_t len) {
  stream_seek(fd_of(cookie), 0, SEEK_END);
  return write_stream(cookie, buf, len);
}

static int seek_stream(void *cookie, stream_off *at, int whence) {
  stream_off now = stream_seek(fd_of(cookie), *at, whence);
  if (now == -1)
    return -1;
  *at = now;
  return 0;
}

static int close_stream(void *cookie) {
  int err = gch_io_close(fd_of(cookie));
  if (err == 0)
    return 0;
  errno = err;
  return -1;
}

/* 0; EINVAL: not a mode, or not one for a descriptor with these flags. */
static int check_mode(const char *mode, int flags) {
  int has = flags & O_ACCMODE;
  bool both = strchr(mode, '+');
  if (!strchr("rwa", *mode) || !*mode)
    return EINVAL;
  if (has == O_RDWR)
    return 0;
  return !both && has == (*mode == 'r' ? O_RDONLY : O_WRONLY) ? 0 : EINVAL;
}

FILE *gch_io_fdopen(int fd, const char *mode) {
  const cookie_io_functions_t functions = {
      read_stream, *mode == 'a' ? append_stream : write_stream, seek_stream,
      close_stream};
  int saved = errno, flags = fcntl(fd, F_GETFL);
  int err = flags == -1 ? errno : check_mode(mode, flags);
  FILE *f = err ? NULL : fopencookie((void *)(intptr_t)fd, mode, functions);
  if (!f) {
    errno = err ? err : errno;
    return NULL;
  }
  __fsetlocking(f, FSETLOCKING_BYCALLER);
  if (isatty(fd))
    setvbuf(f, NULL, _IOLBF, 0);
  if (*mode == 'a')
    stream_seek(fd, 0, SEEK_END); /* what can't be sought ends where it is */
  errno = saved;
  return f;
}
