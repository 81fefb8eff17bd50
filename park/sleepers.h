/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lists of sleepers, for what users embed: wait groups, and the mutex, the
 * rwmutex, the cond and the once.
 *
 * A sleeper is on its own stack, and on one list, which is guarded by a lock
 * outside the object, chosen by its address: a lock inside could not be
 * released without touching memory that may be gone. Nobody holds two, nor
 * takes one under another lock; a channel's may be taken under it.
 *
 * It is held for a few steps; but where all are taken at once (a broadcast, the
 * end of a wait, readers after a writer) for a few for each: some milliseconds
 * for 10^5. Objects that share the lock wait so long. It can't be given back
 * between: that none is left and that all are taken is one step, else one of
 * them frees the object while another, out of time, looks for its list.
 *
 *     sleeper    who touches it                     it ends by
 *     listed     who holds the list's lock          being taken off by a waker,
 *                                                   or by itself, out of time
 *     taken      its waker alone                    the unpark
 *     unparked   its owner alone                    return, or being listed
 *                                                   again
 *     lost       its owner alone, who is on its     return
 *                way; off the list
 *
 * A waker marks a sleeper as taken under the lock, and unparks it after the
 * unlock, just once, as its last touch. So who finds itself taken waits for
 * that permit, also if its deadline has passed. What the waker has to tell is
 * in the sleeper: who was given what it slept for does not look at the object
 * again, which may be gone.
 *
 * A sleeper may have a second way out: somebody else who may wake it (a context
 * that is done, context/way_out.c). Then a waker takes it off the list as ever,
 * but must claim it too; one of the two gets it, who alone unparks it. Where
 * that is not the waker the sleeper is lost to it, and it goes on to the next.
 * Who is woken by the other takes itself off the list, unless a waker has.
 */
#ifndef GCH_PARK_SLEEPERS_H
#define GCH_PARK_SLEEPERS_H

#include "park/fork.h"
#include "park/lock.h"
#include "park/parker.h"
#include "park/wait.h"

struct gch_way_out {
  /* For the owner. enter: before it is listed; from then on it may be woken.
     leave: it was not listed after all. sleep: parks until it is woken; 0: by a
     waker, who had claimed it; else an error. */
  void (*enter)(struct gch_way_out *o);
  void (*leave)(struct gch_way_out *o);
  int (*sleep)(struct gch_way_out *o);
  /* For a waker, with the list's lock held: whether it is its to wake. */
  bool (*claim)(struct gch_way_out *o);
  struct gch_parker *parker; /* which it sleeps on */
};

struct gch_sleeper {
  struct gch_sleeper *next, *prev; /* a ring; while taken: next, then NULL */
  struct gch_parker parker;
  bool taken;              /* off the list by a waker */
  struct gch_way_out *out; /* instead of the parker; NULL: none */
};

/* The caller is to sleep until deadline, or, where out is not NULL, for ever or
   until that wakes it. Then it is listed, and sleeps; or gch__sleeper_end. */
static inline void gch__sleeper_init(struct gch_sleeper *s, int64_t deadline,
                                     struct gch_way_out *out) {
  s->out = out;
  if (out)
    out->enter(out);
  else
    gch__parker_init(&s->parker, deadline);
}

static inline void gch__sleeper_end(struct gch_sleeper *s) {
  if (s->out)
    s->out->leave(s->out);
}

/* The lock for the lists of the object at this address. */
struct gch_lock *gch__sleepers_lock(const void *object);

/* A list is a pointer to its first sleeper, NULL when empty. All of these want
   its lock held. */
void gch__sleepers_add(void **list, struct gch_sleeper *s);
void gch__sleepers_add_first(void **list, struct gch_sleeper *s);
void gch__sleepers_remove(void **list, struct gch_sleeper *s);

/* Fork. In the child a list from before has ghosts on it, who are neither read
   nor woken. So the object has a word, 0 at first, that says of which process
   its lists are. This is called before such a list is used: whether its lists
   are inherited; the caller empties them, they are this process's now. Acquire
   and release: what was emptied before it is seen without the lock. */
static inline bool gch__is_inherited(const uint32_t *process) {
  return __atomic_load_n(process, __ATOMIC_ACQUIRE) != (uint32_t)gch__forks();
}

static inline bool gch__adopt(uint32_t *process) {
  bool inherited = gch__is_inherited(process);
  if (inherited)
    __atomic_store_n(process, (uint32_t)gch__forks(), __ATOMIC_RELEASE);
  return inherited;
}

/* Takes the first, or all, of those who are not lost; NULL if none. Those who
   are it takes off too. The result is for gch__wake_taken. */
struct gch_sleeper *gch__take_first(void **list);
struct gch_sleeper *gch__take_all(void **list);

/* Unparks those who were taken together. Wants no lock held. */
void gch__wake_taken(struct gch_sleeper *taken);

/* Parks a listed sleeper. 0 when it has been taken and unparked. Else an error
   (ETIMEDOUT, or of its way out); and then, unless s->taken, it is still
   listed, and the lock is held: the caller removes it. what, and the object at
   its address: for reports (park/wait.h). */
int gch__sleep(struct gch_sleeper *s, struct gch_lock *lock, int64_t deadline,
               enum gch_wait_for what, const void *object);

#endif
