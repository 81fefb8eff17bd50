/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one place where the library hears of forks.
 *
 * As in Go, all signals are blocked in the forking thread from before the first
 * handler to after the last. So a signal that is sent to the child at once
 * waits there until the old dispositions are back. Nor is the thread cancelled
 * in between, or the child's at once, with locks held.
 *
 * The table is in the order in which locks are taken: whoever holds one of a
 * later folder waits for none of an earlier one. In the child the handlers come
 * in the other order.
 *
 * None of this allocates, frees, or calls user code: other libraries' handlers
 * may come before or after ours, so an allocator's lock may be held meanwhile,
 * and user code might fork. For the same reason no lock that is taken here is
 * held by others while they allocate, or start a thread, which allocates.
 */
#include "park/fork.h"

#include "park/begin.h"
#include "park/cancel.h"
#include "park/futex.h"
#include "park/lock.h"
#include "park/parker.h"
#include "park/task.h"
#include "park/thread.h"
#include "park/thread_id.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#endif

_Atomic int gch__end_word;
uintptr_t gch__forker;

static const struct gch_fork_handlers *const table[] = {
    &gch__fork_signal,   &gch__fork_go,      &gch__fork_context,
    &gch__fork_sleepers, &gch__fork_readyfd, &gch__fork_chan,
    &gch__fork_io,       &gch__fork_timer,   &gch__fork_key,
    &gch__fork_net,
};
enum { FOLDERS = sizeof table / sizeof *table };

/* Held from before to after: several threads may fork at once. It guards of who
   forks the signal mask, whether he may be cancelled, and whether he is the only
   thread. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sigset_t mask;
static int cancel;
static bool alone;

static bool left_threads; /* written in a child, by its only thread */

bool gch__left_threads(void) {
  return left_threads;
}

static bool is_alone(void) {
#if __has_include(<sys/single_threaded.h>)
  return __libc_single_threaded;
#else
  return false;
#endif
}

/* Records of tasks are aligned, and not used anew where a ghost had one. */
uintptr_t gch__self_number(void) {
  struct gch_task *task = gch__task_self();
  return task ? (uintptr_t)task : (uintptr_t)gch__thread_id() << 1 | 1;
}

static void before_fork(void) {
  sigset_t all, old;
  int cancel_before = gch__cancel_off();
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  pthread_mutex_lock(&mutex);
  mask = old;
  cancel = cancel_before;
  alone = is_alone();
  gch__forker = gch__self_number();
  for (int i = 0; i < FOLDERS; i++)
    table[i]->before();
}

static void in_parent(void) {
  for (int i = FOLDERS; i-- > 0;)
    table[i]->in_parent();
  sigset_t old = mask;
  int cancel_before = cancel;
  pthread_mutex_unlock(&mutex);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  gch__cancel_as(cancel_before);
}

static void in_child(void) {
  left_threads |= !alone;
  atomic_fetch_add(&gch__end_word, GCH_END_FORK);
  gch__thread_id_forked();
  gch__threads_forked();
  gch__futex_forked();
  gch__lock_forked();
  gch__begin_forked();
  gch__parker_forked();
  for (int i = FOLDERS; i-- > 0;)
    table[i]->in_child();
  pthread_mutex_unlock(&mutex);
  pthread_sigmask(SIG_SETMASK, &mask, NULL);
  gch__cancel_as(cancel);
}

/* Early: handlers that a program registers are called, before a fork, before
   those that were there already, so that they may use the library. */
void gch__fork_begin(void) {
  pthread_atfork(before_fork, in_parent, in_child);
}

void gch__tasks_have_values(void) {
  if (!(atomic_load(&gch__end_word) & GCH_END_VALUES))
    atomic_fetch_or(&gch__end_word, GCH_END_VALUES);
}

void gch__end_with_care(int forks_before) {
  if (atomic_load(&gch__end_word) & GCH_END_VALUES)
    gch__drop_values();
  if (gch__forks() != forks_before)
    _exit(0);
}
