/* SPDX-License-Identifier: BSD-3-Clause */
#include "go/sanitizer.h"

#include <pthread.h>

static void native_bounds(struct gch_sanitizer_stack *s) {
#ifdef __linux__
  pthread_attr_t attr;
  void *low;
  size_t size;
  if (pthread_getattr_np(pthread_self(), &attr) != 0)
    return;
  pthread_attr_getstack(&attr, &low, &size);
  pthread_attr_destroy(&attr);
  s->bottom = low;
  s->size = size;
#else
  (void)s;
#endif
}

void gch__sanitizer_native(struct gch_sanitizer_stack *s) {
  if (__tsan_get_current_fiber)
    s->fiber = __tsan_get_current_fiber();
  s->told = s->fake_told = 0;
  s->last_fake = NULL;
  if (__sanitizer_start_switch_fiber)
    native_bounds(s);
#if GCH_HAVE_VALGRIND
  if (RUNNING_ON_VALGRIND) { /* else it takes a switch for a deep call */
    native_bounds(s);
    s->valgrind_id =
        VALGRIND_STACK_REGISTER(s->bottom, (const char *)s->bottom + s->size);
  }
#endif
}

void gch__sanitizer_native_end(struct gch_sanitizer_stack *s) {
  (void)s;
#if GCH_HAVE_VALGRIND
  if (RUNNING_ON_VALGRIND)
    VALGRIND_STACK_DEREGISTER(s->valgrind_id);
#endif
}
