/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a task waits for, for reports: told by the slow ways to park, on
 * anything but a channel (there the waiters in its queues tell). The owner
 * alone writes it; a report reads it meanwhile, and may see half of it.
 */
#ifndef GCH_PARK_WAIT_H
#define GCH_PARK_WAIT_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum gch_wait_for {
  GCH_WAIT_NOTHING, /* it does not wait */
  GCH_WAIT_SLEEP,
  GCH_WAIT_FOR_EVER, /* on a channel that is NULL, in a select without cases */
  GCH_WAIT_MUTEX,
  GCH_WAIT_RLOCK,
  GCH_WAIT_LOCK,
  GCH_WAIT_COND,
  GCH_WAIT_ONCE,
  GCH_WAIT_WG,
  GCH_WAIT_RUN,
  GCH_WAIT_FUNC, /* to return, that of a timer or an after_func */
  GCH_WAIT_KINDS
};

/* Relaxed, all of it. */
struct gch_wait {
  _Atomic uint32_t what;        /* an enum gch_wait_for */
  _Atomic(const void *) object; /* or NULL */
  alignas(8) _Atomic int64_t since; /* i386 would have it at 4 */
};

/* The caller's place for it (go/task_thread.c); NULL: it is no task. */
struct gch_wait *gch__wait_place(void);

/* Before a park, and after it with what that gave. */
struct gch_wait *gch__wait_begin(enum gch_wait_for what, const void *object);

static inline void gch__wait_end(struct gch_wait *w) {
  if (w)
    atomic_store_explicit(&w->what, GCH_WAIT_NOTHING, memory_order_relaxed);
}

/* A copy of from, which somebody may write. */
static inline void gch__wait_read(struct gch_wait *to, struct gch_wait *from) {
  atomic_init(&to->what,
              atomic_load_explicit(&from->what, memory_order_relaxed));
  atomic_init(&to->object,
              atomic_load_explicit(&from->object, memory_order_relaxed));
  atomic_init(&to->since,
              atomic_load_explicit(&from->since, memory_order_relaxed));
}

#endif
