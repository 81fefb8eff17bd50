/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GCH_NET_LOOKUP_H
#define GCH_NET_LOOKUP_H

#include <gulch/ctx.h>

#include <netdb.h>

/* As gch_net_lookup; errno may change. */
int gch__net_lookup(const gch_ctx *ctx, const char *host, const char *service,
                    const struct addrinfo *hints, struct addrinfo **ai);

#endif
