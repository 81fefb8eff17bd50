/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What ThreadSanitizer, AddressSanitizer and valgrind are told of stacks and
 * switches. Nothing, in a build without them.
 */
#ifndef GCH_GO_SANITIZER_H
#define GCH_GO_SANITIZER_H

#include "go/stack.h"
#include "park/sanitize.h"

#if GCH_TSAN
#include <sanitizer/tsan_interface.h>
#endif
#if GCH_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if GCH_HAVE_VALGRIND
#include <valgrind/valgrind.h>
#endif

/* A task is about to begin on s. */
static inline void gch__sanitizer_stack_used(struct gch_stack *s) {
  (void)s;
#if GCH_ASAN
  s->sanitizer.bottom = gch__stack_low(s);
  s->sanitizer.size = (size_t)((char *)s - gch__stack_low(s));
#endif
#if GCH_TSAN
  s->sanitizer.fiber = __tsan_create_fiber(0);
#endif
#if GCH_HAVE_VALGRIND
  s->sanitizer.valgrind_id = VALGRIND_STACK_REGISTER(gch__stack_low(s), s);
#endif
}

/* Functions on s have been left without returning. */
static inline void gch__sanitizer_frames_left(struct gch_sanitizer_stack *s) {
  (void)s;
#if GCH_ASAN
  __asan_unpoison_memory_region(s->bottom, s->size);
#endif
}

/* Its task is over. */
static inline void gch__sanitizer_stack_unused(struct gch_stack *s) {
  (void)s;
#if GCH_TSAN
  __tsan_destroy_fiber(s->sanitizer.fiber);
#endif
  gch__sanitizer_frames_left(&s->sanitizer);
#if GCH_HAVE_VALGRIND
  VALGRIND_STACK_DEREGISTER(s->sanitizer.valgrind_id);
#endif
}

/* The calling thread's own stack. */
void gch__sanitizer_native(struct gch_sanitizer_stack *s);

/* Right before a switch. from is NULL where nobody comes back. */
__attribute__((always_inline)) static inline void
gch__sanitizer_leave(struct gch_sanitizer_stack *from,
                     struct gch_sanitizer_stack *to) {
  (void)from;
  (void)to;
#if GCH_TSAN
  __tsan_switch_to_fiber(to->fiber, 0);
#endif
#if GCH_ASAN
  __sanitizer_start_switch_fiber(from ? &from->fake : NULL, to->bottom,
                                 to->size);
#endif
}

/* Right after it, on the stack s. */
__attribute__((always_inline)) static inline void
gch__sanitizer_arrive(struct gch_sanitizer_stack *s) {
  (void)s;
#if GCH_ASAN
  __sanitizer_finish_switch_fiber(s->fake, NULL, NULL);
  s->fake = NULL;
#endif
}

#endif
