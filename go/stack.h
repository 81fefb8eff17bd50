/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stacks and task records: where they come from.
 *
 * A task's stack has gch__stack_size() bytes of address space, and a guard
 * below them. It takes memory as it is touched. At its upper end lies a struct
 * gch_stack. A task gets its stack when it begins, not when it is made; still
 * it can't go without: for each task record there is room for a stack.
 */
#ifndef GCH_GO_STACK_H
#define GCH_GO_STACK_H

#include "go/map.h"
#include "go/stack_size.h"

#include "park/wait.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slab;
struct gch_task;
struct gch_proc;
struct gch_worker;

enum { GCH_TASK_NAME_MAX = 16 };

/* What sanitizers know of a stack. Unused without them. */
struct gch_sanitizer_stack {
  void *fiber;        /* ThreadSanitizer's */
  void *fake;         /* AddressSanitizer's fake stack, while it does not run */
  void *last_fake;    /* the same, also while it runs again; for roots.c */
  const void *bottom; /* and the bounds */
  size_t size;
  unsigned valgrind_id;
  struct gch_sanitizer_stack *next, **link; /* in a list of roots.c, */
  size_t told, fake_told; /* and how much LeakSanitizer knows of both */
};

/* What is free says so in its own memory. */
struct gch_free {
  struct gch_free *next;       /* of a batch; NULL: the last */
  struct gch_free *next_batch; /* both of these: in the first of a batch */
  uint32_t count;              /* that the batch has */
};

/* A proc's free things, in front of the global lists: loose ones, and a batch.
   They come from there and go back by batches only, so that both are a matter
   of two pointers. */
struct gch_magazine {
  struct gch_free *loose, *batch;
  uint32_t num_loose;
};

enum { GCH_BATCH = 32 };

enum gch_free_kind { GCH_FREE_TASKS, GCH_FREE_STACKS, GCH_FREE_KINDS };

/* The next of m; NULL: there is none. */
static inline void *gch__take_free(struct gch_magazine *m) {
  struct gch_free *f = m->loose;
  if (!f && (f = m->batch)) {
    m->batch = NULL;
    m->num_loose = f->count;
  }
  if (f) {
    m->loose = f->next;
    m->num_loose--;
  }
  return f;
}

/* Puts into m what is free now. A batch that goes over to the global lists, or
   NULL. */
static inline struct gch_free *gch__put_free(struct gch_magazine *m,
                                             void *free) {
  struct gch_free *f = (struct gch_free *)free, *over = NULL;
  f->next = m->loose;
  m->loose = f;
  if (++m->num_loose == GCH_BATCH) {
    over = m->batch;
    f->count = GCH_BATCH;
    m->batch = f;
    m->loose = NULL;
    m->num_loose = 0;
  }
  return over;
}

struct gch_stack {
  struct gch_free free;
  char *mapping;             /* its guard begins here, */
  char *low;                 /* and ends here */
  size_t mapped;             /* bytes, if the mapping is its own; else 0, */
  struct slab *slab;         /* and it is one of this slab's */
  size_t argument;           /* bytes below it that hold the task's argument */
  struct gch_values *values; /* of the task (task/key.c); NULL: none */
  /* For reports: the task's name, function, and what it waits for. */
  char name[GCH_TASK_NAME_MAX];
  const void *entry;
  struct gch_wait wait;
  struct gch_sanitizer_stack sanitizer;
  enum gch_guard guard;
  uint8_t outside; /* the task's runs that are still to be without a proc */
  bool blocked; /* the task has, in one of them */
  bool special; /* its mapping is its own, or it has no guard */
};

/* The usable bytes, from above the guard to below the argument. */
static inline char *gch__stack_low(const struct gch_stack *s) {
  return s->low;
}

static inline char *gch__stack_high(const struct gch_stack *s) {
  return (char *)(uintptr_t)s - s->argument;
}

/* The usable bytes that a stack of gch__stack_size() has at least. */
size_t gch__stack_room(void);

/* A stack in the size bytes at mapping, of which the first are its guard. */
struct gch_stack *gch__stack_in(char *mapping, size_t size,
                                enum gch_guard guard);

/* A stack with at least size usable bytes, in a mapping of its own; NULL where
   there is no memory. */
struct gch_stack *gch__stack_map(size_t size);

/* A special stack is free: NULL, with its mapping gone; or s, for others: it
   may have a guard now. */
struct gch_stack *gch__stack_free_special(struct gch_stack *s);

/* A task record whose stack is promised; NULL where there is no memory. w may
   be NULL. */
struct gch_task *gch__task_new(struct gch_worker *w);

/* The records of one slab after the other: *at is NULL at first. *n of them;
   NULL: there are no more. Those that are free are of GCH_NO_GENERATION. */
const struct gch_task *gch__records(const struct slab **at, size_t *n);

/* Frees a record, and a stack if s is not NULL; w may be NULL. The second: the
   record of a worker's task whose stack goes on. */
void gch__task_free(struct gch_worker *w, struct gch_task *t,
                    struct gch_stack *s);
void gch__record_free(struct gch_worker *w, struct gch_task *t);

/* A stack of gch__stack_size(). NULL: all are in use or in other procs' lists,
   and the kernel has no more; try again later. */
struct gch_stack *gch__stack_new(struct gch_worker *w);

/* Gives p's lists back to the global ones; the caller may use p. */
void gch__free_lists_flush(struct gch_proc *p);

/* Around a fork. */
void gch__stacks_lock(void);
void gch__stacks_unlock(void);

/* Whether addr lies in s, but not in its guard. */
static inline bool gch__stack_holds(const struct gch_stack *s,
                                    const void *addr) {
  return (const char *)addr >= gch__stack_low(s) &&
         (const char *)addr < gch__stack_high(s);
}

/* Whether addr lies in the guard of s. */
bool gch__stack_guards(const struct gch_stack *s, const void *addr);

#endif
