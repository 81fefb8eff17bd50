/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * <gulch/sync.h>: Go's sync.Mutex, RWMutex, Cond and Once, for tasks and
 * threads alike.
 *
 *     struct jobs {
 *       gch_mutex mutex;
 *       gch_cond more;
 *       struct job *first;
 *     };
 *
 *     gch_mutex_lock(&jobs->mutex);
 *     while (!jobs->first)
 *       gch_cond_wait(&jobs->more, &jobs->mutex);
 *     struct job *job = take_first(jobs);
 *     gch_mutex_unlock(&jobs->mutex);
 *
 * Embed them where you like; all-zero bytes are ready for use, and nothing has
 * to be destroyed. They may be held across every call of this library, and
 * belong to no thread: who unlocks need not be who locked. Locking what one
 * holds already waits for ever, as in Go. Deadlines are absolute; one that has
 * passed tries once. The _ctx forms wait until the context is done; one that is
 * done already wins, even where there is nothing to wait for.
 *
 * Everything before an unlock is visible after the lock that it let in. Whoever
 * holds a mutex last may unlock and free it at once, even while the one who
 * had it before is still on the way out of its unlock. None may be moved while
 * in use.
 *
 * Fork: in the child what another thread or task held stays held; what the
 * caller held it may unlock there. Nobody waits, whoever waited in the parent.
 * A once whose function another was running begins anew.
 */
#ifndef GULCH_SYNC_H
#define GULCH_SYNC_H

#include <gulch/base.h>

GCH_BEGIN_DECLS

typedef struct gch_ctx gch_ctx; /* <gulch/ctx.h> */

/* Mutual exclusion. Who comes while it is free may be faster than who was
   woken; but who has waited for a millisecond gets it handed over, so nobody
   starves. */
typedef struct gch_mutex { /* private */
  uint32_t state, process;
  void *waiters;
  uintptr_t reserved[2];
} gch_mutex;

#define GCH_MUTEX_INIT                                                         \
  {                                                                            \
    0, 0, NULL, {                                                              \
      0, 0                                                                     \
    }                                                                          \
  }

GCH_API void gch_mutex_lock(gch_mutex *m);

/* 0, or EAGAIN: it is locked. */
GCH_API int gch_mutex_try_lock(gch_mutex *m);

/* 0, or ETIMEDOUT. */
GCH_API int gch_mutex_lock_until(gch_mutex *m, int64_t deadline);

/* 0, or the context's error, ECANCELED or ETIMEDOUT: then m is not the
   caller's. A NULL context panics. */
GCH_API int gch_mutex_lock_ctx(const gch_ctx *ctx, gch_mutex *m);

/* Panics where m is not locked. */
GCH_API void gch_mutex_unlock(gch_mutex *m);

/* Many readers or one writer. A writer that waits for readers stops new ones,
   so who holds it for reading must not ask for it again. When a writer unlocks,
   the readers that wait come first, and who comes while it is free may be
   faster than the next writer; but that is next when it has waited for a
   millisecond: neither kind starves. */
typedef struct gch_rwmutex { /* private */
  uint32_t state, process;
  void *readers, *writers, *seat;
  uintptr_t reserved[2];
} gch_rwmutex;

#define GCH_RWMUTEX_INIT                                                       \
  {                                                                            \
    0, 0, NULL, NULL, NULL, {                                                  \
      0, 0                                                                     \
    }                                                                          \
  }

/* For reading: 0, EAGAIN, ETIMEDOUT, ECANCELED as above. */
GCH_API void gch_rwmutex_rlock(gch_rwmutex *rw);
GCH_API int gch_rwmutex_try_rlock(gch_rwmutex *rw);
GCH_API int gch_rwmutex_rlock_until(gch_rwmutex *rw, int64_t deadline);
GCH_API int gch_rwmutex_rlock_ctx(const gch_ctx *ctx, gch_rwmutex *rw);

/* For writing. */
GCH_API void gch_rwmutex_lock(gch_rwmutex *rw);
GCH_API int gch_rwmutex_try_lock(gch_rwmutex *rw);
GCH_API int gch_rwmutex_lock_until(gch_rwmutex *rw, int64_t deadline);
GCH_API int gch_rwmutex_lock_ctx(const gch_ctx *ctx, gch_rwmutex *rw);

/* Panic where rw is not locked for reading, or for writing. */
GCH_API void gch_rwmutex_runlock(gch_rwmutex *rw);
GCH_API void gch_rwmutex_unlock(gch_rwmutex *rw);

/* Where those who hold a mutex wait for something to become true. Use one
   mutex with it at a time. */
typedef struct gch_cond { /* private */
  uint32_t state, process;
  void *waiters;
  uintptr_t reserved[2];
} gch_cond;

#define GCH_COND_INIT                                                          \
  {                                                                            \
    0, 0, NULL, {                                                              \
      0, 0                                                                     \
    }                                                                          \
  }

/* Unlocks m, waits for a signal or broadcast, and locks m again; no signal
   after the unlock is missed. It does not return for nothing, but others may
   have had the mutex first: check again what you wait for. Panics where m is
   not locked. */
GCH_API void gch_cond_wait(gch_cond *c, gch_mutex *m);

/* 0, or ETIMEDOUT: then no signal was used up. Holds m in either case. */
GCH_API int gch_cond_wait_until(gch_cond *c, gch_mutex *m, int64_t deadline);

/* 0, or the context's error: then no signal was used up. Holds m in every case.
   The context is asked first, with m held: where it is done, m is not unlocked
   at all. */
GCH_API int gch_cond_wait_ctx(const gch_ctx *ctx, gch_cond *c, gch_mutex *m);

/* Wakes who has waited longest, if anybody waits; broadcast wakes all. The
   caller may hold the mutex, but need not. */
GCH_API void gch_cond_signal(gch_cond *c);
GCH_API void gch_cond_broadcast(gch_cond *c);

/* What is done once, by the first who asks. */
typedef struct gch_once { /* private */
  uint32_t state, process;
  void *waiters;
  uintptr_t reserved[2];
} gch_once;

#define GCH_ONCE_INIT                                                          \
  {                                                                            \
    0, 0, NULL, {                                                              \
      0, 0                                                                     \
    }                                                                          \
  }

/* The first call runs fn(arg); every call returns only when that has returned.
   fn must not call it on the same o. 0, or EINVAL: fn is NULL. */
GCH_API int gch_once_do(gch_once *o, void (*fn)(void *), void *arg);

GCH_END_DECLS

#endif
