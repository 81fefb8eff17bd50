/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A dump goes through the registry in pieces. Under the locks of a shard and,
 * one after the other, of its channels, it notes what there is to say in a
 * batch, which has its room before; it prints when they are released, since a
 * stream may block, and may be the user's own code. A batch is small enough to
 * be on the stack, so that a dump also works where there is no memory left;
 * only what is parked on one channel may need more room than that, and is cut
 * where there is none. After the channels come the descriptors (fds.c), then
 * the tasks (tasks.c).
 */
#include "debug/dump.h"

#include "chan/impl.h"
#include "go/sched.h"
#include "park/cancel.h"
#include "park/clock.h"

#include <gulch/debug.h>

#include <inttypes.h>
#include <stdlib.h>

enum { CHANS = 16, PARKED = 64 };

/* One channel, with those of batch->parked that come after the last one's. */
struct noted {
  const void *chan;
  size_t elem_size, len, cap;
  size_t parked, cut; /* noted; there was no room for */
  enum gch_owner owner;
  bool closed;
  char name[GCH_NAME_MAX];
};

struct batch {
  size_t chans, used;    /* of noted; of parked */
  size_t room;           /* of parked */
  size_t wanted;         /* more room than there is at all; 0: no */
  bool no_memory;        /* so there will be no more room */
  struct gch_parked *parked; /* own, or allocated */
  struct noted noted[CHANS];
  struct gch_parked own[PARKED];
};

/* Noting, with the locks held. Those who are claimed, or gave up, are only on
   their way out. */

bool gch__is_parked(const struct gch_waiter *w) {
  return atomic_load_explicit(&w->group->winner, memory_order_relaxed) ==
         GCH_WAITING;
}

static size_t count_parked(const struct gch_queue *q) {
  size_t n = 0;
  for (struct gch_waiter *w = gch__queue_first(q); w; w = w->next)
    n += gch__is_parked(w);
  return n;
}

/* A parked task has begun, so it has a stack. */
struct gch_parked gch__parked_of(const struct gch_waiter *w, bool sends) {
  const struct gch_task *task = w->group->parker.task;
  struct gch_parked p = {.since = w->group->since,
                     .tid = w->group->tid,
                     .pos = w->pos,
                     .sends = sends,
                     .task = task};
  if (task)
    memcpy(p.name, task->stack->name, sizeof p.name);
  return p;
}

static void note_parked(struct batch *b, const struct gch_queue *q,
                        bool sends) {
  struct noted *n = &b->noted[b->chans];
  for (struct gch_waiter *w = gch__queue_first(q); w; w = w->next) {
    if (!gch__is_parked(w))
      continue;
    if (b->used == b->room) {
      n->cut++;
      continue;
    }
    b->parked[b->used++] = gch__parked_of(w, sends);
    n->parked++;
  }
}

static void note_chan(struct batch *b, const gch_chan *c) {
  struct noted *n = &b->noted[b->chans];
  *n = (struct noted){.chan = c,
                      .elem_size = c->elem_size,
                      .len = gch_len(c),
                      .cap = gch_cap(c),
                      .owner = c->owner,
                      .closed = gch__is_closed(c)};
  memcpy(n->name, c->name, sizeof n->name);
  note_parked(b, &c->receivers, false);
  note_parked(b, &c->senders, true);
  b->chans++;
}

/* Whether c fits. Where it would not even in an empty batch, and more room can
   be had, says how much. */
static bool has_room(struct batch *b, const gch_chan *c) {
  size_t n = count_parked(&c->receivers) + count_parked(&c->senders);
  if (n <= b->room - b->used)
    return true;
  if (n > b->room && !b->no_memory)
    b->wanted = n;
  else if (b->chans == 0)
    return true; /* as far as it fits */
  return false;
}

static bool see(gch_chan *c, void *batch) {
  struct batch *b = batch;
  if (b->chans == CHANS)
    return false;
  gch__lock(&c->lock);
  bool fits = has_room(b, c);
  if (fits)
    note_chan(b, c);
  gch__unlock(&c->lock);
  return fits;
}

/* Printing, without */

void gch__make_printable(char *name) {
  for (unsigned char *s = (unsigned char *)name; *s; s++)
    if (*s < ' ' || *s == '"' || *s == 0x7f)
      *s = '?';
}

static void print_chan(FILE *out, struct noted *n) {
  static const char *const owners[] = {[GCH_OWNER_NONE] = "",
                                       [GCH_OWNER_CTX] = ", of a context",
                                       [GCH_OWNER_TIMER] = ", of a timer"};
  bool named = n->name[0] != '\0';
  gch__make_printable(n->name);
  fprintf(out, "channel %p%s%s%s: %zu bytes, %zu/%zu, %s%s\n", n->chan,
          named ? " \"" : "", n->name, named ? "\"" : "", n->elem_size, n->len,
          n->cap, n->closed ? "closed" : "open", owners[n->owner]);
}

void gch__print_who(FILE *out, const struct gch_parked *p) {
  char name[GCH_TASK_NAME_MAX];
  if (!p->task) {
    fprintf(out, "thread %" PRIu32, p->tid);
    return;
  }
  memcpy(name, p->name, sizeof name);
  gch__make_printable(name);
  fprintf(out, "task %p%s%s%s", p->task, name[0] ? " \"" : "", name,
          name[0] ? "\"" : "");
}

void gch__print_since(FILE *out, int64_t since, int64_t now) {
  int64_t ms = now > since ? (now - since) / 1000000 : 0;
  fprintf(out, ", %" PRId64 ".%03d s\n", ms / 1000, (int)(ms % 1000));
}

uintptr_t gch__who(const struct gch_parked *p) {
  return p->task ? (uintptr_t)p->task : GCH_OP_THREAD(p->tid);
}

static void print_parked(FILE *out, const struct gch_parked *p, int64_t now) {
  fputs(p->sends ? "  send" : "  receive", out);
  if (p->pos == GCH_WAY_OUT)
    fputs(" in a wait that a context ends", out);
  else if (p->pos != GCH_NO_CASE)
    fprintf(out, " in select case %" PRIu32, p->pos);
  fputs(": ", out);
  gch__print_who(out, p);
  gch__print_since(out, p->since, now);
}

static struct gch_op op_of(const struct noted *n, const struct gch_parked *p) {
  return (struct gch_op){.who = gch__who(p),
                         .chan = n->chan,
                         .since = p->since,
                         .pos = p->pos == GCH_NO_CASE ? GCH_OP_PLAIN : p->pos,
                         .sends = p->sends};
}

static void print_batch(FILE *out, struct batch *b, struct gch_census *census,
                        struct gch_ops *ops) {
  int64_t now = gch__now();
  const struct gch_parked *p = b->parked;
  for (struct noted *n = b->noted; n < b->noted + b->chans; n++) {
    print_chan(out, n);
    for (size_t i = 0; i < n->parked; i++, p++) {
      print_parked(out, p, now);
      if (p->pos != GCH_WAY_OUT) /* its wait tells (park/wait.h) */
        gch__ops_add(ops, op_of(n, p));
    }
    if (n->cut > 0)
      fprintf(out, "  and %zu more\n", n->cut);
    census->plain += n->owner == GCH_OWNER_NONE;
    census->contexts += n->owner == GCH_OWNER_CTX;
    census->timers += n->owner == GCH_OWNER_TIMER;
  }
}

/* Room */

static void batch_init(struct batch *b) {
  b->room = PARKED;
  b->no_memory = false;
  b->parked = b->own;
}

static void batch_free(struct batch *b) {
  if (b->parked != b->own)
    free(b->parked);
}

static void batch_empty(struct batch *b) {
  b->chans = b->used = b->wanted = 0;
}

/* What was wanted and half as much again: meanwhile there may be more. */
static void batch_grow(struct batch *b) {
  size_t room = b->wanted + b->wanted / 2;
  struct gch_parked *more = calloc(room, sizeof *more);
  b->no_memory = !more;
  if (!more)
    return;
  batch_free(b);
  b->parked = more;
  b->room = room;
}

struct gch_census gch__dump(FILE *out, const struct gch_task *but) {
  struct gch_census census = {0, 0, 0};
  struct gch_ops ops = {NULL, 0, 0};
  struct gch_walk walk = GCH_WALK_INIT;
  struct batch batch;
  int saved = errno;
  batch_init(&batch);
  for (bool all = false; !all;) {
    batch_empty(&batch);
    all = gch__walk(&walk, see, &batch);
    print_batch(out, &batch, &census, &ops);
    if (batch.wanted > 0)
      batch_grow(&batch);
  }
  batch_free(&batch);
  gch__dump_fds(out, &ops);
  gch__dump_tasks(out, &ops, but);
  free(ops.all);
  errno = saved;
  return census;
}

void gch_dump(FILE *out) {
  int cancel = gch__cancel_off();
  gch__dump(out ? out : stderr, NULL);
  gch__cancel_as(cancel);
}
