/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of records, and their memory: record.h. */
#include "io/record.h"

#include "go/map.h"
#include "io/poller.h"

#include <fcntl.h>

struct gch_fd_table gch__fd_table;

/* Slabs, of which all can be found. */
enum { RECORDS = 170 };
struct slab {
  struct slab *older;
  struct gch_fd records[RECORDS];
};
static _Atomic(struct slab *) newest;

static struct {
  struct gch_lock lock;
  struct gch_fd *free;
} records;

void gch__records_lock(void) {
  gch__lock(&records.lock);
}

void gch__records_unlock(void) {
  gch__unlock(&records.lock);
}

void gch__records_reset(void) {
  gch__lock_reset(&records.lock);
}

static void add_free(struct gch_fd *r) {
  r->next = records.free;
  records.free = r;
}

static struct gch_fd *new_slab(void) {
  struct slab *s = (struct slab *)(void *)gch__map(sizeof *s);
  if (!s)
    return NULL;
  gch__lock(&records.lock);
  s->older = atomic_load(&newest);
  for (int i = 0; i < RECORDS; i++)
    atomic_init(&s->records[i].state, GCH_FD_GONE);
  for (int i = RECORDS; i-- > 1;)
    add_free(&s->records[i]);
  atomic_store(&newest, s);
  gch__unlock(&records.lock);
  return &s->records[0];
}

static struct gch_fd *record_new(void) {
  gch__lock(&records.lock);
  struct gch_fd *r = records.free;
  if (r)
    records.free = r->next;
  gch__unlock(&records.lock);
  return r ? r : new_slab();
}

/* The generation first: an event that is on its way finds it, or comes before
   the next owner. */
static void record_free(struct gch_fd *r) {
  gch__lock(&r->lock);
  r->generation++;
  atomic_store(&r->state, GCH_FD_GONE);
  gch__unlock(&r->lock);
  gch__lock(&records.lock);
  add_free(r);
  gch__unlock(&records.lock);
}

void gch__fd_each(void (*see)(struct gch_fd *r, void *arg), void *arg) {
  for (struct slab *s = atomic_load(&newest); s; s = s->older)
    for (int i = 0; i < RECORDS; i++)
      see(&s->records[i], arg);
}

static void record_init(struct gch_fd *r, int fd, bool adopted) {
  gch__lock(&r->lock);
  r->fd = fd;
  r->adopted = adopted;
  r->registered = false;
  r->orphan = false;
  r->origin = adopted ? GCH_FD_ACCEPTED : GCH_FD_INHERITED;
  r->armed = 0;
  r->closer = NULL;
  atomic_store_explicit(&r->hints, 0, memory_order_relaxed);
  for (int way = 0; way < GCH_FD_WAYS; way++)
    atomic_store_explicit(&r->ways[way].deadline, GCH__FOREVER,
                          memory_order_relaxed);
  atomic_store(&r->state, GCH_FD_USER);
  gch__unlock(&r->lock);
}

/* The place of fd, which is a descriptor; NULL: no memory. */
static _Atomic(struct gch_fd *) *place_of(int fd) {
  return gch__fd_slot_made(&gch__fd_table, fd, sizeof(struct gch_fd *));
}

/* Puts r in the place of old, if that still is there and in such a state. What
   is free may be taken, and be the number's again, at any time but under its
   lock: so a look before is not enough. */
static bool put(_Atomic(struct gch_fd *) *place, struct gch_fd *old,
                uint32_t state, struct gch_fd *r) {
  if (!old)
    return atomic_compare_exchange_strong(place, &old, r);
  gch__lock(&old->lock);
  struct gch_fd *seen = old;
  bool done = (atomic_load(&old->state) & state) &&
              atomic_compare_exchange_strong(place, &seen, r);
  gch__unlock(&old->lock);
  return done;
}

/* A new record in the place of old. EAGAIN: another is there. */
static int replace(int fd, struct gch_fd *old, uint32_t state, bool adopted) {
  _Atomic(struct gch_fd *) *place = place_of(fd);
  struct gch_fd *r = place ? record_new() : NULL;
  if (!r)
    return ENOMEM;
  record_init(r, fd, adopted);
  GCH_DELAY();
  if (put(place, old, state, r))
    return 0;
  record_free(r);
  return EAGAIN;
}

static bool is_descriptor(int fd) {
  return gch__fd_fits(fd) && fcntl(fd, F_GETFD) != -1;
}

/* A record that is found free was just taken out of the table, or is about to
   be: gone. */
int gch__fd_enter_slowly(int fd, uint32_t turn, struct gch_fd **to) {
  for (;;) {
    struct gch_fd *r = gch__fd_at(fd);
    uint32_t s = r ? atomic_load(&r->state) : GCH_FD_GONE;
    if (s & GCH_FD_GONE) {
      if (!is_descriptor(fd))
        return EBADF;
      if (replace(fd, r, GCH_FD_GONE, false) == ENOMEM)
        return ENOMEM;
      continue;
    }
    if (s & GCH_FD_CLOSING) {
      if (gch__fd_at(fd) == r)
        return EBADF;
      continue;
    }
    bool has_turn = !(s & turn);
    if (!atomic_compare_exchange_strong(
            &r->state, &s, (s + GCH_FD_USER) | (has_turn ? turn : 0)))
      continue;
    GCH_DELAY();
    *to = r;
    if (gch__fd_at(fd) == r)
      return has_turn ? 0 : EBUSY;
    gch__fd_leave_slowly(r, has_turn ? turn : 0);
  }
}

static int way_of(uint32_t turn) {
  return turn == GCH_FD_TURN(GCH_FD_READ) ? GCH_FD_READ : GCH_FD_WRITE;
}

/* With the lock held: the turn goes to the first who waits for it, or is
   free. */
static struct gch_waiter *hand_on(struct gch_fd *r, uint32_t turn) {
  struct gch_queue *q = &r->ways[way_of(turn)].turns;
  struct gch_waiter *w = gch__queue_claim(q);
  uint32_t clear = w ? 0 : turn;
  if (!gch__queue_first(q))
    clear |= turn << 2;
  if (clear)
    atomic_fetch_and(&r->state, ~clear);
  if (w)
    w->err = 0;
  return w;
}

/* One user less, in one step with GONE where that was the last of an orphan: so
   nobody who still looks at it becomes one. */
static uint32_t count_off(struct gch_fd *r) {
  uint32_t s = atomic_load(&r->state), next;
  do {
    next = s - GCH_FD_USER;
    if (next / GCH_FD_USER == 0)
      next |= GCH_FD_GONE;
  } while (!atomic_compare_exchange_weak(&r->state, &s, next));
  return next;
}

/* The last touch of r, but for who was the last user of an orphan. */
void gch__fd_leave_slowly(struct gch_fd *r, uint32_t turn) {
  struct gch_waiter *next = NULL;
  struct gch_parker *closer = NULL;
  gch__lock(&r->lock);
  if (turn)
    next = hand_on(r, turn);
  uint32_t s = count_off(r);
  /* Left are the table and the closer. */
  if (s & GCH_FD_CLOSING && s / GCH_FD_USER == 2) {
    closer = r->closer;
    r->closer = NULL;
  }
  gch__unlock(&r->lock);
  gch__wake(next);
  if (closer)
    gch__unpark(closer);
  if (s / GCH_FD_USER == 0)
    record_free(r);
}

/* In one hold of the lock, as a closer counts the users in one. */
void gch__fd_orphan(struct gch_fd *r) {
  struct gch_fd *seen = r;
  _Atomic(struct gch_fd *) *place = place_of(r->fd);
  gch__lock(&r->lock);
  if (!(atomic_load(&r->state) & GCH_FD_CLOSING)) {
    if (!r->orphan && r->registered)
      gch__poller_forget(r);
    r->orphan = true;
    if (place && atomic_compare_exchange_strong(place, &seen, NULL))
      atomic_fetch_sub(&r->state, GCH_FD_USER); /* the table's */
  }
  gch__unlock(&r->lock);
}

/* Who is found in the table has lost its number, or its closer is about to see
   that. */
int gch__fd_new(int fd) {
  int err;
  do {
    struct gch_fd *old = gch__fd_at(fd);
    uint32_t s = old ? atomic_load(&old->state) : GCH_FD_GONE;
    if (!(s & (GCH_FD_GONE | GCH_FD_CLOSING)) &&
        atomic_compare_exchange_strong(&old->state, &s, s + GCH_FD_USER)) {
      if (gch__fd_at(fd) == old)
        gch__fd_orphan(old);
      gch__fd_leave(old, 0);
      old = gch__fd_at(fd);
    }
    err = replace(fd, old, GCH_FD_GONE | GCH_FD_CLOSING, true);
  } while (err == EAGAIN);
  return err;
}

struct gch_fd *gch__fd_remove(struct gch_fd *r) {
  struct gch_fd *seen = r;
  _Atomic(struct gch_fd *) *place = place_of(r->fd);
  bool was_there = atomic_compare_exchange_strong(place, &seen, NULL);
  record_free(r);
  return was_there ? NULL : seen;
}

void gch__fd_claim(struct gch_fd *r, int way, int err, struct gch_wakes *k) {
  struct gch_waiter *w;
  while ((w = gch__queue_claim(&r->ways[way].waiters))) {
    w->err = err;
    gch__wakes_add(k, w);
  }
}
