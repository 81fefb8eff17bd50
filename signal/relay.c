/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Without a futex a wake takes a mutex, which a signal handler must not. So the
 * handler writes a byte into a pipe, and a thread that reads it does the wake.
 * The pipe never blocks the handler: when it is full a wake is on its way
 * already. In a forked child the thread is started anew.
 */
#include "signal/relay.h"

#include "park/lock.h"
#include "park/stay.h"
#include "park/thread.h"

#if GCH_HAVE_FUTEX
typedef int gch__no_relay;
#else

#include "park/cancel.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

/* start_lock is held over pthread_create, so not for a fork; after it, mutex,
   which guards ends. */
static struct gch_lock start_lock;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int ends[2] = {-1, -1};
static pid_t started_in; /* the process that has the thread */

static void *relay(void *unused) {
  char byte[64];
  gch__thread_begin("gulch-signals", GCH_SLACK_USUAL);
  while (read(ends[0], byte, sizeof byte) > 0 || errno == EINTR)
    gch__service_wake();
  return unused;
}

/* A pipe from before a fork is shared with the parent: not for us. */
static int open_pipe(void) {
  int fresh[2];
  if (pipe(fresh) != 0)
    return ENOMEM;
  pthread_mutex_lock(&mutex);
  for (int i = 0; i < 2; i++) {
    if (ends[i] >= 0)
      close(ends[i]);
    ends[i] = fresh[i];
  }
  pthread_mutex_unlock(&mutex);
  for (int i = 0; i < 2; i++)
    fcntl(ends[i], F_SETFD, FD_CLOEXEC);
  fcntl(ends[1], F_SETFL, O_NONBLOCK);
  return 0;
}

static int start_thread(void) {
  enum { STACK = 64 * 1024 };
  if (gch__thread_start(GCH_THREAD_OURS, relay, NULL, STACK) != 0)
    return ENOMEM;
  started_in = getpid();
  return 0;
}

int gch__relay_start(void) {
  int saved = errno, cancel = gch__cancel_off();
  gch__stay_loaded();
  gch__lock(&start_lock);
  int err = 0;
  if (started_in != getpid() && (err = open_pipe()) == 0)
    err = start_thread();
  gch__unlock(&start_lock);
  gch__cancel_as(cancel);
  errno = saved;
  return err;
}

void gch__relay_lock(void) {
  pthread_mutex_lock(&mutex);
}

void gch__relay_unlock(void) {
  pthread_mutex_unlock(&mutex);
}

void gch__relay_forked(void) {
  gch__lock_reset(&start_lock);
}

void gch__relay_wake(void) {
  char byte = 0;
  int cancel = gch__cancel_off();
  /* A full pipe is as good as one more byte. */
  ssize_t n = write(ends[1], &byte, 1);
  (void)n;
  gch__cancel_as(cancel);
}

#endif
