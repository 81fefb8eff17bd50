/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/attempt.h"
#include "park/strict.h"

static int read_some(int fd, void *buf, size_t len, size_t *n, int64_t deadline,
                     const gch_ctx *ctx) {
  struct gch_io_call c;
  size_t got = 0;
  int err =
      gch__io_begin(&c, "read", fd, GCH_FD_READ, GCH_IO_TURN, deadline, ctx);
  while (err == 0 && (err = gch__attempt_read(&c, buf, len, &got)) == EAGAIN)
    err = gch__io_await(&c);
  if (n)
    *n = got;
  return gch__io_end(&c, err);
}

/* 0 with *n == 0 is the end. */
static int read_on(struct gch_io_call *c, char *buf, size_t len, size_t *n) {
  int err = 0;
  while (err == 0 && *n < len) {
    size_t got;
    err = gch__attempt_read(c, buf + *n, len - *n, &got);
    *n += got;
    if (err == EAGAIN)
      err = gch__io_await(c);
    else if (err == 0 && got == 0)
      err = ENODATA;
  }
  return err;
}

static int read_full(int fd, void *buf, size_t len, size_t *n, int64_t deadline,
                     const gch_ctx *ctx) {
  struct gch_io_call c;
  size_t got = 0;
  int err =
      gch__io_begin(&c, "read", fd, GCH_FD_READ, GCH_IO_TURN, deadline, ctx);
  if (err == 0)
    err = read_on(&c, buf, len, &got);
  if (n)
    *n = got;
  return gch__io_end(&c, err);
}

int gch_io_read(int fd, void *buf, size_t len, size_t *n) {
  return read_some(fd, buf, len, n, GCH__FOREVER, NULL);
}

int gch_io_read_until(int fd, void *buf, size_t len, size_t *n,
                      int64_t deadline) {
  gch__check_deadline(deadline);
  return read_some(fd, buf, len, n, deadline, NULL);
}

int gch_io_read_ctx(const gch_ctx *ctx, int fd, void *buf, size_t len,
                    size_t *n) {
  gch__check_ctx(ctx);
  return read_some(fd, buf, len, n, GCH__FOREVER, ctx);
}

int gch_io_read_full(int fd, void *buf, size_t len, size_t *n) {
  return read_full(fd, buf, len, n, GCH__FOREVER, NULL);
}

int gch_io_read_full_until(int fd, void *buf, size_t len, size_t *n,
                           int64_t deadline) {
  gch__check_deadline(deadline);
  return read_full(fd, buf, len, n, deadline, NULL);
}

int gch_io_read_full_ctx(const gch_ctx *ctx, int fd, void *buf, size_t len,
                         size_t *n) {
  gch__check_ctx(ctx);
  return read_full(fd, buf, len, n, GCH__FOREVER, ctx);
}
