/* SPDX-License-Identifier: BSD-3-Clause */
#include "go/stack_size.h"

#include "go/map.h"
#include "park/fork.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* GULCH_STACK_SIZE */

enum { KB = 1024, MB = KB * KB };
enum { USUAL = 256 * KB, LEAST = 16 * KB };
static const size_t most = (sizeof(void *) > 4 ? 1024 : 64) * (size_t)MB;

/* "300000", "512k", "4m", "1g"; 0: it is not like that. */
static unsigned long long parse(const char *s) {
  static const char units[] = "kmg";
  char *end;
  if (*s < '0' || *s > '9')
    return 0;
  errno = 0;
  unsigned long long n = strtoull(s, &end, 10);
  if (errno)
    n = ULLONG_MAX;
  const char *unit = *end ? strchr(units, *end | 0x20) : NULL;
  if (*end && (!unit || end[1]))
    return 0;
  int shift = unit ? 10 * (int)(unit - units + 1) : 0;
  return n > ULLONG_MAX >> shift ? ULLONG_MAX : n << shift;
}

static size_t choose(void) {
  const char *s = getenv("GULCH_STACK_SIZE");
  int saved = errno;
  unsigned long long n = s ? parse(s) : 0;
  errno = saved;
  size_t page = gch__page();
  n = n == 0 ? USUAL : n < LEAST ? LEAST : n > most ? most : n;
  return ((size_t)n + page - 1) / page * page;
}

size_t gch__stack_size(void) {
  /* Whoever comes first decides, should the environment be changed. */
  static _Atomic size_t known;
  size_t size = atomic_load_explicit(&known, memory_order_relaxed), none = 0;
  if (size == 0) {
    size = choose();
    if (!atomic_compare_exchange_strong(&known, &none, size))
      size = none;
  }
  return size;
}

/* Executable stacks */

#if __has_include(<link.h>)
#include <link.h>

/* What was seen last: how many objects had been loaded, and the answer. */
static _Atomic uintptr_t seen;
enum { SEEN = 1, EXECUTES = 2, LOADS = 2 };

static uintptr_t loads_of(const struct dl_phdr_info *o, size_t size) {
  bool known =
      size >= offsetof(struct dl_phdr_info, dlpi_adds) + sizeof o->dlpi_adds;
  return known ? (uintptr_t)o->dlpi_adds << LOADS | SEEN : 0;
}

/* The objects one after the other, until one wants it. As glibc decides for the
   stacks of threads. */
static int look_at(struct dl_phdr_info *o, size_t size, void *answer) {
  uintptr_t *found = answer, loads = loads_of(o, size);
  uintptr_t before = atomic_load_explicit(&seen, memory_order_relaxed);
  if (loads && (before & ~(uintptr_t)EXECUTES) == loads) {
    *found = before;
    return 1;
  }
  *found = loads;
  for (int i = 0; i < o->dlpi_phnum; i++)
    if (o->dlpi_phdr[i].p_type == PT_GNU_STACK &&
        o->dlpi_phdr[i].p_flags & PF_X)
      *found |= EXECUTES;
  return *found & EXECUTES ? 1 : 0;
}

bool gch__stacks_execute(void) {
  uintptr_t found = 0;
  if (gch__left_threads())
    return atomic_load_explicit(&seen, memory_order_relaxed) & EXECUTES;
  dl_iterate_phdr(look_at, &found);
  atomic_store_explicit(&seen, found, memory_order_relaxed);
  return found & EXECUTES;
}

/* Before a fork, after which it can't be asked. */
__attribute__((constructor(101))) static void at_load(void) {
  gch__stacks_execute();
}

#else
bool gch__stacks_execute(void) {
  return false;
}
#endif
