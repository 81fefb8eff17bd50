/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/attempt.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef PIPE_BUF
#define PIPE_BUF 512
#endif

/* As Linux does it for all. Bytes. */
#define MOST ((size_t)0x7ffff000)

static size_t at_most(size_t len) {
  return len < MOST ? len : MOST;
}

/* Of what a system call gave; errno is the C library's. */
static int result(ssize_t r, size_t *n) {
  *n = r > 0 ? (size_t)r : 0;
  return r >= 0 ? 0 : errno;
}

/* Reading */

static int recv_now(struct gch_io_call *c, void *buf, size_t len, size_t *n) {
  int err;
  do
    err = result(recv(c->fd, buf, len, MSG_DONTWAIT), n);
  while (err == EINTR);
  if (err == ENOTSOCK)
    gch__io_hint(c, GCH_FD_NO_SOCKET);
  return err;
}

static int plain_read(struct gch_io_call *c, void *buf, size_t len, size_t *n) {
  int err;
  do
    err = result(read(c->fd, buf, len), n);
  while (err == EINTR);
  return err;
}

static bool is_ready(const struct gch_io_call *c) {
  return gch__fd_look(c->fd, 1u << c->way) != 0; /* an error is found later */
}

static bool knows_nowait(const struct gch_io_call *c) {
#ifdef RWF_NOWAIT
  return !(atomic_load_explicit(&c->record->hints, memory_order_relaxed) &
           GCH_FD_NO_NOWAIT);
#else
  (void)c;
  return false;
#endif
}

/* ESPIPE is what it says of a socket before Linux 5.?, EINVAL an old kernel,
   EPERM a filter of system calls; a plain call gives the true error. */
static bool is_unknown(int err) {
  return err == EOPNOTSUPP || err == ENOSYS || err == EINVAL ||
         err == ESPIPE || err == EPERM;
}

static int read_nowait(struct gch_io_call *c, void *buf, size_t len,
                       size_t *n) {
#ifdef RWF_NOWAIT
  const struct iovec v = {buf, len};
  int err;
  do
    err = result(preadv2(c->fd, &v, 1, -1, RWF_NOWAIT), n);
  while (err == EINTR);
  if (!is_unknown(err))
    return err;
  gch__io_hint(c, GCH_FD_NO_NOWAIT);
#else
  (void)buf, (void)len, (void)n;
#endif
  return ENOSYS;
}

static int read_other(struct gch_io_call *c, void *buf, size_t len, size_t *n) {
  if (knows_nowait(c)) {
    int err = read_nowait(c, buf, len, n);
    if (err != ENOSYS)
      return err;
  }
  return is_ready(c) ? plain_read(c, buf, len, n) : EAGAIN;
}

int gch__attempt_read(struct gch_io_call *c, void *buf, size_t len, size_t *n) {
  int err = ENOTSOCK;
  *n = 0;
  if (len == 0)
    return 0;
  len = at_most(len);
  gch__io_look(c);
  if (c->always)
    return plain_read(c, buf, len, n);
  if (gch__io_is_socket(c))
    err = recv_now(c, buf, len, n);
  if (err != ENOTSOCK)
    return err;
  return c->record->adopted ? plain_read(c, buf, len, n)
                            : read_other(c, buf, len, n);
}

/* SIGPIPE */

static bool is_pending(void) {
  sigset_t pending;
  return sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE);
}

static sigset_t only_sigpipe(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  return set;
}

void gch__sigpipe_hold(struct gch_sigpipe *s, int fd) {
  sigset_t set = only_sigpipe(), old;
  s->held = fd != STDOUT_FILENO && fd != STDERR_FILENO &&
            pthread_sigmask(SIG_BLOCK, &set, &old) == 0;
  s->was_blocked = s->held && sigismember(&old, SIGPIPE);
  s->was_pending = s->was_blocked && is_pending();
}

/* A signal that came by EPIPE is the thread's, and there at once. */
void gch__sigpipe_drop(struct gch_sigpipe *s, bool raised) {
  const struct timespec at_once = {0, 0};
  sigset_t set = only_sigpipe();
  if (!s->held)
    return;
  if (raised && !s->was_pending)
    while (sigtimedwait(&set, NULL, &at_once) == -1 && errno == EINTR)
      ;
  if (!s->was_blocked)
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* Writing */

static int send_now(struct gch_io_call *c, const void *buf, size_t len,
                    size_t *n) {
  int err;
  do
    err = result(send(c->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL), n);
  while (err == EINTR);
  if (err == ENOTSOCK)
    gch__io_hint(c, GCH_FD_NO_SOCKET);
  if (err == EPIPE && (c->fd == STDOUT_FILENO || c->fd == STDERR_FILENO))
    raise(SIGPIPE);
  return err;
}

static int plain_write(struct gch_io_call *c, const void *buf, size_t len,
                       size_t *n) {
  int err;
  do
    err = result(write(c->fd, buf, len), n);
  while (err == EINTR);
  return err;
}

static int write_nowait(struct gch_io_call *c, const void *buf, size_t len,
                        size_t *n) {
#ifdef RWF_NOWAIT
  const struct iovec v = {(void *)(uintptr_t)buf, len};
  int err;
  do
    err = result(pwritev2(c->fd, &v, 1, -1, RWF_NOWAIT), n);
  while (err == EINTR);
  if (!is_unknown(err))
    return err;
  gch__io_hint(c, GCH_FD_NO_NOWAIT);
#else
  (void)buf, (void)len, (void)n;
#endif
  return ENOSYS;
}

/* How much may be written at once where poll says that something may. */
static size_t promised(int fd, size_t len) {
  enum { TERMINAL = 256 };
  struct stat st;
  size_t most = PIPE_BUF;
  if (fstat(fd, &st) == 0) {
    if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))
      most = len;
    else if (S_ISCHR(st.st_mode))
      most = TERMINAL;
  }
  return len < most ? len : most;
}

static int write_other(struct gch_io_call *c, const void *buf, size_t len,
                       size_t *n) {
  if (knows_nowait(c)) {
    int err = write_nowait(c, buf, len, n);
    if (err != ENOSYS)
      return err;
  }
  return is_ready(c) ? plain_write(c, buf, promised(c->fd, len), n) : EAGAIN;
}

int gch__attempt_write(struct gch_io_call *c, const void *buf, size_t len,
                       size_t *n) {
  struct gch_sigpipe sigpipe;
  int err = ENOTSOCK;
  *n = 0;
  len = at_most(len);
  gch__io_look(c);
  if (!c->always && gch__io_is_socket(c))
    err = send_now(c, buf, len, n);
  if (err != ENOTSOCK)
    return err;
  gch__sigpipe_hold(&sigpipe, c->fd);
  err = c->always || c->record->adopted ? plain_write(c, buf, len, n)
                                        : write_other(c, buf, len, n);
  gch__sigpipe_drop(&sigpipe, err == EPIPE);
  return err;
}
