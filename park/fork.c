/* SPDX-License-Identifier: BSD-3-Clause */
#include "park/fork.h"

#include <pthread.h>
#include <unistd.h>

_Atomic int gch__fork_count;

static void in_child(void) {
  atomic_fetch_add(&gch__fork_count, 1);
}

__attribute__((constructor)) static void register_fork(void) {
  pthread_atfork(NULL, NULL, in_child);
}

void gch__exit_child(void) {
  _exit(0);
}
