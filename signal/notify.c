/* SPDX-License-Identifier: BSD-3-Clause */
#include "park/strict.h"
#include "signal/registry.h"

#include <stdlib.h>

void gch__free_listeners(struct gch_listener *l) {
  for (struct gch_listener *next; l; l = next) {
    next = l->next;
    gch_unref(l->chan);
    free(l);
  }
}

void gch__free_gone(void) {
  gch__signals_lock();
  struct gch_listener *gone = gch__take_gone();
  gch__signals_unlock();
  gch__free_listeners(gone);
}

int gch_signal_notify(gch_chan *c, const int *sigs, size_t n) {
  gch_sigset set;
  gch__free_gone();
  if (!c)
    return gch__go_panics(EINVAL, EINVAL,
                          "os/signal: Notify using nil channel");
  if (c->owner != GCH_OWNER_NONE)
    return EPERM;
  if (c->elem_size != sizeof(int) || gch__sigset(sigs, n, &set) != 0)
    return EINVAL;
  int saved = errno;
  struct gch_listener *fresh = calloc(1, sizeof *fresh), *spare = fresh;
  errno = saved;
  if (!fresh || gch__signals_start() != 0) {
    free(fresh);
    return ENOMEM;
  }
  gch__signals_lock();
  struct gch_listener *l = gch__listener_of(c);
  if (!l) {
    l = fresh;
    l->chan = gch_ref(c);
    spare = NULL;
  }
  gch__listen(l, set);
  gch__signals_unlock();
  free(spare);
  return 0;
}

void gch_signal_stop(gch_chan *c) {
  struct gch_wakes wakes = GCH_WAKES_INIT;
  gch__free_gone();
  if (!c)
    return;
  gch__signals_lock();
  struct gch_listener *l = gch__listener_of(c);
  if (l) {
    gch__unlisten(l, l->wants, &wakes);
    l->next = NULL;
  }
  gch__signals_unlock();
  gch__wakes_flush(&wakes);
  gch__free_listeners(l);
}

void gch_signal_reset(const int *sigs, size_t n) {
  struct gch_wakes wakes = GCH_WAKES_INIT;
  gch_sigset set;
  gch__free_gone();
  gch__sigset(sigs, n, &set);
  if (n == 0)
    set = UINT64_MAX;
  gch__signals_lock();
  struct gch_listener *gone = gch__unlisten_all(set, &wakes);
  gch__signals_unlock();
  gch__wakes_flush(&wakes);
  gch__free_listeners(gone);
}
