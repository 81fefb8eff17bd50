/* SPDX-License-Identifier: BSD-3-Clause */
/* Tasks set errno, block, and read it again, mostly in another thread: C11 and
   C++17. With RAW, by the C library's errno, reads are wrong. */
#ifdef IN_EXTERN_C
extern "C" {
#endif
#ifdef ERRNO_FIRST
#include <errno.h>
#endif
#include <gulch.h>
#include <errno.h>
#ifdef IN_EXTERN_C
}
#endif
#ifdef __cplusplus
#include <cerrno>
#endif
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef errno
#error "errno is a macro"
#endif
#ifdef RAW
#undef errno
#define errno (*__errno_location())
#endif

enum { TASKS = 64, ROUNDS = 60 };

static gch_wg wg = GCH_WG_INIT;
static gch_chan *c;
static gch_mutex mutex = GCH_MUTEX_INIT;
static int wrong[TASKS];

/* Others go on here, this task perhaps elsewhere. */
static inline void block(int how) {
  int v = 0;
  if (how == 0)
    gch_yield();
  else if (how == 1)
    gch_sleep(100 * GCH_MICROSECOND);
  else if (how == 2)
    gch_send(c, &v);
  else if (how == 3)
    gch_recv(c, &v);
  else if (how == 4) {
    gch_mutex_lock(&mutex);
    gch_yield();
    gch_mutex_unlock(&mutex);
  } else {
    gch_select(GCH_RECV(NULL, NULL), GCH_TIMEOUT(50 * GCH_MICROSECOND));
  }
}

static void keep(void *arg) {
  int me = (int)(intptr_t)arg;
  int *bad = &wrong[me];
  *bad += errno != 0; /* a task begins with none */
  for (int i = 0; i < ROUNDS; i++) {
    errno = 1000 * me + i;
    block((i + 2 * (me / 2) + (me + i) % 2) % 6);
    *bad += errno != 1000 * me + i;
    errno = 0;
    block(i % 2);
    *bad += errno != 0;
    close(-1); /* by the C library, in whatever thread */
    *bad += errno != EBADF;
    errno++;
    block(1 - i % 2);
    *bad += errno != EBADF + 1;
  }
}

/* Others send and receive until they are over. */
static void peer(void *sends) {
  int v = 0;
  while ((sends ? gch_send(c, &v) : gch_recv(c, &v)) == 0)
    continue;
}

int main(void) {
  int all = 0, *at = &errno;
  gch_wg peers = GCH_WG_INIT;
  c = gch_make_of(int, 0);
  gch_maxprocs(4);
  gch_wg_go(&peers, peer, NULL);
  gch_wg_go(&peers, peer, &peers);
  for (intptr_t i = 0; i < TASKS; i++)
    gch_wg_go(&wg, keep, (void *)i);
  gch_wg_wait(&wg);
  gch_close(c);
  gch_wg_wait(&peers);
  gch_unref(c);
  for (int i = 0; i < TASKS; i++)
    all += wrong[i];
  if (all || !at)
    fprintf(stderr, "%d of %d reads are wrong\n", all,
            TASKS * (4 * ROUNDS + 1));
  return all != 0;
}
