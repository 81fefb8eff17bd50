/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of the rwmutex share. */
#ifndef GULCH_TESTS_RWMUTEX_FACTS_H
#define GULCH_TESTS_RWMUTEX_FACTS_H

#include "sync_facts.h"

static inline bool is_free(gch_rwmutex *rw) {
  if (gch_rwmutex_try_lock(rw) != 0)
    return false;
  gch_rwmutex_unlock(rw);
  return true;
}

struct shared {
  gch_rwmutex rw;
  gch_chan *c;
  int64_t deadline;
  int plain;
  atomic_int reads, writes, late;
};

static inline struct shared *share(void) {
  struct shared *s = calloc(1, sizeof *s);
  s->c = gch_make(0, 0);
  return s;
}

static inline void unshare(struct shared *s) {
  await_no_tasks();
  ck_assert(is_free(&s->rw));
  gch_unref(s->c);
  free(s);
}

static inline void read_once(void *arg) {
  struct shared *s = arg;
  gch_rwmutex_rlock(&s->rw);
  atomic_fetch_add(&s->reads, 1);
  gch_rwmutex_runlock(&s->rw);
}

static inline void write_once(void *arg) {
  struct shared *s = arg;
  gch_rwmutex_lock(&s->rw);
  atomic_fetch_add(&s->writes, 1);
  gch_rwmutex_unlock(&s->rw);
}

#endif
