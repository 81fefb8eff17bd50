/* SPDX-License-Identifier: BSD-3-Clause */
/* The steps of a select, for select.c, which says what they are; and twice, as
   one that has arms on descriptors has more to do. */
#ifndef GCH_CHAN_SELECT_STEPS_H
#define GCH_CHAN_SELECT_STEPS_H

#include "chan/choice.h"
#include "chan/fds.h"
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
  uint8_t special; /* what is not usual: DROPS, ARMS */
  void *discard;   /* where a value that is discarded goes */
  int cancel;      /* what arms need */
};

enum {
  DROPS = 1, /* some receive discards a value that has a drop function */
  ARMS = 2   /* some arm is on a descriptor */
};

static bool discards(const gch_case *k) {
  return k->kind == GCH_CASE_RECV && !k->elem && k->chan->drop;
}

/* In all of these fds is a constant, whether there are such arms. */
#define BOTH_WAYS __attribute__((always_inline)) static inline

/* locked: with all locks held, and then what is chosen is ready but for who is
   claimed elsewhere. */
BOTH_WAYS size_t choose(const struct select *s, bool fds, bool locked) {
  struct choice c = {.chosen = NONE};
  for (size_t i = 0; i < s->n; i++) {
    const gch_case *k = &s->cases[i];
    if ((!is_op(k) || !(locked ? is_ready_now(k) : is_ready(k))) &&
        !(fds && gch__arm_is_ready(k)))
      continue;
    if (s->ordered)
      return i;
    weigh(&c, i);
  }
  return c.chosen;
}

/* Trying */

typedef void drop_fn(void *elem);

/* What is to destroy a value that k receives, or NULL. */
static inline drop_fn *drop_of(const struct select *s, const gch_case *k) {
  return s->discard && discards(k) ? k->chan->drop : NULL;
}

/* discard has room for elements that a drop can be set for, and no other. */
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

/* Case i fired with err; no lock is held, and its channel is not touched. What
   is the user's comes last, as it may leave by longjmp: a panic's hook, drop. */
static size_t fired(const struct select *s, size_t i, int err, drop_fn *drop) {
  gch_case *k = &s->cases[i];
  if (k->err)
    *k->err = err;
  if (s->special & ARMS)
    gch__arms_exit(s->cases, s->n, s->cancel);
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
BOTH_WAYS size_t choose_and_attempt(const struct select *s, int *err,
                                    struct gch_waiter **partner, bool fds) {
  size_t i;
  while ((i = choose(s, fds, true)) != NONE) {
    if (fds && gch__is_arm(&s->cases[i])) {
      *err = s->cases[i].parked.waiter.err;
      break;
    }
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

/* Queues the arms, which the channels' locks need not be held for; parks, and
   leaves all queues. AGAIN: an arm was woken for nothing. */
__attribute__((noinline)) static size_t
park_with_arms(const struct select *s, struct gch_group *group) {
  size_t i;
  if (gch__arms_queue(s->cases, s->n, group))
    i = atomic_load_explicit(&group->winner, memory_order_relaxed);
  else
    i = park_group(s, group);
  gch__arms_leave(s->cases, s->n);
  leave_all(s, i);
  if (i == s->deadline_at)
    return i;
  gch_case *k = &s->cases[i];
  if (!gch__is_arm(k))
    return claimed(s, i);
  return gch__arm_claimed(k) ? fired(s, i, k->parked.waiter.err, NULL) : AGAIN;
}

/* AGAIN: another was served, so once more. */
BOTH_WAYS size_t lock_and_run_by(const struct select *s, bool fds) {
  size_t i;
  int after = LOOK;
  int err = 0;
  struct gch_waiter *partner = NULL;
  drop_fn *drop = NULL;
  struct gch_group group;
  size_t count = gch__lock_order(s->cases, s->n);
  gch__lock_all(s->cases, count);
  if (fds && (s->ordered || s->default_at != NONE))
    gch__arms_look(s->cases, s->n); /* so that all is of one instant */
  i = choose_and_attempt(s, &err, &partner, fds);
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
  if (i != NONE && err && !(fds && gch__is_arm(&s->cases[i])))
    gch__check_held(s->cases[i].chan);
  if (i != NONE)
    return fired(s, i, err, drop);
  if (!parks)
    return s->default_at;
  if (fds) {
    i = park_with_arms(s, &group);
    return i == s->deadline_at ? gave_up(s) : i;
  }
  i = count > 0 ? park_group(s, &group) : sleep_only(s);
  leave_all(s, i);
  return i == s->deadline_at ? gave_up(s) : claimed(s, i);
}

/* Apart, so that a poll that succeeds takes few instructions. */
__attribute__((noinline)) static size_t lock_and_run(const struct select *s) {
  return lock_and_run_by(s, false);
}

/* With arms. They are looked at between the two looks at the channels: so the
   default fires by what was true of that instant. first: as run's. */
static size_t run_arms_once(const struct select *s, struct choice first) {
  size_t i = NONE;
  gch__arms_look(s->cases, s->n);
  if (!s->ordered)
    i = choose(s, true, false);
  if (i != NONE && gch__is_arm(&s->cases[i]))
    return fired(s, i, s->cases[i].parked.waiter.err, NULL);
  if (i != NONE)
    i = poll_once(s, i);
  else if (first.chosen == NONE && s->default_at != NONE && !s->ordered &&
           still_none(s->cases, s->n, first.turns))
    return s->default_at;
  return i != NONE ? i : lock_and_run_by(s, true);
}

/* What is due, or ready, beats the deadline. */
static size_t run_arms(struct select *s, struct choice first) {
  size_t i;
  s->cancel = gch__arms_enter(s->cases, s->n);
  while ((i = run_arms_once(s, first)) == AGAIN)
    first.chosen = AGAIN; /* the turns are old */
  if (i == s->deadline_at) {
    gch__arms_look(s->cases, s->n);
    for (size_t k = 0; k < s->n && i == s->deadline_at; k++)
      if (gch__arm_is_ready(&s->cases[k]))
        i = fired(s, k, s->cases[k].parked.waiter.err, NULL);
  }
  gch__arms_exit(s->cases, s->n, s->cancel);
  return i;
}

#endif
