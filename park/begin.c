/* SPDX-License-Identifier: BSD-3-Clause */
#include "park/begin.h"

#include <errno.h>
#include <pthread.h>

static void begin(void) {
  int saved = errno;
  gch__fence_begin();
  gch__lock_begin();
  gch__fork_begin();
  errno = saved;
}

void gch__begin(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, begin);
}
