/* SPDX-License-Identifier: BSD-3-Clause */
#include "chan/registry.h"

#include "chan/impl.h"
#include "park/setting.h"

#include <stdalign.h>
#include <stdlib.h>

enum { SHARD_BITS = 6, SHARDS = 1 << SHARD_BITS };

/* On a cache line of its own. */
static struct shard {
  alignas(64) struct gch_lock lock;
  gch_chan *first;
  struct gch_walk *walks; /* those that stand here */
  gch_chan *inherited;    /* a list like first */
} shards[SHARDS];

/* Fibonacci hashing (Knuth, The Art of Computer Programming, 6.4). */
static struct shard *shard_of(const gch_chan *c) {
  uint64_t hash = (uint64_t)(uintptr_t)c * UINT64_C(0x9e3779b97f4a7c15);
  return &shards[hash >> (64 - SHARD_BITS)];
}

void gch__list(gch_chan *c) {
  struct shard *s = shard_of(c);
  gch__lock(&s->lock);
  c->listed.next = s->first;
  c->listed.link = &s->first;
  if (s->first)
    s->first->listed.link = &c->listed.next;
  s->first = c;
  gch__unlock(&s->lock);
}

void gch__unlist(gch_chan *c) {
  struct shard *s = shard_of(c);
  gch__lock(&s->lock);
  gch_chan *next = c->listed.next;
  for (struct gch_walk *w = s->walks; w; w = w->other)
    if (w->next == c)
      w->next = next;
  *c->listed.link = next;
  if (next)
    next->listed.link = c->listed.link;
  gch__unlock(&s->lock);
}

/* Walks */

static void stand(struct shard *s, struct gch_walk *w) {
  w->other = s->walks;
  s->walks = w;
}

/* Whether w stood in s. It does not in a child that was forked since. */
static bool go_on(struct shard *s, struct gch_walk *w) {
  struct gch_walk **link = &s->walks;
  while (*link && *link != w)
    link = &(*link)->other;
  if (!*link)
    return false;
  *link = w->other;
  return true;
}

/* As gch__walk, in one shard. */
static bool walk_shard(struct shard *s, struct gch_walk *w,
                       bool (*see)(gch_chan *c, void *arg), void *arg) {
  gch__lock(&s->lock);
  if (!go_on(s, w))
    w->next = s->first;
  while (w->next && see(w->next, arg))
    w->next = w->next->listed.next;
  bool all = !w->next;
  if (!all)
    stand(s, w);
  gch__unlock(&s->lock);
  return all;
}

bool gch__walk(struct gch_walk *w, bool (*see)(gch_chan *c, void *arg),
               void *arg) {
  for (; w->shard < SHARDS; w->shard++)
    if (!walk_shard(&shards[w->shard], w, see, arg))
      return false;
  return true;
}

/* Fork */

void gch__shards_lock(void) {
  for (int i = 0; i < SHARDS; i++)
    gch__lock(&shards[i].lock);
}

void gch__shards_unlock(void) {
  for (int i = 0; i < SHARDS; i++)
    gch__unlock(&shards[i].lock);
}

/* Calls mend for each channel of all lists, which begin at at[0 … SHARDS);
   at[i] becomes the last of list i, NULL where that is empty. One of each list
   in turn: channels that were made one after the other, and so lie side by
   side, are in different lists; and the next of each is under way meanwhile. */
static void mend_all(gch_chan **at, void (*mend)(gch_chan *c)) {
  gch_chan *next[SHARDS];
  memcpy(next, at, sizeof next);
  for (bool any = true; any;) {
    any = false;
    for (int i = 0; i < SHARDS; i++) {
      gch_chan *c = next[i];
      if (!c)
        continue;
      any = true;
      at[i] = c;
      next[i] = c->listed.next;
      if (next[i]) {
        __builtin_prefetch(next[i]);
        __builtin_prefetch(&next[i]->senders);
        __builtin_prefetch(&next[i]->listed);
      }
      mend(c);
    }
  }
}

/* In front of what was inherited before. */
static void bequeath(struct shard *s, gch_chan *last) {
  last->listed.next = s->inherited;
  if (s->inherited)
    s->inherited->listed.link = &last->listed.next;
  s->inherited = s->first;
  s->inherited->listed.link = &s->inherited;
  s->first = NULL;
}

void gch__shards_forked(void (*mend)(gch_chan *c)) {
  gch_chan *inherited[SHARDS], *own[SHARDS];
  for (int i = 0; i < SHARDS; i++) {
    inherited[i] = shards[i].inherited;
    own[i] = shards[i].first;
  }
  mend_all(inherited, mend);
  mend_all(own, mend);
  for (int i = 0; i < SHARDS; i++) {
    if (own[i])
      bequeath(&shards[i], own[i]);
    shards[i].walks = NULL;
    gch__lock_reset(&shards[i].lock);
  }
}

/* The end of the process */

bool gch__lists_all(void) {
  static gch__setting leaks = GCH_NOT_READ;
  return gch__is_on(&leaks, "GULCH_LEAKS");
}

__attribute__((destructor)) static void at_exit(void) {
  if (gch__lists_all())
    gch__report_leaks();
}
