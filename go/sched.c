/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who runs what. A task made ready by a task goes to its worker's proc: to be
 * the next, or behind the queue there; one made ready by anybody else goes to
 * the shared queue. A worker whose proc has nothing looks at the shared queue,
 * then at the other procs (searching), and after some rounds gives its proc
 * back and sleeps.
 *
 * No task is forgotten: who queues one looks, after that, whether a proc is
 * idle and nobody is searching, and if so wakes a worker. Who goes to sleep
 * lists its proc as idle, stops being a searcher, and after that looks at all
 * queues once more. In between, on one side, is gch__leave or sched.lock, on
 * the other gch__fence_heavy: so one of the two sees the other. A searcher that
 * finds work hands the search on, since tasks may have come that nobody was
 * woken for.
 *
 * To move a task costs more than to run it, where it soon stops again, and its
 * worker then shares a channel's cache lines with another. So what is woken
 * wakes nobody, unless many already wait: neither a task in a proc's `next`,
 * which mostly waits until its waker stops, nor one in the queue. And a
 * searcher leaves what won't wait for long there, by how fast its worker takes
 * tasks. The monitor sees to those for whom that does not come true: it is told
 * of each (gch__monitor_next) by who queues it or leaves it, while a proc is
 * idle, and looks until there is none. What is new (gch_go) wakes a worker at
 * once; what has yielded may be stolen at once.
 *
 * Whoever stole many and was done with them sooner than moving them took has
 * stolen in vain: to have such tasks run by two workers slows both. From then
 * on new tasks are left to the monitor too, until a theft was worth it.
 */
#include "go/sched.h"
#include "park/poll.h"
#include "park/slice.h"

#include <errno.h>

enum {
  ROUNDS = 12,       /* that a searcher looks around */
  ROUND_PAUSES = 32, /* between two: a microsecond or so */
  SHARED_BATCH = 64,
  STEAL_MAX = 64,  /* their worker waits while they are looked through */
  LOOK_MIN = 2000, /* nanoseconds for which it is looked what a proc takes */
  LOOK_MAX = 10000,
  VAIN_WAKES = 2,
};

#define sched gch__sched

void gch__count_ended(struct gch_worker *w) {
  struct gch_proc *p = w ? gch__enter(w) : NULL;
  if (p)
    gch__count_up(&p->ended);
  else
    atomic_fetch_add(&sched.ended, 1);
  if (w)
    gch__leave(w);
}

/* Finding work */

/* Puts what came from elsewhere into w's queue. */
static void keep_found(struct gch_worker *w, struct gch_queue_of_tasks *found) {
  if (gch__count(found) > 0 && !gch__keep(w, found))
    gch__submit_all_shared(found);
}

struct gch_task *gch__take_shared(struct gch_worker *w) {
  struct gch_queue_of_tasks found = {0};
  if (gch__count(&sched.shared) == 0)
    return NULL;
  gch__lock(&sched.lock);
  uint32_t n = gch__count(&sched.shared) / gch__procs_allowed() + 1;
  gch__move(&found, &sched.shared, n < SHARED_BATCH ? n : SHARED_BATCH);
  gch__count_up(&sched.taken_shared);
  gch__unlock(&sched.lock);
  struct gch_task *t = gch__pop(&found);
  keep_found(w, &found);
  return t;
}

static bool has_next(struct gch_proc *p) {
  return atomic_load_explicit(&p->next, memory_order_relaxed) != NULL;
}

/* Whether all of what p has may be stolen. */
static bool is_free(struct gch_proc *p) {
  return atomic_load(&p->stale) || !atomic_load(&p->worker);
}

/* Whether what is in p's queue has long to wait, by what its worker has taken
   since a look some microseconds ago. */
static bool queue_waits(struct gch_proc *p) {
  uint32_t tick = gch__tick(p);
  int64_t now = gch__now();
  int64_t passed = now - atomic_load(&p->looked_at);
  if (passed >= 0 && passed < LOOK_MAX)
    return passed >= LOOK_MIN &&
           gch__wait_long(gch__count(&p->queue),
                          tick - atomic_load(&p->looked_tick), passed);
  atomic_store(&p->looked_tick, tick);
  atomic_store(&p->looked_at, now);
  return false;
}

static bool has_work(struct gch_proc *p) {
  if (gch__count(&p->queue) > 0)
    return is_free(p) || (!gch__thefts_vain() && queue_waits(p));
  return has_next(p) && is_free(p);
}

/* Half of what p has in its queue, else its next. */
static struct gch_task *steal_from(struct gch_worker *w, struct gch_proc *p) {
  struct gch_queue_of_tasks found = {0};
  struct gch_task *t = NULL;
  if (!has_work(p) || !gch__seize(p))
    return NULL;
  uint32_t half = (gch__count(&p->queue) + 1) / 2;
  gch__move(&found, &p->queue, half < STEAL_MAX ? half : STEAL_MAX);
  w->stolen = gch__count(&found);
  w->stolen_at = gch__now();
  if (!(t = gch__pop(&found)) && is_free(p)) {
    t = atomic_load_explicit(&p->next, memory_order_relaxed);
    atomic_store_explicit(&p->next, NULL, memory_order_relaxed);
  }
  atomic_store(&p->stale, false);
  gch__release(p);
  keep_found(w, &found);
  return t;
}

static struct gch_task *steal(struct gch_worker *w) {
  uint32_t n = atomic_load(&sched.num_procs);
  w->random = w->random * 1664525 + 1013904223;
  for (uint32_t i = 0; i < n; i++) {
    struct gch_proc *p = atomic_load(&sched.procs[(w->random / 7 + i) % n]);
    struct gch_task *t = p != atomic_load(&w->proc) ? steal_from(w, p) : NULL;
    if (t)
      return t;
  }
  return NULL;
}

static struct gch_task *take_own(struct gch_worker *w) {
  struct gch_proc *p = gch__enter(w);
  struct gch_task *t = p ? gch__take_next(p) : NULL;
  gch__leave(w);
  return t;
}

/* w has nothing left of what it stole: it is done, or parked, or was stolen in
   turn. */
static void judge_theft(struct gch_worker *w) {
  if (w->stolen == 0)
    return;
  bool vain = w->stolen >= GCH_FEW &&
              gch__now() - w->stolen_at < (int64_t)w->stolen * GCH_WORTH;
  w->stolen = 0;
  if (vain != gch__thefts_vain())
    atomic_store(&sched.thefts_vain, vain);
}

/* At most half of those who are not idle search. */
static bool begin_search(struct gch_worker *w) {
  if (w->searching)
    return true;
  judge_theft(w);
  uint32_t idle = atomic_load(&sched.num_idle_procs),
           all = gch__procs_allowed();
  if (all > 1 && 2 * atomic_load(&sched.searching) >= all - idle)
    return false;
  atomic_fetch_add(&sched.searching, 1);
  return w->searching = true;
}

/* Looks for events, where nobody has since *looks; who has run out of tasks
   looks at once, one that has just been woken leaves that to others. */
static struct gch_task *poll(struct gch_worker *w, uint32_t *looks) {
  uint32_t now =
      atomic_load_explicit(&gch__poll_looks, memory_order_relaxed);
  bool look = now == *looks;
  struct gch_task *t = NULL;
  *looks = now;
  if (look && gch__poll_look() && !(t = take_own(w)))
    t = gch__take_shared(w);
  *looks += look;
  return t;
}

static struct gch_task *find_task(struct gch_worker *w) {
  struct gch_task *t;
  uint32_t looks =
      atomic_load_explicit(&gch__poll_looks, memory_order_relaxed) -
      w->searching;
  for (int round = 0; round < ROUNDS; round++) {
    if ((t = gch__run_due(w)) || (t = take_own(w)) || (t = gch__take_shared(w)))
      return t;
    if (gch__fds_expected() && (t = poll(w, &looks)))
      return t;
    if (!begin_search(w))
      return NULL;
    if ((t = steal(w)))
      return t;
    if (gch__processors() == 1)
      return NULL;
    for (int i = 0; i < ROUND_PAUSES; i++)
      gch__pause();
  }
  return NULL;
}

/* Where there is work, of which the last named counts: in procs that keep it
   for now; in procs from which it may be stolen; for everybody. */
enum work { NO_WORK, KEPT, TO_STEAL, SHARED };

static enum work work_somewhere(void) {
  enum work found = NO_WORK;
  if (gch__count(&sched.shared) > 0)
    return SHARED;
  uint32_t n = atomic_load(&sched.num_procs);
  for (uint32_t i = 0; i < n; i++) {
    struct gch_proc *p = atomic_load(&sched.procs[i]);
    if (gch__count(&p->queue) == 0 && !has_next(p))
      continue;
    if (is_free(p))
      return TO_STEAL;
    found = KEPT;
  }
  return found;
}

/* After w, who goes to sleep, is listed. What may be stolen and was not, since
   its worker is about to take of it and has lost its processor, w would be
   woken for again and again; and that processor may be the one that w runs on,
   with a higher priority. So after some times it is left to the monitor. */
static void look_once_more(struct gch_worker *w) {
  switch (work_somewhere()) {
  case NO_WORK:
    return;
  case TO_STEAL:
    if (w->vain_wakes++ < VAIN_WAKES) {
      gch__wake_worker();
      return;
    }
    /* fall through */
  case KEPT:
    gch__monitor_next();
    return;
  case SHARED:
    gch__wake_worker();
  }
}

/* The search is over, and hands on what it may have kept others from doing.
   Alone, with no other proc in use, only w itself can have queued anything that
   is not in the shared queue: idle procs are empty. */
static void found_work(struct gch_worker *w) {
  if (!w->searching)
    return;
  w->searching = false;
  if (atomic_fetch_sub(&sched.searching, 1) != 1)
    return;
  uint32_t idle = atomic_load(&sched.num_idle_procs);
  struct gch_proc *p = atomic_load(&w->proc);
  bool alone = idle + 1 >= gch__procs_allowed();
  if (idle > 0 && (!alone || gch__count(&sched.shared) > 0 ||
                   (p && gch__count(&p->queue) > 0)))
    gch__wake_worker();
}

/* Going to sleep */

/* Takes its proc, if any, from w. False: there is something to do after all. */
static bool give_up_proc(struct gch_worker *w, struct gch_proc **given) {
  struct gch_queue_of_tasks rest = {0};
  struct gch_proc *p = *given = gch__enter(w);
  bool empty = true;
  if (p) {
    if (gch__retired(p))
      gch__empty(p, &rest);
    empty = !p->queue.first &&
            !atomic_load_explicit(&p->next, memory_order_relaxed);
    if (empty) {
      gch__free_lists_flush(p);
      atomic_store(&w->proc, NULL);
      atomic_store(&p->worker, NULL);
    }
  }
  gch__leave(w);
  gch__submit_all_shared(&rest);
  return empty;
}

static void stop_searching(struct gch_worker *w) {
  if (!w->searching)
    return;
  w->searching = false;
  atomic_fetch_sub(&sched.searching, 1);
}

/* Whether w, which is listed as idle, is to take events: nobody else has a
   proc, and with it comes to look. */
static bool is_last(void) {
  return gch__fds_expected() &&
         atomic_load(&sched.num_idle_procs) >= gch__procs_allowed();
}

/* As gch__park; or EAGAIN: w is listed no more, and has a proc. */
static int sleep(struct gch_worker *w, int64_t until) {
  struct gch_queue_of_tasks ready = {0};
  int err = 0;
  do {
    if (!is_last())
      return gch__park(&w->parker, until);
    err = gch__poll_park(&w->parker, until, &ready);
    if (gch__rise(w, &ready))
      return EAGAIN;
  } while (err == EAGAIN);
  return err;
}

/* Sleeps until w is taken off the list of the idle, with a proc (which it may
   have lost again when it wakes). One unpark belongs to that, and this is where
   it is taken. False: the thread is not needed. */
static bool idle(struct gch_worker *w) {
  struct gch_proc *p;
  if (!give_up_proc(w, &p))
    return true;
  stop_searching(w);
  int64_t until = gch__list_idle_pair(p, w);
  gch__fence_heavy();
  GCH_DELAY();
  look_once_more(w);
  for (int err; (err = sleep(w, until)) != 0;) {
    if (err == EAGAIN)
      return true;
    if (gch__leave_idle(w))
      return false;
    until = GCH__FOREVER;
  }
  return true;
}

void gch__usual_slices(struct gch_worker *w) {
  if (w->slow)
    gch__thread_slice(0, GCH_SLICE_USUAL);
  w->slow = false;
}

/* w is back from a task for which it lost its proc. */
static void come_back(struct gch_worker *w) {
  gch__usual_slices(w);
  gch__want_proc(w);
}

/* What w has been left to run, else what it finds. */
static struct gch_task *look_for_task(struct gch_worker *w) {
  struct gch_task *taken = w->taken;
  w->taken = NULL;
  if (taken)
    return taken;
  if (!atomic_load(&w->proc))
    come_back(w);
  struct gch_proc *p = atomic_load(&w->proc);
  return p && !gch__retired(p) ? find_task(w) : NULL;
}

void gch__work(struct gch_worker *w) {
  for (;;) {
    struct gch_task *t = look_for_task(w);
    if (t) {
      w->vain_wakes = 0;
      found_work(w);
      gch__run(w, t);
    } else if (!idle(w)) {
      return;
    }
  }
}
