/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows of the group "io" about single calls: a read that needs not wait, and
   connections that are soon over. */
#include "edge_gulch.h"

#include <sys/socket.h>
#include <unistd.h>

enum { READS = 200 }; /* a figure */

struct pair {
  int in, out;
};

static struct pair pair(void) {
  int fd[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) != 0)
    edge_fail("no socketpair");
  gch_must(gch_io_adopt(fd[0]));
  return (struct pair){fd[0], fd[1]};
}

static void pair_end(struct pair p) {
  gch_io_close(p.in);
  close(p.out);
}

static void put(struct pair p) {
  if (write(p.out, "", 1) != 1)
    edge_fail("can't write");
}

/* Both: the time of READS, each with the write before it. */

static int64_t by_gulch(struct pair p) {
  char c;
  int64_t start = edge_now();
  for (int i = 0; i < READS; i++) {
    put(p);
    gch_must(gch_io_read(p.in, &c, 1, NULL));
  }
  return edge_now() - start;
}

static int64_t by_hand(struct pair p) {
  char c;
  int64_t start = edge_now();
  for (int i = 0; i < READS; i++) {
    put(p);
    if (recv(p.in, &c, 1, MSG_DONTWAIT) != 1)
      edge_fail("nothing is there");
  }
  return edge_now() - start;
}

static void ready(struct edge_run *r) {
  struct pair p = pair();
  while (edge_more(r))
    edge_take(r, by_gulch(p) / READS);
  pair_end(p);
}

/* In turn, so that both have the same minute of the machine. */
static void ready_over(struct edge_run *r) {
  struct pair p = pair();
  while (edge_more(r)) {
    int64_t gulch = by_gulch(p);
    edge_take(r, (gulch - by_hand(p)) / READS);
  }
  pair_end(p);
}

/* Connections */

struct town {
  char address[64];
  int listener;
  atomic_bool over;
  atomic_long served;
  gch_wg wg;
};

static void greet(void *arg) {
  int conn = (int)(intptr_t)arg;
  gch_io_write(conn, "", 1, NULL);
  gch_io_close(conn);
}

static void accept_all(void *arg) {
  struct town *t = arg;
  for (int conn; gch_io_accept(t->listener, &conn, NULL, NULL) == 0;)
    gch_must(gch_go(greet, (void *)(intptr_t)conn));
}

static void visit(void *arg) {
  struct town *t = arg;
  while (!t->over) {
    char c;
    size_t n;
    int fd;
    gch_must(gch_net_dial(gch_ctx_background(), "tcp", t->address, &fd));
    gch_must(gch_io_read_full(fd, &c, 1, NULL));
    if (gch_io_read(fd, &c, 1, &n) != 0 || n != 0)
      edge_fail("more than a byte");
    gch_io_close(fd);
    atomic_fetch_add(&t->served, 1);
  }
}

/* A figure is the wall time a connection, over arg. */
static void accepting(struct edge_run *r) {
  struct town t = {.wg = GCH_WG_INIT};
  gch_must(gch_net_listen("tcp", "127.0.0.1:0", &t.listener));
  gch_must(gch_net_addr(t.listener, false, t.address, sizeof t.address));
  gch_must(gch_wg_go(&t.wg, accept_all, &t));
  gch_wg visitors = GCH_WG_INIT;
  for (long i = 0; i < r->n; i++)
    gch_must(gch_wg_go(&visitors, visit, &t));
  edge_nap(r->arg);
  while (edge_more(r)) {
    long before = t.served;
    int64_t began = edge_now();
    edge_nap(r->arg);
    long served = t.served - before;
    edge_take(r, (edge_now() - began) / (served > 0 ? served : 1));
  }
  t.over = true;
  gch_wg_wait(&visitors);
  gch_io_close(t.listener);
  gch_wg_wait(&t.wg);
}

const struct edge io_call_rows[] = {
    {.name = "accept",
     .what = "a TCP connection that is accepted, given a byte and closed, 8 "
             "clients dialling all the time",
     .fn = accepting,
     .plain = true,
     .n = 8,
     .arg = 20 * MS},
    {.name = "ready",
     .what = "write(2) of a byte to a socketpair, and a read of it, which does "
             "not have to wait",
     .fn = ready},
    {.name = "ready-over",
     .what = "how much longer that takes than with recv(2), both in turn",
     .fn = ready_over},
    {0}};
