/* SPDX-License-Identifier: BSD-3-Clause */
/* Begin, wait for the turn or for readiness, end: call.h. */
#include "io/sleep.h"

#include "context/impl.h"

#include <gulch/go.h>

#include <fcntl.h>

/* The turn */

/* By ticket: who has been woken for nothing comes back to where it was. */
static void queue_by_ticket(struct gch_queue *q, struct gch_waiter *w,
                            uint32_t ticket) {
  struct gch_waiter *before = q->last;
  w->err = (int)ticket; /* until it is claimed */
  while (before && (int32_t)((uint32_t)before->err - ticket) > 0)
    before = before->prev;
  if (before == q->last) {
    gch__queue_add(q, w);
    return;
  }
  w->prev = before;
  w->next = before ? before->next : gch__queue_first(q);
  w->next->prev = w;
  if (before)
    before->next = w;
  else
    atomic_store_explicit(&q->first, w, memory_order_release);
}

/* With the lock held: 0, the turn was free, is the caller's; EBUSY; EBADF. */
static int take_turn(struct gch_io_call *c) {
  struct gch_fd *r = c->record;
  uint32_t s = atomic_load(&r->state), next;
  do {
    if (s & GCH_FD_CLOSING)
      return EBADF;
    next = s | (s & c->turn ? c->turn << 2 : c->turn);
  } while (!atomic_compare_exchange_weak(&r->state, &s, next));
  return s & c->turn ? EBUSY : 0;
}

/* The caller is a user. 0: it has the turn. ESTALE: look once more. */
static int await_turn(struct gch_io_call *c, uint32_t *ticket) {
  struct gch_io_sleep s;
  struct gch_fd *r = c->record;
  struct gch_fd_way *way = &r->ways[c->way];
  gch__lock(&r->lock);
  int err = take_turn(c);
  int64_t deadline = gch__io_sleeps_until(c);
  if (err == EBUSY) {
    if (*ticket == 0 && (*ticket = ++way->tickets) == 0)
      *ticket = ++way->tickets;
    gch__io_sleep_init(&s, c, deadline);
    queue_by_ticket(&way->turns, &s.on_fd[c->way], *ticket);
  }
  gch__unlock(&r->lock);
  return err == EBUSY ? gch__io_sleep(&s, c, true, deadline) : err;
}

/* Before the caller waits for a turn: the number may be another's than theirs
   who have it. */
static int verify(struct gch_fd *r) {
  if (r->adopted)
    return 0;
  gch__lock(&r->lock);
  int err = r->orphan ? ENOENT : gch__poller_verify(r);
  gch__unlock(&r->lock);
  if (err != ENOENT && err != EBADF)
    return 0;
  gch__fd_orphan(r);
  return ESTALE;
}

/* Becomes a user of the current record, with the turn. */
static int enter(struct gch_io_call *c) {
  uint32_t ticket = 0;
  for (;;) {
    int err = gch__fd_enter(c->fd, c->turn, &c->record);
    if (err != EBUSY)
      return err;
    if (gch__io_is_late(c) || gch__has_passed(c->deadline))
      err = ETIMEDOUT;
    else if (c->tries)
      err = EBUSY;
    else if (verify(c->record) == 0)
      do
        err = await_turn(c, &ticket);
      while (err == ESTALE);
    if (err == 0)
      return 0;
    gch__fd_leave(c->record, 0);
    c->record = NULL;
    if (err != EBUSY || c->tries)
      return err;
    ticket = 0;
  }
}

/* Begin and end */

int gch__io_begin(struct gch_io_call *c, const char *word, int fd, int way,
                  enum gch_io_turn turn, int64_t deadline,
                  const gch_ctx *ctx) {
  *c = (struct gch_io_call){.word = word,
                            .fd = fd,
                            .way = way,
                            .turn = turn ? GCH_FD_TURN(way) : 0,
                            .tries = turn == GCH_IO_TURN_IF_FREE,
                            .deadline = deadline,
                            .ctx = ctx,
                            .errno_before = errno,
                            .cancel_before = -1};
  if (ctx) {
    c->done = gch_ctx_done(ctx);
    int err = gch__ctx_over(ctx, c->done);
    if (err)
      return err;
  }
  c->cancel_before = gch__io_cancel_off();
  int err = enter(c);
  if (err == 0 && gch__io_is_late(c))
    err = ETIMEDOUT;
  return err;
}

/* A task whose calls never have to wait. */
static void give_way(void) {
  enum { CALLS = 64 };
  static GCH_THREAD_LOCAL uint32_t calls;
  if (++calls % CALLS == 0 && gch__task_self())
    gch_yield();
}

int gch__io_end(struct gch_io_call *c, int err) {
  if (c->record)
    gch__fd_leave(c->record, c->turn);
  gch__io_cancel_as(c->cancel_before);
  errno = c->errno_before;
  give_way();
  return err;
}

/* Readiness */

static unsigned ways_of_mode(int fd) {
  int flags = fcntl(fd, F_GETFL);
  if (flags == -1 || flags & O_PATH)
    return 0;
  int mode = flags & O_ACCMODE;
  return (mode != O_WRONLY ? 1u << GCH_FD_READ : 0) |
         (mode != O_RDONLY ? 1u << GCH_FD_WRITE : 0);
}

bool gch__fd_has_way(struct gch_fd *r, int way) {
  /* A number that was reused may have another direction. */
  if (!r->orphan && !(r->registered && r->has & 1u << way))
    r->has = (uint8_t)ways_of_mode(r->fd);
  return r->has & 1u << way;
}

bool gch__fd_has_ways(struct gch_fd *r, unsigned ways) {
  bool has = true;
  gch__lock(&r->lock);
  for (int way = 0; way < GCH_FD_WAYS && !r->orphan; way++)
    has &= !(ways & 1u << way) || gch__fd_has_way(r, way);
  gch__unlock(&r->lock);
  return has;
}

/* Before the caller queues: whether there is a reason not to. */
static int reason(const struct gch_io_call *c) {
  struct gch_fd *r = c->record;
  if (atomic_load_explicit(&r->state, memory_order_relaxed) & GCH_FD_CLOSING)
    return EBADF;
  if (r->orphan && !(c->stays && c->kicks == r->kicks))
    return ENOENT;
  for (int way = 0; way < GCH_FD_WAYS; way++) {
    const struct gch_fd_way *w = &r->ways[way];
    if (!gch__io_waits_for(c, way))
      continue;
    if (atomic_load_explicit(&w->seq, memory_order_relaxed) != c->seq[way])
      return EAGAIN;
    if (!gch__fd_has_way(r, way))
      return EBADF;
  }
  return 0;
}

static unsigned ways_of(const struct gch_io_call *c) {
  return c->both ? 3 : 1u << c->way;
}

/* Queues the caller for readiness, unless something has come since it looked
   (EAGAIN). ENOENT, EPERM, EBADF, ENOMEM: not queued. */
static int queue(struct gch_io_call *c, struct gch_io_sleep *s,
                 int64_t *deadline) {
  struct gch_fd *r = c->record;
  gch__lock(&r->lock);
  *deadline = gch__io_sleeps_until(c);
  int err = reason(c);
  if (err == 0)
    err = gch__poller_arm(r, ways_of(c));
  if (err == 0) {
    c->stays = true;
    c->kicks = r->kicks;
    gch__io_sleep_init(s, c, *deadline);
    for (int way = 0; way < GCH_FD_WAYS; way++)
      if (gch__io_waits_for(c, way))
        gch__queue_add(&r->ways[way].waiters, &s->on_fd[way]);
  }
  gch__unlock(&r->lock);
  return err;
}

int gch__io_move(struct gch_io_call *c) {
  gch__fd_orphan(c->record);
  gch__fd_leave(c->record, c->turn);
  c->record = NULL;
  c->always = false;
  return enter(c);
}

bool gch__fd_is_stale(struct gch_fd *r, unsigned ways) {
  if (r->adopted)
    return false;
  gch__lock(&r->lock);
  int err = r->registered && !r->orphan ? gch__poller_arm(r, ways) : 0;
  bool stale = r->orphan || err == ENOENT || err == EBADF;
  gch__unlock(&r->lock);
  if (stale)
    gch__fd_orphan(r);
  return stale;
}

int gch__io_await(struct gch_io_call *c) {
  for (;;) {
    struct gch_io_sleep s;
    int64_t deadline;
    if (gch__has_passed(c->deadline))
      return ETIMEDOUT;
    int err = queue(c, &s, &deadline);
    if (err == ENOENT)
      return gch__io_move(c);
    if (err == EPERM) {
      c->always = true;
      return 0;
    }
    if (err == EAGAIN)
      return 0;
    if (err)
      return err;
    gch__poller_attend();
    err = gch__io_sleep(&s, c, false, deadline);
    if (err == ESTALE)
      return 0;
    if (err || !gch__fd_is_stale(c->record, ways_of(c)))
      return err;
    for (int way = 0; way < GCH_FD_WAYS; way++)
      gch__io_look_at(c, way);
  }
}

/* Until then, or an event. */
static int sleep_alone(struct gch_io_call *c, int64_t until) {
  struct gch_io_sleep s;
  struct gch_fd *r = c->record;
  if (gch__has_passed(c->deadline) || gch__io_is_late(c))
    return ETIMEDOUT;
  gch__lock(&r->lock);
  bool closing = atomic_load(&r->state) & GCH_FD_CLOSING;
  if (gch__io_sleeps_until(c) < until)
    until = gch__io_sleeps_until(c);
  if (!closing) {
    gch__io_sleep_init(&s, c, until);
    gch__queue_add(&r->ways[c->way].waiters, &s.on_fd[c->way]);
  }
  gch__unlock(&r->lock);
  return closing ? EBADF : gch__io_sleep(&s, c, false, until);
}

int gch__io_pause(struct gch_io_call *c, int64_t *pause) {
  enum { FIRST = 1000000, LAST = 50000000 };
  *pause = *pause == 0 ? FIRST : *pause < LAST ? 2 * *pause : LAST;
  int64_t end = gch__from_now(*pause);
  int err = 0;
  while ((err == 0 || err == ESTALE) && !gch__has_passed(end))
    err = sleep_alone(c, end);
  return err == ESTALE ? 0 : err;
}
