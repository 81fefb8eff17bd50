/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Task-local values, as pthread_key_t gives them to threads.
 *
 * A key's record is memory for good: a freed one waits in a list for the next
 * key. Its generation is odd while it is a key, and grows with each new and
 * each free. A value is noted with the generation of its key, so it is gone
 * when that grows, and a later key in the same record does not find it.
 *
 * The values of a task are in a table of its own, open addressing by key, that
 * begins with the first gch_key_set and hangs from the task's stack header;
 * those of a thread hang from a pthread key. Only the task, or thread, touches
 * it.
 *
 * When a task's function has returned, and before whoever waits for the task is
 * told, gch__drop_values drops what is left (park/fork.h). A task that ends its
 * thread leaves its table to the thread, which drops it as it does its own.
 * Drop functions may set values: those are dropped too, in ROUNDS rounds.
 *
 * The lock guards the list of freed records and the making of the pthread key.
 */
#include "go/sched.h"
#include "park/fork.h"
#include "park/stay.h"

#include <gulch/go.h>
#include <gulch/panic.h>

#include <pthread.h>
#include <stdlib.h>

enum { ROUNDS = 4, ROOM = 4 }; /* as pthreads have; of a first table */

struct gch_key {
  _Atomic uint64_t generation;
  _Atomic(void (*)(void *)) drop;
  struct gch_key *next; /* freed */
};

struct value {
  gch_key *key; /* NULL: a free place */
  uint64_t generation;
  void *value;
};

struct gch_values {
  uint32_t room, used; /* places, a power of two; those that are not free */
  struct value at[];
};

static struct {
  struct gch_lock lock;
  gch_key *freed;
  pthread_key_t of_thread;
  atomic_bool ready; /* there is of_thread */
} keys;

/* Tables */

static bool is_alive(const struct value *v) {
  return v->value && atomic_load(&v->key->generation) == v->generation;
}

/* The place of key, or the free one where it would be. At least one place is
   free. Fibonacci hashing. */
static struct value *place(struct gch_values *all, const gch_key *key) {
  uint64_t hash = (uint64_t)(uintptr_t)key * UINT64_C(0x9e3779b97f4a7c15);
  uint32_t i = (uint32_t)(hash >> 32);
  while (all->at[i & (all->room - 1)].key &&
         all->at[i & (all->room - 1)].key != key)
    i++;
  return &all->at[i & (all->room - 1)];
}

static struct gch_values *table_new(uint32_t room) {
  int saved = errno;
  struct gch_values *all = calloc(1, sizeof *all + room * sizeof *all->at);
  errno = saved;
  if (all)
    all->room = room;
  return all;
}

/* A table with room for more than the values of old, which is freed; NULL: no
   memory, and old is as it was. */
static struct gch_values *table_grown(struct gch_values *old) {
  uint32_t alive = 0;
  for (uint32_t i = 0; i < old->room; i++)
    alive += old->at[i].key && is_alive(&old->at[i]);
  struct gch_values *all =
      table_new(2 * alive >= old->room ? 2 * old->room : old->room);
  if (!all)
    return NULL;
  for (uint32_t i = 0; i < old->room; i++)
    if (old->at[i].key && is_alive(&old->at[i])) {
      *place(all, old->at[i].key) = old->at[i];
      all->used++;
    }
  free(old);
  return all;
}

/* The caller's table. */

static struct gch_values *table(void) {
  struct gch_task *t = gch__task_self();
  if (t)
    return t->stack->values;
  return atomic_load(&keys.ready) ? pthread_getspecific(keys.of_thread) : NULL;
}

/* False: no memory. */
static bool set_table(struct gch_values *all) {
  struct gch_task *t = gch__task_self();
  if (!t)
    return pthread_setspecific(keys.of_thread, all) == 0;
  t->stack->values = all;
  return true;
}

/* One more key has a place; false: no memory, and nothing has changed. */
static bool make_room(void) {
  struct gch_values *all = table();
  if (all && (all->used + 1) * 4 <= all->room * 3)
    return true;
  struct gch_values *more = all ? table_grown(all) : table_new(ROOM);
  if (more && !set_table(more)) {
    free(more); /* only ever a first one, of a thread */
    more = NULL;
  }
  return more != NULL;
}

void *gch_key_get(gch_key *key) {
  struct gch_values *all = table();
  if (!key || !all)
    return NULL;
  const struct value *v = place(all, key);
  return v->key && is_alive(v) ? v->value : NULL;
}

int gch_key_set(gch_key *key, void *value) {
  uint64_t generation = key ? atomic_load(&key->generation) : 0;
  if (generation % 2 == 0)
    return EINVAL;
  struct gch_values *all = table();
  struct value *v = all ? place(all, key) : NULL;
  if (!v || !v->key) {
    if (!value)
      return 0;
    if (!make_room())
      return ENOMEM;
    all = table();
    v = place(all, key);
    all->used++;
  }
  *v = (struct value){key, generation, value};
  return 0;
}

/* The end of a task or thread */

/* One round; whether there was anything. The table may change under a drop. */
static bool drop_all(void) {
  bool any = false;
  struct gch_values *all;
  for (uint32_t i = 0; (all = table()) && i < all->room; i++) {
    struct value v = all->at[i];
    all->at[i].value = NULL;
    if (!v.key || !v.value)
      continue;
    void (*drop)(void *) = atomic_load(&v.key->drop);
    if (drop && is_alive(&v)) {
      any = true;
      drop(v.value);
    }
  }
  return any;
}

void gch__drop_values(void) {
  if (!table())
    return;
  for (int i = 0; i < ROUNDS && drop_all(); i++)
    continue;
  struct gch_values *all = table();
  set_table(NULL);
  free(all);
}

/* pthreads have set the thread's value to NULL. */
static void drop_of_thread(void *all) {
  if (set_table(all))
    gch__drop_values();
}

void gch__values_to_thread(struct gch_task *t) {
  struct gch_values *all = t->stack ? t->stack->values : NULL;
  if (!all)
    return;
  t->stack->values = NULL;
  pthread_setspecific(keys.of_thread, all); /* else they are lost */
}

/* Keys */

/* False: there can be no keys yet, for want of a pthread key. */
static bool begin(void) {
  if (atomic_load(&keys.ready))
    return true;
  gch__stay_loaded(); /* any thread's end may come to drop_of_thread */
  gch__lock(&keys.lock);
  if (!atomic_load(&keys.ready))
    atomic_store(&keys.ready,
                 pthread_key_create(&keys.of_thread, drop_of_thread) == 0);
  gch__unlock(&keys.lock);
  return atomic_load(&keys.ready);
}

static void put_records(gch_key *first, size_t n) {
  gch__lock(&keys.lock);
  for (size_t i = 0; i < n; i++) {
    first[i].next = keys.freed;
    keys.freed = &first[i];
  }
  gch__unlock(&keys.lock);
}

/* A record, freed before or new; NULL: no memory. */
static gch_key *take_record(void) {
  enum { RECORDS = 128 };
  gch__lock(&keys.lock);
  gch_key *key = keys.freed;
  if (key)
    keys.freed = key->next;
  gch__unlock(&keys.lock);
  if (key)
    return key;
  key = (gch_key *)(void *)gch__map(RECORDS * sizeof *key);
  if (key)
    put_records(key + 1, RECORDS - 1);
  return key;
}

gch_key *gch_key_new(void (*drop)(void *value)) {
  int saved = errno;
  gch_key *key = begin() ? take_record() : NULL;
  errno = key ? saved : ENOMEM;
  if (!key)
    return NULL;
  gch__tasks_have_values();
  atomic_store(&key->drop, drop);
  atomic_fetch_add(&key->generation, 1);
  return key;
}

void gch_key_free(gch_key *key) {
  if (!key)
    return;
  uint64_t seen = atomic_load(&key->generation);
  if (seen % 2 == 0 ||
      !atomic_compare_exchange_strong(&key->generation, &seen, seen + 1))
    gch_panic("gulch: free of a key that was freed before");
  put_records(key, 1);
}

/* Fork: the list is whole in the child. */

static void before_fork(void) {
  gch__lock(&keys.lock);
}

static void in_parent(void) {
  gch__unlock(&keys.lock);
}

static void in_child(void) {
  gch__lock_reset(&keys.lock);
}

const struct gch_fork_handlers gch__fork_key = {before_fork, in_parent,
                                                in_child};
