/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * <gulch/io.h>: descriptors. Calls that wait park the task, not its thread.
 *
 *     void echo(void *arg) {
 *       int fd = (int)(intptr_t)arg;
 *       char buf[4096];
 *       size_t n;
 *       while (gch_io_read(fd, buf, sizeof buf, &n) == 0 && n > 0)
 *         if (gch_io_write(fd, buf, n, NULL) != 0)
 *           break;
 *       gch_io_close(fd);
 *     }
 *     …
 *     while (gch_io_accept(listener, &fd, NULL, NULL) == 0)
 *       gch_go(echo, (void *)(intptr_t)fd);
 *
 * A descriptor is an int of the caller's, from anywhere: a socket, a pipe, a
 * terminal, an eventfd, a file. Nothing has to be registered, the C library is
 * not hooked, and read(2) stays what it was.
 *
 * Each call has a form that gives up at an absolute time (_until: ETIMEDOUT; a
 * time that has passed tries once) and one that gives up when a context is done
 * (_ctx: the context's error, ECANCELED or ETIMEDOUT; one that is done already
 * wins). All may be called by threads and tasks.
 *
 * Errors are returned: 0, or a positive errno value, as in pthreads: what the
 * system call gave, and
 *     EBADF      no descriptor, or not for that direction; or gch_io_close has
 *                closed it, meanwhile or before
 *     ETIMEDOUT  the deadline passed, that of the call or of
 *                gch_io_set_deadline
 *     ENOMEM     no memory for what gulch keeps about a descriptor, or no
 *                thread to wait for it
 * Never EINTR, never EAGAIN. EPIPE comes without SIGPIPE, but for descriptors 1
 * and 2, where the signal is raised too, as in Go. In *n, which may be NULL,
 * each call says how far it came, also with an error; other out parameters may
 * be NULL too.
 *
 * Adopted descriptors (gch_io_adopt, and all that gulch itself makes) have
 * O_NONBLOCK set, which all see who share the open file; in return they are
 * quicker, and have deadlines of their own. They must be closed by
 * gch_io_close. The flags of all others are left alone: on sockets the calls
 * pass MSG_DONTWAIT; elsewhere they ask first whether there is something to do,
 * and then do no more than that. (Should another process be faster, the call
 * blocks its thread, as any system call may in a task.) Regular files are
 * always ready.
 *
 * Who waits for one direction is served in the order in which they came. A
 * write is whole: two writes do not interleave, however long; so it is with two
 * gch_io_read_full. Reads and writes do not wait for one another.
 *
 * Closing by gch_io_close while others wait is right, and how to end them. A
 * plain close leaves who waits there parked, until its deadline or context; it
 * harms nobody else, neither the next descriptor of that number nor a dup.
 */
#ifndef GULCH_IO_H
#define GULCH_IO_H

#include <gulch/select.h>

#include <stdio.h>

GCH_BEGIN_DECLS

typedef struct gch_ctx gch_ctx; /* <gulch/ctx.h> */

/* Those of <sys/socket.h>, which is not included: many a program has a send or
   an accept of its own. */
struct msghdr;
struct sockaddr;
typedef unsigned int socklen_t;

/* Directions; may be joined by |. */
enum { GCH_IO_READ = 1, GCH_IO_WRITE = 2 };

/* Reads what is there, at least a byte, at most len bytes. *n == 0: the end
   (or len was 0). */
GCH_API int gch_io_read(int fd, void *buf, size_t len, size_t *n);
GCH_API int gch_io_read_until(int fd, void *buf, size_t len, size_t *n,
                              int64_t deadline);
GCH_API int gch_io_read_ctx(const gch_ctx *ctx, int fd, void *buf, size_t len,
                            size_t *n);

/* Reads len bytes. ENODATA: it ended before; *n says how far (0: at once, which
   is Go's io.EOF, else io.ErrUnexpectedEOF). */
GCH_API int gch_io_read_full(int fd, void *buf, size_t len, size_t *n);
GCH_API int gch_io_read_full_until(int fd, void *buf, size_t len, size_t *n,
                                   int64_t deadline);
GCH_API int gch_io_read_full_ctx(const gch_ctx *ctx, int fd, void *buf,
                                 size_t len, size_t *n);

/* Writes all of it, or gives an error, and in *n how far it came. */
GCH_API int gch_io_write(int fd, const void *buf, size_t len, size_t *n);
GCH_API int gch_io_write_until(int fd, const void *buf, size_t len, size_t *n,
                               int64_t deadline);
GCH_API int gch_io_write_ctx(const gch_ctx *ctx, int fd, const void *buf,
                             size_t len, size_t *n);

/* Takes the next connection: *conn is adopted, and closed by exec. sa and len
   are as for accept(2). A connection that was broken off before (ECONNABORTED)
   is passed over. ENOTSOCK; EMFILE, ENFILE: no descriptor is left. */
GCH_API int gch_io_accept(int fd, int *conn, struct sockaddr *sa,
                          socklen_t *len);
GCH_API int gch_io_accept_until(int fd, int *conn, struct sockaddr *sa,
                                socklen_t *len, int64_t deadline);
GCH_API int gch_io_accept_ctx(const gch_ctx *ctx, int fd, int *conn,
                              struct sockaddr *sa, socklen_t *len);

/* Adopts fd, a socket, and connects it. Where it gives up the connection may
   still come about: close fd. */
GCH_API int gch_io_connect(int fd, const struct sockaddr *sa, socklen_t len);
GCH_API int gch_io_connect_until(int fd, const struct sockaddr *sa,
                                 socklen_t len, int64_t deadline);
GCH_API int gch_io_connect_ctx(const gch_ctx *ctx, int fd,
                               const struct sockaddr *sa, socklen_t len);

/* One recvmsg(2), one sendmsg(2), waited for: flags are those of the calls. On
   a stream sendmsg may send a part; *n is how much. */
GCH_API int gch_io_recvmsg(int fd, struct msghdr *m, int flags, size_t *n);
GCH_API int gch_io_recvmsg_until(int fd, struct msghdr *m, int flags, size_t *n,
                                 int64_t deadline);
GCH_API int gch_io_recvmsg_ctx(const gch_ctx *ctx, int fd, struct msghdr *m,
                               int flags, size_t *n);
GCH_API int gch_io_sendmsg(int fd, const struct msghdr *m, int flags,
                           size_t *n);
GCH_API int gch_io_sendmsg_until(int fd, const struct msghdr *m, int flags,
                                 size_t *n, int64_t deadline);
GCH_API int gch_io_sendmsg_ctx(const gch_ctx *ctx, int fd,
                               const struct msghdr *m, int flags, size_t *n);

/* io.Copy: reads from `from` and writes to `to` until the first ends; *n is how
   much was written. Where the kernel can, nothing passes through the program.
   What was read and not written when it was cut off is lost. Others' reads and
   writes may come between two pieces. */
GCH_API int gch_io_copy(int to, int from, uint64_t *n);
GCH_API int gch_io_copy_until(int to, int from, uint64_t *n, int64_t deadline);
GCH_API int gch_io_copy_ctx(const gch_ctx *ctx, int to, int from, uint64_t *n);

/* Waits until one of events (GCH_IO_READ | GCH_IO_WRITE) would not block, and
   in *ready gives which: for other people's libraries, which call read and
   write themselves. The end, an error and a hang-up are ready. */
GCH_API int gch_io_wait(int fd, int events, int *ready);
GCH_API int gch_io_wait_until(int fd, int events, int *ready, int64_t deadline);
GCH_API int gch_io_wait_ctx(const gch_ctx *ctx, int fd, int events, int *ready);

/* Sets O_NONBLOCK: from now on fd is gulch's to register, and is closed by
   gch_io_close. To adopt it once more does nothing. Do not adopt what you
   inherited, such as a terminal: who shares it sees the flag. */
GCH_API int gch_io_adopt(int fd);

/* SetReadDeadline, SetWriteDeadline, or with both events SetDeadline, of an
   adopted descriptor: an absolute time, for the calls that wait now and those
   to come; once it has passed they fail with ETIMEDOUT, without a try. A later
   one lets them go on; GCH_FOREVER: none. The arms of a select do not know it.
   EINVAL: not adopted, or no events. */
GCH_API int gch_io_set_deadline(int fd, int events, int64_t deadline);

/* Closes fd, whoever made it. Who waits on it, in any call or arm, wakes with
   EBADF; it returns when the last of them is out, and only then is the number
   free. EBADF: closed already. What else close(2) says is returned, and fd is
   closed all the same. */
GCH_API int gch_io_close(int fd);

/* A stdio stream on fd, which reads and writes as gch_io_read and gch_io_write
   do: getline, fprintf, fread in a task. mode is fdopen's. fd is not adopted.
   fclose closes it by gch_io_close, and is then the only one that may. Locking
   belongs to a thread: so a stream is one task's at a time. NULL, with errno
   set. */
GCH_API FILE *gch_io_fdopen(int fd, const char *mode);

/* Arms of a select: ready where a read (or write) would not block, as poll(2)
   says it; nothing is read. The end, an error and a hang-up are ready. *err is
   0; EBADF: no descriptor, or closed by gch_io_close meanwhile; ENOMEM, as for
   the calls. A negative descriptor is never ready. */
GCH_API gch_case gch_case_readable(int fd, int *err);
GCH_API gch_case gch_case_writable(int fd, int *err);

/* Private: the macros' arguments, as in <gulch/select.h>. */
struct gch_case_fd {
  int fd;
  int *err;
};

static inline gch_case gch_case_on_fd(enum gch_case_kind kind,
                                      struct gch_case_fd on) {
  gch_case k;
  k.chan = NULL;
  k.elem = NULL;
  k.err = on.err;
  k.time = on.fd;
  k.kind = (uint32_t)kind;
  return k;
}

#ifdef __cplusplus
#define GCH_CASE_FD(...)                                                       \
  gch_case_fd {                                                                \
    __VA_ARGS__                                                                \
  }
#else
#define GCH_CASE_FD(...) ((struct gch_case_fd){__VA_ARGS__})
#endif

#define GCH_READABLE(fd)                                                       \
  gch_case_on_fd(GCH_CASE_READABLE, GCH_CASE_FD((fd), NULL))
#define GCH_WRITABLE(fd)                                                       \
  gch_case_on_fd(GCH_CASE_WRITABLE, GCH_CASE_FD((fd), NULL))
#define GCH_READABLE_ERR(fd, err)                                              \
  gch_case_on_fd(GCH_CASE_READABLE, GCH_CASE_FD((fd), (err)))
#define GCH_WRITABLE_ERR(fd, err)                                              \
  gch_case_on_fd(GCH_CASE_WRITABLE, GCH_CASE_FD((fd), (err)))

GCH_END_DECLS

#endif
