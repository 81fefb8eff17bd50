/* SPDX-License-Identifier: BSD-3-Clause */
#include "io/attempt.h"
#include "park/strict.h"

/* At least one attempt: what has no bytes may be a message. */
static int write_on(struct gch_io_call *c, const char *buf, size_t len,
                    size_t *n) {
  for (;;) {
    size_t put;
    int err = gch__attempt_write(c, buf + *n, len - *n, &put);
    *n += put;
    if (err == EAGAIN)
      err = gch__io_await(c);
    else if (err == 0 && *n == len)
      return 0;
    else if (err == 0 && put == 0)
      err = EIO; /* so that it ends */
    if (err)
      return err;
  }
}

static int write_all(int fd, const void *buf, size_t len, size_t *n,
                     int64_t deadline, const gch_ctx *ctx) {
  struct gch_io_call c;
  size_t put = 0;
  int err =
      gch__io_begin(&c, "write", fd, GCH_FD_WRITE, GCH_IO_TURN, deadline, ctx);
  if (err == 0)
    err = write_on(&c, buf, len, &put);
  if (n)
    *n = put;
  return gch__io_end(&c, err);
}

int gch_io_write(int fd, const void *buf, size_t len, size_t *n) {
  return write_all(fd, buf, len, n, GCH__FOREVER, NULL);
}

int gch_io_write_until(int fd, const void *buf, size_t len, size_t *n,
                       int64_t deadline) {
  gch__check_deadline(deadline);
  return write_all(fd, buf, len, n, deadline, NULL);
}

int gch_io_write_ctx(const gch_ctx *ctx, int fd, const void *buf, size_t len,
                     size_t *n) {
  gch__check_ctx(ctx);
  return write_all(fd, buf, len, n, GCH__FOREVER, ctx);
}
