/* SPDX-License-Identifier: BSD-3-Clause */
/* A stack in its memory, and those that have a mapping of their own. */
#include "go/stack.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/* Stacks begin at different places in their last page. Else the same frames of
   all of them would share a few sets of the processor's caches. */
enum { ALIGN = 64, PLACES = 16, STEP = 128 };
enum { HEADER = (sizeof(struct gch_stack) + ALIGN - 1) / ALIGN * ALIGN };
enum { OVERHEAD = HEADER + PLACES * STEP };

struct gch_stack *gch__stack_in(char *mapping, size_t size,
                                enum gch_guard guard) {
  size_t place = (uintptr_t)mapping / size % PLACES * STEP;
  struct gch_stack *s =
      (struct gch_stack *)(void *)(mapping + size - HEADER - place);
  memset(s, 0, sizeof *s);
  s->mapping = mapping;
  s->low = mapping + gch__guard_size();
  s->guard = guard;
  s->special = guard == GCH_UNGUARDED;
  return s;
}

bool gch__stack_guards(const struct gch_stack *s, const void *addr) {
  return (const char *)addr >= s->mapping &&
         (const char *)addr < gch__stack_low(s);
}

size_t gch__stack_room(void) {
  return gch__stack_size() - OVERHEAD;
}

struct gch_stack *gch__stack_map(size_t size) {
  size_t page = gch__page(), whole;
  int prot, saved = errno;
  if (__builtin_add_overflow(size, OVERHEAD + gch__guard_size() + page, &whole))
    return NULL;
  whole = whole / page * page;
  char *mapping = gch__map_stacks(whole, &prot);
  errno = saved;
  if (!mapping)
    return NULL;
  struct gch_stack *s = gch__stack_in(mapping, whole, gch__guard(mapping));
  s->mapped = whole;
  s->special = true;
  return s;
}

struct gch_stack *gch__stack_free_special(struct gch_stack *s) {
  enum gch_guard guard = s->guard;
  if (s->mapped) {
    munmap(s->mapping, s->mapped);
    gch__guard_gone(guard);
    return NULL;
  }
  s->guard = gch__guard(s->mapping);
  s->special = s->guard == GCH_UNGUARDED;
  return s;
}
