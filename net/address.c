/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Networks */

int gch__network_parse(const char *name, struct gch_network *n) {
  static const struct {
    const char *name;
    struct gch_network is;
  } known[] = {
      {"tcp", {AF_UNSPEC, SOCK_STREAM}},
      {"tcp4", {AF_INET, SOCK_STREAM}},
      {"tcp6", {AF_INET6, SOCK_STREAM}},
      {"udp", {AF_UNSPEC, SOCK_DGRAM}},
      {"udp4", {AF_INET, SOCK_DGRAM}},
      {"udp6", {AF_INET6, SOCK_DGRAM}},
      {"unix", {AF_UNIX, SOCK_STREAM}},
      {"unixgram", {AF_UNIX, SOCK_DGRAM}},
      {"unixpacket", {AF_UNIX, SOCK_SEQPACKET}},
  };
  for (size_t i = 0; name && i < sizeof known / sizeof *known; i++)
    if (strcmp(name, known[i].name) == 0) {
      *n = known[i].is;
      return 0;
    }
  return EINVAL;
}

/* Host and port: as Go's SplitHostPort */

/* "[host]:port" */
static int split_brackets(char *copy, struct gch_host_port *hp) {
  char *end = strchr(copy, ']');
  if (!end || end[1] != ':' || strchr(copy + 1, '['))
    return EINVAL;
  *end = '\0';
  hp->host = copy + 1;
  hp->port = end + 2;
  return strpbrk(hp->port, "[]:") ? EINVAL : 0;
}

int gch__host_port_split(const char *address, char *copy,
                         struct gch_host_port *hp) {
  strcpy(copy, address);
  if (copy[0] == '[')
    return split_brackets(copy, hp);
  char *colon = strchr(copy, ':');
  if (!colon || strchr(colon + 1, ':') || strpbrk(copy, "[]"))
    return EINVAL;
  *colon = '\0';
  hp->host = copy;
  hp->port = colon + 1;
  return 0;
}

int gch__port_number(const char *port) {
  int n = 0;
  for (; *port; port++) {
    if (*port < '0' || *port > '9')
      return -1;
    n = n > 65535 ? 65536 : n * 10 + (*port - '0');
  }
  return n > 65535 ? 65536 : n;
}

/* Addresses */

static void set_in(struct gch_address *a, struct in_addr ip, int port) {
  a->len = sizeof a->in;
  a->in = (struct sockaddr_in){
      .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = ip};
}

static void set_in6(struct gch_address *a, struct in6_addr ip, int port,
                    uint32_t scope) {
  a->len = sizeof a->in6;
  a->in6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
                                 .sin6_port = htons((uint16_t)port),
                                 .sin6_addr = ip,
                                 .sin6_scope_id = scope};
}

/* "%zone" is an interface's name, or number. */
static bool read_zone(const char *zone, uint32_t *scope) {
  char *end;
  *scope = if_nametoindex(zone);
  if (*scope > 0)
    return true;
  unsigned long n = strtoul(zone, &end, 10);
  *scope = (uint32_t)n;
  return zone[0] >= '0' && zone[0] <= '9' && *end == '\0' && n <= UINT32_MAX;
}

bool gch__address_literal(const char *host, int port, struct gch_address *a) {
  char text[INET6_ADDRSTRLEN];
  struct in_addr in;
  struct in6_addr in6;
  uint32_t scope = 0;
  size_t n = strcspn(host, "%");
  if (inet_pton(AF_INET, host, &in) == 1) {
    set_in(a, in, port);
    return true;
  }
  if (n >= sizeof text)
    return false;
  memcpy(text, host, n);
  text[n] = '\0';
  if (inet_pton(AF_INET6, text, &in6) != 1 ||
      (host[n] == '%' && !read_zone(host + n + 1, &scope)))
    return false;
  set_in6(a, in6, port, scope);
  return true;
}

void gch__address_any(int family, int port, struct gch_address *a) {
  if (family == AF_INET)
    set_in(a, (struct in_addr){htonl(INADDR_ANY)}, port);
  else
    set_in6(a, in6addr_any, port, 0);
}

void gch__address_self(int family, int port, struct gch_address *a) {
  if (family == AF_INET)
    set_in(a, (struct in_addr){htonl(INADDR_LOOPBACK)}, port);
  else
    set_in6(a, in6addr_loopback, port, 0);
}

bool gch__address_is_any(const struct gch_address *a) {
  if (a->any.sa_family == AF_INET)
    return a->in.sin_addr.s_addr == htonl(INADDR_ANY);
  return IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
}

/* Without a zero behind an abstract name; "" asks the system for one. */
int gch__unix_address(const char *path, struct gch_address *a) {
  size_t n = strlen(path), head = offsetof(struct sockaddr_un, sun_path);
  if (n > sizeof a->un.sun_path || (n == sizeof a->un.sun_path && *path != '@'))
    return EINVAL;
  memset(&a->un, 0, sizeof a->un);
  a->un.sun_family = AF_UNIX;
  memcpy(a->un.sun_path, path, n);
  if (*path == '@')
    a->un.sun_path[0] = '\0';
  a->len = (socklen_t)(head + n + (*path && *path != '@' ? 1 : 0));
  return 0;
}

/* Printing: as Go's Addr.String */

enum { IP_TEXT = 48 };

/* The first of the longest runs of two or more zeros: where it begins; *n: how
   many (RFC 5952). */
static int longest_zeros(const uint16_t group[8], int *n) {
  int at = -1;
  *n = 1;
  for (int i = 0; i < 8; i++) {
    int k = 0;
    while (i + k < 8 && group[i + k] == 0)
      k++;
    if (k > *n) {
      at = i;
      *n = k;
    }
  }
  return at;
}

static void print_ip6(const struct in6_addr *ip, char text[IP_TEXT]) {
  uint16_t group[8];
  char *s = text;
  int n;
  for (int i = 0; i < 8; i++)
    group[i] = (uint16_t)(ip->s6_addr[2 * i] << 8 | ip->s6_addr[2 * i + 1]);
  int zeros = longest_zeros(group, &n);
  for (int i = 0; i < 8; i++) {
    if (i == zeros) {
      s += sprintf(s, "::");
      i += n - 1;
    } else {
      s += sprintf(s, "%s%x", i > 0 && i != zeros + n ? ":" : "",
                   (unsigned)group[i]);
    }
  }
}

static int fits(int printed, size_t len) {
  return printed >= 0 && (size_t)printed < len ? 0 : ERANGE;
}

static int print_in(const void *ip, in_port_t port, char *buf, size_t len) {
  char text[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, ip, text, sizeof text);
  return fits(snprintf(buf, len, "%s:%u", text, (unsigned)ntohs(port)), len);
}

static int print_in6(const struct sockaddr_in6 *a, char *buf, size_t len) {
  char ip[IP_TEXT], zone[IF_NAMESIZE + 1] = "";
  if (IN6_IS_ADDR_V4MAPPED(&a->sin6_addr))
    return print_in(&a->sin6_addr.s6_addr[12], a->sin6_port, buf, len);
  print_ip6(&a->sin6_addr, ip);
  if (a->sin6_scope_id && !if_indextoname(a->sin6_scope_id, zone))
    snprintf(zone, sizeof zone, "%u", (unsigned)a->sin6_scope_id);
  return fits(snprintf(buf, len, "[%s%s%s]:%u", ip, *zone ? "%" : "", zone,
                       (unsigned)ntohs(a->sin6_port)),
              len);
}

static int print_un(const struct gch_address *a, char *buf, size_t len) {
  size_t n = a->len - offsetof(struct sockaddr_un, sun_path);
  bool abstract = n == 0 || a->un.sun_path[0] == '\0';
  const char *name = a->un.sun_path + abstract;
  size_t most = n > 0 ? n - abstract : 0;
  return fits(snprintf(buf, len, "%s%.*s", abstract ? "@" : "",
                       (int)strnlen(name, most), name),
              len);
}

int gch__address_print(const struct gch_address *a, char *buf, size_t len) {
  switch (a->any.sa_family) {
  case AF_INET:
    return print_in(&a->in.sin_addr, a->in.sin_port, buf, len);
  case AF_INET6:
    return print_in6(&a->in6, buf, len);
  case AF_UNIX:
    return print_un(a, buf, len);
  default:
    return EAFNOSUPPORT;
  }
}
