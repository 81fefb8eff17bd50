/* SPDX-License-Identifier: BSD-3-Clause */
/* What can be locked until a context is done, for tests that go over all of
   it. */
#ifndef GULCH_TESTS_LOCK_KINDS_H
#define GULCH_TESTS_LOCK_KINDS_H

#include "ctx_race.h"
#include "sync_facts.h"

/* A kind of lock, the ctx form under test, and its opposite, which excludes
   it. */
struct kind {
  int (*lock_ctx)(const gch_ctx *ctx, void *lock);
  int (*try_lock)(void *lock);
  void (*unlock)(void *lock);
  int (*exclude)(void *lock); /* 0 where the lock is free */
  void (*let_in)(void *lock); /* undoes that */
  size_t (*waiting)(void *lock);
};

union any_lock {
  gch_mutex m;
  gch_rwmutex rw;
};

static inline int m_lock_ctx(const gch_ctx *ctx, void *m) {
  return gch_mutex_lock_ctx(ctx, m);
}
static inline int m_try(void *m) {
  return gch_mutex_try_lock(m);
}
static inline void m_unlock(void *m) {
  gch_mutex_unlock(m);
}
static inline size_t m_waiting(void *m) {
  return gch_mutex_waiting(m);
}

static inline int w_lock_ctx(const gch_ctx *ctx, void *rw) {
  return gch_rwmutex_lock_ctx(ctx, rw);
}
static inline int w_try(void *rw) {
  return gch_rwmutex_try_lock(rw);
}
static inline void w_unlock(void *rw) {
  gch_rwmutex_unlock(rw);
}
static inline size_t w_waiting(void *rw) {
  return writers_waiting(rw);
}

static inline int r_lock_ctx(const gch_ctx *ctx, void *rw) {
  return gch_rwmutex_rlock_ctx(ctx, rw);
}
static inline int r_try(void *rw) {
  return gch_rwmutex_try_rlock(rw);
}
static inline void r_unlock(void *rw) {
  gch_rwmutex_runlock(rw);
}
static inline size_t r_waiting(void *rw) {
  return readers_waiting(rw);
}

enum { KINDS = 4 };
GCH_UNUSED static const struct kind kinds[KINDS] = {
    {m_lock_ctx, m_try, m_unlock, m_try, m_unlock, m_waiting},
    {w_lock_ctx, w_try, w_unlock, w_try, w_unlock, w_waiting},
    {w_lock_ctx, w_try, w_unlock, r_try, r_unlock, w_waiting},
    {r_lock_ctx, r_try, r_unlock, w_try, w_unlock, r_waiting},
};

static inline bool is_free(const struct kind *k, union any_lock *l) {
  if (k->exclude(l) != 0)
    return false;
  k->let_in(l);
  return true;
}

struct waiter {
  const struct kind *k;
  const gch_ctx *ctx;
  union any_lock *l;
  int err;
  atomic_int over;
};

static inline void lock(void *arg) {
  struct waiter *w = arg;
  w->err = w->k->lock_ctx(w->ctx, w->l);
  atomic_store(&w->over, 1);
}

static inline test_thread *start_waiter(struct waiter *w) {
  size_t before = w->k->waiting(w->l);
  test_thread *t = thread_start(lock, w);
  await_asleep(w->k->waiting(w->l), before + 1);
  return t;
}

static inline void expect_got(test_thread *t, struct waiter *w) {
  thread_join(t);
  ck_assert_int_eq(w->err, 0);
  ck_assert(!is_free(w->k, w->l));
  w->k->unlock(w->l);
  ck_assert(is_free(w->k, w->l));
}

static inline void expect_gave_up(test_thread *t, struct waiter *w, int err) {
  thread_join(t);
  ck_assert_int_eq(w->err, err);
  ck_assert_uint_eq(w->k->waiting(w->l), 0);
  w->k->let_in(w->l);
  ck_assert(is_free(w->k, w->l));
}

/* A lock that is not free, and who is to wait for it until ctx is done. */
struct held {
  const struct kind *k;
  union any_lock l;
  gch_ctx *ctx;
  struct waiter w;
};

/* ctx is the caller's, and ended by release. */
static inline void hold_until(struct held *h, int kind, gch_ctx *ctx) {
  *h = (struct held){.k = &kinds[kind], .ctx = ctx};
  h->w = (struct waiter){.k = h->k, .ctx = ctx, .l = &h->l};
  ck_assert_int_eq(h->k->exclude(&h->l), 0);
}

static inline void hold(struct held *h, int kind) {
  hold_until(h, kind, gch_ctx_with_cancel(bg()));
}

static inline void release(struct held *h) {
  ck_assert(is_free(h->k, &h->l));
  gch_ctx_end(h->ctx);
}

/* The test is run once for each; its kind is kinds[_i]. */
#define add_for_kinds(t, test) tcase_add_loop_test(t, test, 0, KINDS)

#endif
