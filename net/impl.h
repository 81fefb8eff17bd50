/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GCH_NET_IMPL_H
#define GCH_NET_IMPL_H

#include "net/address.h"

#include <gulch/ctx.h>

/* The addresses that a host and port stand for. */
struct gch_addresses {
  size_t n;
  struct gch_address *at; /* to be freed */
};

/* Asks for a name or service where it must. For a host that is empty: to
   listen, what stands for all; to dial, this computer. 0, or an error of
   <gulch/net.h>. */
int gch__net_resolve(const gch_ctx *ctx, const struct gch_network *network,
                     const char *address, bool listens,
                     struct gch_addresses *found);

/* The options of connections: also on a listener, from which they inherit.
   Where the kernel refuses one, it has its own way. */
void gch__net_set_options(int fd, const struct gch_network *network);

/* A socket. 0 or errno. */
int gch__net_socket(const struct gch_network *network,
                    const struct gch_address *a, int *fd);

#endif
