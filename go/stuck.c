/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Workers that are at the same for too long: in a system call, before a pthread
 * lock, computing. The monitor takes their procs for others. All here is its
 * own.
 *
 * A worker is judged by its turn (proc.h), from when the monitor saw that
 * first: by how long ago that is, and by what its thread has used of a
 * processor since. What was seen of another worker, or of a turn before, is not
 * about it. Of a worker that the monitor itself has given the proc it knows
 * more: what that has used since was used for the first task.
 *
 *     the thread        for   and                             its proc
 *     sleeps, but not   10 µs tasks wait, all procs are held  goes on
 *       in the kernel's
 *       own interest
 *     sleeps            4 ms                                  goes on
 *     sleeps, on a lock of the library's                      stays
 *     wants to run      4 ms  has run for half of one         goes on
 *     wants to run      4 ms  has not                         stays
 *
 * One that wants a processor and gets none is not stuck: one more would make
 * that worse. Nor is, where there may be no more threads, one that computes:
 * the others must wait for it. Where the kernel does not tell what a thread
 * does (no /proc), it sleeps if it has not run.
 */
#include "go/sanitizer.h"
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
  BLOCKED = 10000,   /* at the same, asleep */
  YOUNG = 200000,    /* a turn of which no processor time is read */
};

bool gch__read_of_thread(uint32_t tid, const char *name, char *text,
                         size_t size) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%u/%s", (unsigned)tid, name);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return false;
  ssize_t n = read(fd, text, size - 1);
  close(fd);
  text[n > 0 ? n : 0] = '\0';
  return n > 0;
}

/* What the thread does, proc(5): 'R', it wants a processor, so it computes;
   'S', it sleeps; 'D', the same in the kernel's own interest, mostly for a
   short while: for a disk, or for the lock on the process's memory that each
   new page of a stack takes; 0: that is not told. */
static char state_of(uint32_t tid) {
  char text[128];
  if (!gch__read_of_thread(tid, "stat", text, sizeof text))
    return 0;
  const char *name_end = strrchr(text, ')');
  return name_end && name_end[1] == ' ' ? name_end[2] : 0;
}

/* Processor time of w's thread, nanoseconds; 0: it has not begun. */
static int64_t cpu_time(struct gch_worker *w) {
  return atomic_load(&w->tid) != 0 ? gch__clock_time(atomic_load(&w->cpu_clock))
                                   : 0;
}

/* Begins to watch p's worker, if it has one. fresh: who was given p, and has
   not had the time to do anything yet. */
static void see(struct gch_proc *p, int64_t now, bool fresh) {
  struct gch_worker *w = atomic_load(&p->worker);
  if (w)
    p->sight = (struct gch_sight){.worker = w,
                                  .turn = gch__turn(p, w),
                                  .fresh = fresh,
                                  .at = now,
                                  .cpu = cpu_time(w)};
}

static bool is_at_the_same(struct gch_proc *p, const struct gch_sight *s) {
  struct gch_worker *w = atomic_load(&p->worker);
  return w && w == s->worker && gch__turn(p, w) == s->turn;
}

/* On a lock of the library's. Another worker would soon be there too. */
static bool is_in_lock(struct gch_worker *w) {
  return atomic_load(&w->lock_naps) & 1;
}

/* w's task goes on without a proc. That it computes it may do by longer slices
   than others, who have something to wait for. Who waits for the kernel itself
   says nothing about the next call. */
static void take_proc(struct gch_worker *w, struct gch_proc *p, char state,
                      struct gch_queue_of_tasks *rest) {
  bool computes = state == 'R';
  if (state == 'S')
    gch__found_blocked(w);
  else if (computes && !w->slow)
    gch__thread_slice(atomic_load(&w->tid), GCH_SLICE_LONG);
  w->slow |= computes;
  atomic_store(&w->proc, NULL);
  atomic_store(&p->worker, NULL);
  gch__empty(p, rest);
}

/* Its worker has been in sight for long. Whether p has gone to another. */
static bool retake(struct gch_proc *p, int64_t now, char state) {
  struct gch_queue_of_tasks rest = {0};
  struct gch_worker *w = p->sight.worker;
  if (!gch__seize(p))
    return false;
  bool stuck = is_at_the_same(p, &p->sight) && !is_in_lock(w);
  if (stuck)
    take_proc(w, p, state, &rest);
  gch__release(p);
  if (!stuck)
    return false;
  bool wait = gch__count(&rest) > 0 || gch__tasks_wait();
  gch__hand_on(p, &rest);
  if (wait)
    gch__keep_warm();
  see(p, now, true);
  return true;
}

/* Who had just got p when it was seen last has done nothing before what it does
   now. */
static bool is_first_task(struct gch_proc *p, struct gch_worker *w) {
  enum { TAKEN = 2 }; /* turns, where it was in p's queue */
  return w == p->sight.worker && p->sight.fresh &&
         gch__turn(p, w) - p->sight.turn <= TAKEN;
}

/* Whether p's worker, w, is in the turn that was seen before; if not, the next
   look will tell. */
static bool is_seen_again(struct gch_proc *p, struct gch_worker *w,
                          int64_t now) {
  uint32_t turn = gch__turn(p, w);
  if (is_first_task(p, w)) {
    p->sight.fresh = turn == p->sight.turn;
    p->sight.turn = turn;
  }
  if (is_at_the_same(p, &p->sight))
    return true;
  see(p, now, false);
  return false;
}

void gch__look_at_worker(struct gch_proc *p, int64_t now) {
  struct gch_worker *w = atomic_load(&p->worker);
  if (!w || !is_seen_again(p, w, now) || now - p->sight.at < STUCK ||
      is_in_lock(w))
    return;
  uint32_t tid = atomic_load(&w->tid);
  if (tid == 0)
    return; /* it has not begun */
  bool used = cpu_time(w) - p->sight.cpu >= COMPUTES;
  char state = state_of(tid);
  if (!state)
    state = used ? 'R' : 'S';
  if (state != 'R' || (used && !gch__threads_are_at_limit()))
    retake(p, now, state);
}

/* Whether the thread has used a processor since the last look for that. To ask
   costs less than to ask what it does. */
static bool has_run(struct gch_sight *s) {
  int64_t before = s->last_cpu;
  s->last_cpu = cpu_time(s->worker);
  return s->last_cpu != before;
}

bool gch__look_for_block(struct gch_proc *p, int64_t now) {
  struct gch_worker *w = atomic_load(&p->worker);
  uint32_t tid = w ? atomic_load(&w->tid) : 0;
  if (tid == 0 || !is_seen_again(p, w, now) || now - p->sight.at < BLOCKED ||
      gch__threads_are_scarce() || gch__on_valgrind() || is_in_lock(w))
    return false;
  if (now - p->sight.at > YOUNG && has_run(&p->sight))
    return false;
  return state_of(tid) == 'S' && retake(p, now, 'S');
}
