/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Workers that are at the same for too long: in a system call, before a pthread
 * lock, computing. The monitor takes their procs for others. All here is its
 * own.
 *
 * A worker is judged by its turn (proc.h), from when the monitor saw that first:
 * by how long ago that is, and by what its thread has used of a processor since.
 * What was seen of another worker, or of a turn before, is not about it.
 */
#include "go/sched.h"
#include "park/slice.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Nanoseconds. */
enum {
  STUCK = 4000000,   /* at the same */
  COMPUTES = 500000, /* of a processor in that time */
};

/* Whether the thread wants a processor: it computes. */
static bool is_runnable(uint32_t tid) {
  char path[64], text[128] = "";
  snprintf(path, sizeof path, "/proc/self/task/%u/stat", (unsigned)tid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return false;
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  const char *name_end = n > 0 ? strrchr(text, ')') : NULL;
  return name_end && strncmp(name_end, ") R", 3) == 0;
}

/* Processor time of w's thread, nanoseconds; 0: it has not begun. */
static int64_t cpu_time(struct gch_worker *w) {
  return atomic_load(&w->tid) != 0
             ? gch__clock_time(atomic_load(&w->cpu_clock))
             : 0;
}

/* A worker that wants a processor and gets none is not stuck: one more would
   make that worse. Nor, where there may be no more threads, is one that
   computes: the others must wait for it. */
static bool may_keep(struct gch_worker *w, bool computes) {
  uint32_t tid = atomic_load(&w->tid);
  if (tid == 0)
    return true; /* it has not begun */
  return (!computes || gch__threads_are_at_limit()) && is_runnable(tid);
}

/* Begins to watch p's worker, if it has one. fresh: who was given p, and has not
   had the time to do anything yet. */
static void see(struct gch_proc *p, int64_t now, bool fresh) {
  struct gch_worker *w = atomic_load(&p->worker);
  if (w)
    p->sight =
        (struct gch_sight){w, gch__turn(p, w), fresh, now, cpu_time(w)};
}

static bool is_at_the_same(struct gch_proc *p, const struct gch_sight *s) {
  struct gch_worker *w = atomic_load(&p->worker);
  return w && w == s->worker && gch__turn(p, w) == s->turn;
}

/* w's task goes on without a proc. That it computes it may do by longer slices
   than others, who have something to wait for. */
static void take_proc(struct gch_worker *w, struct gch_proc *p, bool computes,
                      struct gch_queue_of_tasks *rest) {
  atomic_store(&w->proc, NULL);
  atomic_store(&p->worker, NULL);
  gch__empty(p, rest);
  if (computes && !w->slow) {
    w->slow = true;
    gch__thread_slice(atomic_load(&w->tid), GCH_SLICE_LONG);
  }
}

/* Its worker has been in sight for long. */
static void retake(struct gch_proc *p, int64_t now) {
  struct gch_queue_of_tasks rest = {0};
  struct gch_worker *w = p->sight.worker;
  bool computes = cpu_time(w) - p->sight.cpu >= COMPUTES;
  if (may_keep(w, computes) || !gch__seize(p))
    return;
  bool stuck = is_at_the_same(p, &p->sight);
  if (stuck)
    take_proc(w, p, computes, &rest);
  gch__release(p);
  if (!stuck)
    return;
  gch__hand_on(p, &rest);
  gch__keep_warm();
  see(p, now, true);
}

/* Who had just got p when it was seen last has done nothing before what it does
   now. */
static bool is_first_task(struct gch_proc *p, struct gch_worker *w) {
  enum { TAKEN = 2 }; /* turns, where it was in p's queue */
  return w == p->sight.worker && p->sight.fresh &&
         gch__turn(p, w) - p->sight.turn <= TAKEN;
}

void gch__look_at_worker(struct gch_proc *p, int64_t now) {
  struct gch_worker *w = atomic_load(&p->worker);
  if (!w)
    return;
  if (is_first_task(p, w)) {
    uint32_t turn = gch__turn(p, w);
    p->sight.fresh = turn == p->sight.turn;
    p->sight.turn = turn;
  }
  if (!is_at_the_same(p, &p->sight))
    see(p, now, false);
  else if (now - p->sight.at >= STUCK)
    retake(p, now);
}
