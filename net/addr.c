/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/address.h"

#include <gulch/net.h>

#include <errno.h>

int gch_net_addr(int fd, bool remote, char *buf, size_t len) {
  int saved = errno;
  struct gch_address a;
  a.len = sizeof a.room;
  int err = (remote ? getpeername : getsockname)(fd, &a.any, &a.len);
  err = err ? errno : gch__address_print(&a, buf, len);
  errno = saved;
  return err;
}
