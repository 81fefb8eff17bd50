/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records over a fork. The child has its own poller, made when it first needs
 * one, and nothing is registered there; its parent's it only closes, since what
 * is taken back in that is taken back for the parent too.
 *
 * Descriptors that it inherited are current, adopted or not, without their
 * deadlines. All users were ghosts: the turns are free, the queues are emptied
 * without a look at who was in them, and who was closing has not. A record's
 * lock is not taken for the fork, so it is made free, and all that it guards
 * set anew; but a ghost may have been about to put a record into the table, or
 * out of it: that one is lost, and so are orphans.
 */
#include "park/fork.h"

#include "io/poller.h"
#include "io/record.h"

static void forget(struct gch_queue *q) {
  atomic_store_explicit(&q->first, NULL, memory_order_relaxed);
  q->last = NULL;
}

/* One that is free is on the list of those, and stays as it is. */
static void mend(struct gch_fd *r, void *unused) {
  (void)unused;
  gch__lock_reset(&r->lock);
  if (atomic_load(&r->state) & GCH_FD_GONE)
    return;
  bool current = gch__fd_at(r->fd) == r;
  r->registered = false;
  r->armed = 0;
  r->origin = GCH_FD_INHERITED;
  r->closer = NULL;
  r->generation++;
  for (int way = 0; way < GCH_FD_WAYS; way++) {
    forget(&r->ways[way].waiters);
    forget(&r->ways[way].turns);
    atomic_store_explicit(&r->ways[way].deadline, GCH__FOREVER,
                          memory_order_relaxed);
  }
  atomic_store(&r->state, current ? GCH_FD_USER : GCH_FD_GONE);
}

static void in_child(void) {
  gch__poller_forked();
  gch__seat_forked();
  gch__fd_each(mend, NULL);
  gch__records_reset();
}

static void before_fork(void) {
  gch__records_lock();
  gch__poller_lock();
}

static void in_parent(void) {
  gch__poller_unlock();
  gch__records_unlock();
}

const struct gch_fork_handlers gch__fork_io = {before_fork, in_parent,
                                               in_child};
