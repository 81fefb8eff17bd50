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
#include "chan/select_steps.h"

/* Reading the cases */

static void read_deadline(struct select *s, size_t i, int64_t deadline) {
  if (s->deadline_at != NONE && deadline >= s->deadline)
    return;
  s->deadline_at = i;
  s->deadline = deadline;
}

/* A case on a channel: checked, and looked at. */
static inline void read_op(struct select *s, size_t i, struct choice *c) {
  gch_case *k = &s->cases[i];
  if (!k->chan)
    return;
  if (is_send(k) && gch__send_refused(k->chan, k->elem) == EINVAL)
    gch_panic("gulch: NULL element in a send case");
  s->special |= discards(k); /* DROPS */
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
  } else if (k->kind == GCH_CASE_TIMEOUT) {
    if (*now == 0)
      *now = gch__now();
    read_deadline(s, i, gch__time_add(*now, k->time));
  } else {
    s->special |= ARMS;
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
__attribute__((noinline)) static size_t run_special(struct select *s,
                                                    struct choice first) {
  alignas(max_align_t) char value[GCH_DROP_MAX];
  s->discard = s->special & DROPS ? value : NULL;
  size_t i = s->special & ARMS ? run_arms(s, first) : run(s, first);
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
  return (int)(s.special ? run_special(&s, first) : run(&s, first));
}

int gch_select_cases(gch_case *cases, size_t n) {
  /* For one channel n is a constant: the compiler makes that way short. */
  if (n == 2 ? nothing_to_receive(cases, 2) : nothing_to_receive(cases, n))
    return (int)n - 1;
  return select_from(cases, n, false);
}

int gch_select_cases_ordered(gch_case *cases, size_t n) {
  return select_from(cases, n, true);
}
