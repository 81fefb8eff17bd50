/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections, over each network in turn, for the tests of net and os. */
#ifndef GULCH_GOLANG_CONN_CHECKS_H
#define GULCH_GOLANG_CONN_CHECKS_H

#include "../net_facts.h"

#include <stdatomic.h>
#include <arpa/inet.h>
#include <sys/socket.h>

#define MS GCH_MILLISECOND

enum { BOTH = GCH_IO_READ | GCH_IO_WRITE };

/* Go's "tcp", "unix", "unixpacket"; and a socketpair. */
enum { NETWORKS = 3 };
static const char *const networks[NETWORKS] = {"tcp", "unix", "unixpacket"};

struct pair {
  int ln, a, b;
};

static inline int listen_on(const char *network) {
  static atomic_int number;
  char address[64] = "127.0.0.1:0";
  if (network[0] == 'u')
    snprintf(address, sizeof address, "@gulch.go.%d.%d", (int)getpid(),
             atomic_fetch_add(&number, 1));
  return listener(network, address);
}

static inline struct pair pair_of(const char *network) {
  struct pair p = {.ln = listen_on(network)};
  char text[128];
  p.a = dialled(network, name_of(p.ln, text));
  p.b = accepted(p.ln);
  return p;
}

/* Its number may be another's at once, so not twice. */
static inline void close_end(int *fd) {
  ok(gch_io_close(*fd));
  *fd = -1;
}

static inline void pair_end(struct pair *p) {
  gch_io_close(p->a);
  gch_io_close(p->b);
  gch_io_close(p->ln);
}

/* A call that waits, in a thread or task. */
struct waits {
  int fd, err;
  size_t n;
  int (*call)(struct waits *w);
  gch_chan *over;
};

static inline int reads(struct waits *w) {
  char c[64];
  return gch_io_read(w->fd, c, sizeof c, &w->n);
}

static inline int accepts(struct waits *w) {
  int fd, err = gch_io_accept(w->fd, &fd, NULL, NULL);
  if (err == 0)
    gch_io_close(fd);
  return err;
}

/* Until it can't. */
static inline int writes(struct waits *w) {
  static const char much[1 << 16];
  int err;
  size_t n;
  do {
    err = gch_io_write(w->fd, much, sizeof much, &n);
    w->n += n;
  } while (err == 0);
  return err;
}

static inline void run_waits(void *arg) {
  struct waits *w = arg;
  w->err = w->call(w);
  gch_close(w->over);
}

static inline void begin(struct waits *w, int (*call)(struct waits *), int fd) {
  *w = (struct waits){.fd = fd, .call = call, .over = gch_make(0, 0)};
  ok(gch_go(run_waits, w));
}

/* It returns; its error. */
static inline int expect_return(struct waits *w) {
  gch_recv(w->over, NULL);
  gch_unref(w->over);
  return w->err;
}

/* It does not, for some milliseconds. */
static inline void expect_no_return(struct waits *w) {
  ck_assert_int_eq(gch_recv_until(w->over, NULL, gch_in(10 * MS)), ETIMEDOUT);
}

#endif
