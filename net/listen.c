/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/impl.h"

#include <gulch/net.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

/* Which of the addresses: where they stand for all, the one of IPv6, which is
   open to IPv4 too; else the first of IPv4, or the first. */
static struct gch_address *choose(const struct gch_network *network,
                                  struct gch_addresses *found) {
  struct gch_address *a = &found->at[0];
  if (network->family == AF_UNSPEC && gch__address_is_any(a)) {
    in_port_t port =
        a->any.sa_family == AF_INET ? a->in.sin_port : a->in6.sin6_port;
    gch__address_any(AF_INET6, ntohs(port), a);
    return a;
  }
  for (size_t i = 0; i < found->n; i++)
    if (found->at[i].any.sa_family == AF_INET)
      return &found->at[i];
  return a;
}

/* INT_MAX: the kernel takes as much of it as it may. */
static int bind_and_listen(int fd, const struct gch_network *network,
                           const struct gch_address *a) {
  int on = 1, only = network->family == AF_INET6;
  if (network->family != AF_UNIX)
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (a->any.sa_family == AF_INET6)
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
  gch__net_set_options(fd, network);
  if (bind(fd, &a->any, a->len) != 0 || listen(fd, INT_MAX) != 0)
    return errno;
  return gch_io_adopt(fd);
}

static int listen_at(const struct gch_network *network,
                     const struct gch_address *a, int *fd) {
  int err = gch__net_socket(network, a, fd);
  if (err == 0 && (err = bind_and_listen(*fd, network, a)) != 0) {
    gch_io_close(*fd);
    *fd = -1;
  }
  return err;
}

/* Without IPv6, IPv4. */
static int listen_at_all(const struct gch_network *network,
                         struct gch_address *a, int *fd) {
  int err = listen_at(network, a, fd);
  if ((err == EAFNOSUPPORT || err == EADDRNOTAVAIL) &&
      network->family == AF_UNSPEC && a->any.sa_family == AF_INET6 &&
      gch__address_is_any(a)) {
    gch__address_any(AF_INET, ntohs(a->in6.sin6_port), a);
    err = listen_at(network, a, fd);
  }
  return err;
}

int gch_net_listen(const char *network, const char *address, int *fd) {
  int saved = errno, own = -1;
  struct gch_network n;
  struct gch_addresses found;
  int err = gch__network_parse(network, &n);
  if (err || n.type == SOCK_DGRAM)
    return EINVAL;
  err = gch__net_resolve(gch_ctx_background(), &n, address, true, &found);
  if (err == 0) {
    bool names_path = n.family == AF_UNIX;
    struct gch_address *a = names_path ? found.at : choose(&n, &found);
    err = listen_at_all(&n, a, &own);
  }
  free(found.at);
  if (err == 0 && fd)
    *fd = own;
  else if (err == 0)
    gch_io_close(own);
  errno = saved;
  return err;
}
