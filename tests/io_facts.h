/* SPDX-License-Identifier: BSD-3-Clause */
/* Pairs of descriptors of several kinds, and who waits for one, for tests of
   what is the same for all. */
#ifndef GULCH_TESTS_IO_FACTS_H
#define GULCH_TESTS_IO_FACTS_H

#include "harness.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What goes into `in` comes out of `out`. */
struct ends {
  int out, in;
};

enum { SOCKETS, SOCKETS_ADOPTED, PIPE, PIPE_ADOPTED, KINDS };

static inline bool is_adopted(int kind) {
  return kind == SOCKETS_ADOPTED || kind == PIPE_ADOPTED;
}

static inline bool is_pipe(int kind) {
  return kind == PIPE || kind == PIPE_ADOPTED;
}

static inline struct ends make_ends(int kind) {
  int fds[2];
  if (is_pipe(kind))
    ck_assert_int_eq(pipe(fds), 0);
  else
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  for (int i = 0; i < 2 && is_adopted(kind); i++)
    ck_assert_int_eq(gch_io_adopt(fds[i]), 0);
  return (struct ends){fds[0], fds[1]};
}

static inline void close_ends(struct ends e) {
  ck_assert_int_eq(gch_io_close(e.out), 0);
  ck_assert_int_eq(gch_io_close(e.in), 0);
}

/* Returns when just so many wait for fd. */
static inline void await_io(int fd, size_t readers, size_t writers) {
  size_t r, w;
  for (int looks = 0;; looks++) {
    gch_io_waiting(fd, &r, &w);
    if (r == readers && w == writers)
      return;
    if (looks < 5)
      gch_yield();
    else
      gch_sleep(50 * GCH_MICROSECOND);
  }
}

/* Fills what can be written to fd. */
static inline size_t fill(int fd) {
  static const char zeros[4096];
  size_t sum = 0, n;
  int err;
  do {
    err = gch_io_write_until(fd, zeros, sizeof zeros, &n, 0);
    sum += n;
  } while (err == 0);
  ck_assert_int_eq(err, ETIMEDOUT);
  return sum;
}

/* A call in another thread or task. */
struct io_call {
  int fd;
  int (*call)(struct io_call *c);
  char buf[64];
  size_t len, n;
  int64_t deadline;
  const gch_ctx *ctx;
  int err;
  _Atomic int over;
};

static inline void run_io(void *arg) {
  struct io_call *c = arg;
  c->n = 99;
  c->err = c->call(c);
  atomic_store(&c->over, 1);
}

static inline test_thread *start_io(struct io_call *c) {
  return thread_start(run_io, c);
}

static inline int call_read(struct io_call *c) {
  return gch_io_read(c->fd, c->buf, sizeof c->buf, &c->n);
}

static inline int call_read_until(struct io_call *c) {
  return gch_io_read_until(c->fd, c->buf, sizeof c->buf, &c->n, c->deadline);
}

static inline int call_read_ctx(struct io_call *c) {
  return gch_io_read_ctx(c->ctx, c->fd, c->buf, sizeof c->buf, &c->n);
}

static inline int call_read_full(struct io_call *c) {
  return gch_io_read_full(c->fd, c->buf, c->len, &c->n);
}

static inline int call_write(struct io_call *c) {
  return gch_io_write(c->fd, c->buf, sizeof c->buf, &c->n);
}

static inline int call_wait_read(struct io_call *c) {
  return gch_io_wait(c->fd, GCH_IO_READ, NULL);
}

static inline int call_wait_write(struct io_call *c) {
  return gch_io_wait(c->fd, GCH_IO_WRITE, NULL);
}

static inline int call_wait_both(struct io_call *c) {
  return gch_io_wait(c->fd, GCH_IO_READ | GCH_IO_WRITE, NULL);
}

static inline int call_readable(struct io_call *c) {
  int err = -1;
  ck_assert_int_eq(gch_select(GCH_READABLE_ERR(c->fd, &err)), 0);
  return err;
}

static inline int call_writable(struct io_call *c) {
  int err = -1;
  ck_assert_int_eq(gch_select(GCH_WRITABLE_ERR(c->fd, &err)), 0);
  return err;
}

static inline int call_accept(struct io_call *c) {
  int conn;
  int err = gch_io_accept(c->fd, &conn, NULL, NULL);
  c->n = err ? 0 : (size_t)conn;
  return err;
}

static inline void put(int fd, const char *text) {
  size_t n;
  ck_assert_int_eq(gch_io_write(fd, text, strlen(text), &n), 0);
  ck_assert_uint_eq(n, strlen(text));
}

static inline void expect(int fd, const char *text) {
  char buf[64] = "";
  size_t n;
  ck_assert_int_eq(gch_io_read_full(fd, buf, strlen(text), &n), 0);
  ck_assert_str_eq(buf, text);
}

static inline void add_io_test(TCase *t, const TTest *test) {
  tcase_add_loop_test(t, test, 0, KINDS);
}

#endif
