/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Many values by one call: what so many receives, or sends, in a row would do,
 * with fewer locks. In each hold of the lock as much is moved as is there,
 * those who are thereby served are gathered, and woken after it. Only when
 * nothing could be moved does the call wait, as a plain receive or send of one
 * value.
 *
 * A hold moves at most MANY values, and no more than BYTES unless one value is
 * larger. So it takes a few microseconds however large the buffer, the queue or
 * max are: less than others spin for the lock before they go to sleep, and
 * tasks that want the channel do not hold up their workers. Between two holds
 * others may get in, as between two receives in a row. A receive goes on only
 * after a hold that was used up: one that was not has seen the channel empty.
 *
 * Turns (ready.h): what a hold takes out of the buffer shows as one step of
 * len, or as one for each sender that is served, so one turn before each is
 * enough; they are counted one a value, for fork.c.
 */
#include "chan/observe.h"
#include "park/clock.h"
#include "park/parker.h"
#include "park/strict.h"

#include <stdalign.h>

enum { MANY = 64, BYTES = 16384, DISCARDED = 8 * GCH_DROP_MAX };

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

/* How many values one hold moves. */
static size_t hold_of(const gch_chan *c) {
  if (c->elem_size <= BYTES / MANY)
    return MANY;
  return c->elem_size < BYTES ? BYTES / c->elem_size : 1;
}

/* Value number i of an array of c's elements; there may be no array. */
static char *at(const gch_chan *c, const void *elems, size_t i) {
  return elems ? (char *)(uintptr_t)elems + i * c->elem_size : NULL;
}

static void copy_many(const gch_chan *c, void *to, const void *from, size_t n) {
  if (to && n > 0 && c->elem_size > 0)
    memcpy(to, from, n * c->elem_size);
}

/* Receiving */

/* With the lock held, where no sender waits: takes up to max values. */
static size_t take_buffered(gch_chan *c, void *elems, size_t max) {
  size_t len = gch__len(c), n = least(len, max);
  if (n == 0)
    return 0;
  size_t head = gch__head(c);
  size_t first = least(n, c->cap - head); /* up to the end of the slots */
  gch__turn_to_take(c, n);
  copy_many(c, elems, at(c, c->slots, head), first);
  copy_many(c, at(c, elems, first), c->slots, n - first);
  atomic_store_explicit(&c->head,
                        first == c->cap - head ? n - first : head + n,
                        memory_order_release);
  gch__count_taken(c, len, n);
  return n;
}

/* With the lock held: what there is. (Where senders wait the channel is open,
   so a receive that finds nothing is EAGAIN: they are claimed elsewhere.) */
static size_t take_locked(gch_chan *c, void *elems, size_t max,
                          struct gch_wakes *k) {
  size_t n = 0;
  while (n < max && gch__queue_first(&c->senders)) {
    struct gch_waiter *partner;
    if (gch__recv_locked(c, at(c, elems, n), &partner) != 0)
      break;
    if (partner)
      gch__wakes_add(k, partner);
    n++;
  }
  return n + take_buffered(c, at(c, elems, n), max - n);
}

/* Up to max of the values that are there; how many. */
static size_t take(gch_chan *c, void *elems, size_t max) {
  size_t n = 0, hold = hold_of(c), taken;
  do {
    struct gch_wakes wakes = GCH_WAKES_INIT;
    gch__lock(&c->lock);
    taken = take_locked(c, at(c, elems, n), least(hold, max - n), &wakes);
    bool watched = gch__is_watched(c);
    gch__unlock(&c->lock);
    if (watched)
      gch__look_into(c, &wakes);
    gch__wakes_flush(&wakes);
    n += taken;
  } while (taken == hold && n < max);
  return n;
}

/* max is not 0. A value that has come to be dropped goes to elems too. */
static int wait_and_take(gch_chan *c, void *elems, size_t max, size_t *n) {
  *n = take(c, elems, max);
  if (*n > 0)
    return 0;
  int err = gch__recv(c, elems, GCH__FOREVER);
  if (err)
    return err;
  *n = 1;
  if (max > 1)
    *n += take(c, at(c, elems, 1), max - 1);
  return 0;
}

/* Values received into NULL are destroyed, from copies, without the lock. */
__attribute__((noinline)) static int take_and_drop(gch_chan *c, size_t max,
                                                   size_t *n) {
  alignas(max_align_t) char values[DISCARDED];
  void (*drop)(void *) = c->drop;
  size_t room = c->elem_size ? DISCARDED / c->elem_size : MANY, want, taken;
  do {
    int err = 0;
    want = least(room, max - *n);
    if (*n == 0)
      err = wait_and_take(c, values, want, &taken);
    else
      taken = take(c, values, want);
    if (err)
      return err;
    for (size_t i = 0; i < taken; i++)
      drop(at(c, values, i));
    *n += taken;
  } while (taken == want && *n < max);
  return 0;
}

int gch_recv_many(gch_chan *c, void *elems, size_t max, size_t *n) {
  size_t unused;
  if (!n)
    n = &unused;
  *n = 0;
  if (max == 0)
    return EINVAL;
  if (!c)
    return gch__park_alone(GCH__FOREVER);
  if (!elems && c->drop)
    return take_and_drop(c, max, n);
  return wait_and_take(c, elems, max, n);
}

/* Sending */

/* With the lock held, where no receiver waits: as many as there is room for. */
static size_t give_to_buffer(gch_chan *c, const void *elems, size_t count) {
  size_t len = gch__len(c), n = least(c->cap - len, count);
  if (n == 0)
    return 0;
  size_t end = gch__head(c) + len, to = end < c->cap ? end : end - c->cap;
  size_t first = least(n, c->cap - to);
  copy_many(c, at(c, c->slots, to), elems, first);
  copy_many(c, c->slots, at(c, elems, first), n - first);
  gch__count_put(c, len, n);
  return n;
}

static size_t give_locked(gch_chan *c, const void *elems, size_t count,
                          struct gch_wakes *k) {
  size_t n = 0;
  struct gch_waiter *w;
  if (gch__is_closed(c))
    return 0;
  while (n < count && (w = gch__queue_claim(&c->receivers))) {
    gch__copy(c, w->elem, at(c, elems, n++));
    w->err = 0;
    gch__wakes_add(k, w);
  }
  return n + give_to_buffer(c, at(c, elems, n), count - n);
}

/* Up to count, without waiting; how many. */
static size_t give(gch_chan *c, const void *elems, size_t count) {
  size_t n = 0, hold = hold_of(c), given;
  do {
    struct gch_wakes wakes = GCH_WAKES_INIT;
    gch__lock(&c->lock);
    given = give_locked(c, at(c, elems, n), least(hold, count - n), &wakes);
    bool watched = gch__is_watched(c);
    gch__unlock(&c->lock);
    if (watched)
      gch__look_into(c, &wakes);
    gch__wakes_flush(&wakes);
    n += given;
  } while (given == hold && n < count);
  return n;
}

static int give_all(gch_chan *c, const void *elems, size_t count, size_t *n) {
  int err = gch__send_refused(c, elems);
  while (err == 0 && *n < count) {
    *n += give(c, at(c, elems, *n), count - *n);
    if (*n == count)
      break;
    err = gch__send(c, at(c, elems, *n), GCH__FOREVER);
    *n += err == 0;
  }
  return err;
}

int gch_send_many(gch_chan *c, const void *elems, size_t count, size_t *n) {
  size_t unused;
  if (!n)
    n = &unused;
  *n = 0;
  if (count == 0)
    return 0;
  if (!c)
    return gch__park_alone(GCH__FOREVER);
  return gch__go_panics(give_all(c, elems, count, n), EPIPE,
                        "send on closed channel");
}
