/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tasks that block in calls which gulch knows nothing of. That one does is
 * found when the monitor takes a proc from a worker whose thread sleeps. It
 * takes time, in which the proc is of no use to anybody; so the next runs of
 * such a task are outside: its worker gives the proc away before, as for
 * gch_blocking, and the task is to its end, or until it parks, a thread among
 * threads.
 *
 *     task        how it stops           its next run       running says
 *     ordinary    found blocked          outside            BLOCKS
 *     outside     its thread has slept   outside            BLOCKS
 *     outside     not so, RUNS times     ordinary           FREE
 *
 * New tasks of a function whose tasks were found to block begin so too: all
 * that come at once would have to be found one by one. A function has a score,
 * which rises with each run in which one of its tasks blocks, and falls with
 * each task that was let go outside for nothing: it has not blocked in any run.
 * (One of a pool has nothing left to block for in its last.)
 *
 * How many runs are left is in the task's stack, which its worker writes before
 * it unlocks running. Whether the thread has slept the kernel says: by how
 * often it gave up a processor of its own. What it may have slept for besides,
 * locks of the library's and the kernel's own for pages, is taken off.
 */
#include "go/sched.h"

#include <sys/resource.h>

enum { RUNS = 4 };

/* Scores, by a hash of the function; who has none of the right name has no
   points. All are hints: two at once may lose a point. */
enum { FUNCTIONS = 64, FOUND = 2, ENOUGH = 2 * FOUND, MOST = 8 };
static struct {
  _Atomic(const void *) fn;
  _Atomic int points;
} scores[FUNCTIONS];
GCH_HIDDEN atomic_bool gch__some_block;

static size_t slot_of(const void *fn) {
  uintptr_t n = (uintptr_t)fn;
  return (n >> 4 ^ n >> 10) % FUNCTIONS;
}

bool gch__function_blocks(const void *fn) {
  size_t i = slot_of(fn);
  return atomic_load_explicit(&scores[i].fn, memory_order_relaxed) == fn &&
         atomic_load_explicit(&scores[i].points, memory_order_relaxed) >=
             ENOUGH;
}

static void score(const void *fn, int points) {
  size_t i = slot_of(fn);
  int before = atomic_load(&scores[i].points);
  if (before <= 0 && points > 0)
    atomic_store(&scores[i].fn, fn);
  else if (atomic_load(&scores[i].fn) != fn)
    return;
  int sum = before + points;
  atomic_store(&scores[i].points, sum < 0 ? 0 : sum > MOST ? MOST : sum);
  if (sum >= ENOUGH && !atomic_load(&gch__some_block))
    atomic_store(&gch__some_block, true);
}

/* Times the calling thread, w's, has slept, but for locks of the library's;
   and pages that it has touched first, each of which may have taken a sleep for
   the lock on the process's memory. */
static void count_naps(const struct gch_worker *w, int64_t *naps,
                       int64_t *faults) {
  *naps = *faults = 0;
#ifdef RUSAGE_THREAD
  struct rusage r;
  if (getrusage(RUSAGE_THREAD, &r) != 0)
    return;
  *naps = (int64_t)r.ru_nvcsw - atomic_load(&w->lock_naps) / 2;
  *faults = (int64_t)r.ru_minflt;
#else
  (void)w;
#endif
}

/* Since its run began outside. */
static bool has_blocked(const struct gch_worker *w) {
  int64_t naps, faults;
  count_naps(w, &naps, &faults);
  return naps - w->naps > faults - w->faults;
}

void gch__go_outside(struct gch_worker *w, struct gch_stack *s, bool is_new) {
  if (is_new) {
    s->outside = RUNS;
    s->blocked = false;
  }
  if (!gch__threads_are_scarce()) {
    gch__hand_over(w);
    w->outside = true;
    count_naps(w, &w->naps, &w->faults);
  }
}

/* The last task that began on w is mostly the one that runs. */
void gch__found_blocked(struct gch_worker *w) {
  atomic_store_explicit(&w->found_blocked, true, memory_order_relaxed);
  score(atomic_load_explicit(&w->entry, memory_order_relaxed), FOUND);
}

void gch__stop_outside(struct gch_worker *w, bool over) {
  struct gch_stack *s = w->task ? w->task->stack : NULL;
  bool found = gch__forget_block(w), outside = w->outside;
  w->outside = false;
  if (!s || !(found || outside))
    return;
  if (found || has_blocked(w)) {
    s->outside = RUNS;
    s->blocked = true;
    if (!found)
      score(s->entry, 1);
  } else if ((--s->outside == 0 || over) && !s->blocked) {
    score(s->entry, -1);
  }
  if (s->outside > 0 && !over)
    w->left_how = GCH_BLOCKS;
}
