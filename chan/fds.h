/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a select needs to know of descriptors. io/arms.c implements it.
 *
 * An arm on a descriptor is a waiter in the queue of a record (io/record.h),
 * under that one's lock. Nobody completes it who is in a select himself, so it
 * takes no part in the order of the channels' locks: it is looked at before
 * those are taken, and queued after they are released. What came in between is
 * seen then by a count of events.
 *
 * The private fields of an arm, from enter to exit: chan is its record, NULL
 * for none; elem the count; parked.size says what is known of it.
 */
#ifndef GCH_CHAN_FDS_H
#define GCH_CHAN_FDS_H

#include "chan/waiter.h"

enum {
  GCH_ARM_READY = 1, /* when it was looked at; waiter.err is what is wrong */
  GCH_ARM_PARKED = 2, /* it has been; above: since how many kicks */
  GCH_ARM_KICKS_SHIFT = 8
};

static inline bool gch__is_arm(const gch_case *k) {
  return k->kind >= GCH_CASE_READABLE;
}

static inline bool gch__arm_is_ready(const gch_case *k) {
  return gch__is_arm(k) && k->parked.size & GCH_ARM_READY;
}

/* Before all else, and after it, once or more. No cancellation in between:
   enter gives what exit restores. */
int gch__arms_enter(gch_case *cases, size_t n);
void gch__arms_exit(gch_case *cases, size_t n, int cancel);

/* Looks at all. Without waiting. */
void gch__arms_look(gch_case *cases, size_t n);

/* Queues all, unless something has come since the look: then claims the group,
   if nobody has. Whether it has: then nobody will unpark. */
bool gch__arms_queue(gch_case *cases, size_t n, struct gch_group *group);

/* Takes all out of their queues. */
void gch__arms_leave(gch_case *cases, size_t n);

/* Arm k was claimed, and this the wake, or no wake was needed: whether it is to
   fire, with waiter.err; else look again. */
bool gch__arm_claimed(gch_case *k);

#endif
