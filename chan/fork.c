/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Channels over a fork.
 *
 * In the child all who are parked on a channel are ghosts: they went on in the
 * parent only, and the memory that they stand in may be used anew. So the
 * queues of all channels are emptied there, and none of what was in them is
 * read. Watches stay, which belong to contexts.
 *
 * A channel's lock is not taken for the fork; there may be very many. So in the
 * child it may be found held, by a ghost, in the middle of a change: it is made
 * free, and the change undone or completed, as it comes. What is there to see
 * is the ghost's stores up to some point, in their order (a fork copies the
 * memory page by page, but nobody goes on to write to a page that was copied
 * before all are). The order, with P = put, Q = turns - queued:
 *
 *     n values go in    copy; P += n; len += n
 *     n are taken out   Q += n; copy; head += n; len -= n
 *     one takes the     Q += 1; copy; head += 1; copy; P += 1
 *     other's place
 *     one queues        queued += 1, turns += 1
 *
 * With the lock free len is P - Q, and head is Q modulo cap. (Q is kept from
 * overflowing: cap need not divide 2^32.) So where P - Q is more than len,
 * values were going in, or somebody queued; they are not in yet. Where it is
 * less, values were being taken out: they are out when head says so, else still
 * in. Each value is in the child once, at its place; or not at all, if it was
 * being taken or put.
 */
#include "chan/timed.h"
#include "park/fork.h"

/* Whole rounds of the ring, off P and Q. Between the two steps P - Q is less
   than len by more than len, and len is right. */
void gch__rewind(gch_chan *c) {
  size_t taken = gch__taken(c), rounds = taken - taken % c->cap;
  c->put -= rounds;
  atomic_thread_fence(memory_order_release);
  c->queued += rounds;
}

static void mend_ring(gch_chan *c) {
  size_t head = gch__head(c), len = gch__len(c);
  size_t taken = gch__taken(c);
  size_t gone = len - (c->put - taken); /* more than len: fewer than none */
  if (gone > 0 && gone <= len && head == taken % c->cap)
    len -= gone;
  atomic_store(&c->len, len);
  c->queued = atomic_load(&c->turns) - head;
  c->put = head + len;
}

/* From its beginning the list is whole, but maybe not back. */
static void mend_watches(gch_chan *c) {
  struct gch_watch **link = &c->watches;
  for (; *link; link = &(*link)->next)
    (*link)->link = link;
}

static void forget_waiters(struct gch_queue *q) {
  atomic_store(&q->first, NULL);
  q->last = NULL;
}

/* Writes to no channel that needs no change: its page is still the parent's
   too. */
static void mend(gch_chan *c) {
  bool held = atomic_load(&c->lock.word) != GCH_LOCK_FREE;
  if (held) {
    mend_ring(c);
    mend_watches(c);
    gch__lock_reset(&c->lock);
  }
  if (held || gch__queue_first(&c->senders))
    forget_waiters(&c->senders);
  if (held || gch__queue_first(&c->receivers))
    forget_waiters(&c->receivers);
  if (gch__is_timed(c))
    gch__timed_forked(c);
}

static void in_child(void) {
  gch__shards_forked(mend);
}

const struct gch_fork_handlers gch__fork_chan = {gch__shards_lock,
                                                 gch__shards_unlock, in_child};
