/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of channels and select share: channels of int, with the
   errors checked, and tasks that a wait group counts. */
#ifndef GULCH_TESTS_CHAN_CHECKS_H
#define GULCH_TESTS_CHAN_CHECKS_H

#include "harness.h"

/* Check's own assertions take a lock and write to a pipe each time. This one
   does so only when it fails. */
#define require(x) ((x) ? (void)0 : (void)ck_abort_msg("%s", #x))

static inline gch_chan *ints(size_t cap) {
  gch_chan *c = gch_make_of(int, cap);
  require(c != NULL);
  return c;
}

/* c <- v */
static inline void put(gch_chan *c, int v) {
  require(gch_send(c, &v) == 0);
}

/* <-c, of a channel that isn't closed */
static inline int take(gch_chan *c) {
  int v = -1;
  require(gch_recv(c, &v) == 0);
  return v;
}

static inline int try_put(gch_chan *c, int v) {
  return gch_try_send(c, &v);
}

/* Sends 0 … n - 1. */
static inline void put_all(gch_chan *c, int n) {
  for (int i = 0; i < n; i++)
    put(c, i);
}

static inline bool is_closed(gch_chan *c) {
  int v = -1;
  return gch_recv(c, &v) == EPIPE && v == 0;
}

static inline bool nobody_waits(const gch_chan *c) {
  size_t senders, receivers;
  gch_waiting(c, &senders, &receivers);
  return senders == 0 && receivers == 0;
}

static inline void go(gch_wg *wg, void (*fn)(void *), void *arg) {
  require(gch_wg_go(wg, fn, arg) == 0);
}

/* The next of a set of channels that are freed together. */
struct chans {
  size_t n;
  gch_chan *all[64];
};

static inline gch_chan *keep(struct chans *set, gch_chan *c) {
  require(c != NULL && set->n < sizeof set->all / sizeof *set->all);
  return set->all[set->n++] = c;
}

static inline void free_chans(struct chans *set) {
  while (set->n > 0)
    gch_unref(set->all[--set->n]);
}

/*
 * Rounds that two threads begin and end together: one leads and one follows.
 * So many rounds, but for no more than a second: on a machine that has much
 * else to do each may take its time.
 *
 *     while (lead(&r)) {                 while (follow(&r)) {
 *       …                                  …
 *       meet(&r, &r.leader);               meet(&r, &r.follower);
 *     }                                  }
 */
struct rounds {
  int most;
  int done;
  int64_t end;
  bool over;
  _Atomic int passes;
  int leader, follower;
};

static inline void meet(struct rounds *r, int *passes) {
  *passes += 2;
  r->passes++;
  for (int looks = 0; looks < 200 && r->passes < *passes; looks++)
    ;
  await_count(&r->passes, *passes);
}

/* What the leader wrote before it leads is seen by who follows. */
static inline bool lead(struct rounds *r) {
  if (r->done == 0)
    r->end = gch_now() + GCH_SECOND;
  r->over = r->done == r->most || gch_now() > r->end;
  r->done++;
  meet(r, &r->leader);
  return !r->over;
}

static inline bool follow(struct rounds *r) {
  meet(r, &r->follower);
  return !r->over;
}

#endif
