/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Closing, adopting, deadlines.
 *
 * Closing: CLOSING is set, and with the same hold of the lock all who wait are
 * claimed; who comes later gets EBADF by the bit. The closer waits until the
 * others are out, takes the registration back, sets GONE, has the kernel free
 * the number. From GONE on, who comes makes a new record. He may be early, the
 * number still be the old descriptor's, and be registered with it and wait when
 * that goes: so the closer, after that, has whoever is found in its place look
 * again.
 */
#include "io/call.h"
#include "io/made.h"
#include "park/strict.h"

#include <fcntl.h>
#include <unistd.h>

static void claim_turns(struct gch_fd *r, int way, int err,
                        struct gch_wakes *k) {
  struct gch_waiter *w;
  while ((w = gch__queue_claim(&r->ways[way].turns))) {
    w->err = err;
    gch__wakes_add(k, w);
  }
}

/* ALONE: all others are out; REFUSED: another closes it; REUSED: the number is
   another descriptor's by now. */
enum begun { ALONE, REFUSED, REUSED };

/* With the lock held. Who waits on the old one is left in peace. */
static bool is_another(struct gch_fd *r) {
  return r->orphan || (!r->adopted && gch__poller_verify(r) == ENOENT);
}

/* The caller is a user of r. */
static enum begun begin_close(struct gch_fd *r, struct gch_parker *p) {
  struct gch_wakes wakes = GCH_WAKES_INIT;
  gch__lock(&r->lock);
  if (is_another(r)) {
    gch__unlock(&r->lock);
    return REUSED;
  }
  uint32_t s = atomic_fetch_or(&r->state, GCH_FD_CLOSING);
  if (!(s & GCH_FD_CLOSING)) {
    for (int way = 0; way < GCH_FD_WAYS; way++) {
      gch__fd_claim(r, way, EBADF, &wakes);
      claim_turns(r, way, EBADF, &wakes);
    }
    r->closer = s / GCH_FD_USER > 2 ? p : NULL;
  }
  bool alone = !r->closer;
  gch__unlock(&r->lock);
  gch__wakes_flush(&wakes);
  if (s & GCH_FD_CLOSING)
    return REFUSED;
  if (!alone)
    gch__park(p, GCH__FOREVER);
  return ALONE;
}

/* Who waits in r is to look again. */
static void kick(struct gch_fd *r) {
  struct gch_wakes wakes = GCH_WAKES_INIT;
  gch__lock(&r->lock);
  r->kicks++;
  for (int way = 0; way < GCH_FD_WAYS; way++) {
    atomic_fetch_add_explicit(&r->ways[way].seq, 1, memory_order_release);
    gch__fd_claim(r, way, ESTALE, &wakes);
  }
  gch__unlock(&r->lock);
  gch__wakes_flush(&wakes);
}

/* Linux frees the number whatever it says. */
static int close_number(int fd) {
  int err = close(fd) == 0 ? 0 : errno;
  return err == EINTR ? 0 : err;
}

/* The last user has gone, and another's look may be under way. */
static int end_close(struct gch_fd *r) {
  int fd = r->fd;
  gch__lock(&r->lock);
  bool registered = r->registered;
  gch__poller_remove(r);
  atomic_fetch_or(&r->state, GCH_FD_GONE);
  gch__unlock(&r->lock);
  if (registered)
    gch__poller_settle();
  int err = close_number(fd);
  GCH_DELAY();
  struct gch_fd *next = gch__fd_remove(r);
  if (next)
    kick(next);
  return err;
}

int gch_io_close(int fd) {
  struct gch_fd *r;
  struct gch_parker parker;
  int cancel = gch__cancel_off(), saved = errno;
  int err;
  enum begun begun = REUSED;
  while (begun == REUSED && (err = gch__fd_enter(fd, 0, &r)) == 0) {
    gch__parker_init(&parker, GCH__FOREVER);
    begun = begin_close(r, &parker);
    if (begun == REUSED)
      gch__fd_orphan(r);
    if (begun != ALONE)
      gch__fd_leave(r, 0);
  }
  if (err == ENOMEM)
    err = close_number(fd); /* nobody can have waited */
  else if (err == 0)
    err = begun == ALONE ? end_close(r) : EBADF;
  gch__cancel_as(cancel);
  errno = saved;
  return err;
}

/* Adopting */

/* With the lock held: it was registered for one event at a time. */
static int register_anew(struct gch_fd *r) {
  bool adopted = r->adopted;
  if (!r->registered)
    return 0;
  r->adopted = true;
  int err = gch__poller_verify(r);
  r->adopted = adopted;
  return err;
}

int gch__io_adopt(struct gch_fd *r, uint8_t origin) {
  int flags = fcntl(r->fd, F_GETFL), err = 0;
  if (flags == -1 || (!(flags & O_NONBLOCK) &&
                      fcntl(r->fd, F_SETFL, flags | O_NONBLOCK) == -1))
    return errno;
  gch__lock(&r->lock);
  err = r->orphan ? ENOENT : register_anew(r);
  bool is_new = err == 0 && !r->adopted;
  if (is_new) {
    r->adopted = true;
    r->origin = origin;
    atomic_store_explicit(&r->hints, 0, memory_order_relaxed);
  }
  gch__unlock(&r->lock);
  if (is_new)
    gch__fd_made(r->fd);
  return err;
}

int gch_io_adopt(int fd) {
  struct gch_fd *r;
  int cancel = gch__cancel_off(), saved = errno, err;
  do {
    err = gch__fd_enter(fd, 0, &r);
    if (err)
      break;
    err = gch__io_adopt(r, GCH_FD_ADOPTED);
    if (err == ENOENT)
      gch__fd_orphan(r);
    gch__fd_leave(r, 0);
  } while (err == ENOENT);
  gch__cancel_as(cancel);
  errno = saved;
  return err;
}

/* Deadlines */

/* With the lock held: calls, not arms. */
static void claim_calls(struct gch_queue *q, struct gch_wakes *k) {
  struct gch_waiter *next;
  for (struct gch_waiter *w = gch__queue_first(q); w; w = next) {
    next = w->next;
    if (w->pos != GCH_NO_CASE)
      continue;
    gch__queue_remove(q, w);
    if (!gch__claim(w->group, w->pos))
      continue;
    w->err = ESTALE;
    gch__wakes_add(k, w);
  }
}

int gch_io_set_deadline(int fd, int events, int64_t deadline) {
  struct gch_wakes wakes = GCH_WAKES_INIT;
  struct gch_fd *r;
  const int all = GCH_IO_READ | GCH_IO_WRITE;
  gch__check_deadline(deadline);
  if (!(events & all) || events & ~all)
    return EINVAL;
  int saved = errno, err = gch__fd_enter(fd, 0, &r);
  errno = saved;
  if (err)
    return err;
  gch__lock(&r->lock);
  if (!r->adopted)
    err = EINVAL;
  for (int way = 0; way < GCH_FD_WAYS && err == 0; way++)
    if (events & 1 << way) {
      atomic_store(&r->ways[way].deadline, deadline);
      claim_calls(&r->ways[way].waiters, &wakes);
      claim_calls(&r->ways[way].turns, &wakes);
    }
  gch__unlock(&r->lock);
  gch__wakes_flush(&wakes);
  gch__fd_leave(r, 0);
  return err;
}
