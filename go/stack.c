/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Free task records and stacks: each proc has some of its own, which only the
 * worker that holds the proc touches (gch__enter). Without a proc, and where
 * it has none or too many, they come from the global lists and go back there
 * (slab.h).
 */
#include "go/slab.h"

#include "go/sched.h"

/* Inline, since mostly there is nothing. */
static inline void give_back(enum gch_free_kind kind, struct gch_free *batch) {
  if (batch && kind == GCH_FREE_TASKS)
    gch__tasks_over(batch);
  else if (batch)
    gch__stacks_over(batch);
}

/* One from the global lists; what else is in its batch goes to w's proc. */
__attribute__((noinline)) static struct gch_free *
refill(struct gch_worker *w, enum gch_free_kind kind) {
  struct gch_free *f =
      kind == GCH_FREE_TASKS ? gch__take_tasks() : gch__take_stacks();
  if (!f || !f->next)
    return f;
  struct gch_free *rest = f->next;
  rest->count = f->count - 1;
  struct gch_proc *p = w ? gch__enter(w) : NULL;
  if (p && !p->free[kind].batch) {
    p->free[kind].batch = rest;
    rest = NULL;
  }
  if (w)
    gch__leave(w);
  give_back(kind, rest);
  return f;
}

/* NULL: there is none. */
static inline void *take(struct gch_worker *w, enum gch_free_kind kind) {
  struct gch_proc *p = w ? gch__enter(w) : NULL;
  struct gch_free *f = p ? gch__take_free(&p->free[kind]) : NULL;
  if (w)
    gch__leave(w);
  return f ? f : refill(w, kind);
}

struct gch_task *gch__task_new(struct gch_worker *w) {
  return take(w, GCH_FREE_TASKS);
}

struct gch_stack *gch__stack_new(struct gch_worker *w) {
  struct gch_stack *s = take(w, GCH_FREE_STACKS);
  /* The one that was promised lies in another proc's list, or was there when
     the process was forked. */
  return s ? s : gch__stack_map(gch__stack_room());
}

/* p is NULL: w has none. What goes over to the global lists, or NULL. */
static inline struct gch_free *put(struct gch_proc *p, enum gch_free_kind kind,
                                   void *free) {
  return p ? gch__put_free(&p->free[kind], free) : gch__batch_of_one(free);
}

void gch__task_free(struct gch_worker *w, struct gch_task *t,
                    struct gch_stack *s) {
  if (s && s->special)
    s = gch__stack_free_special(s);
  struct gch_free *tasks, *stacks = NULL;
  t->generation = GCH_NO_GENERATION;
  struct gch_proc *p = w ? gch__enter(w) : NULL;
  tasks = put(p, GCH_FREE_TASKS, t);
  if (s) {
    s->name[0] = '\0';
    s->argument = 0;
    s->values = NULL;
    stacks = put(p, GCH_FREE_STACKS, s);
  }
  if (w)
    gch__leave(w);
  give_back(GCH_FREE_TASKS, tasks);
  give_back(GCH_FREE_STACKS, stacks);
}

/* The common case in few instructions, without a stack of its own. */
void gch__record_free(struct gch_worker *w, struct gch_task *t) {
  struct gch_proc *p = gch__enter_at_once(w);
  if (!p) {
    gch__task_free(w, t, NULL);
    return;
  }
  t->generation = GCH_NO_GENERATION;
  struct gch_free *over = gch__put_free(&p->free[GCH_FREE_TASKS], t);
  gch__leave_at_once(w);
  give_back(GCH_FREE_TASKS, over);
}

void gch__free_lists_flush(struct gch_proc *p) {
  for (enum gch_free_kind kind = 0; kind < GCH_FREE_KINDS; kind++) {
    struct gch_magazine m = p->free[kind];
    p->free[kind] = (struct gch_magazine){0};
    if (m.loose)
      m.loose->count = m.num_loose;
    give_back(kind, m.loose);
    give_back(kind, m.batch);
  }
}
