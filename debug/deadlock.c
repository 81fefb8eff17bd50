/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * GULCH_DEADLOCK: ends a process in which nothing can happen any more. The
 * library's own thread looks, each time before it sleeps; at that moment it
 * has undertaken to wake nobody.
 *
 * Claim: at a report every other thread of the process is asleep in gch__park
 * without a deadline and without a permit, nothing is due to wake one, and so
 * it stays.
 *
 *     a thread                              in gch__asleep
 *     runs, spins, waits for a gch_lock     no
 *     blocked outside of gulch              no: also a worker, in such a task
 *     asleep with a deadline                no
 *     about to sleep for good               no; it can't turn back, then
 *     asleep for good                       yes: idle workers too
 *     being woken, with no permit yet       no: its waker has taken it off
 *
 * A thread is taken off before it has the permit, so it is in the count at most
 * once, and asleep: the count is never higher than the number of threads asleep
 * for good. A look reads it, then how many threads the kernel counts, then it
 * once more. Not changed (the high half would tell), those that it counts slept
 * all the time. If the kernel counts no more than those and the library's own
 * thread, there was nobody else at that moment; a thread that nobody knows, or
 * that is just being made or just ending, would be one more.
 *
 * So nobody is left to start, wake or change anything but the library's thread,
 * and what is due there is read between the two, too: an entry of the timer
 * queue (a timer, ticker or deadline, a task that sleeps, the monitor), a job,
 * a signal that somebody listens to, a descriptor that somebody waits for.
 * Last, a task that is ready and for which
 * there was no memory to start a worker. Parked tasks need not be counted: who
 * makes one ready is a thread. No such thread is, so all those are parked for
 * good too.
 *
 * Without a report: where /proc can't be read; where there are threads that
 * never sleep in gulch (in pthread_join or sigwait; a sanitizer's; the relay of
 * signals without a futex); in a forked child, until something there starts the
 * library's thread. Main's thread, having called pthread_exit, is still in the
 * kernel's count, as a zombie: once it is one, for good.
 *
 * What the contract rules out could deceive it: a signal handler that calls
 * gulch or jumps out of a parked call, a parked thread cancelled
 * asynchronously.
 */
#include "debug/dump.h"
#include "go/sched.h"
#include "park/clock.h"
#include "park/say.h"
#include "signal/registry.h"
#include "timer/queue.h"
#include "timer/service.h"

#include <gulch/go.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Nanoseconds from one look to the next. */
#ifdef GULCH_DELAYS
enum { PAUSE = 10000 };
#else
enum { PAUSE = 100000000 };
#endif

/* The library's thread is there as soon as anybody may sleep for good; if it
   can't be started, whatever needs it tries again. */
bool gch__deadlock_read(void) {
  bool on = gch__setting_read(&gch__count_asleep, "GULCH_DEADLOCK");
  if (on)
    gch__service_start();
  return on;
}

__attribute__((constructor(102))) static void at_load(void) {
  gch__counts_asleep();
}

/* What will happen */

static bool is_ready(void) {
  bool ready = gch__count(&gch__sched.shared) > 0;
  uint32_t n = atomic_load(&gch__sched.num_procs);
  for (uint32_t i = 0; i < n; i++) {
    struct gch_proc *p = atomic_load(&gch__sched.procs[i]);
    ready |= gch__count(&p->queue) > 0 || atomic_load(&p->next);
  }
  return ready;
}

static bool nothing_is_due(void) {
  return gch__queue_is_empty() && !gch__service_has_jobs() &&
         !gch__signals_expected() && !is_ready() && !gch__fds_waited_for();
}

/* Who is there */

/* What the kernel says of the process; empty: nothing. */
static void read_stat(char *text, size_t size) {
  ssize_t n = -1;
  int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    n = read(fd, text, size - 1);
    close(fd);
  }
  text[n > 0 ? n : 0] = '\0';
}

/* All threads that live but the caller; -1: not known. See proc(5): the third
   field, after the command in parentheses, is the state of main's thread, the
   20th the number of threads. */
static int other_threads(void) {
  char text[1024], state;
  int threads;
  read_stat(text, sizeof text);
  const char *end = strrchr(text, ')');
  if (!end || sscanf(end + 1,
                     " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
                     "%*s %*s %*s %d",
                     &state, &threads) != 2)
    return -1;
  return threads - 1 - (state == 'Z');
}

/* The report. Nobody will give back what the sleepers hold, which may be the
   locks of stdio's streams: so it has a stream of its own. */

static void print(int asleep) {
  FILE *out = fdopen(dup(STDERR_FILENO), "w");
  if (!out)
    return;
  gch__dump(out, NULL);
  fprintf(out, "gulch: asleep: threads %d, tasks %zu\n",
          asleep - (int)gch__sched.num_idle_workers, gch_num_tasks());
  fclose(out);
}

static _Noreturn void report(int asleep) {
  gch__say("fatal error: all goroutines are asleep - deadlock!\n\n");
  print(asleep);
  if (ftrylockfile(stdout) == 0)
    fflush(stdout);
  _exit(2);
}

int64_t gch__look_for_deadlock(void) {
  uint64_t before = atomic_load(&gch__asleep);
  int asleep = (int32_t)(uint32_t)before;
  if (asleep >= 0 && nothing_is_due() && other_threads() == asleep &&
      atomic_load(&gch__asleep) == before)
    report(asleep);
  return gch__from_now(PAUSE);
}
