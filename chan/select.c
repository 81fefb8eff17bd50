/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Select. In up to four steps:
 *
 *   poll    Look at all cases without locks, choose one among those that seem
 *           ready, lock its channel and try it. What it then did is one
 *           operation on one channel, so no other lock is needed. (Not in the
 *           ordered form, whose "first" must be first at one instant.) If none
 *           seems ready and there is a default, look again: where nothing has
 *           changed the default fires without any lock.
 *   choose  Lock all channels, in the order of their addresses; choose among
 *           the ready. If there is none, then there is none at this one
 *           instant: the default fires, or a deadline that has passed.
 *   park    Still with all locks, queue a waiter for each case; unlock; park.
 *           Whoever completes one of them claims the group, which all share.
 *   leave   Take the waiters of the losing cases out of their queues, each
 *           under its channel's lock.
 *
 * Why all locks at once: with one lock at a time a select could queue on one
 * channel while another select, which queued there before and now looks at the
 * next channel, misses it. With all locks whoever comes second sees the first
 * in the queue. A select claims others only while it is itself in no queue, so
 * two selects never wait for each other's claim, and none pairs with itself.
 *
 * A claimed waiter is written to until its unpark; leave only begins after
 * that. The cases are the caller's and outlive the call.
 */
#include "chan/choice.h"
#include "chan/gone.h"
#include "chan/lockorder.h"
#include "chan/observe.h"
#include "chan/ring.h"
#include "chan/timed.h"
#include "park/clock.h"

#include <stdalign.h>

#define AGAIN (NONE - 1)

struct select {
  gch_case *cases;
  size_t n;
  bool ordered;
  size_t default_at;  /* NONE: no default */
  size_t deadline_at; /* the earliest; NONE: no deadline */
  int64_t deadline;
  bool drops;    /* some receive discards a value that has a drop function */
  void *discard; /* where such a value goes */
};

static bool discards(const gch_case *k) {
  return k->kind == GCH_CASE_RECV && !k->elem && k->chan->drop;
}

/* Reading the cases */

static void read_deadline(struct select *s, size_t i, int64_t deadline) {
  if (s->deadline_at != NONE && deadline >= s->deadline)
    return;
  s->deadline_at = i;
  s->deadline = deadline;
}

/* With all locks held. */
static size_t choose(const struct select *s) {
  struct choice c = {.chosen = NONE};
  for (size_t i = 0; i < s->n; i++) {
    if (!is_op(&s->cases[i]) || !is_ready_now(&s->cases[i]))
      continue;
    if (s->ordered)
      return i;
    weigh(&c, i);
  }
  return c.chosen;
}

/* A case on a channel: checked, and looked at. */
static inline void read_op(struct select *s, size_t i, struct choice *c) {
  gch_case *k = &s->cases[i];
  if (!k->chan)
    return;
  if (is_send(k) && gch__send_refused(k->chan, k->elem) == EINVAL)
    gch_panic("gulch: NULL element in a send case");
  s->drops |= discards(k);
  c->turns += gch__turns(k->chan);
  if (is_ready(k))
    weigh(c, i);
}

static void read_other(struct select *s, size_t i, int64_t *now) {
  gch_case *k = &s->cases[i];
  if (k->kind == GCH_CASE_DEFAULT) {
    if (s->default_at != NONE)
      gch_panic("gulch: select with two defaults");
    s->default_at = i;
  } else if (k->kind == GCH_CASE_UNTIL) {
    gch__check_deadline(k->time);
    read_deadline(s, i, k->time);
  } else {
    if (*now == 0)
      *now = gch__now();
    read_deadline(s, i, gch__time_add(*now, k->time));
  }
}

/* Gives the choice of poll_once. */
static struct choice read_cases(struct select *s) {
  int64_t now = 0;
  struct choice c = {.chosen = NONE};
  if (s->n > INT_MAX)
    gch_panic("gulch: select with too many cases");
  for (size_t i = 0; i < s->n; i++)
    if (s->cases[i].kind <= GCH_CASE_SEND_ERR)
      read_op(s, i, &c);
    else
      read_other(s, i, &now);
  return c;
}

/* Trying */

typedef void drop_fn(void *elem);

/* What is to destroy a value that k receives, or NULL. */
static inline drop_fn *drop_of(const struct select *s, const gch_case *k) {
  return s->discard && discards(k) ? k->chan->drop : NULL;
}

/* discard has room for elements that a drop can be set for, and for no other. */
static void *elem_of(const struct select *s, const gch_case *k) {
  return !k->elem && drop_of(s, k) ? s->discard : k->elem;
}

/* With the lock of k's channel held. 0, EPIPE, EPERM; EAGAIN: not ready. */
static int attempt(const struct select *s, gch_case *k,
                   struct gch_waiter **partner) {
  *partner = NULL;
  if (!is_send(k))
    return gch__recv_locked(k->chan, elem_of(s, k), partner);
  if (k->chan->owner != GCH_OWNER_NONE)
    return EPERM;
  return gch__send_locked(k->chan, k->elem, partner);
}

/* Case i fired with err; no lock is held, and its channel is not touched. */
static size_t fired(const struct select *s, size_t i, int err, drop_fn *drop) {
  gch_case *k = &s->cases[i];
  if (k->err)
    *k->err = err;
  if (err == 0 && drop)
    drop(s->discard);
  if (err != 0 && k->kind == GCH_CASE_SEND)
    gch_panic(err == EPERM ? "send on receive-only channel"
                           : "send on closed channel");
  return i;
}

/* The steps */

/* i seemed ready. */
static size_t poll_once(const struct select *s, size_t i) {
  gch_case *k = &s->cases[i];
  struct gch_waiter *partner;
  GCH_DELAY();
  gch__lock(&k->chan->lock);
  if (k->elem && !is_send(k) && !gch__queue_first(&k->chan->senders) &&
      gch__popped(k->chan, k->elem)) {
    if (k->err)
      *k->err = 0;
    return i;
  }
  int err = attempt(s, k, &partner);
  drop_fn *drop = drop_of(s, k);
  bool watched = gch__is_watched(k->chan);
  gch__unlock(&k->chan->lock);
  gch__wake(partner);
  if (watched)
    gch__look(k->chan);
  if (err == EAGAIN)
    return NONE;
  if (err)
    gch__check_held(k->chan);
  return fired(s, i, err, drop);
}

/* With all locks held. A choice that turns out not to be ready was a queue of
   waiters that are claimed elsewhere; the attempt has removed them. Or it was a
   timer, and another waits for it, who is *partner and is to be woken first:
   EAGAIN. */
static size_t choose_and_attempt(const struct select *s, int *err,
                                 struct gch_waiter **partner) {
  size_t i;
  while ((i = choose(s)) != NONE) {
    *err = attempt(s, &s->cases[i], partner);
    if (*err != EAGAIN || *partner)
      break;
  }
  return i;
}

static struct gch_queue *queue_of(const gch_case *k) {
  return is_send(k) ? &k->chan->senders : &k->chan->receivers;
}

/* To be done after the unlock: gch__timed_wake, gch__look. */
enum { WAKE = 1, LOOK = 2 };

/* What is not just open, and is about to be queued on. */
static int comes_to(gch_chan *c) {
  return (gch__receiver_comes(c) ? WAKE : 0) |
         (gch__is_watched(c) ? LOOK : 0);
}

/* In lock order. Where several cases wait in one queue, whoever comes takes the
   first: so that is any of them, but in the ordered form. What is to be done
   after the unlock. */
static int queue_all(const struct select *s, size_t count,
                     struct gch_group *group) {
  int after = 0;
  if (!s->ordered)
    gch__shuffle_same(s->cases, count);
  for (size_t slot = 0; slot < count; slot++) {
    uint32_t i = s->cases[slot].order;
    gch_case *k = &s->cases[i];
    k->parked.waiter.group = group;
    k->parked.waiter.elem = elem_of(s, k);
    k->parked.waiter.pos = i;
    k->parked.size = k->chan->elem_size;
    k->parked.drop = drop_of(s, k);
    if (gch__state(k->chan) != GCH_OPEN)
      after |= comes_to(k->chan);
    gch__turn_to_queue(k->chan);
    gch__queue_add(queue_of(k), &k->parked.waiter);
  }
  return after;
}

/* What queue_all gave. */
__attribute__((noinline)) static void do_after(const struct select *s,
                                               int after) {
  if (after & WAKE)
    gch__timed_wake();
  for (size_t i = 0; i < s->n; i++)
    if ((after & LOOK) && is_op(&s->cases[i]) &&
        gch__is_watched(s->cases[i].chan))
      gch__look(s->cases[i].chan);
}

static void leave_all(const struct select *s, size_t winner) {
  for (size_t i = 0; i < s->n; i++) {
    gch_case *k = &s->cases[i];
    if (i == winner || !is_op(k))
      continue;
    gch__lock(&k->chan->lock);
    if (gch__queue_has(queue_of(k), &k->parked.waiter))
      gch__queue_remove(queue_of(k), &k->parked.waiter);
    gch__receiver_left(k->chan);
    gch__unlock(&k->chan->lock);
  }
}

/* Parks until a case is claimed or the deadline. The winner is recorded in the
   group. */
static size_t park_group(const struct select *s, struct gch_group *group) {
  if (gch__park(&group->parker, s->deadline) != 0) {
    if (gch__claim(group, GCH_GAVE_UP))
      return s->deadline_at;
    gch__park(&group->parker, GCH__FOREVER);
  }
  /* Relaxed: the permit's acquire came after. */
  return atomic_load_explicit(&group->winner, memory_order_relaxed);
}

/* Without a case on a channel nobody comes. */
__attribute__((noinline)) static size_t sleep_only(const struct select *s) {
  gch__park_alone(s->deadline);
  return s->deadline_at;
}

/* Case i was claimed and this the wake: its channel may be gone, if only who
   woke us held it. */
static size_t claimed(const struct select *s, size_t i) {
  const struct gch_parked_case *p = &s->cases[i].parked;
  if (p->waiter.err == EPIPE && !is_send(&s->cases[i]))
    gch__zero(s->cases[i].elem, p->size);
  return fired(s, i, p->waiter.err, p->drop);
}

/* The deadline has passed, and all queues are left. But a timer may have been
   due before, and nobody have come to say so. */
static size_t gave_up(const struct select *s) {
  for (size_t i = 0; i < s->n; i++) {
    const gch_case *k = &s->cases[i];
    if (is_op(k) && gch__is_timed(k->chan) && is_ready(k) &&
        poll_once(s, i) != NONE)
      return i;
  }
  return s->deadline_at;
}

/* AGAIN: another was served, so once more. Apart, so that a poll that succeeds
   takes few instructions. */
__attribute__((noinline)) static size_t lock_and_run(const struct select *s) {
  size_t i;
  int after = LOOK;
  int err = 0;
  struct gch_waiter *partner = NULL;
  drop_fn *drop = NULL;
  struct gch_group group;
  size_t count = gch__lock_order(s->cases, s->n);
  gch__lock_all(s->cases, count);
  i = choose_and_attempt(s, &err, &partner);
  bool parks = i == NONE && s->default_at == NONE;
  if (i != NONE)
    drop = drop_of(s, &s->cases[i]);
  if (parks) {
    gch__group_init(&group, gch__task_self(), s->deadline, false);
    after = queue_all(s, count, &group);
  }
  gch__unlock_all(s->cases, count);

  gch__wake(partner);
  if (after)
    do_after(s, after);
  if (i != NONE && err == EAGAIN)
    return AGAIN;
  if (i != NONE && err)
    gch__check_held(s->cases[i].chan);
  if (i != NONE)
    return fired(s, i, err, drop);
  if (!parks)
    return s->default_at;
  i = count > 0 ? park_group(s, &group) : sleep_only(s);
  leave_all(s, i);
  return i == s->deadline_at ? gave_up(s) : claimed(s, i);
}

/* first: what reading the cases gave. */
static inline size_t run(const struct select *s, struct choice first) {
  size_t i = NONE;
  if (first.chosen == NONE && s->default_at != NONE &&
      still_none(s->cases, s->n, first.turns))
    return s->default_at;
  if (first.chosen != NONE && !s->ordered)
    i = poll_once(s, first.chosen);
  if (i != NONE)
    return i;
  while ((i = lock_and_run(s)) == AGAIN)
    ;
  return i;
}

/* Apart, for its room on the stack. */
__attribute__((noinline)) static size_t run_with_discard(struct select *s,
                                                         struct choice first) {
  alignas(max_align_t) char value[GCH_DROP_MAX];
  s->discard = value;
  size_t i = run(s, first);
  s->discard = NULL;
  return i;
}

static int select_from(gch_case *cases, size_t n, bool ordered) {
  struct select s = {.cases = cases,
                     .n = n,
                     .ordered = ordered,
                     .default_at = NONE,
                     .deadline_at = NONE,
                     .deadline = GCH__FOREVER};
  struct choice first = read_cases(&s);
  return (int)(s.drops ? run_with_discard(&s, first) : run(&s, first));
}

int gch_select_cases(gch_case *cases, size_t n) {
  /* For one channel n is a constant: the compiler makes that way a short one. */
  if (n == 2 ? nothing_to_receive(cases, 2) : nothing_to_receive(cases, n))
    return (int)n - 1;
  return select_from(cases, n, false);
}

int gch_select_cases_ordered(gch_case *cases, size_t n) {
  return select_from(cases, n, true);
}
