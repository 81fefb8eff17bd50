/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who takes events, and what becomes of one.
 *
 * The seat is a flag: who sets it may sleep in the kernel until an event, a
 * kick or a deadline. Anybody may look without it.
 *
 * Nobody waits unseen. Who registers the first descriptor, or arms one, looks
 * after that whether the seat is free and the monitor off; if so it wakes the
 * library's thread. That thread, before it sleeps, takes the seat if any
 * descriptor is registered, the seat is free and the monitor off; while the
 * monitor is on it looks at each of the monitor's. Who leaves the seat while
 * the monitor is off wakes it too. All of these are sequentially consistent,
 * and each stores before it looks at what the other stores.
 */
#include "io/poller.h"

#include "go/sched.h"
#include "park/parker.h"
#include "timer/service.h"

#include <poll.h>

_Atomic uint32_t gch__fds_registered;
_Atomic uint32_t gch__poll_looks;
static atomic_bool seat;

/* Events */

static void wake_ways(struct gch_fd *r, unsigned ways, struct gch_wakes *k) {
  for (int way = 0; way < GCH_FD_WAYS; way++)
    if (ways & 1u << way) {
      /* Release pairs with the acquire of who reads it before it looks. */
      atomic_fetch_add_explicit(&r->ways[way].seq, 1, memory_order_release);
      gch__fd_claim(r, way, 0, k);
    }
}

/* Those who wait in the way that nothing came for. */
static void arm_rest(struct gch_fd *r) {
  unsigned rest = 0;
  for (int way = 0; way < GCH_FD_WAYS; way++)
    if (gch__queue_first(&r->ways[way].waiters))
      rest |= 1u << way;
  if (rest)
    gch__poller_arm(r, rest);
}

void gch__poller_event(struct gch_fd *r, uint16_t generation, unsigned ways,
                       struct gch_wakes *k) {
  gch__lock(&r->lock);
  if (r->generation == generation && r->registered) {
    if (!gch__poller_keeps(r))
      r->armed = 0;
    wake_ways(r, ways, k);
    if (!gch__poller_keeps(r))
      arm_rest(r);
  }
  gch__unlock(&r->lock);
}

bool gch__poll_look(void) {
  struct gch_wakes wakes = GCH_WAKES_INIT;
  atomic_fetch_add_explicit(&gch__poll_looks, 1, memory_order_relaxed);
  struct gch_events events;
  int n = gch__poller_wait(&events, 0);
  gch__poller_tell(&events, n, &wakes);
  gch__wakes_flush(&wakes);
  return n > 0;
}

/* The seat */

bool gch__poll_seat_is_free(void) {
  return !atomic_load(&seat);
}

static bool take_seat(void) {
  return !atomic_load(&seat) && !atomic_exchange(&seat, true);
}

static bool unattended(void) {
  return gch__poll_seat_is_free() && !gch__monitor_is_on();
}

/* last: by the library's thread, which looks itself who is to sit. */
static void leave_seat(bool last) {
  atomic_store(&seat, false);
  if (!last && !gch__monitor_is_on())
    gch__service_wake();
}

void gch__poller_attend(void) {
  if (unattended())
    gch__service_wake();
}

/* The caller has the seat. As gch__poll_park. */
static int sit(struct gch_parker *p, int64_t deadline,
               struct gch_queue_of_tasks *ready, bool last) {
  struct gch_wakes wakes = GCH_WAKES_INIT;
  struct gch_events events;
  if (!gch__park_polling(p, deadline)) {
    leave_seat(last);
    return 0;
  }
  atomic_fetch_add_explicit(&gch__poll_looks, 1, memory_order_relaxed);
  int n = gch__poller_wait(&events, deadline);
  bool permit = gch__parked_polling(p);
  gch__poller_tell(&events, n, &wakes);
  leave_seat(last);
  gch__move(ready, &wakes.tasks, UINT32_MAX);
  gch__wakes_flush(&wakes);
  if (permit)
    return 0;
  bool late = n == 0 && deadline != GCH__FOREVER && gch__now() >= deadline;
  return late ? ETIMEDOUT : EAGAIN;
}

int gch__poll_park(struct gch_parker *p, int64_t deadline,
                   struct gch_queue_of_tasks *ready) {
  if (atomic_load(&gch__fds_registered) == 0 || !take_seat())
    return gch__park(p, deadline);
  return sit(p, deadline, ready, false);
}

void gch__poll_park_last(struct gch_parker *p, int64_t deadline) {
  struct gch_queue_of_tasks ready = {0};
  if (gch__monitor_is_on() || atomic_load(&gch__fds_registered) == 0 ||
      !take_seat()) {
    gch__park(p, deadline);
    return;
  }
  sit(p, deadline, &ready, true);
  gch__tasks_ready(&ready);
}

void gch__poll_monitor(void) {
  static uint32_t seen; /* the library's thread's own */
  uint32_t looks = atomic_load(&gch__poll_looks);
  if (looks == seen && gch__poll_seat_is_free())
    gch__poll_look();
  seen = atomic_load(&gch__poll_looks);
}

void gch__seat_forked(void) {
  atomic_store(&seat, false);
  atomic_store(&gch__fds_registered, 0);
}

/* Looking */

int gch__fd_ask(int fd, unsigned ways, bool *refused) {
  struct pollfd p = {.fd = fd};
  int ready = 0, n;
  if (ways & 1u << GCH_FD_READ)
    p.events |= POLLIN | POLLRDHUP;
  if (ways & 1u << GCH_FD_WRITE)
    p.events |= POLLOUT;
  do
    n = poll(&p, 1, 0);
  while (n < 0 && errno == EINTR);
  *refused = n < 0;
  if (n < 0)
    return (int)ways;
  if (p.revents & POLLNVAL)
    return -1;
  if (p.revents & ~POLLOUT)
    ready |= 1 << GCH_FD_READ;
  if (p.revents & (POLLOUT | POLLHUP | POLLERR))
    ready |= 1 << GCH_FD_WRITE;
  return ready & (int)ways;
}
