/* SPDX-License-Identifier: BSD-3-Clause */
/* A process in which much is going on, to be forked. */
#ifndef GULCH_TESTS_FORK_LIFE_H
#define GULCH_TESTS_FORK_LIFE_H

#include "fork_alone.h"
#include "tasks.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MS GCH_MILLISECOND

/* What a child says by its exit status. */
enum { OK = 0, WRONG = 1, LATE = 2 };

#define require(condition)                                                     \
  do {                                                                         \
    if (!(condition))                                                          \
      return WRONG;                                                            \
  } while (0)

static inline pid_t fork_with_parent(void) {
  pid_t pid = fork_alone();
  if (pid < 0)
    abort();
  if (pid == 0)
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* no child outlives its test */
  return pid;
}

static inline int status_of(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0)
    ck_assert_int_eq(errno, EINTR);
  ck_assert_msg(WIFEXITED(status), "status %#x", (unsigned)status);
  return WEXITSTATUS(status);
}

/* A process in which everything is going on. */
struct life {
  gch_ticker *ticker;
  gch_timer *timer;
  gch_ctx *timeout, *on_signal;
  gch_chan *signals, *gate;
};

static inline void stay(void *gate) {
  gch_recv(gate, NULL);
}

static inline struct life live(void) {
  struct life l = {
      .ticker = gch_ticker_new(200 * GCH_MICROSECOND),
      .timer = gch_timer_new(GCH_HOUR),
      .timeout = gch_ctx_with_timeout(gch_ctx_background(), GCH_HOUR),
      .on_signal =
          gch_signal_notify_ctx(gch_ctx_background(), &(int){SIGUSR2}, 1),
      .signals = gch_make_of(int, 1),
      .gate = gch_make(0, 0),
  };
  gch_signal_notify(l.signals, &(int){SIGUSR1}, 1);
  gch_go(stay, l.gate);
  await_waiting(l.gate, 0, 1);
  return l;
}

static inline void end(struct life *l) {
  gch_close(l->gate);
  await_no_tasks();
  gch_unref(l->gate);
  gch_signal_stop(l->signals);
  gch_unref(l->signals);
  gch_ctx_end(l->on_signal);
  gch_ctx_end(l->timeout);
  gch_timer_free(l->timer);
  gch_ticker_free(l->ticker);
}

/* Runs fn in a child of a process that is alive, and requires OK. */
static inline void in_child(int (*fn)(struct life *l)) {
  struct life l = live();
  pid_t pid = fork_with_parent();
  if (pid == 0)
    _exit(fn(&l));
  ck_assert_int_eq(status_of(pid), OK);
  end(&l);
}

#endif
