/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What LeakSanitizer has to know of. It looks for pointers in the stacks of
 * threads, with that of the task that each runs, so what hangs on a parked
 * task's alone would be a leak to it. When the process ends it is told of the
 * stacks of all tasks that have begun, of what they have touched: a stack is
 * large, and its guard must not be read. Who is about to be left, or begins,
 * after that is told of then; but of what was told before no more, since it
 * looks through all that it was told, and tasks may go on for long.
 *
 * The lock guards the list of those stacks.
 */
#include "go/sanitizer.h"
#include "park/lock.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

__attribute__((weak)) void __lsan_register_root_region(const void *p,
                                                       size_t size);

static struct {
  struct gch_lock lock;
  struct gch_sanitizer_stack *first;
} roots;

atomic_bool gch__roots_ending;

bool gch__roots_wanted(void) {
  return __lsan_register_root_region;
}

void gch__root(const void *p, size_t size) {
  if (__lsan_register_root_region && p)
    __lsan_register_root_region(p, size);
}

void gch__roots_lock(void) {
  gch__lock(&roots.lock);
}

void gch__roots_unlock(void) {
  gch__unlock(&roots.lock);
}

static size_t page_size(void) {
  return (size_t)sysconf(_SC_PAGESIZE);
}

/* What of s may have been touched: from its upper end to where, for some pages,
   nothing has. */
static size_t used_of(const struct gch_sanitizer_stack *s) {
  enum { MARGIN = 4 };
  unsigned char there;
  size_t page = page_size(), used = 0, untouched = 0;
  uintptr_t low = (uintptr_t)s->bottom;
  uintptr_t at = (low + s->size + page - 1) / page * page;
  for (; at > low && untouched < MARGIN * page; used += page) {
    at -= page;
    if (mincore((void *)at, page, &there) != 0 || !(there & 1))
      untouched += page;
    else
      untouched = 0;
  }
  return used < s->size ? used : s->size;
}

/* How many of these pages have been touched; and tells of them. */
static size_t touched(const char *at, size_t pages, bool tell) {
  enum { CHUNK = 64 };
  unsigned char there[CHUNK];
  size_t page = page_size(), count = 0;
  for (size_t n; pages > 0; pages -= n, at += n * page) {
    n = pages < CHUNK ? pages : CHUNK;
    if (mincore((void *)(uintptr_t)at, n * page, there) != 0)
      return count;
    for (size_t i = 0; i < n; i++) {
      count += there[i] & 1;
      if (tell && there[i] & 1)
        gch__root(at + i * page, page);
    }
  }
  return count;
}

/* AddressSanitizer may keep the locals of a task in memory of its own: flags,
   then eleven times the stack, within bounds and rounded to a power of two.
   What of it has been touched: if it is smaller, what lies behind may be a
   guard. The pages that are known already: so many. */
static size_t tell_of_fake(const char *fake, size_t stack_size, size_t known) {
  size_t size = 1 << 16;
  while (size < stack_size && size < 1 << 20)
    size *= 2;
  size_t pages = (4096 + size / 32 + 11 * size) / page_size();
  return touched(fake, pages, false) > known ? touched(fake, pages, true)
                                             : known;
}

/* The uppermost bytes of s, if so many are not known yet. */
static void tell_of(struct gch_sanitizer_stack *s, size_t used) {
  const char *end = (const char *)s->bottom + s->size;
  if (used > s->told) {
    gch__root(end - used, used - s->told);
    s->told = used;
  }
}

void gch__root_left(struct gch_sanitizer_stack *s) {
  tell_of(s, used_of(s));
  const char *fake = __atomic_load_n(&s->last_fake, __ATOMIC_SEQ_CST);
  if (fake)
    s->fake_told = tell_of_fake(fake, s->size, s->fake_told);
}

static void tell_of_all(void) {
  gch__lock(&roots.lock);
  atomic_store(&gch__roots_ending, true);
  for (struct gch_sanitizer_stack *s = roots.first; s; s = s->next)
    gch__root_left(s);
  gch__unlock(&roots.lock);
}

/* To come before LeakSanitizer's own, which the sanitizer registered when the
   program began. */
static void at_exit(void) {
  static atomic_bool registered;
  if (!atomic_load(&registered) && !atomic_exchange(&registered, true))
    atexit(tell_of_all);
}

void gch__root_begins(struct gch_sanitizer_stack *s) {
  at_exit();
  gch__lock(&roots.lock);
  s->next = roots.first;
  s->link = &roots.first;
  if (s->next)
    s->next->link = &s->next;
  roots.first = s;
  if (atomic_load(&gch__roots_ending))
    tell_of(s, s->size);
  gch__unlock(&roots.lock);
}

void gch__root_ends(struct gch_sanitizer_stack *s) {
  gch__lock(&roots.lock);
  *s->link = s->next;
  if (s->next)
    s->next->link = s->link;
  gch__unlock(&roots.lock);
}
