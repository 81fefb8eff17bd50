/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls that are for sockets only: accept, connect, recvmsg, sendmsg. */
#include "io/call.h"
#include "io/made.h"
#include "park/strict.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

int gch__socket_option(int fd, int name) {
  int value;
  socklen_t len = sizeof value;
  return getsockopt(fd, SOL_SOCKET, name, &value, &len) == 0 ? value : -1;
}

/* Accept */

/* On a listener that is not adopted accept would wait. */
static int accept_now(struct gch_io_call *c, int *conn, struct sockaddr *sa,
                      socklen_t *len) {
  socklen_t room = len ? *len : 0;
  gch__io_look(c);
  if (!c->record->adopted && gch__fd_look(c->fd, 1u << GCH_FD_READ) == 0) {
    int listens = gch__socket_option(c->fd, SO_ACCEPTCONN);
    if (listens < 0)
      return errno;
    if (listens)
      return EAGAIN;
  }
  for (;;) {
    *conn = accept4(c->fd, sa, len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (*conn >= 0)
      return 0;
    if (len)
      *len = room;
    if (errno == ECONNABORTED && !c->record->adopted)
      return EAGAIN;
    if (errno != ECONNABORTED && errno != EINTR)
      return errno;
  }
}

static int accept_one(int fd, int *conn, struct sockaddr *sa, socklen_t *len,
                      int64_t deadline, const gch_ctx *ctx) {
  struct gch_io_call c;
  int got = -1;
  int err =
      gch__io_begin(&c, "accept", fd, GCH_FD_READ, GCH_IO_TURN, deadline, ctx);
  while (err == 0 && (err = accept_now(&c, &got, sa, len)) == EAGAIN)
    err = gch__io_await(&c);
  if (err == 0 && (err = gch__fd_new(got)) != 0) {
    close(got);
    got = -1;
  }
  if (got >= 0)
    gch__fd_made(got);
  if (conn)
    *conn = got;
  else if (got >= 0)
    gch_io_close(got);
  return gch__io_end(&c, err);
}

int gch_io_accept(int fd, int *conn, struct sockaddr *sa, socklen_t *len) {
  return accept_one(fd, conn, sa, len, GCH__FOREVER, NULL);
}

int gch_io_accept_until(int fd, int *conn, struct sockaddr *sa, socklen_t *len,
                        int64_t deadline) {
  gch__check_deadline(deadline);
  return accept_one(fd, conn, sa, len, deadline, NULL);
}

int gch_io_accept_ctx(const gch_ctx *ctx, int fd, int *conn,
                      struct sockaddr *sa, socklen_t *len) {
  gch__check_ctx(ctx);
  return accept_one(fd, conn, sa, len, GCH__FOREVER, ctx);
}

/* Connect */

/* The outcome of a connect under way. EAGAIN: not known yet. */
static int connected(struct gch_io_call *c) {
  struct sockaddr_storage peer;
  socklen_t len = sizeof peer;
  gch__io_look(c);
  int err = gch__socket_option(c->fd, SO_ERROR);
  if (err < 0)
    return errno;
  if (err == EINPROGRESS || err == EALREADY || err == EINTR)
    return EAGAIN;
  if (err != 0 && err != EISCONN)
    return err;
  if (getpeername(c->fd, (struct sockaddr *)&peer, &len) == 0)
    return 0;
  return errno == ENOTCONN ? EAGAIN : errno;
}

/* A unix socket whose backlog is full says EAGAIN, and the kernel does not tell
   when there is room. */
static int connect_begin(struct gch_io_call *c, const struct sockaddr *sa,
                         socklen_t len) {
  int64_t pause = 0;
  for (;;) {
    gch__io_look(c);
    if (connect(c->fd, sa, len) == 0)
      return 0;
    if (errno == EINTR || errno == EINPROGRESS)
      return EINPROGRESS;
    if (errno != EAGAIN)
      return errno;
    int err = gch__io_pause(c, &pause);
    if (err)
      return err;
  }
}

static int connect_on(struct gch_io_call *c, const struct sockaddr *sa,
                      socklen_t len) {
  int err;
  while ((err = gch__io_adopt(c->record, GCH_FD_CONNECTED)) == ENOENT &&
         (err = gch__io_move(c)) == 0)
    ;
  if (err == 0)
    err = connect_begin(c, sa, len);
  if (err != EINPROGRESS)
    return err;
  do
    err = gch__io_await(c);
  while (err == 0 && (err = connected(c)) == EAGAIN);
  return err;
}

static int connect_to(int fd, const struct sockaddr *sa, socklen_t len,
                      int64_t deadline, const gch_ctx *ctx) {
  struct gch_io_call c;
  int err = gch__io_begin(&c, "connect", fd, GCH_FD_WRITE, GCH_IO_TURN,
                          deadline, ctx);
  if (err == 0 && gch__socket_option(fd, SO_TYPE) < 0)
    err = errno;
  if (err == 0)
    err = connect_on(&c, sa, len);
  return gch__io_end(&c, err);
}

int gch_io_connect(int fd, const struct sockaddr *sa, socklen_t len) {
  return connect_to(fd, sa, len, GCH__FOREVER, NULL);
}

int gch_io_connect_until(int fd, const struct sockaddr *sa, socklen_t len,
                         int64_t deadline) {
  gch__check_deadline(deadline);
  return connect_to(fd, sa, len, deadline, NULL);
}

int gch_io_connect_ctx(const gch_ctx *ctx, int fd, const struct sockaddr *sa,
                       socklen_t len) {
  gch__check_ctx(ctx);
  return connect_to(fd, sa, len, GCH__FOREVER, ctx);
}

/* Messages */

struct vain {
  int times;
  int64_t pause;
};

/* After EAGAIN. It may come though poll says that it would not, of datagrams
   whose receiver has no room, and of a queue of errors while there is data:
   then events are of no use. */
static int await_message(struct gch_io_call *c, struct vain *v) {
  enum { TIMES = 2 };
  if (v->times++ < TIMES || gch__fd_look(c->fd, 1u << c->way) == 0)
    return gch__io_await(c);
  return gch__io_pause(c, &v->pause);
}

static int recvmsg_one(int fd, struct msghdr *m, int flags, size_t *n,
                       int64_t deadline, const gch_ctx *ctx) {
  struct gch_io_call c;
  struct vain v = {0};
  ssize_t r = -1;
  int err =
      gch__io_begin(&c, "read", fd, GCH_FD_READ, GCH_IO_TURN, deadline, ctx);
  while (err == 0) {
    gch__io_look(&c);
    if ((r = recvmsg(fd, m, flags | MSG_DONTWAIT)) >= 0)
      break;
    err = errno == EINTR ? 0 : errno;
    if (err == EAGAIN)
      err = await_message(&c, &v);
  }
  if (n)
    *n = r > 0 ? (size_t)r : 0;
  return gch__io_end(&c, err);
}

int gch_io_recvmsg(int fd, struct msghdr *m, int flags, size_t *n) {
  return recvmsg_one(fd, m, flags, n, GCH__FOREVER, NULL);
}

int gch_io_recvmsg_until(int fd, struct msghdr *m, int flags, size_t *n,
                         int64_t deadline) {
  gch__check_deadline(deadline);
  return recvmsg_one(fd, m, flags, n, deadline, NULL);
}

int gch_io_recvmsg_ctx(const gch_ctx *ctx, int fd, struct msghdr *m, int flags,
                       size_t *n) {
  gch__check_ctx(ctx);
  return recvmsg_one(fd, m, flags, n, GCH__FOREVER, ctx);
}

static int sendmsg_one(int fd, const struct msghdr *m, int flags, size_t *n,
                       int64_t deadline, const gch_ctx *ctx) {
  struct gch_io_call c;
  struct vain v = {0};
  ssize_t r = -1;
  int err =
      gch__io_begin(&c, "write", fd, GCH_FD_WRITE, GCH_IO_TURN, deadline, ctx);
  while (err == 0) {
    gch__io_look(&c);
    if ((r = sendmsg(fd, m, flags | MSG_DONTWAIT | MSG_NOSIGNAL)) >= 0)
      break;
    err = errno == EINTR ? 0 : errno;
    if (err == EAGAIN)
      err = await_message(&c, &v);
  }
  if (err == EPIPE && (fd == STDOUT_FILENO || fd == STDERR_FILENO))
    raise(SIGPIPE);
  if (n)
    *n = r > 0 ? (size_t)r : 0;
  return gch__io_end(&c, err);
}

int gch_io_sendmsg(int fd, const struct msghdr *m, int flags, size_t *n) {
  return sendmsg_one(fd, m, flags, n, GCH__FOREVER, NULL);
}

int gch_io_sendmsg_until(int fd, const struct msghdr *m, int flags, size_t *n,
                         int64_t deadline) {
  gch__check_deadline(deadline);
  return sendmsg_one(fd, m, flags, n, deadline, NULL);
}

int gch_io_sendmsg_ctx(const gch_ctx *ctx, int fd, const struct msghdr *m,
                       int flags, size_t *n) {
  gch__check_ctx(ctx);
  return sendmsg_one(fd, m, flags, n, GCH__FOREVER, ctx);
}
