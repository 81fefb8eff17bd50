/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The poller: tells the kernel what is waited for, and takes its events. By
 * epoll (epoll.c), or where there is none by poll (poll.c).
 */
#ifndef GCH_IO_POLLER_H
#define GCH_IO_POLLER_H

#include "io/record.h"
#include "park/poll.h"

#if defined(__linux__) && !defined(GULCH_NO_EPOLL)
#define GCH_HAVE_EPOLL 1
#include <sys/epoll.h>
#else
#define GCH_HAVE_EPOLL 0
#endif

/* With r's lock held, somebody being queued in these ways (as bits): has the
   kernel tell of them. 0; EPERM: it is always ready; ENOENT: the number is
   another descriptor's by now; EBADF; ENOMEM, EMFILE, ENFILE. */
int gch__poller_arm(struct gch_fd *r, unsigned ways);

/* With the lock held: whether r's number still is the descriptor that was
   registered, if any was. 0, ENOENT, EBADF. */
int gch__poller_verify(struct gch_fd *r);

/* With the lock held: r is registered, and no longer to be known. The second:
   by the kernel neither, the descriptor being open. */
void gch__poller_forget(struct gch_fd *r);
void gch__poller_remove(struct gch_fd *r);

/* After that, without the lock: waits until the kernel has let go of it. */
void gch__poller_settle(void);

/* The kernel's side. start: 0, ENOMEM, EMFILE, ENFILE. wait: until deadline (0:
   looks only), or a kick; how many events there were. Then tell: has each go to
   gch__poller_event. */
enum { GCH_EVENTS = 64 };
#if !GCH_HAVE_EPOLL
struct gch_event {
  struct gch_fd *record;
  uint16_t generation;
  unsigned ways;
};
#else
#define gch_event epoll_event
#endif
struct gch_events {
  struct gch_event of[GCH_EVENTS];
};
int gch__poller_start(void);
int gch__poller_wait(struct gch_events *events, int64_t deadline);
void gch__poller_tell(const struct gch_events *events, int n,
                      struct gch_wakes *k);

/* Over a fork. In the child there is none, nothing is registered, and nobody
   sits. */
void gch__poller_lock(void);
void gch__poller_unlock(void);
void gch__poller_forked(void);
void gch__seat_forked(void);

/* Until deadline, which may be any; 0: it has passed. */
static inline int64_t gch__time_left(int64_t deadline) {
  int64_t now = gch__now();
  return deadline > now ? deadline - now : 0;
}

/* Whether what is armed stays so after an event. */
static inline bool gch__poller_keeps(const struct gch_fd *r) {
  return GCH_HAVE_EPOLL && r->adopted;
}

/* Ways, as bits, of the r of this generation are ready. */
void gch__poller_event(struct gch_fd *r, uint16_t generation, unsigned ways,
                       struct gch_wakes *k);

/* After somebody was armed, with no lock held: sees to it that somebody
   polls. */
void gch__poller_attend(void);

/* Which ways of fd are ready now, by poll(2), of those asked for; all of them
   where the kernel refuses to tell. -1: no descriptor. */
int gch__fd_ask(int fd, unsigned ways, bool *refused);

static inline int gch__fd_look(int fd, unsigned ways) {
  bool refused;
  return gch__fd_ask(fd, ways, &refused);
}

#endif
