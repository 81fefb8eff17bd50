/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A slab is a header and SLAB_TASKS task records, and a mapping with as many
 * stacks of GCH_STACK_SIZE. So there are always as many stacks as records, and
 * a record in hand is the promise of a stack. (It may lie in another proc's
 * list; then a task gets a mapping of its own.)
 * Slabs are never given back. Stacks are used anew last in, first out; of the
 * free ones some KEPT stay warm, the rest give their memory back to the kernel.
 *
 * The guard is set when a stack is first used (map.c).
 *
 * memory.lock guards the lists and what is warm; no system call is made under
 * it. grow_mutex is held over the making of a slab, before memory.lock.
 */
#include "go/sched.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

enum {
  SLAB_TASKS = 255,
  KEPT = 2048,
};

struct slab {
  struct slab *next;
  char *stacks;     /* the mapping */
  uint64_t warm[4]; /* a bit for each stack that is in use or keeps memory */
  bool listed;      /* some is not warm */
  alignas(64) struct gch_task tasks[SLAB_TASKS];
};

static struct {
  struct gch_lock lock;
  struct gch_free *tasks;  /* batches of free ones */
  struct gch_free *stacks; /* batches of free and warm ones */
  size_t num_stacks;
  struct slab *slabs; /* with stacks that are not warm */
} memory;

static pthread_mutex_t grow_mutex = PTHREAD_MUTEX_INITIALIZER;

void gch__stacks_lock(void) {
  pthread_mutex_lock(&grow_mutex);
  gch__lock(&memory.lock);
}

void gch__stacks_unlock(void) {
  gch__unlock(&memory.lock);
  pthread_mutex_unlock(&grow_mutex);
}

/* Stacks */

/* Stacks begin at different places in their last page. Else the same frames of
   all of them would share a few sets of the processor's caches. */
static struct gch_stack *stack_in(char *mapping, size_t size) {
  enum { ALIGN = 64, PLACES = 16, STEP = 128 };
  size_t header = (sizeof(struct gch_stack) + ALIGN - 1) / ALIGN * ALIGN;
  size_t place = (uintptr_t)mapping / GCH_STACK_SIZE % PLACES * STEP;
  struct gch_stack *s =
      (struct gch_stack *)(void *)(mapping + size - header - place);
  int saved = errno;
  gch__guard(mapping);
  errno = saved;
  memset(s, 0, sizeof *s);
  s->mapping = mapping;
  return s;
}

bool gch__stack_guards(const struct gch_stack *s, const void *addr) {
  return (const char *)addr >= s->mapping &&
         (const char *)addr < gch__stack_low(s);
}

struct gch_stack *gch__stack_map(size_t size) {
  size_t whole;
  if (__builtin_add_overflow(size, 3 * gch__page + sizeof(struct gch_stack),
                             &whole))
    return NULL;
  whole = whole / gch__page * gch__page;
  int saved = errno;
  char *mapping = gch__map(whole);
  errno = saved;
  if (!mapping)
    return NULL;
  struct gch_stack *s = stack_in(mapping, whole);
  s->mapped = whole;
  return s;
}

static struct slab *slab_new(void) {
  int saved = errno;
  struct slab *slab = (struct slab *)(void *)gch__map(sizeof *slab);
  if (slab && !(slab->stacks = gch__map((size_t)SLAB_TASKS * GCH_STACK_SIZE))) {
    munmap(slab, sizeof *slab);
    slab = NULL;
  }
  errno = saved;
  return slab;
}

/* Batches in the global lists */

static struct gch_free *pop_batch(struct gch_free **list) {
  struct gch_free *batch = *list;
  if (batch)
    *list = batch->next_batch;
  return batch;
}

static void push_batch(struct gch_free **list, struct gch_free *batch) {
  batch->next_batch = *list;
  *list = batch;
}

/* A batch of one. */
static struct gch_free *single(void *free) {
  struct gch_free *f = free;
  f->next = NULL;
  f->count = 1;
  return f;
}

/* Task records */

static void list_slab(struct slab *slab) {
  if (slab->listed)
    return;
  slab->listed = true;
  slab->next = memory.slabs;
  memory.slabs = slab;
}

/* A slab's records from first on that make a batch. */
static struct gch_free *batch_of(struct slab *slab, int first) {
  int end = first + GCH_BATCH < SLAB_TASKS ? first + GCH_BATCH : SLAB_TASKS;
  struct gch_free *batch = NULL;
  for (int i = end; i-- > first;) {
    struct gch_free *f = (struct gch_free *)(void *)&slab->tasks[i];
    f->next = batch;
    batch = f;
  }
  batch->count = (uint32_t)(end - first);
  return batch;
}

/* Onto the global lists. The new memory is touched before that. */
static void list_all(struct slab *slab) {
  struct gch_free *batches[(SLAB_TASKS + GCH_BATCH - 1) / GCH_BATCH];
  int n = 0;
  for (int first = 0; first < SLAB_TASKS; first += GCH_BATCH)
    batches[n++] = batch_of(slab, first);
  gch__lock(&memory.lock);
  while (n > 0)
    push_batch(&memory.tasks, batches[--n]);
  list_slab(slab);
  gch__unlock(&memory.lock);
}

/* More records on the global list; false: no memory. */
static bool grow(void) {
  bool grown = true;
  pthread_mutex_lock(&grow_mutex);
  gch__lock(&memory.lock);
  bool enough = memory.tasks != NULL;
  gch__unlock(&memory.lock);
  if (!enough) {
    struct slab *slab = slab_new();
    grown = slab != NULL;
    if (grown)
      list_all(slab);
  }
  pthread_mutex_unlock(&grow_mutex);
  return grown;
}

static void tasks_over(struct gch_free *batch) {
  gch__lock(&memory.lock);
  push_batch(&memory.tasks, batch);
  gch__unlock(&memory.lock);
}

static struct gch_free *take_tasks(void) {
  struct gch_free *batch;
  do {
    gch__lock(&memory.lock);
    batch = pop_batch(&memory.tasks);
    gch__unlock(&memory.lock);
  } while (!batch && grow());
  return batch;
}

/* Stacks */

/* A stack that is not warm, of *slab; NULL: all are. */
static char *warm_up(struct slab **slab) {
  struct slab *from = memory.slabs;
  if (!from)
    return NULL;
  size_t word = 0;
  while (from->warm[word] == UINT64_MAX)
    word++;
  size_t bit = (size_t)__builtin_ctzll(~from->warm[word]);
  from->warm[word] |= UINT64_C(1) << bit;
  char *mapping = from->stacks + (word * 64 + bit) * GCH_STACK_SIZE;
  bool more = false;
  for (size_t i = word; i < 4; i++)
    more |= from->warm[i] != (i < 3 ? UINT64_MAX : UINT64_MAX >> 1);
  if (!more) {
    memory.slabs = from->next;
    from->listed = false;
  }
  *slab = from;
  return mapping;
}

/* Nothing of s is left but its guard. */
static void cool(struct gch_stack *s) {
  struct slab *slab = s->slab;
  size_t i = (size_t)(s->mapping - slab->stacks) / GCH_STACK_SIZE;
  int saved = errno;
  madvise(gch__stack_low(s), GCH_STACK_SIZE - gch__page, MADV_DONTNEED);
  errno = saved;
  gch__lock(&memory.lock);
  slab->warm[i / 64] &= ~(UINT64_C(1) << i % 64);
  list_slab(slab);
  gch__unlock(&memory.lock);
}

/* Onto the global list while there is room. */
static void stacks_over(struct gch_free *batch) {
  gch__lock(&memory.lock);
  bool room = memory.num_stacks < KEPT;
  if (room) {
    memory.num_stacks += batch->count;
    push_batch(&memory.stacks, batch);
  }
  gch__unlock(&memory.lock);
  for (struct gch_free *next; !room && batch; batch = next) {
    next = batch->next;
    cool((struct gch_stack *)(void *)batch);
  }
}

/* From the global list, a batch; else one that is not warm. */
static struct gch_free *take_stacks(void) {
  char *mapping = NULL;
  struct slab *slab;
  gch__lock(&memory.lock);
  struct gch_free *batch = pop_batch(&memory.stacks);
  if (batch)
    memory.num_stacks -= batch->count;
  else
    mapping = warm_up(&slab);
  gch__unlock(&memory.lock);
  if (!mapping)
    return batch;
  struct gch_stack *s = stack_in(mapping, GCH_STACK_SIZE);
  s->slab = slab;
  return single(s);
}

/* Both */

static void give_back(enum gch_free_kind kind, struct gch_free *batch) {
  if (batch && kind == GCH_FREE_TASKS)
    tasks_over(batch);
  else if (batch)
    stacks_over(batch);
}

/* One from the global lists; what else is in its batch goes to w's proc. */
__attribute__((noinline)) static struct gch_free *
refill(struct gch_worker *w, enum gch_free_kind kind) {
  struct gch_free *f = kind == GCH_FREE_TASKS ? take_tasks() : take_stacks();
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
  return s ? s : gch__stack_map(GCH_STACK_SIZE - 4 * gch__page);
}

/* p is NULL: w has none. What goes over to the global lists, or NULL. */
static inline struct gch_free *put(struct gch_proc *p, enum gch_free_kind kind,
                                   void *free) {
  return p ? gch__put_free(&p->free[kind], free) : single(free);
}

void gch__task_free(struct gch_worker *w, struct gch_task *t,
                    struct gch_stack *s) {
  if (s && s->mapped) {
    munmap(s->mapping, s->mapped);
    s = NULL;
  }
  struct gch_free *tasks, *stacks = NULL;
  struct gch_proc *p = w ? gch__enter(w) : NULL;
  tasks = put(p, GCH_FREE_TASKS, t);
  if (s) {
    s->name[0] = '\0';
    s->argument = 0;
    stacks = put(p, GCH_FREE_STACKS, s);
  }
  if (w)
    gch__leave(w);
  give_back(GCH_FREE_TASKS, tasks);
  give_back(GCH_FREE_STACKS, stacks);
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
