/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * <gulch/select.h>: Go's select.
 *
 *     switch (gch_select(GCH_RECV(jobs, &job),         // case job = <-jobs:
 *                        GCH_SEND(out, &result),       // case out <- result:
 *                        GCH_TIMEOUT(GCH_SECOND))) {   // case <-time.After(…):
 *     case 0: …; break;
 *     case 1: …; break;
 *     case 2: …; break;
 *     }
 *
 * Returns the position of the case that fired. Among the ready ones the
 * choice is uniform (gch_select_ordered: the first in listed order). Ready
 * channel cases beat the default and a deadline; the default beats a
 * deadline; of several deadlines the earliest fires. A case on a NULL channel
 * is never ready; a select in which nothing can become ready blocks for ever.
 *
 * A case on a closed channel is ready: a receive zero-fills and gives EPIPE in
 * *err, a send gives EPIPE in *err. A send on a channel that a context or a
 * timer owns gives EPERM. Where a send arm did not ask for its error
 * (GCH_SEND), these are panics, as in Go. An arm that asks by _ERR but gives
 * NULL for the place does not panic: it does not want to know.
 *
 * Only the case that fires writes its element and its *err, which is 0 where
 * the operation succeeded: the ok of Go's v, ok := <-c is err == 0.
 *
 * Nothing is allocated, whatever the number of cases. While it waits a select
 * stands in the queue of each of its channels, and when it has won it still
 * leaves those of the others. So hold a reference to every channel until the
 * select has returned; that somebody has your message does not mean that you
 * have returned. The example that bites:
 *
 *     // the worker                           // who started it
 *     gch_select(GCH_SEND(out, &result),      gch_recv(out, &result);
 *                GCH_RECV(gch_ctx_done(ctx),  gch_ctx_end(ctx);  // it has sent
 *                         NULL));
 *
 * The end may free ctx, and its done channel, which the worker is about to
 * leave. The worker needs a reference of its own, taken before it was started
 * (gch_ctx_ref, and a gch_ctx_unref at its end), or is to be waited for
 * (<gulch/wg.h>).
 */
#ifndef GULCH_SELECT_H
#define GULCH_SELECT_H

#include <gulch/chan.h>

GCH_BEGIN_DECLS

enum gch_case_kind { /* private */
                     GCH_CASE_RECV,
                     GCH_CASE_SEND,
                     GCH_CASE_SEND_ERR,
                     GCH_CASE_UNTIL,
                     GCH_CASE_TIMEOUT,
                     GCH_CASE_DEFAULT,
                     GCH_CASE_READABLE, /* <gulch/io.h>; time: the descriptor */
                     GCH_CASE_WRITABLE
};

/* Private: one operation parked on one channel. */
struct gch_waiter {
  struct gch_waiter *next, *prev; /* in the channel's queue */
  struct gch_group *group;        /* all waiters of one select */
  void *elem;                     /* where to copy to, or from */
  uint32_t pos;                   /* the case's position */
  int err;                        /* how the operation ended */
};

/* Private: a case that is parked, and what its channel was asked before. */
struct gch_parked_case {
  struct gch_waiter waiter;
  size_t size;              /* of an element */
  void (*drop)(void *elem); /* of a value that is discarded; or NULL */
};

/* One case. Made by the macros below; an all-zero one is a receive from a nil
   channel. A select writes to the private fields only, so an array of cases
   may be used again as it is, by one call at a time. */
typedef struct gch_case {
  gch_chan *chan;
  void *elem;
  int *err;
  int64_t time; /* nanoseconds */
  uint32_t kind;
  uint32_t order; /* private: this slot of the locking order */
  /* Private: a select's own room, which nobody else sets. (In a union, since
     where gcc copies a new case it would zero the members of a struct.) */
  union {
    struct gch_parked_case parked;
    void *room[9];
  };
} gch_case;

/* What the macros do, for bindings from other languages. In gch_case_send a
   NULL err makes the arm panic on a closed channel. */
GCH_API gch_case gch_case_recv(gch_chan *c, void *elem, int *err);
GCH_API gch_case gch_case_send(gch_chan *c, const void *elem, int *err);
GCH_API gch_case gch_case_until(int64_t deadline);
GCH_API gch_case gch_case_timeout(int64_t ns);
GCH_API gch_case gch_case_default(void);

/* Position of the case that fired. Panics where n is over INT_MAX, where two
   cases are defaults, and on a NULL element in a send of non-zero size. */
GCH_API int gch_select_cases(gch_case *cases, size_t n);
GCH_API int gch_select_cases_ordered(gch_case *cases, size_t n);

/* Private: the macros' ways to make a case without a call. Each sets what a
   case of its kind uses: a default nothing but kind, a deadline time too, an
   operation kind, chan, elem and err. */
static inline gch_case gch_case_of(enum gch_case_kind kind) {
  gch_case k;
  k.kind = (uint32_t)kind;
  return k;
}

static inline gch_case gch_case_at(enum gch_case_kind kind, int64_t time) {
  gch_case k;
  k.time = time;
  k.kind = (uint32_t)kind;
  return k;
}

static inline gch_case gch_case_make(enum gch_case_kind kind, gch_chan *c,
                                     const void *elem, int *err) {
  gch_case k;
  k.chan = c;
  k.elem = (void *)(uintptr_t)elem;
  k.err = err;
  k.kind = (uint32_t)kind;
  return k;
}

/* Private: a macro's arguments, as an initializer and not as arguments of a
   call, whose order of evaluation is not fixed. */
struct gch_case_op {
  gch_chan *chan;
  const void *elem;
};
struct gch_case_op_err {
  gch_chan *chan;
  const void *elem;
  int *err;
};

static inline gch_case gch_case_make_op(enum gch_case_kind kind,
                                        struct gch_case_op op) {
  return gch_case_make(kind, op.chan, op.elem, NULL);
}

static inline gch_case gch_case_make_err(enum gch_case_kind kind,
                                         struct gch_case_op_err op) {
  return gch_case_make(kind, op.chan, op.elem, op.err);
}

#ifdef __cplusplus
#define GCH_CASE_OP(...)                                                       \
  gch_case_op {                                                                \
    __VA_ARGS__                                                                \
  }
#define GCH_CASE_OP_ERR(...)                                                   \
  gch_case_op_err {                                                            \
    __VA_ARGS__                                                                \
  }
#else
#define GCH_CASE_OP(...) ((struct gch_case_op){__VA_ARGS__})
#define GCH_CASE_OP_ERR(...) ((struct gch_case_op_err){__VA_ARGS__})
#endif

/* The address of a temporary of type T that is initialized with the rest, in C
   and in C++: GCH_SEND(c, GCH_REF(struct job, 1, 2)). For any call that takes
   an element: gch_send(c, GCH_REF(int, 42)). In C the temporary lives as long
   as the block that it stands in, in C++ as long as the expression: until the
   select, or the call, has returned; but not in an array of cases that is made
   before the select. */
#ifdef __cplusplus
#define GCH_REF(T, ...) (gch_address_of<T>(gch_type_of_ref<T>{__VA_ARGS__}))
#else
#define GCH_REF(T, ...) (&(T){__VA_ARGS__})
#endif

/* Each an expression of type gch_case. Variadic, so that a compound literal
   with commas can stand as the element: GCH_SEND(c, &(struct job){1, 2}), in C
   only; in both languages GCH_SEND(c, GCH_REF(struct job, 1, 2)). */
#define GCH_RECV(...) gch_case_make_op(GCH_CASE_RECV, GCH_CASE_OP(__VA_ARGS__))
#define GCH_RECV_ERR(...)                                                      \
  gch_case_make_err(GCH_CASE_RECV, GCH_CASE_OP_ERR(__VA_ARGS__))
#define GCH_SEND(...) gch_case_make_op(GCH_CASE_SEND, GCH_CASE_OP(__VA_ARGS__))
#define GCH_SEND_ERR(...)                                                      \
  gch_case_make_err(GCH_CASE_SEND_ERR, GCH_CASE_OP_ERR(__VA_ARGS__))
#define GCH_UNTIL(deadline) gch_case_at(GCH_CASE_UNTIL, (deadline))
#define GCH_TIMEOUT(ns) gch_case_at(GCH_CASE_TIMEOUT, (ns))
#define GCH_DEFAULT gch_case_of(GCH_CASE_DEFAULT)

GCH_END_DECLS

/* Private: what GCH_REF makes. */
#ifdef __cplusplus
extern "C++" {
template <class T> using gch_type_of_ref = T;
template <class T> inline T *gch_address_of(T &&temporary) {
  return __builtin_addressof(temporary);
}
}
#endif

/* The select itself. The leading dummy lets the list of cases be empty. */
#ifdef __cplusplus
extern "C++" {
template <size_t N> inline int gch_select_list(gch_case (&&cases)[N]) {
  return gch_select_cases(cases + 1, N - 1);
}
template <size_t N> inline int gch_select_list_ordered(gch_case (&&cases)[N]) {
  return gch_select_cases_ordered(cases + 1, N - 1);
}
}
#define gch_select(...) gch_select_list({GCH_DEFAULT, __VA_ARGS__})
#define gch_select_ordered(...)                                                \
  gch_select_list_ordered({GCH_DEFAULT, __VA_ARGS__})
#else
#if defined(__GNUC__)
#define GCH_SELECT_BY(select, ...)                                             \
  __extension__({                                                              \
    gch_case gch_cases_[] = {GCH_DEFAULT, __VA_ARGS__};                        \
    select(gch_cases_ + 1, sizeof gch_cases_ / sizeof *gch_cases_ - 1);        \
  })
#else
#define GCH_SELECT_BY(select, ...)                                             \
  select((gch_case[]){GCH_DEFAULT, __VA_ARGS__} + 1,                           \
         sizeof((gch_case[]){GCH_DEFAULT, __VA_ARGS__}) / sizeof(gch_case) -   \
             1)
#endif
#define gch_select(...) GCH_SELECT_BY(gch_select_cases, __VA_ARGS__)
#define gch_select_ordered(...)                                                \
  GCH_SELECT_BY(gch_select_cases_ordered, __VA_ARGS__)
#endif

#endif
