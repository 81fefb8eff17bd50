/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/impl.h"
#include "net/lookup.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

static int make_room(struct gch_addresses *found, size_t n) {
  found->n = 0;
  found->at = calloc(n, sizeof *found->at);
  return found->at ? 0 : ENOMEM;
}

static int resolve_unix(const char *path, bool listens,
                        struct gch_addresses *found) {
  if (!*path && !listens)
    return EINVAL;
  int err = make_room(found, 1);
  if (err == 0)
    err = gch__unix_address(path, &found->at[found->n++]);
  return err;
}

/* A port by its number, or a service. */
static int resolve_port(const gch_ctx *ctx, const struct gch_network *network,
                        const char *port, int *number) {
  struct addrinfo hints = {.ai_socktype = network->type,
                           .ai_flags = AI_PASSIVE};
  struct addrinfo *ai = NULL;
  struct gch_address a;
  *number = gch__port_number(port);
  if (*number >= 0)
    return *number > 65535 ? EINVAL : 0;
  if (strchr("+- \t\n\v\f\r", *port))
    return EINVAL; /* getaddrinfo would read a number */
  int err = gch__net_lookup(ctx, NULL, port, &hints, &ai);
  if (err)
    return err;
  memcpy(&a.room, ai->ai_addr, ai->ai_addrlen);
  *number = ntohs(a.any.sa_family == AF_INET ? a.in.sin_port : a.in6.sin6_port);
  freeaddrinfo(ai);
  return 0;
}

/* No host. */
static int take_own(const struct gch_network *network, int port, bool listens,
                    struct gch_addresses *found) {
  int err = make_room(found, 2);
  if (err)
    return err;
  for (int i = 0; i < 2; i++) {
    int family = i == 0 ? AF_INET6 : AF_INET;
    if (network->family != AF_UNSPEC && network->family != family)
      continue;
    /* As in Go; there is no answer by which another could win. */
    if (!listens && network->type == SOCK_DGRAM && family == AF_INET6 &&
        network->family == AF_UNSPEC)
      continue;
    (listens ? gch__address_any : gch__address_self)(family, port,
                                                     &found->at[found->n++]);
  }
  return 0;
}

static int take_all(const struct addrinfo *ai, int port,
                    struct gch_addresses *found) {
  size_t n = 0;
  for (const struct addrinfo *i = ai; i; i = i->ai_next)
    n++;
  int err = make_room(found, n);
  if (err)
    return err;
  for (; ai; ai = ai->ai_next) {
    struct gch_address *a = &found->at[found->n];
    if (ai->ai_family != AF_INET && ai->ai_family != AF_INET6)
      continue;
    a->len = ai->ai_addrlen;
    memcpy(&a->room, ai->ai_addr, ai->ai_addrlen);
    if (ai->ai_family == AF_INET)
      a->in.sin_port = htons((uint16_t)port);
    else
      a->in6.sin6_port = htons((uint16_t)port);
    found->n++;
  }
  return found->n > 0 ? 0 : EHOSTUNREACH;
}

static int resolve_name(const gch_ctx *ctx, const struct gch_network *network,
                        const char *host, int port,
                        struct gch_addresses *found) {
  struct addrinfo hints = {.ai_family = network->family,
                           .ai_socktype = network->type};
  struct addrinfo *ai = NULL;
  int err = gch__net_lookup(ctx, host, NULL, &hints, &ai);
  if (err == 0) {
    err = take_all(ai, port, found);
    freeaddrinfo(ai);
  }
  return err;
}

static int resolve_host(const gch_ctx *ctx, const struct gch_network *network,
                        const char *host, int port, bool listens,
                        struct gch_addresses *found) {
  struct gch_address a;
  if (!*host)
    return take_own(network, port, listens, found);
  if (!gch__address_literal(host, port, &a))
    return resolve_name(ctx, network, host, port, found);
  if (network->family != AF_UNSPEC && network->family != a.any.sa_family)
    return EINVAL;
  int err = make_room(found, 1);
  if (err == 0)
    found->at[found->n++] = a;
  return err;
}

int gch__net_resolve(const gch_ctx *ctx, const struct gch_network *network,
                     const char *address, bool listens,
                     struct gch_addresses *found) {
  *found = (struct gch_addresses){0, NULL};
  if (!address)
    return EINVAL;
  if (network->family == AF_UNIX)
    return resolve_unix(address, listens, found);
  if (listens && !*address)
    address = ":0";
  struct gch_host_port hp;
  int port, err;
  char *copy = malloc(strlen(address) + 1);
  if (!copy)
    return ENOMEM;
  err = gch__host_port_split(address, copy, &hp);
  if (err == 0)
    err = resolve_port(ctx, network, hp.port, &port);
  if (err == 0)
    err = resolve_host(ctx, network, hp.host, port, listens, found);
  free(copy);
  return err;
}

/* Sockets */

int gch__net_socket(const struct gch_network *network,
                    const struct gch_address *a, int *fd) {
  *fd = socket(a->any.sa_family, network->type | SOCK_CLOEXEC, 0);
  return *fd < 0 ? errno : 0;
}

/* Seconds and probes as in Go. */
void gch__net_set_options(int fd, const struct gch_network *network) {
  if (network->family == AF_UNIX || network->type != SOCK_STREAM)
    return;
  int on = 1, seconds = 15, probes = 9;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof seconds);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}
