/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who listens to which signals.
 *
 * The handler counts (pending) and wakes the library's own thread, which
 * delivers. One lock, the registry's, guards the listeners, the saved
 * dispositions, and every delivery. To stop listening is, under that lock: put
 * the old dispositions back where nobody else listens, deliver what is pending,
 * leave the list. So after it nothing arrives, and what was caught before is
 * not lost. A handler that was on its way at that moment counts later; such a
 * signal finds no listener, and is raised again under the old disposition.
 *
 * Lock order: registry, channel. Wakes and cancels come after the unlock.
 */
#ifndef GCH_SIGNAL_REGISTRY_H
#define GCH_SIGNAL_REGISTRY_H

#include "chan/impl.h"

#include <gulch/signal.h>

/* A set of signals: bit s - 1 is signal s. */
typedef uint64_t gch_sigset;

struct gch_listener {
  struct gch_listener *next, **link; /* link is NULL when not listed */
  gch_sigset wants;
  gch_chan *chan; /* NULL: deliver */
  /* Under the lock. */
  void (*deliver)(struct gch_listener *l, struct gch_wakes *k);
};

/* The set of n signals (n == 0: all that one would want). 0; EINVAL: one can't
   be caught. */
int gch__sigset(const int *sigs, size_t n, gch_sigset *set);

/* What a listener needs to be running. 0 or ENOMEM. */
int gch__signals_start(void);

void gch__signals_lock(void);
void gch__signals_unlock(void);

/* Takes the lock. Whether somebody listens, or a signal is on its way. */
bool gch__signals_expected(void);

/* With the lock held. The listener of c, or NULL. */
struct gch_listener *gch__listener_of(const gch_chan *c);

/* With the lock held: l listens to set too, and is listed. */
void gch__listen(struct gch_listener *l, gch_sigset set);

/* With the lock held: l no longer listens to set; with nothing left it is
   taken off the list. */
void gch__unlisten(struct gch_listener *l, gch_sigset set, struct gch_wakes *k);

/* With the lock held: nobody listens to set any more. Returns the listeners of
   channels that have nothing left, linked by next: they are the caller's. */
struct gch_listener *gch__unlisten_all(gch_sigset set, struct gch_wakes *k);

/* With the lock held: those that a fork left over in this child, in the same
   way. */
struct gch_listener *gch__take_gone(void);

/* Without it: frees listeners of channels, linked by next. Calls user code. */
void gch__free_listeners(struct gch_listener *l);

/* At the begin of each call: what a fork left over goes. */
void gch__free_gone(void);

#endif
