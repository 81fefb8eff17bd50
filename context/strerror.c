/* SPDX-License-Identifier: BSD-3-Clause */
#include <gulch/ctx.h>

#include <string.h>

const char *gch_strerror(int err) {
  switch (err) {
  case EPIPE:
    return "closed channel";
  case ECANCELED:
    return "context canceled";
  case ETIMEDOUT:
    return "context deadline exceeded";
  case EBADF:
    return "use of closed file";
  default:
    return strerror(err);
  }
}
