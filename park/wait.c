/* SPDX-License-Identifier: BSD-3-Clause */
#include "park/wait.h"

#include "park/clock.h"

struct gch_wait *gch__wait_begin(enum gch_wait_for what, const void *object) {
  struct gch_wait *w = gch__wait_place();
  if (!w)
    return NULL;
  atomic_store_explicit(&w->object, object, memory_order_relaxed);
  atomic_store_explicit(&w->since, gch__recently(), memory_order_relaxed);
  atomic_store_explicit(&w->what, what, memory_order_relaxed);
  return w;
}
