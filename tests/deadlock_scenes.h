/* SPDX-License-Identifier: BSD-3-Clause */
/* Programs for GULCH_DEADLOCK: some that end in a deadlock, and some that look
   as if they did. */
#ifndef GULCH_TESTS_DEADLOCK_SCENES_H
#define GULCH_TESTS_DEADLOCK_SCENES_H

#include "scene.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gulch/sync.h>

/* Long for the library, which looks ten times a second. */
#define A_WHILE (350 * MS)

struct scene {
  const char *name;
  void (*play)(void);
  const char *says; /* where it ends in a deadlock */
};

/* Made before a scene is played; goes_on closes it. */
extern gch_chan *scene_over;

extern const struct scene ends[], goes_on[];
enum { NUM_ENDS = 21, NUM_GOES_ON = 23 };

static inline void raw_thread(void *(*fn)(void *), void *arg) {
  pthread_t t;
  pthread_attr_t detached; /* from the start: the process may end before more */
  pthread_attr_init(&detached);
  pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
  if (pthread_create(&t, &detached, fn, arg) != 0)
    abort();
  pthread_attr_destroy(&detached);
}

/* Of the kernel's, not gulch's. */
static inline void sleep_outside(int64_t ns) {
  nanosleep(&(struct timespec){.tv_nsec = (long)ns}, NULL);
}

#endif
