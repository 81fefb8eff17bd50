/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of gulch: which there are, and how one is called. */
#include "edge_gulch.h"
#include "io_echo.h"

static const struct edge *const edges[] = {
    edge_block_rows, edge_wake_rows,  edge_compute_rows,
    edge_sleep_rows, edge_timer_rows, edge_hand_rows,
    edge_lock_rows,  edge_tree_rows,  NULL};

static const struct edge *const io[] = {io_echo_rows, io_call_rows,
                                        io_idle_rows, io_readyfd_rows, NULL};

const struct edge_group edge_groups[] = {{"edges", edges}, {"io", io}, {0}};

struct call {
  const struct edge *edge;
  struct edge_run *run;
};

static int call(void *arg) {
  struct call *c = arg;
  c->edge->fn(c->run);
  return 0;
}

void edge_enter(const struct edge *e, struct edge_run *r) {
  struct call c = {e, r};
  if (e->procs > 0)
    gch_maxprocs(e->procs);
  if (e->plain)
    call(&c);
  else
    gch_run(call, &c);
}

void edge_settle(const gch_chan *c, size_t n) {
  size_t senders = 0, receivers = 0;
  while (gch_waiting(c, &senders, &receivers), senders + receivers != n)
    gch_sleep(20 * US);
}
