/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel's side, by epoll. One instance a process, made when it is first
 * needed; a forked child closes its parent's, and touches nothing in it.
 *
 * An adopted descriptor is registered once a way, edge-triggered: to read when
 * it is first waited for, to write in addition if ever. (Whoever is registered
 * for both hears of each byte that the other side has read.)
 * Others are registered for one event (EPOLLONESHOT), and armed anew each time:
 * MOD tells at once if there is something by then, so no event is lost. It
 * finds its registration by the number and the open file; so where the number
 * was closed by close(2) and is another's now, it answers ENOENT. ADD answers
 * EEXIST where an orphan has left a registration of the same number and file:
 * then that is taken over.
 *
 * An event names its record and the generation of that. What comes for another,
 * from a file that was closed by close(2) and has a dup, is dropped.
 */
#include "io/poller.h"

#if GCH_HAVE_EPOLL
#include "park/cancel.h"
#include "park/clock.h"
#include "park/linux.h"
#include "park/sanitize.h"
#include "timer/service.h"

#include <limits.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct {
  struct gch_lock lock; /* while it is made */
  _Atomic int epoll;    /* plus 1; 0: none */
  int kick;             /* an eventfd */
  atomic_bool no_pwait2;
} poller;

/* Names */

#define KICK 0
#define GENERATION_SHIFT (sizeof(void *) == 8 ? 48 : 32)

static uint64_t name_of(const struct gch_fd *r) {
  return (uint64_t)(uintptr_t)r | (uint64_t)r->generation << GENERATION_SHIFT;
}

static struct gch_fd *record_of(uint64_t name) {
  uint64_t mask = (UINT64_C(1) << GENERATION_SHIFT) - 1;
  return (struct gch_fd *)(uintptr_t)(name & mask);
}

static int fd_of_epoll(void) {
  return atomic_load_explicit(&poller.epoll, memory_order_acquire) - 1;
}

/* Making it */

/* Level-triggered: who looks meanwhile must not take a kick from who sits, who
   alone reads it. */
static int make(void) {
  struct epoll_event event = {.events = EPOLLIN, .data = {.u64 = KICK}};
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  int kick = epoll < 0 ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (kick >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, kick, &event) == 0) {
    poller.kick = kick;
    atomic_store_explicit(&poller.epoll, epoll + 1, memory_order_release);
    return 0;
  }
  int err = errno;
  if (epoll >= 0)
    close(epoll);
  if (kick >= 0)
    close(kick);
  return err;
}

int gch__poller_start(void) {
  if (gch__service_start() != 0)
    return ENOMEM;
  if (fd_of_epoll() >= 0)
    return 0;
  gch__lock(&poller.lock);
  int err = fd_of_epoll() >= 0 ? 0 : make();
  gch__unlock(&poller.lock);
  return err;
}

/* What it guards needs no other lock. */
void gch__poller_lock(void) {
  gch__lock(&poller.lock);
}

void gch__poller_unlock(void) {
  gch__unlock(&poller.lock);
}

void gch__poller_forked(void) {
  int epoll = fd_of_epoll();
  gch__lock_reset(&poller.lock);
  if (epoll >= 0) {
    close(epoll);
    close(poller.kick);
  }
  atomic_store(&poller.epoll, 0);
}

/* Registering */

static uint32_t events_of(const struct gch_fd *r, unsigned ways) {
  return (ways & 1u << GCH_FD_READ ? (uint32_t)EPOLLIN | EPOLLRDHUP : 0) |
         (ways & 1u << GCH_FD_WRITE ? (uint32_t)EPOLLOUT : 0) |
         (r->adopted ? (uint32_t)EPOLLET : (uint32_t)EPOLLONESHOT);
}

static int ctl(int op, const struct gch_fd *r, unsigned ways) {
  struct epoll_event event = {.events = events_of(r, ways),
                              .data = {.u64 = name_of(r)}};
  return epoll_ctl(fd_of_epoll(), op, r->fd, &event) == 0 ? 0 : errno;
}

static int add(struct gch_fd *r, unsigned ways) {
  int err = gch__poller_start();
  if (err == 0)
    err = ctl(EPOLL_CTL_ADD, r, ways);
  if (err == EEXIST)
    err = ctl(EPOLL_CTL_MOD, r, ways);
  if (err == 0) {
    r->registered = true;
    atomic_fetch_add(&gch__fds_registered, 1);
  }
  return err == ENOSPC ? ENOMEM : err;
}

int gch__poller_arm(struct gch_fd *r, unsigned ways) {
  int err = 0;
  /* Others are asked for anew each time: the number may have been reused. */
  if (r->orphan || (gch__poller_keeps(r) && r->registered &&
                    !(ways & ~r->armed)))
    return 0;
  ways |= r->armed;
  err = r->registered ? ctl(EPOLL_CTL_MOD, r, ways) : add(r, ways);
  if (err == 0)
    r->armed = (uint8_t)ways;
  return err;
}

int gch__poller_verify(struct gch_fd *r) {
  if (!r->registered || r->orphan)
    return 0;
  return ctl(EPOLL_CTL_MOD, r, r->armed);
}

void gch__poller_forget(struct gch_fd *r) {
  if (!r->registered)
    return;
  r->registered = false;
  r->armed = 0;
  atomic_fetch_sub(&gch__fds_registered, 1);
}

void gch__poller_remove(struct gch_fd *r) {
  struct epoll_event unused = {0};
  if (r->registered)
    epoll_ctl(fd_of_epoll(), EPOLL_CTL_DEL, r->fd, &unused);
  gch__poller_forget(r);
}

void gch__poller_settle(void) {
}

/* Events */

static void tell(const struct epoll_event *e, struct gch_wakes *k) {
  unsigned ways = 0;
  if (e->data.u64 == KICK)
    return;
  if (e->events & ~(uint32_t)EPOLLOUT)
    ways |= 1u << GCH_FD_READ;
  if (e->events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
    ways |= 1u << GCH_FD_WRITE;
  gch__poller_event(record_of(e->data.u64),
                    (uint16_t)(e->data.u64 >> GENERATION_SHIFT), ways, k);
}

/* In milliseconds, not before the deadline. */
static int wait_coarsely(int epoll, struct epoll_event *events,
                         int64_t deadline) {
  int64_t ms = -1;
  if (deadline != GCH__FOREVER) {
    int64_t ns = gch__time_left(deadline);
    ms = ns <= 0 ? 0 : (ns - 1) / 1000000 + 1;
  }
  return epoll_wait(epoll, events, GCH_EVENTS,
                    ms < INT_MAX ? (int)ms : INT_MAX);
}

/* Linux 5.11. */
static int wait_finely(int epoll, struct epoll_event *events,
                       int64_t deadline) {
#if defined(SYS_epoll_pwait2) && !GCH_TSAN
  int64_t ns = gch__time_left(deadline);
  const int64_t timeout[2] = {ns > 0 ? ns / 1000000000 : 0,
                              ns > 0 ? ns % 1000000000 : 0};
  if (atomic_load_explicit(&poller.no_pwait2, memory_order_relaxed))
    return wait_coarsely(epoll, events, deadline);
  long n = syscall(SYS_epoll_pwait2, epoll, events, GCH_EVENTS, timeout, NULL,
                   (size_t)8);
  if (n >= 0 || (errno != ENOSYS && errno != EPERM))
    return (int)n;
  atomic_store(&poller.no_pwait2, true);
#endif
  return wait_coarsely(epoll, events, deadline);
}

static void take_kick(const struct gch_events *events, int n) {
  uint64_t kicks;
  for (int i = 0; i < n; i++)
    if (events->of[i].data.u64 == KICK &&
        read(poller.kick, &kicks, sizeof kicks) < 0)
      return;
}

int gch__poller_wait(struct gch_events *events, int64_t deadline) {
  int epoll = fd_of_epoll(), n, saved = errno;
  if (epoll < 0)
    return 0;
  if (deadline == 0)
    n = epoll_wait(epoll, events->of, GCH_EVENTS, 0);
  else if (deadline == GCH__FOREVER)
    n = epoll_wait(epoll, events->of, GCH_EVENTS, -1);
  else
    n = wait_finely(epoll, events->of, deadline);
  if (deadline != 0)
    take_kick(events, n);
  errno = saved;
  return n > 0 ? n : 0;
}

void gch__poller_tell(const struct gch_events *events, int n,
                      struct gch_wakes *k) {
  for (int i = 0; i < n; i++)
    tell(&events->of[i], k);
}

void gch__poll_kick(void) {
  const uint64_t one = 1;
  int saved = errno, cancel = gch__cancel_off();
  if (write(poller.kick, &one, sizeof one) < 0) /* it has been kicked enough */
    errno = saved;
  gch__cancel_as(cancel);
}
#endif
