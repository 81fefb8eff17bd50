/* SPDX-License-Identifier: BSD-3-Clause */
#include "signal/registry.h"

#include "park/fork.h"
#include "signal/relay.h"
#include "timer/service.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

enum { SIGNALS = 64, WORD_BITS = 32, WORDS = SIGNALS / WORD_BITS };

_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "the handler takes no locks");

static struct {
  struct gch_lock lock;
  struct gch_listener *listeners;
  struct gch_listener *gone; /* in a forked child: those of the parent */
  gch_sigset installed; /* whose disposition is ours */
  struct sigaction old[SIGNALS + 1];
} registry;

/* Written by the handler. counts before marked, read in the other order. marked
   is a gch_sigset in words that every processor changes without a lock. */
static _Atomic uint32_t marked[WORDS];
static _Atomic uint32_t counts[SIGNALS + 1];

static gch_sigset bit(int sig) {
  return UINT64_C(1) << (sig - 1);
}

static uint32_t word_of(gch_sigset set, int word) {
  return (uint32_t)(set >> word * WORD_BITS);
}

static void mark(int sig) {
  int word = (sig - 1) / WORD_BITS;
  atomic_fetch_or(&marked[word], word_of(bit(sig), word));
}

/* What of set was marked, and no more is. */
static gch_sigset unmark(gch_sigset set) {
  gch_sigset were = 0;
  for (int i = 0; i < WORDS; i++)
    were |= (gch_sigset)atomic_fetch_and(&marked[i], ~word_of(set, i))
            << i * WORD_BITS;
  return were & set;
}

static bool any_marked(void) {
  uint32_t any = 0;
  for (int i = 0; i < WORDS; i++)
    any |= atomic_load(&marked[i]);
  return any != 0;
}

/* What the processor raises when an instruction can't be carried out. */
static bool is_fault(int sig) {
  return sig == SIGSEGV || sig == SIGBUS || sig == SIGFPE || sig == SIGILL ||
         sig == SIGTRAP || sig == SIGSYS;
}

static void handle(int sig, siginfo_t *info, void *context) {
  (void)context;
  int saved = errno;
  if (is_fault(sig) && info->si_code > 0) {
    /* A real fault: it happens again, under the old disposition. */
    sigaction(sig, &registry.old[sig], NULL);
  } else {
    atomic_fetch_add(&counts[sig], 1);
    mark(sig);
    gch__relay_wake();
  }
  errno = saved;
}

static bool can_be_caught(int sig) {
  struct sigaction now;
  return sig > 0 && sig <= SIGNALS && sig != SIGKILL && sig != SIGSTOP &&
         sigaction(sig, NULL, &now) == 0;
}

int gch__sigset(const int *sigs, size_t n, gch_sigset *set) {
  int saved = errno, err = 0;
  *set = 0;
  for (size_t i = 0; i < n; i++) {
    if (!can_be_caught(sigs[i]))
      err = EINVAL;
    else
      *set |= bit(sigs[i]);
  }
  for (int sig = 1; n == 0 && sig <= SIGNALS; sig++)
    if (can_be_caught(sig) && !is_fault(sig) && sig != SIGABRT)
      *set |= bit(sig);
  errno = saved;
  return err;
}

/* Dispositions */

static void install(gch_sigset set) {
  struct sigaction ours = {.sa_sigaction = handle,
                           .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
  sigfillset(&ours.sa_mask);
  set &= ~registry.installed;
  for (int sig = 1; sig <= SIGNALS; sig++)
    if (set & bit(sig))
      sigaction(sig, &ours, &registry.old[sig]);
  registry.installed |= set;
}

static void restore(gch_sigset set) {
  set &= registry.installed;
  for (int sig = 1; sig <= SIGNALS; sig++)
    if (set & bit(sig))
      sigaction(sig, &registry.old[sig], NULL);
  registry.installed &= ~set;
}

/* Delivery */

static void deliver(int sig, struct gch_wakes *k) {
  for (struct gch_listener *l = registry.listeners; l; l = l->next) {
    if (!(l->wants & bit(sig)))
      continue;
    if (l->chan)
      gch__offer(l->chan, &sig, k);
    else
      l->deliver(l, k);
  }
}

static gch_sigset all_wanted(void) {
  gch_sigset set = 0;
  for (struct gch_listener *l = registry.listeners; l; l = l->next)
    set |= l->wants;
  return set;
}

/* With the lock held: delivers what the handler has counted. What nobody wants
   stays marked, for poll_signals. */
static void deliver_pending(gch_sigset wanted, struct gch_wakes *k) {
  gch_sigset set = unmark(wanted);
  for (int sig = 1; set && sig <= SIGNALS; sig++)
    if (set & bit(sig))
      for (uint32_t n = atomic_exchange(&counts[sig], 0); n > 0; n--)
        deliver(sig, k);
}

/* Raises again, under the old disposition, what was caught on the way out. */
static void raise_again(gch_sigset set) {
  for (int sig = 1; set && sig <= SIGNALS; sig++)
    if (set & bit(sig))
      for (uint32_t n = atomic_exchange(&counts[sig], 0); n > 0; n--)
        kill(getpid(), sig);
}

/* Each time the library's thread looks around. */
static void poll_signals(struct gch_wakes *k) {
  if (!any_marked())
    return;
  gch__lock(&registry.lock);
  gch_sigset wanted = all_wanted();
  deliver_pending(wanted, k);
  gch_sigset unwanted = unmark(~wanted);
  gch__unlock(&registry.lock);
  raise_again(unwanted);
}

/* Listeners */

int gch__signals_start(void) {
  gch__service_poll(poll_signals);
  int err = gch__service_start();
  return err ? err : gch__relay_start();
}

void gch__signals_lock(void) {
  gch__lock(&registry.lock);
}

void gch__signals_unlock(void) {
  gch__unlock(&registry.lock);
}

struct gch_listener *gch__listener_of(const gch_chan *c) {
  struct gch_listener *l = registry.listeners;
  while (l && l->chan != c)
    l = l->next;
  return l;
}

bool gch__signals_expected(void) {
  gch__signals_lock();
  bool listens = registry.listeners;
  gch__signals_unlock();
  return listens || any_marked();
}

static void enlist(struct gch_listener *l) {
  l->next = registry.listeners;
  l->link = &registry.listeners;
  if (l->next)
    l->next->link = &l->next;
  registry.listeners = l;
}

static void unlist(struct gch_listener *l) {
  *l->link = l->next;
  if (l->next)
    l->next->link = l->link;
  l->link = NULL;
}

void gch__listen(struct gch_listener *l, gch_sigset set) {
  l->wants |= set;
  if (!l->link)
    enlist(l);
  install(set);
}

/* Puts the old dispositions back, but for signals that somebody besides leaving
   listens to (leaving == NULL: for all). Then delivers what was caught. */
static void stop_catching(struct gch_listener *leaving, gch_sigset set,
                          struct gch_wakes *k) {
  for (struct gch_listener *l = registry.listeners; l; l = l->next)
    if (leaving && l != leaving)
      set &= ~l->wants;
  restore(set);
  deliver_pending(all_wanted(), k);
}

void gch__unlisten(struct gch_listener *l, gch_sigset set,
                   struct gch_wakes *k) {
  if (!l->link)
    return;
  stop_catching(l, set & l->wants, k);
  l->wants &= ~set;
  if (l->wants == 0)
    unlist(l);
}

struct gch_listener *gch__unlisten_all(gch_sigset set, struct gch_wakes *k) {
  struct gch_listener *gone = NULL, *next;
  stop_catching(NULL, set, k);
  for (struct gch_listener *l = registry.listeners; l; l = next) {
    next = l->next;
    l->wants &= ~set;
    if (l->wants)
      continue;
    unlist(l);
    if (!l->chan)
      continue;
    l->next = gone;
    gone = l;
  }
  return gone;
}

struct gch_listener *gch__take_gone(void) {
  struct gch_listener *gone = registry.gone;
  registry.gone = NULL;
  return gone;
}

/* Fork: in the child nobody listens. All signals are blocked here
   (park/fork.c): what comes meanwhile finds the old dispositions. What the
   handler had counted before is the parent's. The channels are unreferenced
   later, by the next call: that may free, and call a drop function. */

static void before_fork(void) {
  gch__relay_lock();
  gch__signals_lock();
}

static void in_parent(void) {
  gch__signals_unlock();
  gch__relay_unlock();
}

static void in_child(void) {
  restore(registry.installed);
  unmark(UINT64_MAX);
  for (int sig = 1; sig <= SIGNALS; sig++)
    atomic_store(&counts[sig], 0);
  for (struct gch_listener *l = registry.listeners, *next; l; l = next) {
    next = l->next;
    l->link = NULL;
    if (l->chan) {
      l->next = registry.gone;
      registry.gone = l;
    }
  }
  registry.listeners = NULL;
  gch__relay_forked();
  in_parent();
}

const struct gch_fork_handlers gch__fork_signal = {before_fork, in_parent,
                                                   in_child};
