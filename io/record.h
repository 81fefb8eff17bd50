/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records: what gulch knows of an open descriptor, not of a number. A table has
 * for each number the record that is current.
 *
 *     a record is      means                                 it leaves by
 *     free             on the list of the free; GONE         being made
 *     current          in the table                          being closed, or
 *                                                            replaced
 *     closing          in the table, CLOSING: who comes      its last user but
 *                      gets EBADF                            the closer
 *     going            in the table, GONE: the kernel is     the closer, who
 *                      about to free the number; who comes   frees it
 *                      puts a new record in its place
 *     an orphan        no longer in the table, without       its last user, who
 *                      CLOSING: the number was closed by     frees it
 *                      close(2) and is another's now, who
 *                      has a record of his own; users stay
 *                      parked, and no event comes
 *
 * Memory: records are there for good (type-stable), as what is free of them may
 * still be looked at, by who has read the table just before, and by who has an
 * event in hand. The first finds, after it has counted itself, that the table
 * has another record, and goes; the second that the generation is another.
 *
 *     state: users, and bits         every change is one atomic step
 *       CLOSING, GONE                set with the lock held
 *       TURN (each way)              who has it: a call that is under way.
 *                                      Taken where it is free; where not, it is
 *                                      handed on with the lock held
 *       QUEUED (each way)            somebody is in `turns`; implies TURN; set
 *                                      and cleared with the lock held
 *     lock                           all below; but `seq`, `deadline`, `hints`,
 *                                      `adopted` and `orphan` are also read
 *                                      without it
 *     waiters                        who waits for readiness; chan/waiter.h
 *                                      says who may touch a waiter
 *     seq                            events so far
 *     turns                          calls that wait for their turn, by ticket
 *
 * A user is who is in a call, parked or not, or has an arm parked here; the
 * table is one more. Acquire and release in state: who comes next sees what the
 * one before did, and who frees or closes what all did.
 *
 * Readiness. Who wants to wait reads seq, then looks (tries the system call),
 * then locks; if seq has changed it looks again, else it queues. Whoever brings
 * an event adds to seq and claims all who wait, under the lock. So no event is
 * lost. The kernel is asked for one under the lock too (armed: for what;
 * adopted descriptors are registered for good, edge-triggered, others for one
 * event), which takes no longer than a system call that does not wait.
 *
 * Lock order: a channel's and a record's are never held together; the poller's
 * and the list's of free records come after a record's.
 */
#ifndef GCH_IO_RECORD_H
#define GCH_IO_RECORD_H

#include "chan/waiter.h"
#include "chan/wakes.h"
#include "io/table.h"
#include "park/lock.h"

#include <gulch/io.h>

#include <stdalign.h>

/* Directions. */
enum { GCH_FD_READ, GCH_FD_WRITE, GCH_FD_WAYS };

#define GCH_FD_CLOSING 1u
#define GCH_FD_GONE 2u
#define GCH_FD_TURN(way) (4u << (way))
#define GCH_FD_QUEUED(way) (16u << (way))
#define GCH_FD_USER 64u

enum { GCH_FD_INHERITED, GCH_FD_ADOPTED, GCH_FD_ACCEPTED, GCH_FD_CONNECTED };

/* What is known of the descriptor: right for an adopted one, else a guess,
   since the number may have been reused. */
enum {
  GCH_FD_NO_SOCKET = 1,
  GCH_FD_NO_NOWAIT = 2, /* the kernel does not know RWF_NOWAIT there */
};

struct gch_fd_way {
  struct gch_queue waiters;
  struct gch_queue turns;
  _Atomic uint32_t seq;
  uint32_t tickets; /* given so far */
  alignas(8) _Atomic int64_t deadline; /* the user's; FOREVER: none */
};

struct gch_fd {
  alignas(64) _Atomic uint32_t state;
  struct gch_lock lock;
  int fd;
  uint16_t generation;
  bool registered;
  atomic_bool adopted, orphan;
  uint8_t origin; /* how this process came to adopt it */
  uint8_t armed; /* ways, as bits: the kernel has been asked for */
  uint8_t has;   /* those that it has; once registered */
  _Atomic uint8_t hints;
  _Atomic uint8_t kicks; /* times that the number's closer had all look again */
  union {
    struct gch_parker *closer; /* who waits for the last user */
    struct gch_fd *next;       /* of the free */
  };
  struct gch_fd_way ways[GCH_FD_WAYS];
};

_Static_assert(sizeof(void *) != 8 || sizeof(struct gch_fd) == 128,
               "two cache lines");

extern GCH_HIDDEN struct gch_fd_table gch__fd_table;

/* fd's current record; NULL: none. Acquire pairs with the release by which it
   was put there. */
static inline struct gch_fd *gch__fd_at(int fd) {
  _Atomic(struct gch_fd *) *at = gch__fd_slot(&gch__fd_table, fd, sizeof *at);
  return at ? atomic_load_explicit(at, memory_order_acquire) : NULL;
}

/* Makes the caller a user of fd's record, with the turns in `turn` (of one way,
   or 0), if they are free: 0; EBUSY: without; EBADF: no descriptor, or closing;
   ENOMEM. */
int gch__fd_enter_slowly(int fd, uint32_t turn, struct gch_fd **r);
void gch__fd_leave_slowly(struct gch_fd *r, uint32_t turn);

static inline int gch__fd_enter(int fd, uint32_t turn, struct gch_fd **to) {
  struct gch_fd *r = gch__fd_at(fd);
  if (r) {
    uint32_t s = atomic_load_explicit(&r->state, memory_order_relaxed);
    if (!(s & (GCH_FD_CLOSING | GCH_FD_GONE | turn)) &&
        atomic_compare_exchange_strong_explicit(
            &r->state, &s, (s + GCH_FD_USER) | turn, memory_order_acq_rel,
            memory_order_relaxed)) {
      GCH_DELAY();
      *to = r;
      if (__builtin_expect(gch__fd_at(fd) == r, true))
        return 0;
      gch__fd_leave_slowly(r, turn);
    }
  }
  return gch__fd_enter_slowly(fd, turn, to);
}

static inline void gch__fd_leave(struct gch_fd *r, uint32_t turn) {
  uint32_t s = atomic_load_explicit(&r->state, memory_order_relaxed);
  uint32_t special = GCH_FD_CLOSING | GCH_FD_GONE | turn << 2;
  GCH_DELAY();
  while (!(s & special) && s >= 2 * GCH_FD_USER)
    if (atomic_compare_exchange_weak_explicit(
            &r->state, &s, (s - GCH_FD_USER) & ~turn, memory_order_acq_rel,
            memory_order_relaxed))
      return;
  gch__fd_leave_slowly(r, turn);
}

/* The number is another descriptor's: r, of which the caller is a user, becomes
   an orphan, and who comes makes a new record. */
void gch__fd_orphan(struct gch_fd *r);

/* fd is new, accepted by the caller: what is in the table, if anything, is an
   orphan. A new record, adopted; the caller is no user of it. 0, ENOMEM. */
int gch__fd_new(int fd);

/* For the closer, who is alone with r but for who looks: the table has it no
   more, and it is free. What somebody put there meanwhile; or NULL. */
struct gch_fd *gch__fd_remove(struct gch_fd *r);

/* With the lock held, of an event or what stands for one: claims all of
   `waiters` in that way whose position is pos, or all; they find err. */
void gch__fd_claim(struct gch_fd *r, int way, int err, struct gch_wakes *k);

/* All records there ever were, for forks and reports. Calls see(r, arg). */
void gch__fd_each(void (*see)(struct gch_fd *r, void *arg), void *arg);

/* Over a fork. */
void gch__records_lock(void);
void gch__records_unlock(void);
void gch__records_reset(void);

#endif
