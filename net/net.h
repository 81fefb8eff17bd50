/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * <gulch/net.h>: Go's net: listening, dialling, names, and a server's loop.
 *
 *     void echo(const gch_ctx *ctx, int conn, void *arg) {
 *       (void)arg;
 *       gch_io_copy_ctx(ctx, conn, conn, NULL);
 *     }
 *     …
 *     int fd, err = gch_net_listen("tcp", ":7777", &fd);
 *     if (err)
 *       return err;
 *     err = gch_net_serve(ctx, fd, 0, echo, NULL);
 *     gch_io_close(fd);
 *
 * Networks are "tcp", "tcp4" (only IPv4), "tcp6", and "unix", "unixpacket"; to
 * dial also "udp", "udp4", "udp6" and "unixgram". An address is "host:port":
 *
 *     127.0.0.1:80   [::1]:80   [fe80::1%eth0]:80   example.org:http   :80
 *
 * with no host: to listen, all of this computer's addresses; to dial, itself.
 * Of the unix networks it is a path, or "@name" for one that is in no file
 * system (Linux's abstract addresses).
 *
 * Errors: what the system call gave, and
 *     EINVAL         no such network, a malformed address, an unknown service
 *     EHOSTUNREACH   an unknown host
 *     EIO            who resolves names could not answer
 *     ENOMEM         no memory, or no thread or task could be started
 * and a context's, ECANCELED or ETIMEDOUT: one that is done wins always.
 *
 * The descriptors are closed by exec and adopted: close them by gch_io_close.
 */
#ifndef GULCH_NET_H
#define GULCH_NET_H

#include <gulch/io.h>

#include <stdbool.h>

GCH_BEGIN_DECLS

struct addrinfo; /* <netdb.h> */

/* Listens, with the largest backlog there is. Port 0, or none: the system
   chooses one, see gch_net_addr; "" is ":0". With "tcp" and no host, or an
   address that stands for all, both IPv4 and IPv6 connect to it. A name's first
   IPv4 address is taken, else its first. Of a unix path that exists:
   EADDRINUSE; to unlink it is the caller's, before and after. */
GCH_API int gch_net_listen(const char *network, const char *address, int *fd);

/* Connects. Where a host has several addresses they are tried in the order in
   which getaddrinfo gives them, but IPv4 and IPv6 in turn; each as soon as the
   one before has failed, or has taken 300 ms. The first that answers wins
   (RFC 8305), else the first error is given. Connections have TCP_NODELAY, and
   keep-alive after 15 s. */
GCH_API int gch_net_dial(const gch_ctx *ctx, const char *network,
                         const char *address, int *fd);

/* getaddrinfo, for who must not wait: *ai is to be freed by freeaddrinfo. host,
   service and hints may be NULL as there. At most 64 look-ups are made at once,
   on threads; where ctx is done it returns at once, and the look-up ends by
   itself. */
GCH_API int gch_net_lookup(const gch_ctx *ctx, const char *host,
                           const char *service, const struct addrinfo *hints,
                           struct addrinfo **ai);

/* Accepts connections from fd, which stays the caller's, and has each handled
   by a task of its own, at most limit at once (0: no limit), until ctx is done
   (0) or accepting fails (the error); returns when all handlers have returned.
   A handler's context is a child of ctx, done also when it returns; its conn is
   closed then, by serve and nobody else: who wants to keep it keeps a dup.
   Where descriptors or memory are short it waits, 5 ms to 1 s, and tries again.
   EINVAL: no handler, or a limit below 0. */
GCH_API int gch_net_serve(const gch_ctx *ctx, int fd, int limit,
                          void (*handler)(const gch_ctx *ctx, int conn,
                                          void *arg),
                          void *arg);

/* fd's own address, or that of who is at its other end, as Go prints it:
   "127.0.0.1:8080", "[fe80::1%eth0]:80", "/run/x.sock", "@abstract"; "@": a
   unix socket without an address. ERANGE: len is too small, buf has what fits,
   with a zero. EBADF, ENOTSOCK, ENOTCONN; EAFNOSUPPORT: another kind of
   address. */
GCH_API int gch_net_addr(int fd, bool remote, char *buf, size_t len);

GCH_END_DECLS

#endif
