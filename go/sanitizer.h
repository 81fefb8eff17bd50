/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What ThreadSanitizer, AddressSanitizer and valgrind are told of stacks and
 * switches. The first two are found when the program runs: it may be the
 * program alone that is built with them. Where there is none, these functions
 * are null.
 */
#ifndef GCH_GO_SANITIZER_H
#define GCH_GO_SANITIZER_H

#include "go/extras.h"
#include "go/stack.h"
#include "park/sanitize.h"

#include <stdatomic.h>

#if GCH_HAVE_VALGRIND
#include <valgrind/valgrind.h>
#endif

#define GCH_WEAK __attribute__((weak))
GCH_WEAK void *__tsan_get_current_fiber(void);
GCH_WEAK void *__tsan_create_fiber(unsigned flags);
GCH_WEAK void __tsan_destroy_fiber(void *fiber);
GCH_WEAK void __tsan_switch_to_fiber(void *fiber, unsigned flags);
GCH_WEAK void __sanitizer_start_switch_fiber(void **fake, const void *bottom,
                                             size_t size);
GCH_WEAK void __sanitizer_finish_switch_fiber(void *fake, const void **bottom,
                                              size_t *size);
GCH_WEAK void *__asan_get_current_fake_stack(void);
GCH_WEAK void __asan_unpoison_memory_region(const volatile void *p,
                                            size_t size);
#undef GCH_WEAK

/* roots.c, for LeakSanitizer: whether it is there; what it is to look through
   from now on; a stack, while a task is on it; and where that is about to be
   left while the process ends. */
extern GCH_HIDDEN atomic_bool gch__roots_ending;
bool gch__roots_wanted(void);
void gch__root(const void *p, size_t size);
void gch__root_begins(struct gch_sanitizer_stack *s);
void gch__root_ends(struct gch_sanitizer_stack *s);
void gch__root_left(struct gch_sanitizer_stack *s);

/* Around a fork. */
void gch__roots_lock(void);
void gch__roots_unlock(void);

/* There all threads but one seem to sleep. */
static inline bool gch__on_valgrind(void) {
#if GCH_HAVE_VALGRIND
  return RUNNING_ON_VALGRIND;
#else
  return false;
#endif
}

static inline bool gch__sanitized(void) {
  return __tsan_switch_to_fiber || __sanitizer_start_switch_fiber ||
         gch__roots_wanted();
}

/* A task is about to begin on s. */
static inline void gch__sanitizer_stack_used(struct gch_stack *s) {
  if (!gch__plain) {
    s->sanitizer.bottom = gch__stack_low(s);
    s->sanitizer.size = (size_t)((char *)s - gch__stack_low(s));
    if (__tsan_create_fiber)
      s->sanitizer.fiber = __tsan_create_fiber(0);
    s->sanitizer.last_fake = NULL;
    s->sanitizer.fake_told = 0;
    if (gch__roots_wanted())
      gch__root_begins(&s->sanitizer);
  }
#if GCH_HAVE_VALGRIND
  s->sanitizer.valgrind_id = VALGRIND_STACK_REGISTER(gch__stack_low(s), s);
#endif
}

/* Functions on s have been left without returning. */
static inline void gch__sanitizer_frames_left(struct gch_sanitizer_stack *s) {
  if (__asan_unpoison_memory_region)
    __asan_unpoison_memory_region(s->bottom, s->size);
}

/* Its task is over. */
static inline void gch__sanitizer_stack_unused(struct gch_stack *s) {
  if (!gch__plain) {
    if (__tsan_destroy_fiber)
      __tsan_destroy_fiber(s->sanitizer.fiber);
    gch__sanitizer_frames_left(&s->sanitizer);
    if (gch__roots_wanted())
      gch__root_ends(&s->sanitizer);
  }
#if GCH_HAVE_VALGRIND
  VALGRIND_STACK_DEREGISTER(s->sanitizer.valgrind_id);
#endif
}

/* The calling thread's own stack; and where its thread ends. */
void gch__sanitizer_native(struct gch_sanitizer_stack *s);
void gch__sanitizer_native_end(struct gch_sanitizer_stack *s);

/* What hangs on s is known to LeakSanitizer from here on, also while s belongs
   to no thread. Each of two stores before it looks at what the other stores: s
   where its fake stack is, and the process that it ends. So one of them tells of
   it, and before s is left. */
static inline void gch__sanitizer_root(struct gch_sanitizer_stack *s) {
  if (__asan_get_current_fake_stack)
    __atomic_store_n(&s->last_fake, __asan_get_current_fake_stack(),
                     __ATOMIC_SEQ_CST);
  if (atomic_load(&gch__roots_ending))
    gch__root_left(s);
}

/* Right before a switch. from is NULL where nobody comes back. */
__attribute__((always_inline)) static inline void
gch__sanitizer_leave(struct gch_sanitizer_stack *from,
                     struct gch_sanitizer_stack *to) {
  if (from)
    gch__sanitizer_root(from);
  if (__tsan_switch_to_fiber)
    __tsan_switch_to_fiber(to->fiber, 0);
  if (__sanitizer_start_switch_fiber)
    __sanitizer_start_switch_fiber(from ? &from->fake : NULL, to->bottom,
                                   to->size);
}

/* Right after it, on the stack s. */
__attribute__((always_inline)) static inline void
gch__sanitizer_arrive(struct gch_sanitizer_stack *s) {
  if (__sanitizer_finish_switch_fiber) {
    __sanitizer_finish_switch_fiber(s->fake, NULL, NULL);
    s->fake = NULL;
  }
}

#endif
