/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where no thread can be started (RLIMIT_NPROC, the pids.max of a cgroup) those
 * who want one only say so (lacks_thread), and the monitor tries again at each
 * of its looks while tasks wait: threads may end, limits may rise. If then no
 * task moves for LONGEST, all threads that there are sit in calls that block,
 * most likely for what the waiting tasks would do: the program has come to a
 * halt, and says so. That is a little less than the 10 s that are promised, so
 * that who waits for 10 s hears of it.
 *
 * A task moves when it is started or taken from a queue, or ends; and while the
 * threads of tasks use processor time, or wait for a processor that other
 * programs have, since one that computes may be about to end. What the
 * program's own threads do is no matter of tasks.
 */
#include "go/sched.h"
#include "go/spawn.h"
#include "park/say.h"

#include <stdio.h>
#include <unistd.h>

#define sched gch__sched

/* Nanoseconds. */
enum { SECOND = 1000000000, WINDOW = SECOND, BUSY = SECOND / 8 };
static const int64_t LONGEST = INT64_C(9800000000);

/* The monitor's. */
static struct {
  int64_t since;  /* when a task has moved last; 0: nothing is lacking */
  int64_t failed; /* when a thread could not be started last */
  uint64_t steps; /* at `since` */
  int64_t window; /* for processor time, when it began */
  int64_t wanted; /* and what tasks had wanted of it then */
  uint32_t generation; /* of the process that all this is about */
} lack;

static bool has_tasks(struct gch_proc *p) {
  return gch__count(&p->queue) > 0 ||
         atomic_load_explicit(&p->next, memory_order_relaxed);
}

bool gch__tasks_wait(void) {
  uint32_t n = atomic_load(&sched.num_procs);
  for (uint32_t i = 0; i < n; i++)
    if (has_tasks(atomic_load(&sched.procs[i])))
      return true;
  return gch__count(&sched.shared) > 0;
}

/* A sum that grows with each step that a task makes. */
static uint64_t steps(void) {
  uint32_t n = atomic_load(&sched.num_procs);
  uint64_t sum = atomic_load(&sched.started) + atomic_load(&sched.ended) +
                 atomic_load(&sched.taken_shared);
  for (uint32_t i = 0; i < n; i++) {
    struct gch_proc *p = atomic_load(&sched.procs[i]);
    sum += gch__tick(p) + atomic_load(&p->started) + atomic_load(&p->ended);
  }
  return sum;
}

/* Nanoseconds for which a thread was on a processor, or ready to be, as the
   kernel counts (proc(5)); 0: that is not told. */
static int64_t kernel_time(uint32_t tid) {
  char text[64];
  long long ran, waited;
  return gch__read_of_thread(tid, "schedstat", text, sizeof text) &&
                 sscanf(text, "%lld %lld", &ran, &waited) == 2
             ? ran + waited
             : 0;
}

int64_t gch__wanted_time(uint32_t tid, clockid_t clock) {
  int64_t told = kernel_time(tid);
  return told > 0 ? told : gch__clock_time(clock);
}

static int64_t thread_tasks_wanted(void) {
  enum { SOME = 16 };
  struct gch_thread_task some[SOME];
  int64_t sum = 0;
  uint64_t last = 0;
  for (size_t n; (n = gch__thread_tasks(last, some, SOME)) > 0;)
    for (size_t i = 0; i < n; i++) {
      sum += gch__wanted_time(some[i].tid, gch__clock_of(some[i].tid));
      last = some[i].serial;
    }
  return sum;
}

static bool computes(int64_t now) {
  if (now - lack.window < WINDOW)
    return false;
  int64_t wanted = gch__workers_wanted() + thread_tasks_wanted();
  bool busy = (wanted - lack.wanted) / BUSY >= (now - lack.window) / WINDOW;
  lack.window = now;
  lack.wanted = wanted;
  return busy;
}

static _Noreturn void halt(void) {
  gch__say("fatal error: tasks wait, and no thread can be started (more must "
           "be allowed: ulimit -u, which is RLIMIT_NPROC, or the cgroup's "
           "pids.max)\n");
  _exit(2);
}

bool gch__look_for_lack(int64_t now) {
  bool failed = atomic_exchange(&sched.lacks_thread, false);
  if (lack.generation != sched.generation) { /* forked since */
    lack.generation = sched.generation;
    lack.since = lack.failed = 0;
  }
  if (failed)
    lack.failed = now;
  if (now - lack.failed > SECOND || !gch__tasks_wait()) {
    lack.since = 0;
    return false;
  }
  uint64_t seen = steps();
  if (computes(now) || lack.since == 0 || seen != lack.steps) {
    lack.since = now;
    lack.steps = seen;
  }
  if (failed && now - lack.since >= LONGEST)
    halt();
  gch__wake_worker();
  return true;
}
