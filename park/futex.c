/* SPDX-License-Identifier: BSD-3-Clause */
#include "park/futex.h"

#include "park/clock.h"
#include "park/sanitize.h"

#include <errno.h>

static struct timespec to_timespec(int64_t ns) {
  if (ns < 0)
    ns = 0;
  return (struct timespec){.tv_sec = (time_t)(ns / 1000000000),
                           .tv_nsec = (long)(ns % 1000000000)};
}

/* ThreadSanitizer keeps a signal back until its thread makes a call that it
   intercepts, and a bare futex is none. There no wait is longer than TSAN_WAIT
   nanoseconds, and each ends with such a call. */
#define TSAN_WAIT 10000000

#if GCH_HAVE_FUTEX
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

int gch__futex_wait(_Atomic uint32_t *word, uint32_t expected,
                    int64_t deadline) {
  int64_t end = deadline;
  if (GCH_TSAN && end > gch__from_now(TSAN_WAIT))
    end = gch__from_now(TSAN_WAIT);
  struct timespec t = to_timespec(end);
  int saved = errno;
  /* WAIT_BITSET is the variant whose timeout is absolute. */
  long r = syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, expected,
                   end == GCH__FOREVER ? 0 : &t, 0, FUTEX_BITSET_MATCH_ANY);
  int err = r == -1 ? errno : 0;
  if (GCH_TSAN)
    usleep(0);
  errno = saved;
  return err == ETIMEDOUT && end == deadline ? ETIMEDOUT : 0;
}

void gch__futex_wake(_Atomic uint32_t *word) {
  int saved = errno;
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1);
  errno = saved;
}

#else
#include <pthread.h>

/* Words share a bucket by their address. The mutex makes "is it still
   expected" and "sleep" one step against the wake; the waker changed the word
   before it takes the mutex. */
enum { BUCKETS = 64 };
static struct bucket {
  pthread_mutex_t mutex;
  pthread_cond_t cond;
} buckets[BUCKETS];
static pthread_once_t buckets_once = PTHREAD_ONCE_INIT;

static void init_buckets(void) {
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  for (int i = 0; i < BUCKETS; i++) {
    pthread_mutex_init(&buckets[i].mutex, 0);
    pthread_cond_init(&buckets[i].cond, &monotonic);
  }
  pthread_condattr_destroy(&monotonic);
}

/* In a forked child: who held or slept on a bucket is not there. */
static void start_buckets(void) {
  init_buckets();
  pthread_atfork(0, 0, init_buckets);
}

static struct bucket *bucket_of(const void *word) {
  pthread_once(&buckets_once, start_buckets);
  return &buckets[((uintptr_t)word >> 4) % BUCKETS];
}

int gch__futex_wait(_Atomic uint32_t *word, uint32_t expected,
                    int64_t deadline) {
  struct timespec t = to_timespec(deadline);
  struct bucket *b = bucket_of(word);
  int err = 0, cancel;
  /* No parked thread is a cancellation point. */
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
  pthread_mutex_lock(&b->mutex);
  if (atomic_load(word) == expected) {
    if (deadline == GCH__FOREVER)
      pthread_cond_wait(&b->cond, &b->mutex);
    else
      err = pthread_cond_timedwait(&b->cond, &b->mutex, &t);
  }
  pthread_mutex_unlock(&b->mutex);
  pthread_setcancelstate(cancel, &cancel);
  return err == ETIMEDOUT ? ETIMEDOUT : 0;
}

void gch__futex_wake(_Atomic uint32_t *word) {
  struct bucket *b = bucket_of(word);
  pthread_mutex_lock(&b->mutex);
  pthread_cond_broadcast(&b->cond);
  pthread_mutex_unlock(&b->mutex);
}
#endif
