/* SPDX-License-Identifier: BSD-3-Clause */
/* Networks and addresses: reading and printing, without asking anybody. */
#ifndef GCH_NET_ADDRESS_H
#define GCH_NET_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

/* What a network's name says. */
struct gch_network {
  int family; /* AF_UNSPEC: both of the Internet's */
  int type;
};

struct gch_address {
  socklen_t len;
  union {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
    struct sockaddr_storage room;
  };
};

/* "host:port" taken apart; both in copy, which is as long as the address with
   its zero, or NULL: there is none. */
struct gch_host_port {
  const char *host, *port;
};

/* 0 or EINVAL, all of these. */
int gch__network_parse(const char *name, struct gch_network *n);
int gch__host_port_split(const char *address, char *copy,
                         struct gch_host_port *hp);
int gch__unix_address(const char *path, struct gch_address *a);

/* A decimal number; -1: is none; 65536: too large a one. "" is 0. */
int gch__port_number(const char *port);

/* An address in numbers, with port (0 … 65535). False: host is a name. */
bool gch__address_literal(const char *host, int port, struct gch_address *a);

/* What stands for all of this computer's addresses; whether a does; and for
   this computer. family: AF_INET, AF_INET6. */
void gch__address_any(int family, int port, struct gch_address *a);
bool gch__address_is_any(const struct gch_address *a);
void gch__address_self(int family, int port, struct gch_address *a);

/* 0, ERANGE, EAFNOSUPPORT. */
int gch__address_print(const struct gch_address *a, char *buf, size_t len);

#endif
