/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tasks of a dump. No lock is held: the records of all tasks that there
 * ever were are there for good, and are read while they are written, by
 * debug/peek.h; a task's stack may be gone when it is looked at, and then it
 * says less. Those that are a thread are listed under a lock, a few at a time.
 *
 * What a task does:
 *
 *     not begun                             ready
 *     its registers are in a processor      running; or outside, if no proc's
 *                                           worker has it
 *     it says that it waits (park/wait.h)   waits for that
 *     it is in a channel's queue, or for    waits there: by what the dump of
 *       a descriptor                        those has noted just before
 *     none of these                         ready
 */
#include "debug/code.h"
#include "debug/dump.h"
#include "debug/peek.h"
#include "go/sched.h"
#include "park/clock.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { RECORDS = 16, THREADS = 16, CHANS_SHOWN = 4 };

/* For a line. */
struct line {
  FILE *out;
  struct gch_code *code;
  const struct gch_ops *ops;
  int64_t now;
};

/* What is parked on channels, by who. */

void gch__ops_add(struct gch_ops *ops, struct gch_op op) {
  if (ops->n == ops->room) {
    size_t room = ops->room ? 2 * ops->room : 64;
    struct gch_op *more = realloc(ops->all, room * sizeof *more);
    if (!more)
      return; /* a task that seems to be ready */
    ops->all = more;
    ops->room = room;
  }
  ops->all[ops->n++] = op;
}

static int by_who(const void *a, const void *b) {
  const struct gch_op *x = a, *y = b;
  if (x->who != y->who)
    return x->who < y->who ? -1 : 1;
  return x->pos < y->pos ? -1 : x->pos > y->pos;
}

/* The first of who's, and how many. */
static size_t ops_of(const struct gch_ops *ops, uintptr_t who,
                     const struct gch_op **first) {
  size_t low = 0, high = ops->n, n = 0;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (ops->all[middle].who < who)
      low = middle + 1;
    else
      high = middle;
  }
  while (low + n < ops->n && ops->all[low + n].who == who)
    n++;
  *first = ops->all + low;
  return n;
}

/* Printing */

static void print_since(const struct line *l, int64_t since) {
  gch__print_since(l->out, since, l->now);
}

static void print_name(FILE *out, const char *from) {
  char name[GCH_TASK_NAME_MAX];
  memcpy(name, from, sizeof name);
  name[sizeof name - 1] = '\0';
  gch__make_printable(name);
  if (name[0])
    fprintf(out, " \"%s\"", name);
}

static void print_entry(const struct line *l, const void *entry) {
  fputs(": ", l->out);
  gch__print_place(l->out, l->code, entry);
}

static void print_where(const struct line *l, const void *where) {
  if (!where)
    return;
  fputs(", at ", l->out);
  gch__print_place(l->out, l->code, where);
}

static void print_op(FILE *out, const struct gch_op *op) {
  if (op->word && op->pos != GCH_OP_PLAIN)
    fprintf(out, "fd %d %s", op->fd, op->sends ? "writable" : "readable");
  else if (op->word)
    fprintf(out, "%s of fd %d", op->word, op->fd);
  else
    fprintf(out, "%s %p", op->sends ? "send to" : "receive from", op->chan);
}

static void print_select(FILE *out, const struct gch_op *ops, size_t n) {
  fputs(", select (", out);
  for (size_t i = 0; i < n && i < CHANS_SHOWN; i++) {
    fputs(i > 0 ? ", " : "", out);
    print_op(out, &ops[i]);
  }
  if (n > CHANS_SHOWN)
    fprintf(out, ", and %zu more", n - CHANS_SHOWN);
  fputc(')', out);
}

static void print_ops(const struct line *l, const struct gch_op *ops, size_t n,
                      const void *where) {
  if (ops->pos == GCH_OP_PLAIN) {
    fputs(", ", l->out);
    print_op(l->out, ops);
  } else {
    print_select(l->out, ops, n);
  }
  print_where(l, where);
  print_since(l, ops->since);
}

static void print_wait(const struct line *l, struct gch_wait *w,
                       const void *where) {
  static const char *const words[GCH_WAIT_KINDS] = {
      [GCH_WAIT_SLEEP] = "sleep",
      [GCH_WAIT_FOR_EVER] = "for ever",
      [GCH_WAIT_MUTEX] = "lock of mutex",
      [GCH_WAIT_RLOCK] = "rlock of rwmutex",
      [GCH_WAIT_LOCK] = "lock of rwmutex",
      [GCH_WAIT_COND] = "cond",
      [GCH_WAIT_ONCE] = "once",
      [GCH_WAIT_WG] = "wait group",
      [GCH_WAIT_RUN] = "run of",
      [GCH_WAIT_FUNC] = "stop_wait"};
  const void *object = atomic_load(&w->object);
  uint32_t what = atomic_load(&w->what);
  fprintf(l->out, ", %s", words[what]);
  if (what == GCH_WAIT_RUN) {
    fputc(' ', l->out);
    gch__print_place(l->out, l->code, object);
  } else if (object) {
    fprintf(l->out, " %p", object);
  }
  print_where(l, where);
  print_since(l, atomic_load(&w->since));
}

static bool waits(struct gch_wait *w) {
  uint32_t what = atomic_load(&w->what);
  return what != GCH_WAIT_NOTHING && what < GCH_WAIT_KINDS;
}

/* Tasks */

/* What is known of one; zero where it is not. */
struct seen {
  const struct gch_task *task;
  struct gch_task copy;
  struct gch_stack stack; /* a copy of its header, */
  bool has_stack;         /* if there is one that can be read */
};

static bool has_worker_with_proc(const struct gch_task *t) {
  uint32_t n = atomic_load(&gch__sched.num_procs);
  for (uint32_t i = 0; i < n; i++) {
    struct gch_proc *p = atomic_load(&gch__sched.procs[i]);
    struct gch_worker *w = atomic_load(&p->worker);
    struct gch_task *runs = NULL;
    if (w)
      gch__peek_stable(&runs, &w->task, sizeof runs);
    if (runs == t)
      return true;
  }
  return false;
}

static void print_state(const struct line *l, struct seen *s) {
  const struct gch_op *ops;
  size_t n = ops_of(l->ops, (uintptr_t)s->task, &ops);
  if (!s->copy.fiber.sp) {
    fputs(", ready\n", l->out);
  } else if (atomic_load(&s->copy.running.word) == GCH_LOCK_HELD) {
    bool inside = has_worker_with_proc(s->task);
    fputs(inside ? ", running\n" : ", outside in a call\n", l->out);
  } else {
    const void *where =
        gch__caller_of_library(l->code, s->copy.fiber.sp, s->copy.stack);
    if (waits(&s->stack.wait))
      print_wait(l, &s->stack.wait, where);
    else if (n > 0)
      print_ops(l, ops, n, where);
    else
      fputs(s->has_stack ? ", ready\n" : ", ready or waits\n", l->out);
  }
}

static void print_task(const struct line *l, struct seen *s) {
  struct gch_stack *header = s->copy.stack;
  s->stack = (struct gch_stack){0};
  s->has_stack = header && gch__peek(&s->stack, header, sizeof *header);
  fprintf(l->out, "task %p", (const void *)s->task);
  print_name(l->out, s->stack.name);
  print_entry(l, s->copy.fiber.sp ? s->stack.entry : s->copy.call.a);
  print_state(l, s);
}

static void print_records(const struct line *l, const struct gch_task *records,
                          size_t n, const struct gch_task *but) {
  struct gch_task copies[RECORDS];
  for (size_t at = 0; at < n; at += RECORDS) {
    size_t some = n - at < RECORDS ? n - at : RECORDS;
    gch__peek_stable(copies, records + at, some * sizeof *copies);
    for (size_t i = 0; i < some; i++) {
      struct seen s = {.task = records + at + i, .copy = copies[i]};
      if (s.copy.generation == gch__sched.generation && s.task != but)
        print_task(l, &s);
    }
  }
}

static void print_thread(const struct line *l, struct gch_thread_task *t) {
  const struct gch_op *ops;
  size_t n = ops_of(l->ops, GCH_OP_THREAD(t->tid), &ops);
  fprintf(l->out, "task thread %" PRIu32, t->tid);
  print_name(l->out, t->name);
  print_entry(l, t->entry);
  if (waits(&t->wait))
    print_wait(l, &t->wait, NULL);
  else if (n > 0)
    print_ops(l, ops, n, NULL);
  else
    fputs(", running\n", l->out);
}

static void print_threads(const struct line *l) {
  struct gch_thread_task some[THREADS];
  size_t n;
  for (uint64_t last = 0; (n = gch__thread_tasks(last, some, THREADS)) > 0;
       last = some[n - 1].serial)
    for (size_t i = 0; i < n; i++)
      print_thread(l, &some[i]);
}

void gch__dump_tasks(FILE *out, struct gch_ops *ops,
                     const struct gch_task *but) {
  struct line l = {out, NULL, ops, gch__now()};
  const struct slab *at = NULL;
  const struct gch_task *records;
  size_t n;
  if (gch_num_tasks() == 0)
    return;
  l.code = gch__code_new();
  if (ops->n > 0)
    qsort(ops->all, ops->n, sizeof *ops->all, by_who);
  while ((records = gch__records(&at, &n)))
    print_records(&l, records, n, but);
  print_threads(&l);
  gch__code_free(l.code);
}
