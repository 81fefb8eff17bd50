/* SPDX-License-Identifier: BSD-3-Clause */
#include "sync/impl.h"

#include <gulch/debug.h>

/* process: the object's word, see park/sleepers.h. */
static size_t count(const void *object, const uint32_t *process,
                    void *const *list) {
  struct gch_lock *lock = gch__sleepers_lock(object);
  size_t n = 0;
  gch__lock(lock);
  const struct gch_sleeper *first = gch__is_inherited(process) ? NULL : *list,
                           *s = first;
  while (s) {
    n++;
    s = s->next == first ? NULL : s->next;
  }
  gch__unlock(lock);
  return n;
}

size_t gch_mutex_waiting(const gch_mutex *m) {
  return count(m, &m->process, &m->waiters);
}

void gch_rwmutex_waiting(const gch_rwmutex *rw, size_t *readers,
                         size_t *writers) {
  if (readers)
    *readers = count(rw, &rw->process, &rw->readers);
  if (writers)
    *writers = count(rw, &rw->process, &rw->writers) +
               count(rw, &rw->process, &rw->seat);
}

size_t gch_cond_waiting(const gch_cond *c) {
  return count(c, &c->process, &c->waiters);
}

size_t gch_once_waiting(const gch_once *o) {
  return count(o, &o->process, &o->waiters);
}
