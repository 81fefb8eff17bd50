/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Arms of a select: chan/fds.h. From enter to exit each is a user of its
 * record; so a close waits for the select to leave.
 *
 * An arm takes nothing: an event wakes all who wait, and who is woken looks
 * once more, since another may have read what there was.
 */
#include "chan/fds.h"

#include "io/call.h"

#include <fcntl.h>
#include <poll.h>

enum { BATCH = 32 };

static struct gch_fd *record_of(const gch_case *k) {
  return (struct gch_fd *)(void *)k->chan;
}

static int way_of(const gch_case *k) {
  return k->kind == GCH_CASE_READABLE ? GCH_FD_READ : GCH_FD_WRITE;
}

static void mark_ready(gch_case *k, int err) {
  k->parked.size |= GCH_ARM_READY;
  k->parked.waiter.err = err;
}

/* Enter, exit */

static void enter(gch_case *k) {
  struct gch_fd *r = NULL;
  int err = k->time < 0 ? 0 : gch__fd_enter((int)k->time, 0, &r);
  k->chan = (gch_chan *)(void *)r;
  k->parked.size = 0;
  k->parked.waiter.prev = NULL;
  if (err)
    k->chan = NULL;
  else if (r && !gch__fd_has_ways(r, 1u << way_of(k)))
    err = EBADF;
  if (err)
    mark_ready(k, err);
}

static void leave(gch_case *k) {
  if (k->chan)
    gch__fd_leave(record_of(k), 0);
  k->chan = NULL;
}

int gch__arms_enter(gch_case *cases, size_t n) {
  int saved = errno, cancel = gch__io_cancel_off();
  for (size_t i = 0; i < n; i++)
    if (gch__is_arm(&cases[i]))
      enter(&cases[i]);
  errno = saved;
  return cancel;
}

void gch__arms_exit(gch_case *cases, size_t n, int cancel) {
  for (size_t i = 0; i < n; i++)
    if (gch__is_arm(&cases[i]))
      leave(&cases[i]);
  gch__io_cancel_as(cancel);
}

/* Looking */

/* Whether it waits with its record, should that be orphaned: as a call does. */
static bool stays(const gch_case *k) {
  return k->parked.size & GCH_ARM_PARKED &&
         k->parked.size >> GCH_ARM_KICKS_SHIFT == record_of(k)->kicks;
}

/* Whether it is to be asked of the kernel. What an orphan waited for comes no
   more. */
static bool prepare(gch_case *k) {
  struct gch_fd *r = record_of(k);
  if (!r || (k->parked.size & GCH_ARM_READY && k->parked.waiter.err))
    return false;
  k->parked.size &= ~(size_t)GCH_ARM_READY;
  /* Acquire, as in gch__io_look. */
  uint32_t seq = atomic_load_explicit(&r->ways[way_of(k)].seq,
                                      memory_order_acquire);
  k->elem = (void *)(uintptr_t)seq;
  return !(r->orphan && stays(k));
}

static void take_answer(gch_case *k, short events) {
  if (events & POLLNVAL)
    mark_ready(k, EBADF);
  else if (way_of(k) == GCH_FD_READ ? events & ~POLLOUT
                                    : events & (POLLOUT | POLLHUP | POLLERR))
    mark_ready(k, 0);
}

/* The next few that are to be asked of, from *at on. False: the kernel refuses
   to tell. */
static bool look_at_some(gch_case *cases, size_t n, size_t *at) {
  struct pollfd fds[BATCH];
  gch_case *asked[BATCH];
  nfds_t some = 0;
  int answers;
  for (; *at < n && some < BATCH; (*at)++) {
    gch_case *k = &cases[*at];
    if (!gch__is_arm(k) || !prepare(k))
      continue;
    short events = way_of(k) == GCH_FD_READ ? POLLIN | POLLRDHUP : POLLOUT;
    fds[some] = (struct pollfd){.fd = (int)k->time, .events = events};
    asked[some++] = k;
  }
  do
    answers = some > 0 ? poll(fds, some, 0) : 0;
  while (answers < 0 && errno == EINTR);
  for (nfds_t i = 0; answers > 0 && i < some; i++)
    take_answer(asked[i], fds[i].revents);
  return answers >= 0;
}

static bool look(gch_case *cases, size_t n) {
  int saved = errno;
  size_t at = 0;
  bool told = true;
  while (at < n)
    told &= look_at_some(cases, n, &at);
  errno = saved;
  return told;
}

void gch__arms_look(gch_case *cases, size_t n) {
  look(cases, n);
}

/* Waiting */

/* With the lock held. 0: it is queued; EAGAIN: it is to look again; EPERM: it
   is always ready; ENOENT: the number is another's; or what is wrong. */
static int queue(gch_case *k, struct gch_group *group, uint32_t pos) {
  struct gch_fd *r = record_of(k);
  struct gch_fd_way *way = &r->ways[way_of(k)];
  if (atomic_load_explicit(&r->state, memory_order_relaxed) & GCH_FD_CLOSING)
    return EBADF;
  if (r->orphan && !stays(k))
    return ENOENT;
  if (atomic_load_explicit(&way->seq, memory_order_relaxed) !=
      (uint32_t)(uintptr_t)k->elem)
    return EAGAIN;
  if (!gch__fd_has_way(r, way_of(k)))
    return EBADF;
  int err = gch__poller_arm(r, 1u << way_of(k));
  if (err)
    return err;
  k->parked.size = GCH_ARM_PARKED | (size_t)r->kicks << GCH_ARM_KICKS_SHIFT;
  k->parked.waiter = (struct gch_waiter){.group = group, .pos = pos};
  gch__queue_add(&way->waiters, &k->parked.waiter);
  return 0;
}

/* What kept k from being queued: it fires, or the select looks again. */
static void note(gch_case *k, int err) {
  k->parked.waiter.err = 0;
  if (err == ENOENT) {
    gch__fd_orphan(record_of(k));
    leave(k);
    enter(k);
  } else if (err != EAGAIN) {
    mark_ready(k, err == EPERM ? 0 : err);
  }
}

/* OURS: the caller has claimed the group itself, and nobody will unpark;
   THEIRS: somebody else has. */
enum outcome { QUEUED, OURS, THEIRS };

static enum outcome arm(gch_case *k, struct gch_group *group, uint32_t pos) {
  struct gch_fd *r = record_of(k);
  gch__lock(&r->lock);
  int err = queue(k, group, pos);
  gch__unlock(&r->lock);
  if (err == 0)
    return QUEUED;
  if (!gch__claim(group, pos))
    return THEIRS;
  note(k, err);
  return OURS;
}

bool gch__arms_queue(gch_case *cases, size_t n, struct gch_group *group) {
  int saved = errno;
  enum outcome o = QUEUED;
  for (size_t i = 0; i < n && o == QUEUED; i++)
    if (gch__is_arm(&cases[i]) && cases[i].chan)
      o = arm(&cases[i], group, (uint32_t)i);
  errno = saved;
  gch__poller_attend();
  return o == OURS;
}

void gch__arms_leave(gch_case *cases, size_t n) {
  for (size_t i = 0; i < n; i++) {
    gch_case *k = &cases[i];
    struct gch_fd *r = record_of(k);
    if (!gch__is_arm(k) || !r)
      continue;
    struct gch_queue *q = &r->ways[way_of(k)].waiters;
    gch__lock(&r->lock);
    if (gch__queue_has(q, &k->parked.waiter))
      gch__queue_remove(q, &k->parked.waiter);
    gch__unlock(&r->lock);
  }
}

bool gch__arm_claimed(gch_case *k) {
  struct gch_fd *r = record_of(k);
  if (k->parked.size & GCH_ARM_READY)
    return true;
  if (!r || k->parked.waiter.err == ESTALE) {
    k->parked.waiter.err = 0;
    return false;
  }
  if (k->parked.waiter.err)
    return true;
  int saved = errno;
  if (!gch__fd_is_stale(r, 1u << way_of(k)) && !look(k, 1))
    mark_ready(k, 0); /* then the event is the answer */
  errno = saved;
  return k->parked.size & GCH_ARM_READY;
}
