/* SPDX-License-Identifier: BSD-3-Clause */
/* The row about what a connection that waits takes, beside its task. */
#include "edge_gulch.h"

#include <stdlib.h>
#include <sys/socket.h>

enum { CALM = 100 * MS };

struct idle {
  gch_chan *gate;
  atomic_long reading;
};

struct reader {
  struct idle *all;
  int fd;
};

static void wait_for_both(void *arg) {
  const struct reader *x = arg;
  char c;
  gch_recv(x->all->gate, NULL);
  gch_must(gch_io_adopt(x->fd));
  atomic_fetch_add(&x->all->reading, 1);
  gch_io_read(x->fd, &c, 1, NULL);
  gch_io_close(x->fd);
}

static void connect_pair(int fd[2]) {
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) != 0)
    edge_fail("no socketpair");
}

/* All wait on a channel first, and then each for its connection. */
static void idle_bytes(struct edge_run *r) {
  struct idle all = {.gate = gch_make(0, 0)};
  struct reader *x = edge_zeroed((size_t)r->n, sizeof *x);
  int *far = edge_zeroed((size_t)r->n, sizeof *far);
  gch_wg wg = GCH_WG_INIT;
  for (long i = 0; i < r->n; i++) {
    int fd[2];
    connect_pair(fd);
    x[i] = (struct reader){&all, fd[0]};
    far[i] = fd[1];
    gch_must(gch_wg_go(&wg, wait_for_both, &x[i]));
  }
  edge_settle(all.gate, (size_t)r->n);
  int64_t before = edge_resident();
  gch_close(all.gate);
  while (all.reading < r->n)
    gch_sleep(MS);
  gch_sleep(CALM);
  edge_take(r, (edge_resident() - before) / r->n);
  for (long i = 0; i < r->n; i++)
    gch_io_close(far[i]);
  gch_wg_wait(&wg);
  gch_unref(all.gate);
  free(far);
  free(x);
}

const struct edge io_idle_rows[] = {
    {.name = "idle-bytes",
     .what = "resident memory of a task that waits for a connection, over that "
             "of one that waits on a channel, 4000 of them",
     .fn = idle_bytes,
     .unit = "B",
     .n = 4000},
    {0}};
