/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A readyfd is a list of observers of channels (chan/observe.h), a count of
 * those that are ready, and a descriptor that is readable while that is not 0.
 *
 *     a change of a channel              its lock        observer->ready, count
 *     0 became 1, or 1 became 0     ->   after it        the descriptor is set
 *
 * Whoever sets the descriptor takes the lock io and goes by the count as it is
 * then, so it does not matter who comes first; and the count changed before.
 * Of each observer one call is listed at a time: pending is set by who lists
 * it, under the channel's lock, and cleared before the count is read. So a
 * change that finds it set is one that the call will see.
 *
 *     what                          guarded by
 *     list                          lock
 *     ready of an observer          its channel's lock
 *     count, refs, pending          atomic; sequentially consistent, as the
 *                                   above needs
 *     the descriptor                io, over a system call that does not wait
 *
 * Memory: a member is held by the list and by a listed call; its readyfd by
 * the user and each member. The descriptor is closed by free, and a call that
 * comes later finds that.
 *
 * Lock order: all.lock, lock, channel; io is held over no other.
 *
 * Fork: the locks are held over it. In the child no call is listed but by the
 * forking thread: all observers start anew, with a descriptor of the child's. A
 * member that a call of another thread held is not freed there.
 */
#include "readyfd/readyfd.h"

#include "chan/observe.h"
#include "park/fork.h"
#include "readyfd/signal_fd.h"

#include <stdlib.h>

struct member {
  struct gch_observer observer;
  gch_readyfd *r;
  gch_chan *chan;
  void *tag;
  _Atomic uint32_t refs;
  atomic_bool pending;
  struct member *next;
};

struct gch_readyfd {
  struct gch_lock lock, io;
  struct member *members;
  _Atomic size_t ready;
  _Atomic uint32_t refs;
  struct gch_signal_fd signal;
  struct gch_readyfd *next, **link; /* guarded by all.lock */
};

static struct {
  struct gch_lock lock;
  struct gch_readyfd *first;
} all;

static void list(gch_readyfd *r) {
  gch__lock(&all.lock);
  r->next = all.first;
  r->link = &all.first;
  if (r->next)
    r->next->link = &r->next;
  all.first = r;
  gch__unlock(&all.lock);
}

static void unlist(gch_readyfd *r) {
  gch__lock(&all.lock);
  *r->link = r->next;
  if (r->next)
    r->next->link = r->link;
  gch__unlock(&all.lock);
}

static void unref(gch_readyfd *r) {
  if (atomic_fetch_sub(&r->refs, 1) == 1)
    free(r);
}

/* Being told */

static void set_descriptor(gch_readyfd *r) {
  gch__lock(&r->io);
  if (r->signal.fd >= 0)
    gch__signal_fd_set(&r->signal, atomic_load(&r->ready) > 0);
  gch__unlock(&r->io);
}

static struct member *of_observer(struct gch_observer *o) {
  return gch__container_of(o, struct member, observer);
}

static void member_unref(struct member *m) {
  if (atomic_fetch_sub(&m->refs, 1) > 1)
    return;
  unref(m->r);
  free(m);
}

/* With the channel's lock held. */
static bool tell(struct gch_observer *o) {
  struct member *m = of_observer(o);
  bool crossed = atomic_load(&o->ready)
                     ? atomic_fetch_add(&m->r->ready, 1) == 0
                     : atomic_fetch_sub(&m->r->ready, 1) == 1;
  if (!crossed || atomic_exchange(&m->pending, true))
    return false;
  atomic_fetch_add(&m->refs, 1);
  return true;
}

static void call(struct gch_deferred *d, struct gch_wakes *k) {
  (void)k;
  struct member *m = of_observer((struct gch_observer *)d);
  atomic_store(&m->pending, false);
  GCH_DELAY();
  set_descriptor(m->r);
  member_unref(m);
}

/* Members */

/* With the lock held: what points to c's, or to the end. */
static struct member **find(gch_readyfd *r, const gch_chan *c) {
  struct member **link = &r->members;
  while (*link && (*link)->chan != c)
    link = &(*link)->next;
  return link;
}

int gch_readyfd_add(gch_readyfd *r, gch_chan *c, int what, void *tag) {
  if (!r || !c || what == 0 || (what & ~(GCH_CAN_RECV | GCH_CAN_SEND)))
    return EINVAL;
  struct member *m = calloc(1, sizeof *m);
  if (!m)
    return ENOMEM;
  m->observer.what = what;
  m->observer.tell = tell;
  m->observer.watch.call.run = call;
  m->r = r;
  m->chan = c;
  m->tag = tag;
  atomic_init(&m->refs, 1);
  gch__lock(&r->lock);
  struct member **link = find(r, c);
  bool exists = *link;
  if (!exists) {
    atomic_fetch_add(&r->refs, 1);
    gch_ref(c);
    *link = m;
    gch__observe(c, &m->observer);
  }
  gch__unlock(&r->lock);
  if (exists)
    free(m);
  return exists ? EEXIST : 0;
}

/* With the lock held, so that no fork comes in between: m leaves the list. */
static void stop_observing(gch_readyfd *r, struct member *m) {
  gch__unobserve(m->chan, &m->observer);
  if (atomic_load(&m->observer.ready))
    atomic_fetch_sub(&r->ready, 1);
}

static void let_go(struct member *m) {
  gch_unref(m->chan);
  member_unref(m);
}

int gch_readyfd_remove(gch_readyfd *r, gch_chan *c) {
  if (!r)
    return EINVAL;
  gch__lock(&r->lock);
  struct member **link = find(r, c), *m = *link;
  if (m) {
    *link = m->next;
    stop_observing(r, m);
  }
  gch__unlock(&r->lock);
  if (!m)
    return ENOENT;
  set_descriptor(r);
  let_go(m);
  return 0;
}

/* Who is told early, or late, is looked at: what was told is often enough. A
   timer may be due, and its alarm not have come. */
static bool is_ready(struct member *m) {
  if (!atomic_load(&m->observer.ready) && m->chan->owner != GCH_OWNER_TIMER)
    return false;
  return gch__observed_ready(m->chan, &m->observer);
}

size_t gch_readyfd_ready(gch_readyfd *r, void **tags, size_t max) {
  size_t n = 0;
  if (!r)
    return 0;
  gch__lock(&r->lock);
  for (struct member *m = r->members; m; m = m->next)
    if (is_ready(m) && n++ < max && tags)
      tags[n - 1] = m->tag;
  gch__unlock(&r->lock);
  return n;
}

/* Itself */

gch_readyfd *gch_readyfd_new(void) {
  gch_readyfd *r = calloc(1, sizeof *r);
  int err = r ? gch__signal_fd_open(&r->signal) : ENOMEM;
  if (err) {
    free(r);
    errno = err;
    return NULL;
  }
  atomic_init(&r->refs, 1);
  list(r);
  return r;
}

int gch_readyfd_fd(const gch_readyfd *r) {
  return r ? r->signal.fd : -1;
}

void gch_readyfd_free(gch_readyfd *r) {
  if (!r)
    return;
  gch__lock(&r->lock);
  struct member *members = r->members;
  r->members = NULL;
  for (struct member *m = members; m; m = m->next)
    stop_observing(r, m);
  gch__unlock(&r->lock);
  unlist(r);
  for (struct member *m = members, *next; m; m = next) {
    next = m->next;
    let_go(m);
  }
  gch__lock(&r->io);
  gch__signal_fd_close(&r->signal);
  gch__unlock(&r->io);
  unref(r);
}

/* Fork */

static void before_fork(void) {
  gch__lock(&all.lock);
  for (gch_readyfd *r = all.first; r; r = r->next)
    gch__lock(&r->lock);
}

static void in_parent(void) {
  for (gch_readyfd *r = all.first; r; r = r->next)
    gch__unlock(&r->lock);
  gch__unlock(&all.lock);
}

static void start_anew(gch_readyfd *r) {
  gch__lock_reset(&r->lock);
  gch__lock_reset(&r->io);
  gch__signal_fd_forked(&r->signal);
  atomic_store(&r->ready, 0);
  for (struct member *m = r->members; m; m = m->next) {
    atomic_store(&m->pending, false);
    gch__observer_forked(m->chan, &m->observer);
  }
}

static void in_child(void) {
  for (gch_readyfd *r = all.first; r; r = r->next)
    start_anew(r);
  gch__lock_reset(&all.lock);
}

const struct gch_fork_handlers gch__fork_readyfd = {before_fork, in_parent,
                                                    in_child};
