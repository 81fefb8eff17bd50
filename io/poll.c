/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel's side, by poll, where there is no epoll (or --without-epoll).
 * What is armed stands in a table by number; who waits polls all of that, and
 * a pipe, by which he is woken for more. One at a time: who comes to look while
 * another waits leaves it to him. Who only looks leaves a kick for who sits.
 *
 * Each is armed for one event. Whether a number still is the same descriptor is
 * told by its file's device and inode.
 *
 * mutex guards the entries; it is taken under a record's lock, is held over a
 * fork, and while it is held nobody takes another lock or allocates. `waits` is
 * who waits; what poll is given is his.
 */
#include "io/poller.h"

#if !GCH_HAVE_EPOLL
#include "park/cancel.h"
#include "park/clock.h"
#include "timer/service.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct entry {
  struct gch_fd *record;
  uint16_t generation;
  uint8_t ways;
  dev_t device;
  ino_t inode;
};

static struct gch_fd_table entries;

static struct {
  pthread_mutex_t mutex;
  pthread_cond_t ended; /* a round */
  uint32_t round;
  int end; /* behind the last entry that is used */
  atomic_bool made, waits;
  int out, in; /* of the pipe */
  struct pollfd *polled;
  size_t room;
} poller = {.mutex = PTHREAD_MUTEX_INITIALIZER,
            .ended = PTHREAD_COND_INITIALIZER};

/* NULL: none of its leaf has been registered. */
static struct entry *entry_of(int fd) {
  return gch__fd_slot(&entries, fd, sizeof(struct entry));
}

static int make(void) {
  int fds[2];
  if (pipe(fds) != 0)
    return errno;
  for (int i = 0; i < 2; i++) {
    fcntl(fds[i], F_SETFD, FD_CLOEXEC);
    fcntl(fds[i], F_SETFL, O_NONBLOCK);
  }
  poller.out = fds[0];
  poller.in = fds[1];
  atomic_store(&poller.made, true);
  return 0;
}

int gch__poller_start(void) {
  if (gch__service_start() != 0)
    return ENOMEM;
  pthread_mutex_lock(&poller.mutex);
  int err = atomic_load(&poller.made) ? 0 : make();
  pthread_mutex_unlock(&poller.mutex);
  return err;
}

void gch__poller_lock(void) {
  pthread_mutex_lock(&poller.mutex);
}

void gch__poller_unlock(void) {
  pthread_mutex_unlock(&poller.mutex);
}

void gch__poller_forked(void) {
  poller.mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
  poller.ended = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
  if (atomic_load(&poller.made)) {
    close(poller.out);
    close(poller.in);
  }
  for (int fd = 0; fd < poller.end; fd++)
    if (entry_of(fd))
      entry_of(fd)->ways = 0;
  if (atomic_load(&poller.waits)) { /* a ghost may have been enlarging it */
    poller.polled = NULL;
    poller.room = 0;
  }
  atomic_store(&poller.made, false);
  atomic_store(&poller.waits, false);
}

void gch__poll_kick(void) {
  int saved = errno, cancel = gch__cancel_off();
  if (write(poller.in, "", 1) < 0) /* it is full: that is enough */
    errno = saved;
  gch__cancel_as(cancel);
}

/* Registering */

static bool is_same(const struct entry *e, const struct stat *st) {
  return e->device == st->st_dev && e->inode == st->st_ino;
}

/* With the mutex held. */
static int set(struct gch_fd *r, unsigned ways, const struct stat *st) {
  struct entry *e = gch__fd_slot_made(&entries, r->fd, sizeof *e);
  if (!e)
    return ENOMEM;
  if (r->registered && (e->record != r || !is_same(e, st)))
    return ENOENT;
  *e = (struct entry){r, r->generation, (uint8_t)ways, st->st_dev, st->st_ino};
  if (r->fd >= poller.end)
    poller.end = r->fd + 1;
  return 0;
}

int gch__poller_arm(struct gch_fd *r, unsigned ways) {
  struct stat st;
  if (r->orphan)
    return 0;
  if (fstat(r->fd, &st) != 0)
    return errno;
  if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode))
    return EPERM;
  int err = gch__poller_start();
  if (err)
    return err;
  ways |= r->armed;
  pthread_mutex_lock(&poller.mutex);
  err = set(r, ways, &st);
  pthread_mutex_unlock(&poller.mutex);
  if (err)
    return err;
  r->armed = (uint8_t)ways;
  if (!r->registered)
    atomic_fetch_add(&gch__fds_registered, 1);
  r->registered = true;
  if (atomic_load(&poller.waits))
    gch__poll_kick();
  return 0;
}

int gch__poller_verify(struct gch_fd *r) {
  struct stat st;
  if (!r->registered || r->orphan)
    return 0;
  if (fstat(r->fd, &st) != 0)
    return errno;
  pthread_mutex_lock(&poller.mutex);
  bool same = is_same(entry_of(r->fd), &st);
  pthread_mutex_unlock(&poller.mutex);
  return same ? 0 : ENOENT;
}

void gch__poller_forget(struct gch_fd *r) {
  if (!r->registered)
    return;
  pthread_mutex_lock(&poller.mutex);
  struct entry *e = entry_of(r->fd);
  if (e->record == r)
    e->ways = 0;
  pthread_mutex_unlock(&poller.mutex);
  r->registered = false;
  r->armed = 0;
  atomic_fetch_sub(&gch__fds_registered, 1);
}

void gch__poller_remove(struct gch_fd *r) {
  gch__poller_forget(r);
}

/* A poll that is under way holds the open file: it would not end by close. */
void gch__poller_settle(void) {
  pthread_mutex_lock(&poller.mutex);
  uint32_t round = poller.round;
  if (atomic_load(&poller.waits))
    gch__poll_kick();
  while (atomic_load(&poller.waits) && poller.round == round)
    pthread_cond_wait(&poller.ended, &poller.mutex);
  pthread_mutex_unlock(&poller.mutex);
}

static void end_round(void) {
  pthread_mutex_lock(&poller.mutex);
  poller.round++;
  atomic_store(&poller.waits, false);
  pthread_cond_broadcast(&poller.ended);
  pthread_mutex_unlock(&poller.mutex);
}

/* Waiting */

static bool has_room(size_t n) {
  if (n <= poller.room)
    return true;
  struct pollfd *more = realloc(poller.polled, 2 * n * sizeof *more);
  if (!more)
    return false;
  poller.polled = more;
  poller.room = 2 * n;
  return true;
}

static short events_of(unsigned ways) {
  return (short)((ways & 1u << GCH_FD_READ ? POLLIN : 0) |
                 (ways & 1u << GCH_FD_WRITE ? POLLOUT : 0));
}

/* What is armed, behind the pipe; how many, of which there is room for some. */
static size_t list_armed(void) {
  size_t n = 1;
  poller.polled[0] = (struct pollfd){.fd = poller.out, .events = POLLIN};
  pthread_mutex_lock(&poller.mutex);
  for (int fd = 0; fd < poller.end; fd++) {
    const struct entry *e = entry_of(fd);
    if (!e || e->ways == 0)
      continue;
    if (n < poller.room)
      poller.polled[n] =
          (struct pollfd){.fd = fd, .events = events_of(e->ways)};
    n++;
  }
  pthread_mutex_unlock(&poller.mutex);
  return n;
}

/* What is armed, as far as there is memory. */
static size_t gather(void) {
  size_t n = 1;
  if (!has_room(1))
    return 0;
  while ((n = list_armed()) > poller.room)
    if (!has_room(n))
      return poller.room;
  return n;
}

/* A number that is closed is polled no more: who waits there stays parked. */
static bool take(const struct pollfd *p, struct gch_event *e) {
  pthread_mutex_lock(&poller.mutex);
  struct entry *of = entry_of(p->fd);
  bool armed = of->ways != 0;
  of->ways = 0;
  *e = (struct gch_event){of->record, of->generation, 0};
  pthread_mutex_unlock(&poller.mutex);
  if (p->revents & ~POLLOUT)
    e->ways |= 1u << GCH_FD_READ;
  if (p->revents & (POLLOUT | POLLHUP | POLLERR))
    e->ways |= 1u << GCH_FD_WRITE;
  return armed && !(p->revents & POLLNVAL);
}

static int poll_until(size_t n, int64_t deadline) {
  int64_t ms = deadline == 0 ? 0 : -1;
  if (deadline != 0 && deadline != GCH__FOREVER) {
    int64_t ns = gch__time_left(deadline);
    ms = ns <= 0 ? 0 : (ns - 1) / 1000000 + 1;
  }
  return poll(poller.polled, (nfds_t)n, ms < INT_MAX ? (int)ms : INT_MAX);
}

int gch__poller_wait(struct gch_events *events, int64_t deadline) {
  int taken = 0, saved = errno;
  char drained[64];
  if (!atomic_load(&poller.made) || atomic_exchange(&poller.waits, true))
    return 0;
  size_t n = gather();
  int ready = n > 0 ? poll_until(n, deadline) : 0;
  if (ready > 0 && deadline != 0 && poller.polled[0].revents)
    while (read(poller.out, drained, sizeof drained) > 0)
      ;
  for (size_t i = 1; ready > 0 && i < n && taken < GCH_EVENTS; i++)
    if (poller.polled[i].revents &&
        take(&poller.polled[i], &events->of[taken]))
      taken++;
  end_round();
  errno = saved;
  return taken;
}

void gch__poller_tell(const struct gch_events *events, int n,
                      struct gch_wakes *k) {
  for (int i = 0; i < n; i++)
    gch__poller_event(events->of[i].record, events->of[i].generation,
                      events->of[i].ways, k);
}
#endif
