/* SPDX-License-Identifier: BSD-3-Clause */
#include "park/futex.h"

#include "park/cancel.h"
#include "park/clock.h"
#include "park/sanitize.h"

#include <errno.h>

/* ThreadSanitizer keeps a signal back until its thread makes a call that it
   intercepts, and a bare futex is none. There no wait is longer than TSAN_WAIT
   nanoseconds, and each ends with such a call. */
#define TSAN_WAIT 10000000

#if GCH_HAVE_FUTEX
#include "park/linux.h"

#include <unistd.h>

/* What the kernel takes for a time is not the C library's time_t everywhere: a
   processor of 32 bits has two calls, and may have a time_t of either size. */
struct kernel_time {
  gch__kernel_long s, ns;
};

static int wait_with(long call, _Atomic uint32_t *word, uint32_t expected,
                     const void *time) {
  long r = syscall(call, word, GCH_FUTEX_WAIT_BITSET_PRIVATE, expected, time,
                   NULL, GCH_FUTEX_ANY);
  return r == -1 ? errno : 0;
}

/* The call for times of 64 bits, since Linux 5.1. ENOSYS: it is not there, or a
   filter of system calls knows nothing of it. */
static int wait_by_time64(_Atomic uint32_t *word, uint32_t expected,
                          int64_t deadline) {
#ifdef SYS_futex_time64
  const int64_t time[2] = {deadline / 1000000000, deadline % 1000000000};
  int err = wait_with(SYS_futex_time64, word, expected, time);
  return err == EPERM ? ENOSYS : err;
#else
  (void)word, (void)expected, (void)deadline;
  return ENOSYS;
#endif
}

/* A deadline that it can't express is as far away as it can. */
static int wait_until(_Atomic uint32_t *word, uint32_t expected,
                      int64_t deadline) {
  int err = wait_by_time64(word, expected, deadline);
  if (err != ENOSYS)
    return err;
  const int64_t most = __LONG_MAX__, s = deadline / 1000000000;
  struct kernel_time time = {(gch__kernel_long)(s < most ? s : most),
                             (gch__kernel_long)(deadline % 1000000000)};
  return wait_with(SYS_futex, word, expected, &time);
}

int gch__futex_wait(_Atomic uint32_t *word, uint32_t expected,
                    int64_t deadline) {
  int64_t end = deadline > 0 ? deadline : 0;
  if (GCH_TSAN && end > gch__from_now(TSAN_WAIT))
    end = gch__from_now(TSAN_WAIT);
  int saved = errno;
  int err = end == GCH__FOREVER ? wait_with(SYS_futex, word, expected, NULL)
                                : wait_until(word, expected, end);
  if (GCH_TSAN) {
    int cancel = gch__cancel_off();
    usleep(0);
    gch__cancel_as(cancel);
  }
  errno = saved;
  return err == ETIMEDOUT && end >= deadline ? ETIMEDOUT : 0;
}

void gch__futex_wake(_Atomic uint32_t *word) {
  int saved = errno;
  syscall(SYS_futex, word, GCH_FUTEX_WAKE_PRIVATE, 1);
  errno = saved;
}

void gch__futex_forked(void) {
}

#else
#include <pthread.h>

static struct timespec to_timespec(int64_t ns) {
  const int64_t most = sizeof(time_t) < 8 ? INT32_MAX : INT64_MAX;
  int64_t s = ns > 0 ? ns / 1000000000 : 0;
  return (struct timespec){.tv_sec = (time_t)(s < most ? s : most),
                           .tv_nsec = (long)(ns > 0 ? ns % 1000000000 : 0)};
}

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

/* Who held or slept on a bucket, or was making them, is not there. */
void gch__futex_forked(void) {
  buckets_once = (pthread_once_t)PTHREAD_ONCE_INIT;
}

static struct bucket *bucket_of(const void *word) {
  pthread_once(&buckets_once, init_buckets);
  return &buckets[((uintptr_t)word >> 4) % BUCKETS];
}

int gch__futex_wait(_Atomic uint32_t *word, uint32_t expected,
                    int64_t deadline) {
  struct timespec t = to_timespec(deadline);
  struct bucket *b = bucket_of(word);
  int err = 0, cancel = gch__cancel_off();
  pthread_mutex_lock(&b->mutex);
  if (atomic_load(word) == expected) {
    if (deadline == GCH__FOREVER)
      pthread_cond_wait(&b->cond, &b->mutex);
    else
      err = pthread_cond_timedwait(&b->cond, &b->mutex, &t);
  }
  pthread_mutex_unlock(&b->mutex);
  gch__cancel_as(cancel);
  return err == ETIMEDOUT ? ETIMEDOUT : 0;
}

void gch__futex_wake(_Atomic uint32_t *word) {
  struct bucket *b = bucket_of(word);
  pthread_mutex_lock(&b->mutex);
  pthread_cond_broadcast(&b->cond);
  pthread_mutex_unlock(&b->mutex);
}
#endif
