/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What those who park and schedule need to know of descriptors. io/ implements
 * it.
 *
 * Somebody has to take events from the kernel. The poller has one seat: who has
 * it sleeps in the kernel's wait for events in place of the sleep on his
 * parker, and is woken there too. That is a worker that goes idle, mostly the
 * last one; while no worker has a proc and none has the seat, the library's own
 * thread. Workers look, without waiting, before they go idle and after many
 * tasks; where they come to neither, the monitor does.
 */
#ifndef GCH_PARK_POLL_H
#define GCH_PARK_POLL_H

#include "park/cpu.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct gch_parker;
struct gch_queue_of_tasks;

/* How many descriptors the kernel is asked about. 0: there is nothing to look
   for. Sequentially consistent: see io/poller.c. */
extern GCH_HIDDEN _Atomic uint32_t gch__fds_registered;

static inline bool gch__fds_expected(void) {
  return __builtin_expect(
      atomic_load_explicit(&gch__fds_registered, memory_order_relaxed) > 0,
      false);
}

/* Changes with each look, whoever looks. */
extern GCH_HIDDEN _Atomic uint32_t gch__poll_looks;

/* Takes what events there are, without waiting, and makes ready who waited for
   them. Whether there were any. */
bool gch__poll_look(void);

/* gch__park for a thread, which takes the seat if it can. 0, ETIMEDOUT; or
   EAGAIN: there were events, and there is no permit yet; the tasks that are
   ready by them have been put into *ready. */
int gch__poll_park(struct gch_parker *p, int64_t deadline,
                   struct gch_queue_of_tasks *ready);

/* The same for the library's own thread, which sits only where no worker will
   look; whatever comes of it. */
void gch__poll_park_last(struct gch_parker *p, int64_t deadline);

/* The monitor looks, where nobody has since it came by last. */
void gch__poll_monitor(void);

/* Whether nobody sits. */
bool gch__poll_seat_is_free(void);

/* Wakes who sits. Async-signal-safe where GCH_HAVE_FUTEX. */
void gch__poll_kick(void);

#endif
