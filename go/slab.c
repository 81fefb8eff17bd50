/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A slab is a header and task records, and a mapping with as many slots: a
 * guard and a stack of gch__stack_size() each. So there are always as many
 * stacks as records, and a record in hand is the promise of a stack. (It may
 * lie in another proc's list; then a task gets a mapping of its own.)
 * Slabs are never given back. Stacks are used anew last in, first out. Free
 * ones stay warm for a while: what a program that starts and ends many tasks
 * pays for a stack's pages is several times what the rest of a task costs. Of
 * those that were free for a whole span all but some cool then: the monitor
 * gives their memory back to the kernel, a few at each of its looks. It goes on
 * as long as there are more than those; and who puts down one too many looks
 * after that whether it is on, as in monitor.c. (One whose guard takes mappings
 * cools at once.)
 *
 * The guard is set when a stack is first used (guard.c). One that takes nothing
 * stays for good; one that takes mappings goes when its stack cools. A stack
 * for which there was none gets it, if there is one then, when it is free
 * again.
 *
 * memory.lock guards the lists and what is warm; no system call is made under
 * it. grow_mutex is held over the making of a slab, before memory.lock.
 */
#include "go/slab.h"

#include "go/sanitizer.h"
#include "go/sched.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

/* A slab has as many of TASKS as go into BYTES of stacks, at least one. */
enum { SLAB_TASKS = 255, SLAB_BYTES = 128 << 20, SLAB_WORDS = 4 };

/* Free stacks that stay warm for good, no more of either. */
enum { KEPT = 2048, KEPT_BYTES = 512 << 20 };

/* Looks of the monitor: of a span. At one, batches. */
enum { SPAN = 50, COOLED = 2 };

struct slab {
  struct slab *next;
  const struct slab *older; /* of all that there are */
  char *stacks;             /* the mapping */
  int prot;                 /* of it */
  uint32_t count;
  /* A bit for each stack that is in use or keeps memory, or is not there; and
     for each that has an advised guard. */
  uint64_t warm[SLAB_WORDS];
  _Atomic uint64_t guarded[SLAB_WORDS];
  bool listed; /* some is not warm */
  alignas(64) struct gch_task tasks[SLAB_TASKS];
};

static struct {
  struct gch_lock lock;
  struct gch_free *tasks;  /* batches of free ones */
  struct gch_free *stacks; /* batches of free and warm ones */
  size_t num_stacks;
  size_t fewest;      /* of them, in this span */
  size_t spare;       /* that are to cool: they were free for the last one */
  int looks;          /* in this span */
  struct slab *slabs; /* with stacks that are not warm */
} memory;

static _Atomic(const struct slab *) newest_slab;

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

/* From one stack of a slab to the next. */
static size_t slot_size(void) {
  return gch__guard_size() + gch__stack_size();
}

/* How many there are; the bits of those that are not. */
static void count(struct slab *slab) {
  size_t n = SLAB_BYTES / slot_size();
  n = n == 0 ? 1 : n > SLAB_TASKS ? SLAB_TASKS : n;
  slab->count = (uint32_t)n;
  for (size_t i = n; i < SLAB_WORDS * 64; i++)
    slab->warm[i / 64] |= UINT64_C(1) << i % 64;
}

/* Before anybody looks at them: a report does so without a lock. */
static void no_tasks(struct slab *slab) {
  for (uint32_t i = 0; i < slab->count; i++)
    slab->tasks[i].generation = GCH_NO_GENERATION;
}

static struct slab *slab_new(void) {
  int saved = errno;
  struct slab *slab = (struct slab *)(void *)gch__map(sizeof *slab);
  if (slab) {
    count(slab);
    slab->stacks = gch__map_stacks(slab->count * slot_size(), &slab->prot);
    if (!slab->stacks) {
      munmap(slab, sizeof *slab);
      slab = NULL;
    } else {
      no_tasks(slab);
    }
  }
  gch__root(slab, sizeof *slab); /* what is passed to who has not begun */
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
  int count = (int)slab->count;
  int end = first + GCH_BATCH < count ? first + GCH_BATCH : count;
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
  for (int first = 0; first < (int)slab->count; first += GCH_BATCH)
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
  gch__lock_nap_begins();
  pthread_mutex_lock(&grow_mutex);
  gch__lock_nap_ends();
  gch__lock(&memory.lock);
  bool enough = memory.tasks != NULL;
  gch__unlock(&memory.lock);
  if (!enough) {
    struct slab *slab = slab_new();
    grown = slab != NULL;
    if (grown) {
      slab->older = atomic_load(&newest_slab);
      atomic_store(&newest_slab, slab);
      list_all(slab);
    }
  }
  pthread_mutex_unlock(&grow_mutex);
  return grown;
}

const struct gch_task *gch__records(const struct slab **at, size_t *n) {
  *at = *at ? (*at)->older : atomic_load(&newest_slab);
  if (!*at)
    return NULL;
  *n = (*at)->count;
  return (*at)->tasks;
}

void gch__tasks_over(struct gch_free *batch) {
  gch__lock(&memory.lock);
  push_batch(&memory.tasks, batch);
  gch__unlock(&memory.lock);
}

struct gch_free *gch__take_tasks(void) {
  struct gch_free *batch;
  do {
    gch__lock(&memory.lock);
    batch = pop_batch(&memory.tasks);
    gch__unlock(&memory.lock);
  } while (!batch && grow());
  return batch;
}

/* Stacks */

/* Where a stack is, and its bit. */
struct slot {
  struct slab *slab;
  size_t word;
  uint64_t bit;
  char *mapping;
};

static bool all_warm(const struct slab *slab) {
  uint64_t warm = UINT64_MAX;
  for (int i = 0; i < SLAB_WORDS; i++)
    warm &= slab->warm[i];
  return warm == UINT64_MAX;
}

/* A stack that is not warm; false: all are. */
static bool warm_up(struct slot *at) {
  struct slab *slab = at->slab = memory.slabs;
  if (!slab)
    return false;
  at->word = 0;
  while (slab->warm[at->word] == UINT64_MAX)
    at->word++;
  int i = __builtin_ctzll(~slab->warm[at->word]);
  at->bit = UINT64_C(1) << i;
  at->mapping = slab->stacks + (at->word * 64 + (size_t)i) * slot_size();
  slab->warm[at->word] |= at->bit;
  if (all_warm(slab)) {
    memory.slabs = slab->next;
    slab->listed = false;
  }
  return true;
}

/* Which has been warmed up. Relaxed: memory.lock is between two users of a
   stack. */
static struct gch_stack *stack_at(const struct slot *at) {
  _Atomic uint64_t *guarded = &at->slab->guarded[at->word];
  enum gch_guard guard = GCH_GUARD_ADVISED;
  if (!(atomic_load_explicit(guarded, memory_order_relaxed) & at->bit)) {
    guard = gch__guard(at->mapping);
    if (guard == GCH_GUARD_ADVISED)
      atomic_fetch_or_explicit(guarded, at->bit, memory_order_relaxed);
  }
  struct gch_stack *s = gch__stack_in(at->mapping, slot_size(), guard);
  s->slab = at->slab;
  return s;
}

/* Nothing of s is left but a guard that takes nothing. */
static void cool(struct gch_stack *s) {
  struct slab *slab = s->slab;
  char *mapping = s->mapping;
  enum gch_guard guard = s->guard;
  size_t i = (size_t)(mapping - slab->stacks) / slot_size();
  int saved = errno;
  madvise(gch__stack_low(s), gch__stack_size(), MADV_DONTNEED);
  errno = saved;
  if (guard == GCH_GUARD_MAPPED)
    gch__unguard(mapping, slab->prot);
  gch__lock(&memory.lock);
  slab->warm[i / 64] &= ~(UINT64_C(1) << i % 64);
  list_slab(slab);
  gch__unlock(&memory.lock);
}

static size_t kept(void) {
  size_t n = KEPT_BYTES / gch__stack_size();
  return n < KEPT ? n : KEPT;
}

static void cool_all(struct gch_free *batch) {
  for (struct gch_free *next; batch; batch = next) {
    next = batch->next;
    cool((struct gch_stack *)(void *)batch);
  }
}

/* A guard that takes mappings may be missing elsewhere: one too many goes. */
void gch__stacks_over(struct gch_free *batch) {
  size_t most = kept();
  bool plenty = ((struct gch_stack *)(void *)batch)->guard == GCH_GUARD_ADVISED;
  gch__lock(&memory.lock);
  bool stay = plenty || memory.num_stacks < most;
  if (stay) {
    memory.num_stacks += batch->count;
    push_batch(&memory.stacks, batch);
  }
  bool many = memory.num_stacks > most;
  gch__unlock(&memory.lock);
  if (!stay)
    cool_all(batch);
  if (many)
    gch__monitor();
}

/* With memory.lock held. */
static struct gch_free *take_batch(void) {
  struct gch_free *batch = pop_batch(&memory.stacks);
  if (batch)
    memory.num_stacks -= batch->count;
  if (memory.num_stacks < memory.fewest)
    memory.fewest = memory.num_stacks;
  return batch;
}

struct gch_free *gch__take_stacks(void) {
  struct slot at = {0};
  gch__lock(&memory.lock);
  struct gch_free *batch = take_batch();
  bool cold = !batch && warm_up(&at);
  gch__unlock(&memory.lock);
  return cold ? gch__batch_of_one(stack_at(&at)) : batch;
}

/* With memory.lock held. */
static struct gch_free *take_spare(void) {
  if (memory.spare == 0)
    return NULL;
  struct gch_free *batch = take_batch();
  size_t n = batch ? batch->count : memory.spare;
  memory.spare -= n < memory.spare ? n : memory.spare;
  return batch;
}

static void begin_span(size_t most) {
  memory.spare = memory.fewest > most ? memory.fewest - most : 0;
  memory.fewest = memory.num_stacks;
  memory.looks = 0;
}

bool gch__cool_stacks(void) {
  struct gch_free *batches[COOLED];
  size_t most = kept();
  gch__lock(&memory.lock);
  if (++memory.looks >= SPAN)
    begin_span(most);
  for (int i = 0; i < COOLED; i++)
    batches[i] = take_spare();
  bool many = memory.num_stacks > most;
  gch__unlock(&memory.lock);
  for (int i = 0; i < COOLED; i++)
    cool_all(batches[i]);
  return many;
}
