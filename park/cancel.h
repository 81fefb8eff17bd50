/* SPDX-License-Identifier: BSD-3-Clause */
/* No call of the library is a cancellation point: what it calls may be one. */
#ifndef GCH_PARK_CANCEL_H
#define GCH_PARK_CANCEL_H

#include <pthread.h>

/* From now on the calling thread is not cancelled; what it was before. */
static inline int gch__cancel_off(void) {
  int before = PTHREAD_CANCEL_ENABLE;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
  return before;
}

static inline void gch__cancel_as(int before) {
  pthread_setcancelstate(before, &before);
}

#endif
