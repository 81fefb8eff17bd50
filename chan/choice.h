/* SPDX-License-Identifier: BSD-3-Clause */
/* Which case of a select: what looks ready, and a choice among that. No lock is
   needed. */
#ifndef GCH_CHAN_CHOICE_H
#define GCH_CHAN_CHOICE_H

#include "chan/random.h"
#include "chan/ready.h"

#include <limits.h>

#define NONE SIZE_MAX

struct choice {
  size_t chosen; /* NONE: none is ready */
  uint32_t ready;
  uint32_t turns; /* of all channels, modulo its size */
  uint64_t dice;  /* random, once two are ready */
};

static inline bool is_send(const gch_case *k) {
  return k->kind == GCH_CASE_SEND || k->kind == GCH_CASE_SEND_ERR;
}

static inline bool is_op(const gch_case *k) {
  return k->kind <= GCH_CASE_SEND_ERR && k->chan;
}

__attribute__((always_inline)) static inline bool is_ready(const gch_case *k) {
  if (!is_send(k))
    return gch__recv_ready(k->chan);
  return k->chan->owner != GCH_OWNER_NONE || gch__send_ready(k->chan);
}

/* With the lock held. */
static inline bool is_ready_now(const gch_case *k) {
  return is_ready(k) &&
         (!gch__is_watched(k->chan) || gch__ready_now(k->chan, is_send(k)));
}

/* The second look of ready.h, where the first, which gave the sum of the turns,
   found nothing ready. Apart, so that a select where one is ready takes few
   instructions. */
__attribute__((noinline)) static bool still_none(const gch_case *cases,
                                                 size_t n, uint32_t turns) {
  for (const gch_case *k = cases; k < cases + n; k++) {
    if (!is_op(k))
      continue;
    if (is_ready(k))
      return false;
    turns -= gch__turns(k->chan);
  }
  return turns == 0;
}

/* Uniform among the cases that seem ready, by one pass: the k-th that is found
   replaces the choice with probability 1/k. */
static inline void weigh(struct choice *c, size_t i) {
  if (++c->ready > 1) {
    c->dice = c->ready == 2 ? gch__random() : gch__random_next(c->dice);
    if (gch__below(c->dice, c->ready) != 0)
      return;
  }
  c->chosen = i;
}

/* still_none for these: open channels, none of a timer. */
static inline bool still_nothing(const gch_case *cases, size_t n,
                                 uint32_t turns) {
  for (const gch_case *k = cases; k < cases + n; k++) {
    if (!k->chan)
      continue;
    if (gch__recv_may_be_ready(k->chan))
      return false;
    turns -= gch__turns(k->chan);
  }
  return turns == 0;
}

/* Whether the default, listed last, fires for want of anything to receive: the
   most frequent poll, apart from the others so that it takes few instructions.
   A look at one channel is at one instant anyhow, and needs no turns. */
static inline bool nothing_to_receive(const gch_case *cases, size_t n) {
  uint32_t turns = 0;
  if (n < 2 || n > INT_MAX || cases[n - 1].kind != GCH_CASE_DEFAULT)
    return false;
  for (size_t i = 0; i < n - 1; i++) {
    if (cases[i].kind != GCH_CASE_RECV)
      return false;
    const gch_chan *c = cases[i].chan;
    if (!c)
      continue;
    if (n > 2)
      turns += gch__turns(c);
    if (gch__recv_may_be_ready(c))
      return false;
  }
  return n == 2 || still_nothing(cases, n - 1, turns);
}

#endif
