/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A slab is a header and SLAB_TASKS task records, and a mapping with as many
 * stacks of GCH_STACK_SIZE. So there are always as many stacks as records, and
 * a record in hand is the promise of a stack. (It may lie in another proc's
 * list; then a task gets a mapping of its own.)
 * Slabs are never given back. Stacks are used anew last in, first out; of the
 * free ones KEPT stay warm, the rest give their memory back to the kernel.
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
  BATCH = 32, /* what goes between a proc's lists and the global ones */
  PROC_KEEPS = 2 * BATCH,
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
  struct gch_task *tasks;   /* free ones */
  struct gch_stack *stacks; /* free and warm */
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

char *gch__stack_low(const struct gch_stack *s) {
  return s->mapping + gch__page;
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

/* Task records */

/* Moves up to n from one list to another; how many. */
static uint32_t move_tasks(struct gch_task **to, struct gch_task **from,
                           uint32_t n) {
  uint32_t moved = 0;
  for (struct gch_task *t; moved < n && (t = *from); moved++) {
    *from = t->next;
    t->next = *to;
    *to = t;
  }
  return moved;
}

static uint32_t move_stacks(struct gch_stack **to, struct gch_stack **from,
                            uint32_t n) {
  uint32_t moved = 0;
  for (struct gch_stack *s; moved < n && (s = *from); moved++) {
    *from = s->next;
    s->next = *to;
    *to = s;
  }
  return moved;
}

static void list_slab(struct slab *slab) {
  if (slab->listed)
    return;
  slab->listed = true;
  slab->next = memory.slabs;
  memory.slabs = slab;
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
    if (grown) {
      for (int i = 0; i < SLAB_TASKS - 1; i++)
        slab->tasks[i].next = &slab->tasks[i + 1];
      gch__lock(&memory.lock);
      slab->tasks[SLAB_TASKS - 1].next = memory.tasks;
      memory.tasks = slab->tasks;
      list_slab(slab);
      gch__unlock(&memory.lock);
    }
  }
  pthread_mutex_unlock(&grow_mutex);
  return grown;
}

/* Up to n records from the global list; how many. */
static uint32_t take_tasks(struct gch_task **list, uint32_t n) {
  gch__lock(&memory.lock);
  uint32_t taken = move_tasks(list, &memory.tasks, n);
  gch__unlock(&memory.lock);
  return taken;
}

static void give_tasks(struct gch_task **list, uint32_t n) {
  gch__lock(&memory.lock);
  move_tasks(&memory.tasks, list, n);
  gch__unlock(&memory.lock);
}

/* From the proc's list; NULL: it is empty, or there is no proc. */
static struct gch_task *take_own_task(struct gch_worker *w) {
  struct gch_task *t = NULL;
  struct gch_proc *p = gch__enter(w);
  if (p && (t = p->free_tasks)) {
    p->free_tasks = t->next;
    p->num_free_tasks--;
  }
  gch__leave(w);
  return t;
}

static void put_own_tasks(struct gch_worker *w, struct gch_task *list,
                          uint32_t n) {
  struct gch_proc *p = gch__enter(w);
  if (p)
    p->num_free_tasks += move_tasks(&p->free_tasks, &list, n);
  gch__leave(w);
  if (list)
    give_tasks(&list, UINT32_MAX);
}

static struct gch_task *refill(struct gch_worker *w) {
  struct gch_task *list = NULL;
  uint32_t n;
  while ((n = take_tasks(&list, w ? BATCH : 1)) == 0)
    if (!grow())
      return NULL;
  struct gch_task *t = list;
  if (n > 1)
    put_own_tasks(w, t->next, n - 1);
  return t;
}

struct gch_task *gch__task_new(struct gch_worker *w) {
  struct gch_task *t = w ? take_own_task(w) : NULL;
  if (!t && !(t = refill(w)))
    return NULL;
  t->fiber.sp = NULL;
  t->stack = NULL;
  return t;
}

void gch__task_free(struct gch_worker *w, struct gch_task *t) {
  struct gch_task *rest = t;
  t->next = NULL;
  struct gch_proc *p = w ? gch__enter(w) : NULL;
  if (p) {
    t->next = p->free_tasks;
    p->free_tasks = t;
    rest = NULL;
    if (++p->num_free_tasks > PROC_KEEPS)
      p->num_free_tasks -= move_tasks(&rest, &p->free_tasks, BATCH);
  }
  if (w)
    gch__leave(w);
  if (rest)
    give_tasks(&rest, UINT32_MAX);
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

/* From the global list, else one that is not warm. */
static struct gch_stack *take_stack(void) {
  char *mapping = NULL;
  struct slab *slab;
  gch__lock(&memory.lock);
  struct gch_stack *s = memory.stacks;
  if (s) {
    memory.stacks = s->next;
    memory.num_stacks--;
  } else {
    mapping = warm_up(&slab);
  }
  gch__unlock(&memory.lock);
  if (mapping) {
    s = stack_in(mapping, GCH_STACK_SIZE);
    s->slab = slab;
  }
  return s;
}

struct gch_stack *gch__stack_new(struct gch_worker *w) {
  struct gch_stack *s = NULL;
  struct gch_proc *p = w ? gch__enter(w) : NULL;
  if (p && (s = p->free_stacks)) {
    p->free_stacks = s->next;
    p->num_free_stacks--;
  }
  if (w)
    gch__leave(w);
  if (!s)
    s = take_stack();
  /* The one that was promised lies in another proc's list, or was there when
     the process was forked. */
  return s ? s : gch__stack_map(GCH_STACK_SIZE - 4 * gch__page);
}

static bool put_warm(struct gch_stack *s) {
  gch__lock(&memory.lock);
  bool room = memory.num_stacks < KEPT;
  if (room) {
    s->next = memory.stacks;
    memory.stacks = s;
    memory.num_stacks++;
  }
  gch__unlock(&memory.lock);
  return room;
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
static void give_stacks(struct gch_stack *list) {
  while (list) {
    struct gch_stack *s = list;
    list = s->next;
    if (!put_warm(s))
      cool(s);
  }
}

void gch__stack_free(struct gch_worker *w, struct gch_stack *s) {
  struct gch_stack *rest = s;
  if (s->mapped) {
    munmap(s->mapping, s->mapped);
    return;
  }
  s->next = NULL;
  s->name[0] = '\0';
  s->argument = 0;
  struct gch_proc *p = w ? gch__enter(w) : NULL;
  if (p) {
    s->next = p->free_stacks;
    p->free_stacks = s;
    rest = NULL;
    if (++p->num_free_stacks > PROC_KEEPS)
      p->num_free_stacks -= move_stacks(&rest, &p->free_stacks, BATCH);
  }
  if (w)
    gch__leave(w);
  give_stacks(rest);
}

void gch__free_lists_flush(struct gch_proc *p) {
  struct gch_stack *stacks = p->free_stacks;
  give_tasks(&p->free_tasks, UINT32_MAX);
  p->free_stacks = NULL;
  p->num_free_tasks = p->num_free_stacks = 0;
  give_stacks(stacks);
}
