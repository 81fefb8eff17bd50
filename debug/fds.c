/* SPDX-License-Identifier: BSD-3-Clause */
/* The descriptors of a dump: a line for each who waits. Noted a few at a time,
   under the record's lock, and printed without. */
#include "debug/dump.h"
#include "io/call.h"
#include "park/clock.h"

#include <gulch/debug.h>

enum { FEW = 16 };

/* Of one record. */
struct noted {
  size_t n, skip, more; /* noted; seen before; there was no room for */
  int fd;
  struct gch_parked parked[FEW];
  const char *words[FEW];
};

struct report {
  FILE *out;
  struct gch_ops *ops;
  int64_t now;
};

static void note(struct noted *d, size_t *at, const struct gch_queue *q,
                 bool writes) {
  for (struct gch_waiter *w = gch__queue_first(q); w; w = w->next) {
    if (!gch__is_parked(w) || (*at)++ < d->skip)
      continue;
    if (d->n == FEW) {
      d->more++;
      continue;
    }
    d->parked[d->n] = gch__parked_of(w, writes);
    d->words[d->n++] = w->pos == GCH_NO_CASE ? w->elem : NULL;
  }
}

static void note_record(struct noted *d, struct gch_fd *r) {
  size_t at = 0;
  d->n = d->more = 0;
  gch__lock(&r->lock);
  d->fd = r->fd;
  if (!(atomic_load(&r->state) & GCH_FD_GONE))
    for (int way = 0; way < GCH_FD_WAYS; way++) {
      note(d, &at, &r->ways[way].waiters, way == GCH_FD_WRITE);
      note(d, &at, &r->ways[way].turns, way == GCH_FD_WRITE);
    }
  gch__unlock(&r->lock);
}

static void print(const struct report *to, const struct noted *d, size_t i) {
  const struct gch_parked *p = &d->parked[i];
  const char *word = d->words[i];
  fprintf(to->out, "fd %d: ", d->fd);
  if (word)
    fputs(word, to->out);
  else
    fprintf(to->out, "select case %u", (unsigned)p->pos);
  fputs(": ", to->out);
  gch__print_who(to->out, p);
  gch__print_since(to->out, p->since, to->now);
  gch__ops_add(to->ops,
               (struct gch_op){.who = gch__who(p),
                               .word = word ? word : "select",
                               .fd = d->fd,
                               .since = p->since,
                               .pos = word ? GCH_OP_PLAIN : p->pos,
                               .sends = p->sends});
}

static bool somebody_waits(const struct gch_fd *r) {
  for (int way = 0; way < GCH_FD_WAYS; way++)
    if (gch__queue_first(&r->ways[way].waiters) ||
        gch__queue_first(&r->ways[way].turns))
      return true;
  return false;
}

static void see(struct gch_fd *r, void *arg) {
  struct noted d = {0};
  if (!somebody_waits(r))
    return;
  do {
    note_record(&d, r);
    for (size_t i = 0; i < d.n; i++)
      print(arg, &d, i);
    d.skip += d.n;
  } while (d.more > 0);
}

void gch__dump_fds(FILE *out, struct gch_ops *ops) {
  struct report to = {out, ops, gch__now()};
  gch__fd_each(see, &to);
}

static size_t length(const struct gch_queue *q) {
  size_t n = 0;
  for (struct gch_waiter *w = gch__queue_first(q); w; w = w->next)
    n += gch__is_parked(w);
  return n;
}

void gch_io_waiting(int fd, size_t *readers, size_t *writers) {
  struct gch_fd *r = gch__fd_at(fd);
  size_t n[GCH_FD_WAYS] = {0};
  if (r) {
    gch__lock(&r->lock);
    for (int way = 0; way < GCH_FD_WAYS && r->fd == fd; way++)
      n[way] = length(&r->ways[way].waiters) + length(&r->ways[way].turns);
    gch__unlock(&r->lock);
  }
  if (readers)
    *readers = n[GCH_FD_READ];
  if (writers)
    *writers = n[GCH_FD_WRITE];
}

static void count(struct gch_fd *r, void *n) {
  if (somebody_waits(r))
    ++*(size_t *)n;
}

bool gch__fds_waited_for(void) {
  size_t n = 0;
  gch__fd_each(count, &n);
  return n > 0;
}
